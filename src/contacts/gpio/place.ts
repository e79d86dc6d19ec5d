/** Whether a line of the configuration suits the board that hangs on it, and nobody else uses it. Pure. */
import type { ContactSettings, GpioBus, HardwareSettings } from '../hardware-settings.ts';
import type { PlaceProblem } from '../place.ts';
import { type Bias, type Level, opposite } from './lines.ts';
import { connectedLevel, type GpioProfile } from './profile.ts';
import { ACCEPT_RESET_PULL, resetPullProblem } from './pulls.ts';

/** What about the line of a contact cannot be, or must be accepted in words. */
export function lineProblems(
  contact: Pick<ContactSettings, 'accept_reset_pull'>,
  line: number,
  profile: GpioProfile,
  bus: GpioBus,
): readonly PlaceProblem[] {
  const problems: PlaceProblem[] = [];
  if (profile.lines !== undefined && !profile.lines.includes(line)) {
    const hint = `its relays are on lines ${profile.lines.join(', ')}`;
    problems.push({ key: 'line', what: `this board has no relay on line ${line}`, hint });
  }
  const pull = resetPullProblem(bus.chip, line, connectedLevel(profile));
  const said = contact.accept_reset_pull;
  if (pull !== null && said === undefined) {
    problems.push({ key: 'line', ...pull });
  } else if (pull !== null && said !== ACCEPT_RESET_PULL) {
    const what = 'this is not the sentence that accepts the pull of this line at reset';
    problems.push({ key: 'accept_reset_pull', what, hint: `write exactly: ${ACCEPT_RESET_PULL}` });
  } else if (pull === null && said !== undefined) {
    const what = `line ${line} of ${bus.chip} has no known pull that energises this relay; there is nothing to accept`;
    problems.push({ key: 'accept_reset_pull', what, hint: 'remove the key' });
  }
  return problems;
}

/** A witness on a line that is something else already. */
export interface LineClash {
  readonly link: string;
  readonly witness: string;
  readonly what: string;
}

/** Lines that a witness would listen to while a contact or another witness has them: it would let go of a relay's pin. */
export function lineClashes(settings: HardwareSettings): readonly LineClash[] {
  const users = new Map<string, string>();
  const placeOn = (bus: string, line: number): string | null => {
    const wire = settings.buses[bus];
    return wire?.transport === 'gpio' ? `line ${line} of chip ${wire.chip}` : null;
  };
  const links = Object.entries(settings.links);
  for (const [name, link] of links) {
    for (const { name: contact, bus, line } of link.contacts) {
      const place = line === undefined ? null : placeOn(bus, line);
      if (place !== null) users.set(place, `contact ${contact} of link ${name}`);
    }
  }
  return links.flatMap(([name, link]) =>
    link.witnesses.flatMap((witness) => {
      const place = witness.type === 'gpio' ? placeOn(witness.bus, witness.line) : null;
      if (place === null) return [];
      const other = users.get(place);
      users.set(place, other ?? `witness ${witness.name} of link ${name}`);
      if (other === undefined) return [];
      return [{ link: name, witness: witness.name, what: `${place} is already ${other}` }];
    }),
  );
}

/**
 * Why a mirror contact whose wire breaks would read as proof of isolation, or `null`. With a resistor outside (`none`)
 * nothing is known here.
 */
export function mirrorWireProblem(
  bias: Bias,
  isolatedWhen: Level,
): { readonly what: string; readonly hint: string } | null {
  if (bias === 'none' || (bias === 'pull-up' ? 1 : 0) !== isolatedWhen) return null;
  return {
    what: `a broken wire reads ${isolatedWhen} by its ${bias}, which here means isolated: nothing would be proven`,
    hint: `wire the mirror contact so that isolated reads ${opposite(isolatedWhen)}: a contact that is closed while isolated, against the pull`,
  };
}
