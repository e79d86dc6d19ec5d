/** Do the button and the approvers make sense? */
import { error, unresolved, warning, type Finding, type Surroundings } from '../text/finding.ts';
import type { Path } from '../text/positions.ts';
import { quoted } from '../text/problems.ts';
import type { Config } from '../schema.ts';

/** People who must agree on a reset from afar. */
const APPROVERS_NEEDED = 2;
const MODBUS: readonly string[] = ['modbus-tcp', 'rtu-over-tcp', 'modbus-rtu'];

/** Findings about `button`. */
export function buttonFindings(config: Config, around: Surroundings): readonly Finding[] {
  const { button } = config;
  if (button === undefined) return [];
  const trips = button.trips === 'all' ? [] : button.trips;
  return [
    ...trips.flatMap((link, index) =>
      unresolved(['button', 'trips', index], 'link', link, around.names.links),
    ),
    ...inputFindings(['button', 'input'], config, around),
  ];
}

function inputFindings(
  path: Path,
  { button, buses, links }: Config,
  around: Surroundings,
): readonly Finding[] {
  const input = button?.input;
  switch (input?.type) {
    case undefined:
      return [];
    case 'gpio': {
      const safe = input.released_when === 0 ? 'pull-up' : 'pull-down';
      if (input.bias !== 'none' && input.bias !== safe) {
        const what = 'with this pull a broken wire reads as a button that is released';
        return [error([...path, 'bias'], what, `write bias: ${safe}, or none with a resistor of that kind`)];
      }
      const taken = Object.values(links).some(
        ({ contacts, witnesses }) =>
          contacts.some(({ bus, line }) => line === input.line && chipOf(buses[bus]) === input.chip) ||
          witnesses.some(
            (each) =>
              each.type === 'gpio' && each.line === input.line && chipOf(buses[each.bus]) === input.chip,
          ),
      );
      const what = `line ${input.line} of ${quoted(input.chip)} is a contact or a witness`;
      return taken ? [error([...path, 'line'], what, 'give the button a line of its own')] : [];
    }
    case 'modbus-discrete-input': {
      const missing = unresolved([...path, 'bus'], 'bus', input.bus, around.names.buses);
      const bus = buses[input.bus];
      if (missing.length > 0 || bus === undefined || MODBUS.includes(bus.transport)) return missing;
      const what = `bus ${quoted(input.bus)} does not speak Modbus`;
      return [error([...path, 'bus'], what, `a ${input.type} is read over ${MODBUS.join(', ')}`)];
    }
    case 'serial-status-line': {
      const shared = Object.values(buses).some((bus) => 'device' in bus && bus.device === input.device);
      const what = 'a bus talks over this device';
      return shared ? [error([...path, 'device'], what, 'give the button a serial port of its own')] : [];
    }
  }
}

const chipOf = (bus: Config['buses'][string] | undefined): string | null =>
  bus?.transport === 'gpio' ? bus.chip : null;

/** Findings about `approvers`. */
export function approverFindings({ approvers, windows }: Config): readonly Finding[] {
  const names = Object.keys(approvers);
  const first = new Map<string, string>();
  const shared = names.flatMap((name) => {
    const file = approvers[name]?.secret_file ?? '';
    const other = first.get(file);
    first.set(file, other ?? name);
    if (other === undefined) return [];
    const what = `${quoted(other)} has the same secret: they would be one person`;
    return [error(['approvers', name, 'secret_file'], what, 'give each approver a file of their own')];
  });
  const vain = Object.entries(windows).flatMap(([window, { by_hand: byHand }]) => {
    if (byHand !== 'approved' || names.length >= APPROVERS_NEEDED) return [];
    const what = `the codes of two people count here, and there are ${names.length} under \`approvers\``;
    return [warning(['windows', window, 'by_hand'], what, 'name two people, or write presence')];
  });
  shared.push(...vain);
  if (names.length === 0 || names.length >= APPROVERS_NEEDED) return shared;
  const what = 'one approver alone can approve nothing';
  return [...shared, { ...warning(['approvers'], what, 'name a second person'), atKey: true }];
}
