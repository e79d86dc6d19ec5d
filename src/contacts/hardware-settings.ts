/** What the configuration says about hardware, and what of it cannot be. */
import { askProblem } from './profile-requests.ts';
import type { Profile } from './profile.ts';

/** A wire to boards, as the configuration writes it. Times are ms. */
export type BusSettings =
  | {
      readonly transport: 'modbus-tcp' | 'rtu-over-tcp';
      readonly host: string;
      readonly port: number;
      readonly reply_timeout?: number;
    }
  | {
      readonly transport: 'modbus-rtu';
      readonly device: string;
      readonly baud?: number;
      readonly parity?: 'none' | 'even' | 'odd';
      readonly stop_bits?: 1 | 2;
      readonly reply_timeout?: number;
    };

/** A contact, as the configuration writes it. `hardware_lease` is ms; left out, it is the profile's. */
export interface ContactSettings {
  readonly name: string;
  readonly profile: string;
  readonly bus: string;
  readonly unit: number;
  readonly channel: number;
  readonly hardware_lease?: number | 'none';
}

/** A witness, as the configuration writes it. */
export type WitnessSettings =
  | { readonly name: string; readonly type: 'carrier'; readonly interface: string }
  | { readonly name: string; readonly type: 'path'; readonly path: string }
  | { readonly name: string; readonly type: 'block-device'; readonly device: string }
  | {
      readonly name: string;
      readonly type: 'tcp';
      readonly host: string;
      readonly port: number;
      readonly timeout: number;
    }
  | {
      readonly name: string;
      readonly type: 'modbus-discrete-input';
      readonly bus: string;
      readonly unit: number;
      readonly input: number;
      readonly isolated_when: 0 | 1;
    };

/** The part of the configuration that is hardware. */
export interface HardwareSettings {
  readonly buses: Readonly<Record<string, BusSettings>>;
  readonly links: Readonly<
    Record<
      string,
      { readonly contacts: readonly ContactSettings[]; readonly witnesses: readonly WitnessSettings[] }
    >
  >;
}

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
  const problems: string[] = [];
  const places = new Map<string, string>();
  for (const [name, bus] of Object.entries(settings.buses)) {
    const place = bus.transport === 'modbus-rtu' ? bus.device : `${bus.host}:${bus.port}`;
    const other = places.get(place);
    if (other !== undefined)
      problems.push(`buses ${other} and ${name} both lead to ${place}; requests would interleave`);
    places.set(place, name);
  }
  const channels = new Map<string, string>();
  const units = new Map<string, string>();
  for (const [name, link] of Object.entries(settings.links)) {
    for (const contact of link.contacts) {
      const where = `contact ${contact.name} of link ${name}`;
      problems.push(...contactProblems(contact, settings, profiles).map((problem) => `${where}: ${problem}`));
      const unit = `unit ${contact.unit} of bus ${contact.bus}`;
      const profile = units.get(unit) ?? contact.profile;
      if (profile !== contact.profile) problems.push(`${where}: ${unit} already has the profile ${profile}`);
      units.set(unit, profile);
      const channel = `channel ${contact.channel} of ${unit}`;
      const owner = channels.get(channel);
      if (owner !== undefined) problems.push(`${where}: ${channel} is already ${owner}`);
      channels.set(channel, where);
    }
    for (const witness of link.witnesses) {
      if (witness.type === 'modbus-discrete-input' && settings.buses[witness.bus] === undefined) {
        problems.push(`witness ${witness.name} of link ${name}: there is no bus ${witness.bus}`);
      }
    }
  }
  return problems;
}

function contactProblems(
  contact: ContactSettings,
  settings: HardwareSettings,
  profiles: ReadonlyMap<string, Profile>,
): readonly string[] {
  const bus = settings.buses[contact.bus];
  const profile = profiles.get(contact.profile);
  const missing = [
    ...(bus === undefined ? [`there is no bus ${contact.bus}`] : []),
    ...(profile === undefined ? [`there is no profile ${contact.profile}`] : []),
  ];
  if (bus === undefined || profile === undefined) return missing;
  const problems: string[] = [];
  if (!profile.transports.includes(bus.transport)) {
    problems.push(
      `${profile.id} is not reached by ${bus.transport} but by ${profile.transports.join(' or ')}`,
    );
  }
  const { channel } = contact;
  const lease = leaseMs(contact, profile);
  const problem = askProblem(
    profile,
    lease === null ? { ask: 'connect', channel } : { ask: 'lease', channel, lease_ms: lease },
  );
  if (problem !== null) problems.push(problem);
  return problems;
}

/** ms of the hardware lease in use, or `null` for none. */
export function leaseMs(contact: ContactSettings, profile: Profile): number | null {
  if (contact.hardware_lease === 'none') return null;
  return contact.hardware_lease ?? profile.hardware_lease?.default_ms ?? null;
}
