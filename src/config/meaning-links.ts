/** Do the buses, contacts and witnesses make sense together? */
import { formatDuration } from './duration.ts';
import { error, unresolved, warning, type Finding, type ProfileFacts, type Surroundings } from './finding.ts';
import { nearest } from './nearest.ts';
import type { Path } from './positions.ts';
import { quoted } from './problems.ts';
import type { BusConfig, Config, ContactConfig, LinkConfig, WitnessConfig } from './schema.ts';

/** The one that was lost, the isolate that is confirmed, and the read-back. */
const EXCHANGES_AFTER_LOSS = 3;
/** Renewed about twice a second; a round of readings that meets a silent indicator takes up to two seconds. */
const SHORT_LEASE_MS = 3_000;
/** RTU knows no higher unit; 248 to 255 are reserved. */
const HIGHEST_RTU_UNIT = 247;

/** Findings about `buses` and `links`. */
export function linkFindings(config: Config, around: Surroundings): readonly Finding[] {
  return [
    ...sharedDevices(config),
    ...Object.entries(config.links).flatMap(([name, link]) => [
      ...oneLink(['links', name], link, around),
      ...link.contacts.flatMap((contact, index) =>
        oneContact(['links', name, 'contacts', index], contact, config, around),
      ),
      ...isolateTimeoutFindings(['links', name, 'isolate_timeout'], link, config, around),
      ...link.witnesses.flatMap((witness, index) =>
        oneWitness(['links', name, 'witnesses', index], witness, config, around),
      ),
    ]),
    ...sharedUnits(config),
    ...sharedChannels(config),
  ];
}

function oneLink(path: Path, link: LinkConfig, around: Surroundings): readonly Finding[] {
  const findings: Finding[] = [];
  const profiles = link.contacts.map((contact) => around.profiles.get(contact.profile));
  if (link.contacts.length === 0) {
    findings.push(
      error([...path, 'contacts'], 'no contact: nothing could isolate this link', 'add a contact'),
    );
  } else if (profiles.every((profile) => profile?.contact === 'holding')) {
    findings.push(
      error(
        [...path, 'contacts'],
        'only holding contacts: without power or permission they keep their last state',
        'add a contact that falls to isolated by itself, such as a normally-open relay',
      ),
    );
  }
  if (link.witnesses.length === 0) {
    findings.push({
      ...warning(
        [...path, 'witnesses'],
        "no witness: isolation will rest on the board's own word",
        'add one under `witnesses`: carrier, path, block-device, tcp or modbus-discrete-input',
      ),
      atKey: true,
    });
  }
  const seen = new Set<string>();
  for (const kind of ['contacts', 'witnesses'] as const) {
    for (const [index, { name }] of link[kind].entries()) {
      if (seen.has(name)) {
        const what = `the name ${quoted(name)} is taken in this link`;
        findings.push(
          error([...path, kind, index, 'name'], what, 'give each contact and witness its own name'),
        );
      }
      seen.add(name);
    }
  }
  return findings;
}

function oneContact(
  path: Path,
  contact: ContactConfig,
  config: Config,
  around: Surroundings,
): readonly Finding[] {
  const bus = config.buses[contact.bus];
  const profile = around.profiles.get(contact.profile);
  const findings = [
    ...unresolved([...path, 'bus'], 'bus', contact.bus, around.names.buses),
    ...unitFindings([...path, 'unit'], contact.unit, bus),
  ];
  if (profile === undefined) {
    const meant = nearest(contact.profile, [...around.profiles.keys()]);
    const hint = meant === null ? 'see `portcullis profile list`' : `did you mean ${quoted(meant)}?`;
    return [
      ...findings,
      error([...path, 'profile'], `no profile is called ${quoted(contact.profile)}`, hint),
    ];
  }
  if (contact.channel > profile.channels) {
    const what = `channel ${contact.channel} does not exist on this board`;
    findings.push(error([...path, 'channel'], what, `it has channels 1 to ${profile.channels}`));
  }
  if (bus !== undefined && !profile.transports.includes(bus.transport)) {
    const what = `this board does not speak ${bus.transport}, the transport of bus ${quoted(contact.bus)}`;
    findings.push(error([...path, 'bus'], what, `it speaks ${profile.transports.join(', ')}`));
  }
  if (bus?.transport === 'modbus-rtu' && bus.baud === undefined && profile.serial === undefined) {
    const what = 'neither the bus nor the profile says the speed of the serial line';
    findings.push(error([...path, 'bus'], what, `write "baud" in bus ${quoted(contact.bus)}`));
  }
  return [...findings, ...leaseFindings([...path, 'hardware_lease'], contact.hardware_lease, profile)];
}

function leaseFindings(
  path: Path,
  lease: ContactConfig['hardware_lease'],
  profile: ProfileFacts,
): readonly Finding[] {
  const timer = profile.hardware_lease;
  if (lease === undefined) return [];
  if (lease === 'none') {
    if (timer === undefined) return [];
    const what = 'the board could isolate by itself when this program dies, and is told not to';
    return [warning(path, what, 'remove the key to use its timer')];
  }
  if (timer === undefined) return [error(path, 'this board has no timer that isolates', 'remove the key')];
  const least = timer.min * timer.unit_ms;
  const most = timer.max * timer.unit_ms;
  if (lease < least || lease > most || lease % timer.unit_ms !== 0) {
    const what = `the board cannot count ${formatDuration(lease)}`;
    const range = `${formatDuration(least)} to ${formatDuration(most)}`;
    return [error(path, what, `it can do ${range}, in steps of ${formatDuration(timer.unit_ms)}`)];
  }
  if (lease < SHORT_LEASE_MS) {
    const what = `a lease of ${formatDuration(lease)} may run out while one indicator is slow to answer`;
    return [warning(path, what, `write ${formatDuration(SHORT_LEASE_MS)} or more`)];
  }
  return [];
}

