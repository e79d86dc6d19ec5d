/** A profile in words for people: what all say first, then what the driver needs, then the dangers. */
import { commandRows } from './command/text.ts';
import { consoleRows } from './console/text.ts';
import { gpioRows } from './gpio/text.ts';
import { hasWatchdog, leaseRange } from './hardware-lease.ts';
import { modbusRows } from './modbus/text.ts';
import { transportsOf } from './place.ts';
import type { Profile } from './profile.ts';
import { serialRows } from './serial/text.ts';
import { snmpRows } from './snmp/text.ts';

/** One line: a name and what there is to say; an empty name goes on with the line above. */
export type Row = readonly [string, string];

/** Width of the names, letters. */
const NAME_WIDTH = 15;

/** How far the grade of a profile may be trusted, in words. */
const GRADE_WORDS: Readonly<Record<Profile['evidence']['grade'], string>> = {
  paper: 'paper: taken from documents, nothing of it has been verified on hardware',
  simulated: 'simulated: tried against an emulation only, nothing of it has been verified on hardware',
  bench: 'bench: tried on a board on the bench',
  field: 'field: in use on real installations',
};

/** `portcullis profile show`. */
export function profileText(profile: Profile): string {
  const { evidence, power_on: powerOn } = profile;
  const rows: readonly Row[] = [
    ['id', profile.id],
    ...(profile.unsuitable === undefined ? [] : [['UNSUITABLE', profile.unsuitable] as const]),
    ['device', `${profile.maker} ${profile.model}`],
    ['evidence', `${GRADE_WORDS[evidence.grade]} (${evidence.source}; checked ${evidence.checked_on})`],
    ...(evidence.notes === '' ? [] : [['', evidence.notes] as const]),
    ['driver', `${profile.driver} over ${transportsOf(profile).join(', ')}`],
    ['contact', `${profile.contact}; without power: ${profile.without_power}`],
    ['power returns', `${powerOn.position} (${powerOn.certainty})`],
    ...driverRows(profile),
    ...leaseRows(profile),
    ...profile.dangers.map((danger) => ['danger', danger] as const),
  ];
  return rows.map(([name, value]) => `${name.padEnd(NAME_WIDTH)} ${value}\n`).join('');
}

function driverRows(profile: Profile): readonly Row[] {
  switch (profile.driver) {
    case 'gpio':
      return gpioRows(profile);
    case 'console':
      return consoleRows(profile);
    case 'modbus':
      return modbusRows(profile);
    case 'serial':
      return serialRows(profile);
    case 'snmp':
      return snmpRows(profile);
    case 'command':
      return commandRows(profile);
  }
}

function leaseRows(profile: Profile): readonly Row[] {
  const range = leaseRange(profile);
  if (range === null) {
    const what = hasWatchdog(profile)
      ? 'none: the device does not know our leases; its watchdog is another thing'
      : 'none: nothing in the device isolates when the controller dies';
    return [['hardware lease', what]];
  }
  const { min, max, unit_ms: unitMs, default_ms: defaultMs } = range;
  return [['hardware lease', `${min * unitMs} to ${max * unitMs} ms, default ${defaultMs} ms`]];
}
