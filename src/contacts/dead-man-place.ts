/** What else is on the line of the dead-man circuit: anything there would be fed by, or stop, the edges. Pure. */
import type { HardwareSettings } from './hardware-settings.ts';
import { lampsIn } from './lamp-place.ts';

/** Who has the line already, or null. */
export function deadManClash({
  dead_man: deadMan,
  button,
  buses,
  lamps,
  links,
}: HardwareSettings): string | null {
  if (deadMan === undefined) return null;
  const isIt = (bus: string | undefined, line: number | undefined): boolean => {
    const settings = bus === undefined ? undefined : buses[bus];
    return settings?.transport === 'gpio' && settings.chip === deadMan.chip && line === deadMan.line;
  };
  for (const [name, { contacts, witnesses }] of Object.entries(links)) {
    const contact = contacts.find(({ bus, line }) => isIt(bus, line));
    if (contact !== undefined) return `contact ${contact.name} of link ${name}`;
    const witness = witnesses.find((each) => each.type === 'gpio' && isIt(each.bus, each.line));
    if (witness !== undefined) return `witness ${witness.name} of link ${name}`;
  }
  const input = button?.input;
  if (input?.type === 'gpio' && input.chip === deadMan.chip && input.line === deadMan.line)
    return 'the button';
  const lamp = lampsIn({ lamps }).find(({ output }) => isIt(output.bus, output.line));
  return lamp === undefined ? null : `the ${lamp.lamp} lamp`;
}