/** After a lost answer an RTU line is listened to until no late one can come; only then an isolate can be confirmed. */
function isolateTimeoutFindings(
  path: Path,
  link: LinkConfig,
  config: Config,
  around: Surroundings,
): readonly Finding[] {
  const neededMs = link.contacts.map(({ bus: name, profile }) => {
    const [bus, timings] = [config.buses[name], around.profiles.get(profile)?.timings];
    if (bus === undefined || timings === undefined || bus.transport === 'modbus-tcp') return 0;
    const replyMs = bus.reply_timeout ?? timings.reply_timeout_ms;
    return timings.worst_reply_delay_ms + EXCHANGES_AFTER_LOSS * (replyMs + timings.gap_ms);
  });
  const mostMs = Math.max(0, ...neededMs);
  if (mostMs <= link.isolate_timeout) return [];
  const what = `one lost answer takes up to ${formatDuration(mostMs)} on this line, longer than isolation may take`;
  return [warning(path, what, `an alarm would come too early: write ${formatDuration(mostMs)} or more`)];
}

function unitFindings(path: Path, unit: number, bus: BusConfig | undefined): Finding[] {
  if (bus === undefined || bus.transport === 'modbus-tcp' || unit <= HIGHEST_RTU_UNIT) return [];
  return [error(path, `unit ${unit} is reserved on a serial bus`, `units are 1 to ${HIGHEST_RTU_UNIT}`)];
}

function oneWitness(
  path: Path,
  witness: WitnessConfig,
  config: Config,
  around: Surroundings,
): readonly Finding[] {
  switch (witness.type) {
    case 'carrier': {
      const place = [...path, 'interface'];
      const { interface: wanted } = witness;
      if (wanted === 'lo') {
        return [
          error(place, 'the loopback interface always has carrier', 'name the interface towards the vault'),
        ];
      }
      if (around.interfaces === null || around.interfaces.includes(wanted)) return [];
      const others = around.interfaces.filter((other) => other !== 'lo');
      const what = `this machine has no interface ${quoted(wanted)} now; without it the witness is unknown`;
      return [
        warning(place, what, others.length === 0 ? 'it has none besides lo' : `it has ${others.join(', ')}`),
      ];
    }
    case 'modbus-discrete-input': {
      const findings = [
        ...unresolved([...path, 'bus'], 'bus', witness.bus, around.names.buses),
        ...unitFindings([...path, 'unit'], witness.unit, config.buses[witness.bus]),
      ];
      const inputs = boardAt(witness.bus, witness.unit, config, around)?.inputs;
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
    case 'path':
    case 'block-device':
    case 'tcp':
      return [];
  }
}

function boardAt(bus: string, unit: number, config: Config, around: Surroundings): ProfileFacts | undefined {
  const contact = Object.values(config.links)
    .flatMap((link) => link.contacts)
    .find((candidate) => candidate.bus === bus && candidate.unit === unit);
  return contact === undefined ? undefined : around.profiles.get(contact.profile);
}

/** Where requests go, so that two names for one wire are noticed. */
function wireOf(bus: BusConfig): string {
  return bus.transport === 'modbus-rtu' ? bus.device : `${bus.host.toLowerCase()}:${bus.port}`;
}

function sharedDevices(config: Config): readonly Finding[] {
  const first = new Map<string, string>();
  return Object.entries(config.buses).flatMap(([name, bus]) => {
    const wire = wireOf(bus);
    const other = first.get(wire);
    first.set(wire, other ?? name);
    if (other === undefined) return [];
    const what = `bus ${quoted(other)} already uses ${quoted(wire)}: two buses would talk at once on one wire`;
    return [error(['buses', name], what, 'use one bus for all boards on a wire')];
  });
}

function sharedUnits(config: Config): readonly Finding[] {
  const first = new Map<string, ContactConfig>();
  return Object.entries(config.links).flatMap(([name, link]) =>
    link.contacts.flatMap((contact, index) => {
      const key = `${contact.bus} ${contact.unit}`;
      const other = first.get(key) ?? contact;
      first.set(key, other);
      if (other.profile === contact.profile) return [];
      const what = `unit ${contact.unit} on bus ${quoted(contact.bus)} already has the profile ${quoted(other.profile)}`;
      return [
        error(
          ['links', name, 'contacts', index, 'profile'],
          what,
          'a board has one profile; mend profile or unit',
        ),
      ];
    }),
  );
}

function sharedChannels(config: Config): readonly Finding[] {
  const first = new Map<string, string>();
  return Object.entries(config.links).flatMap(([name, link]) =>
    link.contacts.flatMap((contact, index) => {
      const key = `${contact.bus} ${contact.unit} ${contact.channel}`;
      const other = first.get(key);
      first.set(key, other ?? `${name}/${contact.name}`);
      if (other === undefined) return [];
      const what = `channel ${contact.channel} of unit ${contact.unit} on bus ${quoted(contact.bus)} is already contact ${other}`;
      return [
        error(
          ['links', name, 'contacts', index, 'channel'],
          what,
          'a channel belongs to one contact of one link',
        ),
      ];
    }),
  );
}
