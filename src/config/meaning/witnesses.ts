/** Do the witnesses make sense, each by itself and with the bus or contact it names? */
import { lineClashes, mirrorWireProblem } from '../../contacts/gpio/place.ts';
import { unitProblems } from '../../contacts/place.ts';
import type { Profile } from '../../contacts/profile.ts';
import { error, unresolved, warning, type Finding, type Surroundings } from '../text/finding.ts';
import type { Path } from '../text/positions.ts';
import { quoted } from '../text/problems.ts';
import type { BusConfig, Config, LinkConfig, WitnessConfig } from '../schema.ts';

/** The transports of a Modbus bus. */
const MODBUS: readonly BusConfig['transport'][] = ['modbus-tcp', 'rtu-over-tcp', 'modbus-rtu'];

function unitFindings(path: Path, unit: number, bus: BusConfig | undefined): readonly Finding[] {
  if (bus === undefined) return [];
  return unitProblems(unit, bus).map(({ what, hint }) => error(path, what, hint));
}

interface Parts {
  readonly config: Config;
  readonly link: LinkConfig;
  readonly around: Surroundings;
}

/** Findings about one witness. */
export function witnessFindings(path: Path, witness: WitnessConfig, parts: Parts): readonly Finding[] {
  return [...mirrorFindings(path, witness, parts.link), ...kindFindings(path, witness, parts)];
}

function kindFindings(
  path: Path,
  witness: WitnessConfig,
  {
    config,
    link,
    around,
  }: { readonly config: Config; readonly link: LinkConfig; readonly around: Surroundings },
): readonly Finding[] {
  switch (witness.type) {
    case 'carrier':
      return carrierFindings([...path, 'interface'], witness.interface, around);
    case 'modbus-discrete-input':
      return inputFindings(path, witness, config, around);
    case 'gpio':
      return [
        ...witnessBus([...path, 'bus'], witness.bus, ['gpio'], config, around),
        ...gpioFindings(path, witness, config),
      ];
    case 'snmp':
      return witnessBus([...path, 'bus'], witness.bus, ['snmp'], config, around);
    case 'console':
      return consoleFindings([...path, 'contact'], witness.contact, link, around);
    case 'command':
      if (witness.isolated_exit !== witness.connected_exit) return [];
      return [
        error(
          [...path, 'isolated_exit'],
          'the same exit code means isolated and connected',
          'choose two different exit codes; any other is unknown',
        ),
      ];
    case 'path':
    case 'block-device':
    case 'usb-device':
    case 'tcp':
      return [];
  }
}

function carrierFindings(path: Path, wanted: string, around: Surroundings): readonly Finding[] {
  if (wanted === 'lo') {
    return [error(path, 'the loopback interface always has carrier', 'name the interface towards the vault')];
  }
  if (around.interfaces === null || around.interfaces.includes(wanted)) return [];
  const others = around.interfaces.filter((other) => other !== 'lo');
  const what = `this machine has no interface ${quoted(wanted)} now; without it the witness is unknown`;
  return [
    warning(path, what, others.length === 0 ? 'it has none besides lo' : `it has ${others.join(', ')}`),
  ];
}

function inputFindings(
  path: Path,
  witness: Extract<WitnessConfig, { type: 'modbus-discrete-input' }>,
  config: Config,
  around: Surroundings,
): readonly Finding[] {
  const findings = [
    ...witnessBus([...path, 'bus'], witness.bus, MODBUS, config, around),
    ...unitFindings([...path, 'unit'], witness.unit, config.buses[witness.bus]),
  ];
  const profile = boardAt(witness.bus, witness.unit, config, around);
  const inputs = profile?.driver === 'modbus' ? profile.inputs : undefined;
  if (
    inputs !== undefined &&
    (witness.input < inputs.address || witness.input >= inputs.address + inputs.quantity)
  ) {
    const last = inputs.address + inputs.quantity - 1;
    const hint = `its inputs have the addresses ${inputs.address} to ${last}`;
    findings.push(error([...path, 'input'], `input ${witness.input} does not exist on this board`, hint));
  }
  return findings;
}

/** A mirror contact belongs to one contact; where there are several, it must be said which. */
function mirrorFindings(path: Path, witness: WitnessConfig, link: LinkConfig): readonly Finding[] {
  if (witness.type !== 'gpio' && witness.type !== 'modbus-discrete-input') return [];
  const names = link.contacts.map(({ name }) => name);
  if (witness.mirrors !== undefined) {
    return unresolved([...path, 'mirrors'], 'contact of this link', witness.mirrors, names);
  }
  if (names.length < 2) return [];
  const what = 'this input counts as seeing the whole link; a mirror contact sees one contact';
  return [warning(path, what, `write mirrors: with one of ${names.join(', ')}`)];
}

/** Two on one line, and a broken wire that would read as proof. */
function gpioFindings(
  path: Path,
  witness: Extract<WitnessConfig, { type: 'gpio' }>,
  config: Config,
): readonly Finding[] {
  const clashes = lineClashes(config)
    .filter(({ link, witness: name }) => link === path[1] && name === witness.name)
    .map(({ what }) => error([...path, 'line'], what, 'give each its own line'));
  const wire = mirrorWireProblem(witness.bias, witness.isolated_when);
  return wire === null ? clashes : [...clashes, warning([...path, 'isolated_when'], wire.what, wire.hint)];
}

function witnessBus(
  path: Path,
  name: string,
  transports: readonly BusConfig['transport'][],
  config: Config,
  around: Surroundings,
): readonly Finding[] {
  const bus = config.buses[name];
  if (bus === undefined) return unresolved(path, 'bus', name, around.names.buses);
  if (transports.includes(bus.transport)) return [];
  const spoken = transports.join(' or ');
  const what = `bus ${quoted(name)} speaks ${bus.transport}, this witness ${spoken}`;
  return [error(path, what, `name a bus with transport ${spoken}`)];
}

function consoleFindings(
  path: Path,
  name: string,
  link: LinkConfig,
  around: Surroundings,
): readonly Finding[] {
  const contact = link.contacts.find((candidate) => candidate.name === name);
  if (contact === undefined) {
    return unresolved(
      path,
      'contact of this link',
      name,
      link.contacts.map((each) => each.name),
    );
  }
  const profile = around.profiles.get(contact.profile);
  if (profile === undefined || profile.driver === 'console') return [];
  return [error(path, `contact ${quoted(name)} is no switch port on a console`, 'name a console contact')];
}

function boardAt(bus: string, unit: number, config: Config, around: Surroundings): Profile | undefined {
  const contact = Object.values(config.links)
    .flatMap((link) => link.contacts)
    .find((candidate) => candidate.bus === bus && candidate.unit === unit);
  return contact === undefined ? undefined : around.profiles.get(contact.profile);
}
