/** Where a contact sits, as its driver needs it, and what of it cannot be. */
import { portProblem } from './console/script.ts';
import { lineProblems } from './gpio/place.ts';
import type { BusSettings, ContactSettings } from './hardware-settings.ts';
import { parameterProblems } from './command/words.ts';
import type { Profile } from './profile.ts';
import { addressProblem } from './serial/address.ts';
import { POE_PORT } from './snmp/findings.ts';
import type { SnmpProfile } from './snmp/profile.ts';

/** Where a contact sits on its bus. */
export type Place =
  | { readonly driver: 'modbus'; readonly unit: number; readonly channel: number }
  | { readonly driver: 'serial'; readonly unit: number; readonly channel: number }
  | { readonly driver: 'gpio'; readonly line: number }
  | { readonly driver: 'console'; readonly port: string }
  | { readonly driver: 'snmp'; readonly port: string }
  | { readonly driver: 'command'; readonly parameters: Readonly<Record<string, string>> };

/** The keys of a contact that say where it sits. */
export type PlaceKey = 'unit' | 'channel' | 'line' | 'port' | 'parameters' | 'accept_reset_pull';

/** One thing about a contact that cannot be; `key` is where it stands in the configuration. */
export interface PlaceProblem {
  readonly key: PlaceKey | 'bus' | 'profile';
  readonly what: string;
  readonly hint: string;
}

type Driver = Profile['driver'];

/** Which keys each driver needs, and which it takes. */
const KEYS: Readonly<
  Record<Driver, { readonly needs: readonly PlaceKey[]; readonly takes: readonly PlaceKey[] }>
> = {
  modbus: { needs: ['unit', 'channel'], takes: [] },
  serial: { needs: ['channel'], takes: ['unit'] },
  gpio: { needs: ['line'], takes: ['accept_reset_pull'] },
  console: { needs: ['port'], takes: [] },
  snmp: { needs: ['port'], takes: [] },
  command: { needs: [], takes: ['parameters'] },
};
const ALL_KEYS: readonly PlaceKey[] = ['unit', 'channel', 'line', 'port', 'parameters', 'accept_reset_pull'];

/** RTU knows no higher unit; 248 to 255 are reserved (Modbus over serial line V1.02, 2.2). */
export const HIGHEST_RTU_UNIT = 247;

/** The place of a contact whose profile is this one, or `null` when a key is missing. */
export function placeOf(contact: ContactSettings, profile: Profile): Place | null {
  const { unit, channel, line, port } = contact;
  const { driver } = profile;
  switch (driver) {
    case 'modbus':
      return unit === undefined || channel === undefined ? null : { driver, unit, channel };
    case 'serial':
      return channel === undefined ? null : { driver, unit: unit ?? 1, channel };
    case 'gpio':
      return line === undefined ? null : { driver, line };
    case 'console':
    case 'snmp':
      return port === undefined ? null : { driver, port };
    case 'command':
      return { driver, parameters: contact.parameters ?? {} };
  }
}

/** What no two contacts may share, in words. What a program moves is the same on every bus of programs. */
export function placeText(bus: string, place: Place, profile: string): string {
  switch (place.driver) {
    case 'modbus':
    case 'serial':
      return `channel ${place.channel} of unit ${place.unit} on bus "${bus}"`;
    case 'gpio':
      return `line ${place.line} of bus "${bus}"`;
    case 'console':
    case 'snmp':
      return `port ${place.port} of bus "${bus}"`;
    case 'command': {
      const words = Object.entries(place.parameters).map(([key, value]) => `${key}=${value}`);
      return `${words.length === 0 ? 'the command' : words.toSorted().join(' ')} of ${profile}`;
    }
  }
}

/** The device that a place is on, where every contact must have the same profile; `null` where profiles may differ. */
export function deviceText(bus: string, place: Place): string | null {
  switch (place.driver) {
    case 'modbus':
      return `unit ${place.unit} on bus "${bus}"`;
    case 'serial':
    case 'console':
      return `bus "${bus}"`;
    case 'gpio':
    case 'snmp':
    case 'command':
      return null;
  }
}

