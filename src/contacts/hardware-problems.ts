/** What of the configured hardware cannot be. The configuration is checked with the same rules, by line: see config. */
import { deadManClash } from './dead-man-place.ts';
import { lineClashes } from './gpio/place.ts';
import { leaseMs, leaseProblem } from './hardware-lease.ts';
import {
  busOfWitness,
  type BusSettings,
  type BusWitnessSettings,
  type ContactSettings,
  type HardwareSettings,
  type LinkSettings,
  wireOf,
} from './hardware-settings.ts';
import { lampProblems, lampsIn } from './lamp-place.ts';
import { deviceText, placeOf, placeProblems, placeText } from './place.ts';
import type { Profile } from './profile.ts';

/** The configuration asks for hardware that cannot be; `problems` lists everything, each with where. */
export class HardwareProblems extends Error {
  override readonly name = 'HardwareProblems';
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(`the configured hardware cannot be: ${problems.join('; ')}`);
    this.problems = problems;
  }
}

/** Everything about the configured hardware that cannot be, each in a sentence that says where. */
export function hardwareProblems(
  settings: HardwareSettings,
  profiles: ReadonlyMap<string, Profile>,
): readonly string[] {
  const problems: string[] = [
    ...sharedWires(settings),
    ...buttonProblems(settings),
    ...lampsProblems(settings, profiles),
    ...deadManProblems(settings),
    ...lineClashes(settings).map(({ link, witness, what }) => `witness ${witness} of link ${link}: ${what}`),
  ];
  const taken = new Map<string, string>();
  const devices = new Map<string, string>();
  for (const [name, link] of Object.entries(settings.links)) {
    for (const contact of link.contacts) {
      const where = `contact ${contact.name} of link ${name}`;
      const profile = profiles.get(contact.profile);
      problems.push(...contactProblems(contact, settings, profile).map((problem) => `${where}: ${problem}`));
      const place = profile === undefined ? null : placeOf(contact, profile);
      if (place === null) continue;
      const device = deviceText(contact.bus, place);
      const known = device === null ? undefined : devices.get(device);
      if (device !== null && known !== undefined && known !== contact.profile)
        problems.push(`${where}: ${device} already has the profile ${known}`);
      if (device !== null) devices.set(device, known ?? contact.profile);
      const spot = placeText(contact.bus, place, contact.profile);
      const owner = taken.get(spot);
      if (owner !== undefined) problems.push(`${where}: ${spot} is already ${owner}`);
      taken.set(spot, where);
    }
    problems.push(...witnessProblems(name, link, settings, profiles));
  }
  return problems;
}

function sharedWires(settings: HardwareSettings): readonly string[] {
  const first = new Map<string, string>();
  return Object.entries(settings.buses).flatMap(([name, bus]) => {
    const wire = wireOf(bus);
    if (wire === null) return [];
    const other = first.get(wire);
    first.set(wire, other ?? name);
    return other === undefined
      ? []
      : [`buses ${other} and ${name} both lead to ${wire}; requests would interleave`];
  });
}

/** An input of a board needs a bus that speaks Modbus. */
function buttonProblems({ button, buses }: HardwareSettings): readonly string[] {
  if (button?.input.type !== 'modbus-discrete-input') return [];
  const bus = buses[button.input.bus];
  if (bus === undefined) return [`the button: there is no bus ${button.input.bus}`];
  const spoken = ['modbus-tcp', 'rtu-over-tcp', 'modbus-rtu'].includes(bus.transport);
  return spoken ? [] : [`the button: bus ${button.input.bus} does not speak Modbus`];
}

function deadManProblems(settings: HardwareSettings): readonly string[] {
  const clash = deadManClash(settings);
  return clash === null ? [] : [`the dead-man circuit: its line is ${clash}`];
}

function lampsProblems(
  settings: HardwareSettings,
  profiles: ReadonlyMap<string, Profile>,
): readonly string[] {
  const missing = lampsIn(settings).flatMap(({ lamp, output: { bus, profile } }) => [
    ...(settings.buses[bus] === undefined ? [`the ${lamp} lamp: there is no bus ${bus}`] : []),
    ...(profiles.has(profile) ? [] : [`the ${lamp} lamp: there is no profile ${profile}`]),
  ]);
  const impossible = lampProblems(settings, profiles).map(
    ({ lamp, what, hint }) => `the ${lamp} lamp: ${what} (${hint})`,
  );
  return [...missing, ...impossible];
}

function contactProblems(
  contact: ContactSettings,
  settings: HardwareSettings,
  profile: Profile | undefined,
): readonly string[] {
  const bus = settings.buses[contact.bus];
  const problems: string[] = [];
  if (bus === undefined) problems.push(`there is no bus ${contact.bus}`);
  if (profile === undefined) return [...problems, `there is no profile ${contact.profile}`];
  problems.push(...placeProblems(contact, profile, bus).map(({ what, hint }) => `${what} (${hint})`));
  const lease = leaseProblem(leaseMs(contact.hardware_lease, profile) ?? 'none', profile);
  if (lease?.kind === 'no-timer') problems.push('this board has no timer that isolates');
  else if (lease?.kind === 'uncountable') {
    problems.push(
      `the board cannot count ${String(contact.hardware_lease)} ms; it can do ${lease.leastMs} to ${lease.mostMs} ms in steps of ${lease.stepMs} ms`,
    );
  }
  return problems;
}

function witnessProblems(
  name: string,
  link: LinkSettings,
  settings: HardwareSettings,
  profiles: ReadonlyMap<string, Profile>,
): readonly string[] {
  return link.witnesses.flatMap((witness) => {
    switch (witness.type) {
      case 'carrier':
      case 'path':
      case 'block-device':
      case 'usb-device':
      case 'tcp':
      case 'command':
        return [];
      case 'modbus-discrete-input':
      case 'gpio':
      case 'snmp':
      case 'console': {
        const where = `witness ${witness.name} of link ${name}`;
        const busName = busOfWitness(witness, link.contacts);
        if (busName === null) return [`${where}: there is no such contact in this link`];
        const bus = settings.buses[busName];
        if (bus === undefined) return [`${where}: there is no bus ${busName}`];
        const fits =
          witness.type === 'console'
            ? isOnConsole(witness.contact, link, profiles)
            : BUS_OF_WITNESS[witness.type].includes(bus.transport);
        return fits
          ? []
          : [`${where}: nothing on bus ${busName} (${bus.transport}) can be its ${witness.type}`];
      }
    }
  });
}

/** The transports over which a witness is read. */
const BUS_OF_WITNESS: Readonly<
  Record<Exclude<BusWitnessSettings['type'], 'console'>, readonly BusSettings['transport'][]>
> = {
  'modbus-discrete-input': ['modbus-tcp', 'rtu-over-tcp', 'modbus-rtu'],
  gpio: ['gpio'],
  snmp: ['snmp'],
};

const isOnConsole = (
  contact: string,
  { contacts }: LinkSettings,
  profiles: ReadonlyMap<string, Profile>,
): boolean =>
  contacts.some(({ name, profile }) => name === contact && profiles.get(profile)?.driver === 'console');
