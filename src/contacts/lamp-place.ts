/** Where a lamp may hang: on a wire of its own, so that nothing that cuts ever waits for one. Pure. */
import type { LampName } from '../core/lamps.ts';
import {
  busOfWitness,
  type BusSettings,
  type ButtonInputSettings,
  type HardwareSettings,
  type LampSettings,
} from './hardware-settings.ts';
import { deviceText, placeOf, placeProblems, placeText } from './place.ts';
import type { Profile } from './profile.ts';

/** A configured lamp. */
export interface PlacedLamp {
  readonly lamp: LampName;
  readonly output: LampSettings;
}

/** One thing about a lamp that cannot be; `key` is where it stands in the configuration, `null` for the lamp as a whole. */
export interface LampProblem {
  readonly lamp: LampName;
  readonly key: string | null;
  readonly what: string;
  readonly hint: string;
}

const LAMP_DRIVERS: readonly Profile['driver'][] = ['gpio', 'modbus', 'serial'];

/** Every lamp that there may be. */
const LAMPS = ['isolated', 'connected', 'tripped', 'fault'] as const satisfies readonly LampName[];

/** The configured lamps. */
export const lampsIn = ({ lamps }: Pick<HardwareSettings, 'lamps'>): readonly PlacedLamp[] =>
  LAMPS.flatMap((lamp) => {
    const output = lamps?.[lamp];
    return output === undefined ? [] : [{ lamp, output }];
  });

/** Everything about the lamps that cannot be, apart from names of buses and profiles that there are not. */
export function lampProblems(
  settings: HardwareSettings,
  profiles: ReadonlyMap<string, Profile>,
): readonly LampProblem[] {
  const lamps = lampsIn(settings);
  return [
    ...lamps.flatMap((each) => [...outputProblems(each, settings, profiles), ...disturbance(each, settings)]),
    ...shared(lamps, profiles),
  ];
}

function outputProblems(
  { lamp, output }: PlacedLamp,
  { buses }: HardwareSettings,
  profiles: ReadonlyMap<string, Profile>,
): readonly LampProblem[] {
  const profile = profiles.get(output.profile);
  if (profile === undefined) return [];
  if (!LAMP_DRIVERS.includes(profile.driver)) {
    const what = `a ${profile.driver} device drives no lamp`;
    return [{ lamp, key: 'profile', what, hint: 'take a GPIO line, a Modbus or a serial board' }];
  }
  return placeProblems({ name: lamp, ...output }, profile, buses[output.bus]).map(({ key, what, hint }) =>
    // The words that take such a pin for a contact do not help: the lamp would say what nobody knows yet.
    hint.includes('accept_reset_pull')
      ? { lamp, key, what, hint: 'the lamp would be lit before anything is known: take another line' }
      : { lamp, key, what, hint },
  );
}

/** A lamp on the wire of something else would be waited for: by a cut, by a look at a witness, by a press. */
function disturbance(
  { lamp, output: { bus: name, line } }: PlacedLamp,
  { button, buses, links }: HardwareSettings,
): readonly LampProblem[] {
  const bus = buses[name];
  const gpio = bus?.transport === 'gpio';
  // No GPIO line waits for another: there it is enough that the line is the lamp's own.
  const meets = (bus_: string | null, line_: number | undefined): boolean =>
    bus_ === name && (!gpio || line_ === line);
  const users = Object.entries(links).flatMap(([link, { contacts, witnesses }]) => [
    ...contacts.flatMap((each) =>
      meets(each.bus, each.line) ? [`contact ${each.name} of link ${link}`] : [],
    ),
    ...witnesses.flatMap((each) =>
      'bus' in each && meets(busOfWitness(each, contacts), 'line' in each ? each.line : undefined)
        ? [`witness ${each.name} of link ${link}`]
        : [],
    ),
  ]);
  const user = users[0] ?? (isOfButton(button?.input, name, bus, line) ? 'the button' : undefined);
  if (user === undefined) return [];
  return [
    gpio
      ? {
          lamp,
          key: 'line',
          what: `line ${line ?? 0} of ${bus.chip} is ${user}`,
          hint: 'give the lamp a line of its own',
        }
      : {
          lamp,
          key: 'bus',
          what: `bus ${name} is that of ${user}, which would wait for the lamp`,
          hint: 'give the lamps a bus of their own: a second board or adapter, or GPIO lines',
        },
  ];
}

function isOfButton(
  input: ButtonInputSettings | undefined,
  name: string,
  bus: BusSettings | undefined,
  line: number | undefined,
): boolean {
  switch (input?.type) {
    case undefined:
    case 'serial-status-line':
      return false;
    case 'modbus-discrete-input':
      return input.bus === name;
    case 'gpio':
      return bus?.transport === 'gpio' && input.chip === bus.chip && input.line === line;
  }
}

function shared(
  lamps: readonly PlacedLamp[],
  profiles: ReadonlyMap<string, Profile>,
): readonly LampProblem[] {
  const spots = new Map<string, string>();
  const devices = new Map<string, string>();
  return lamps.flatMap(({ lamp, output }): LampProblem[] => {
    const profile = profiles.get(output.profile);
    const place = profile === undefined ? null : placeOf({ name: lamp, ...output }, profile);
    if (place === null) return [];
    const spot = placeText(output.bus, place, output.profile);
    const other = spots.get(spot);
    spots.set(spot, other ?? lamp);
    if (other !== undefined) {
      const what = `${spot} is already that of the ${other} lamp`;
      return [{ lamp, key: null, what, hint: 'give each lamp an output of its own' }];
    }
    const device = deviceText(output.bus, place);
    const known = device === null ? output.profile : (devices.get(device) ?? output.profile);
    if (device !== null) devices.set(device, known);
    if (known === output.profile) return [];
    const what = `${device} already has the profile ${known}`;
    return [{ lamp, key: 'profile', what, hint: 'a board has one profile; mend profile or unit' }];
  });
}