/** Everything about a contact that its profile and its bus do not allow. `bus` is `undefined` when there is none. */
export function placeProblems(
  contact: ContactSettings,
  profile: Profile,
  bus: BusSettings | undefined,
): readonly PlaceProblem[] {
  const { needs, takes } = KEYS[profile.driver];
  const problems: PlaceProblem[] = [
    ...needs
      .filter((key) => contact[key] === undefined)
      .map((key) => ({
        key,
        what: `${key} is missing`,
        hint: `a ${profile.driver} contact needs ${needs.join(' and ')}`,
      })),
    ...ALL_KEYS.filter(
      (key) => contact[key] !== undefined && !needs.includes(key) && !takes.includes(key),
    ).map((key) => ({ key, what: `a ${profile.driver} contact has no ${key}`, hint: 'remove the key' })),
  ];
  if (profile.unsuitable !== undefined) {
    problems.push({
      key: 'profile',
      what: `${profile.id} must not be a contact: ${profile.unsuitable}`,
      hint: 'take another device; see `portcullis profile list`',
    });
  }
  if (bus !== undefined) problems.push(...busProblems(contact, profile, bus));
  const place = placeOf(contact, profile);
  if (place !== null) problems.push(...driverProblems(place, profile, bus));
  if (place?.driver === 'gpio' && profile.driver === 'gpio' && bus?.transport === 'gpio')
    problems.push(...lineProblems(contact, place.line, profile, bus));
  return problems;
}

function busProblems(contact: ContactSettings, profile: Profile, bus: BusSettings): readonly PlaceProblem[] {
  const spoken = transportsOf(profile);
  if (!spoken.includes(bus.transport)) {
    const what = `this board does not speak ${bus.transport}, the transport of bus "${contact.bus}"`;
    return [{ key: 'bus', what, hint: `it speaks ${spoken.join(', ')}` }];
  }
  const line = bus.transport === 'modbus-rtu' || bus.transport === 'serial';
  if (line && bus.baud === undefined && !('serial' in profile && profile.serial !== undefined)) {
    const what = 'neither the bus nor the profile says the speed of the serial line';
    return [{ key: 'bus', what, hint: `write "baud" in bus "${contact.bus}"` }];
  }
  return [];
}

/** The transports by which a device is reached. */
export function transportsOf(profile: Profile): readonly BusSettings['transport'][] {
  switch (profile.driver) {
    case 'console':
    case 'modbus':
    case 'serial':
      return profile.transports;
    case 'gpio':
    case 'snmp':
    case 'command':
      return [profile.driver];
  }
}

function driverProblems(
  place: Place,
  profile: Profile,
  bus: BusSettings | undefined,
): readonly PlaceProblem[] {
  const problems: PlaceProblem[] = [];
  if ('channel' in place && 'channels' in profile && place.channel > profile.channels) {
    const what = `channel ${place.channel} does not exist on this board`;
    problems.push({ key: 'channel', what, hint: `it has channels 1 to ${profile.channels}` });
  }
  if (place.driver === 'snmp' && profile.driver === 'snmp')
    problems.push(...snmpPortProblems(place.port, profile));
  if (place.driver === 'command' && profile.driver === 'command')
    problems.push(
      ...parameterProblems(profile, place.parameters).map((each) => ({
        key: 'parameters' as const,
        ...each,
      })),
    );
  if (place.driver === 'modbus' && bus !== undefined) problems.push(...unitProblems(place.unit, bus));
  if (place.driver === 'serial' && profile.driver === 'serial') {
    const problem = addressProblem(profile, place.unit);
    if (problem !== null) problems.push({ key: 'unit', ...problem });
  }
  if (place.driver === 'console' && profile.driver === 'console') {
    const problem = portProblem(profile, place.port);
    if (problem !== null)
      problems.push({ key: 'port', what: `"${place.port}" is no port of this switch`, hint: problem });
  }
  return problems;
}

/** A PoE port is named by its place in the table, an interface by its name. */
function snmpPortProblems(port: string, profile: SnmpProfile): readonly PlaceProblem[] {
  if (profile.ports === 'interface' || POE_PORT.test(port)) return [];
  const what = `${JSON.stringify(port.slice(0, 40))} is no place in the PoE table`;
  return [{ key: 'port', what, hint: 'write group.port, such as "1.5"; the group of a single switch is 1' }];
}

/** Units that a serial bus does not have. */
export function unitProblems(unit: number, bus: BusSettings): readonly PlaceProblem[] {
  if (bus.transport === 'modbus-tcp' || unit <= HIGHEST_RTU_UNIT) return [];
  const what = `unit ${unit} is reserved on a serial bus`;
  return [{ key: 'unit', what, hint: `units are 1 to ${HIGHEST_RTU_UNIT}` }];
}
