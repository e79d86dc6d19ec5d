/** Do the buses, contacts and witnesses make sense together? */
import { leaseProblem, leaseRange } from '../../contacts/hardware-lease.ts';
import { wireOf } from '../../contacts/hardware-settings.ts';
import { ratedContacts } from '../../contacts/rated.ts';
import { rateAll } from '../../core/rating.ts';
import { deviceText, placeOf, placeProblems, placeText } from '../../contacts/place.ts';
import type { Profile } from '../../contacts/profile.ts';
import { formatDuration } from '../schema/duration.ts';
import { error, unresolved, warning, type Finding, type Surroundings } from '../text/finding.ts';
import { nearest } from '../text/nearest.ts';
import type { Path } from '../text/positions.ts';
import { quoted } from '../text/problems.ts';
import { witnessFindings } from './witnesses.ts';
import type { Config, ContactConfig, LinkConfig, WitnessConfig } from '../schema.ts';

/** The words with which a configuration takes a link without a fail-safe contact. */
export const ACCEPT_HOLDING = 'without power this link keeps its last state';
/** Witnesses whose silence is not all they have to say: absence and a failed probe have many causes. */
const SHOWS_ISOLATION: ReadonlySet<WitnessConfig['type']> = new Set([
  'carrier',
  'modbus-discrete-input',
  'gpio',
  'snmp',
  'console',
  'command',
]);
/** The one that was lost, the isolate that is confirmed, and the read-back. */
const EXCHANGES_AFTER_LOSS = 3;
/** Renewed about twice a second; a round of readings that meets a silent indicator takes up to two seconds. */
const SHORT_LEASE_MS = 3_000;

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
        witnessFindings(['links', name, 'witnesses', index], witness, { config, link, around }),
      ),
    ]),
    ...sharedUnits(config, around),
    ...sharedChannels(config, around),
    ...queuedPrograms(config, around),
    ...queuedPorts(config, around),
  ];
}

function oneLink(path: Path, link: LinkConfig, around: Surroundings): readonly Finding[] {
  const findings: Finding[] = [];
  if (link.contacts.length === 0) {
    findings.push(
      error([...path, 'contacts'], 'no contact: nothing could isolate this link', 'add a contact'),
    );
  } else {
    findings.push(...ratingFindings(path, link, around), ...unreadableFindings(path, link, around));
  }
  if (!link.witnesses.some(({ type }) => SHOWS_ISOLATION.has(type))) {
    const none = link.witnesses.length === 0 ? 'no witness' : 'no witness that can show isolation';
    findings.push({
      ...warning(
        [...path, 'witnesses'],
        `${none}: isolation will rest on the board's own word`,
        'add one under `witnesses`: a mirror contact (gpio, modbus-discrete-input), carrier, snmp, console or command',
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

/** A link stands on a contact that falls to isolated by itself, or on words that take the responsibility. */
function ratingFindings(path: Path, link: LinkConfig, around: Surroundings): readonly Finding[] {
  const said = link.accept_holding;
  const ratings = rateAll(ratedContacts(link, around.profiles));
  const unknown = link.contacts.some(({ profile }) => !around.profiles.has(profile));
  const failSafe = [...ratings.values()].some((rating) => rating !== 'holding');
  if (failSafe || unknown) {
    if (said === undefined || unknown) return [];
    const what = 'this link has a fail-safe contact; there is nothing to accept';
    return [error([...path, 'accept_holding'], what, 'remove the key')];
  }
  if (said === ACCEPT_HOLDING) return [];
  if (said !== undefined) {
    const what = 'this is not the sentence that accepts a link of holding contacts';
    return [error([...path, 'accept_holding'], what, `write exactly: ${ACCEPT_HOLDING}`)];
  }
  return [
    error(
      [...path, 'contacts'],
      'only holding contacts: without power or permission they keep their last state',
      `add a contact that falls to isolated by itself, such as a normally-open relay; or write accept_holding: "${ACCEPT_HOLDING}"`,
    ),
  ];
}

/** A link is kept connected only while every contact is read. It can be isolated all the same: `isolate --all` drives it. */
function unreadableFindings(path: Path, link: LinkConfig, around: Surroundings): readonly Finding[] {
  return link.contacts.flatMap(({ name, profile: id }) => {
    const profile = around.profiles.get(id);
    if (profile?.driver !== 'serial' || profile.read !== undefined || profile.unsuitable !== undefined)
      return [];
    const what = `contact ${quoted(name)} can never be read, for ${id} says nothing: this link could never be kept connected`;
    const hint = 'take a board with a read-back; `portcullis profile show PROFILE` says whether there is one';
    return [error([...path, 'contacts'], what, hint)];
  });
}

/** Isolate releases the coil, and a released coil lets a normally-closed contact go through. */
function wiringFindings(path: Path, contact: ContactConfig): readonly Finding[] {
  if (contact.wiring === 'normally-open') return [];
  const what = 'the normally-closed contact connects without power, and whenever isolate releases the coil';
  return [error([...path, 'wiring'], what, 'wire the link through COM and NO, and remove the key')];
}

function oneContact(
  path: Path,
  contact: ContactConfig,
  config: Config,
  around: Surroundings,
): readonly Finding[] {
  const bus = config.buses[contact.bus];
  const profile = around.profiles.get(contact.profile);
  const findings: Finding[] = [...unresolved([...path, 'bus'], 'bus', contact.bus, around.names.buses)];
  if (profile === undefined) {
    const meant = nearest(contact.profile, [...around.profiles.keys()]);
    const hint = meant === null ? 'see `portcullis profile list`' : `did you mean ${quoted(meant)}?`;
    const what = `no profile is called ${quoted(contact.profile)}`;
    return [...findings, error([...path, 'profile'], what, hint)];
  }
  const problems = placeProblems(contact, profile, bus).map(({ key, what, hint }) =>
    key in contact
      ? error([...path, key], what, hint)
      : { ...error(path, what, hint), because: [...path, key] },
  );
  return [
    ...findings,
    ...problems,
    ...wiringFindings(path, contact),
    ...leaseFindings([...path, 'hardware_lease'], contact, profile),
  ];
}

function leaseFindings(path: Path, contact: ContactConfig, profile: Profile): readonly Finding[] {
  const { hardware_lease: lease } = contact;
  if (lease === undefined) return [];
  if (lease === 'none') {
    if (leaseRange(profile) === null) return [];
    const what = 'the board could isolate by itself when this program dies, and is told not to';
    return [warning(path, what, 'remove the key to use its timer')];
  }
  const problem = leaseProblem(lease, profile);
  if (problem?.kind === 'no-timer') {
    return [error(path, 'this board has no timer that isolates', 'remove the key')];
  }
  if (problem?.kind === 'uncountable') {
    const { leastMs, mostMs, stepMs } = problem;
    const range = `${formatDuration(leastMs)} to ${formatDuration(mostMs)}`;
    const what = `the board cannot count ${formatDuration(lease)}`;
    return [error(path, what, `it can do ${range}, in steps of ${formatDuration(stepMs)}`)];
  }
  if (lease < SHORT_LEASE_MS) {
    const what = `a lease of ${formatDuration(lease)} may run out while one indicator is slow to answer`;
    return [warning(path, what, `write ${formatDuration(SHORT_LEASE_MS)} or more`)];
  }
  return [];
}

/** After a lost answer a line whose frames carry no id is listened to until no late one can come; only then an isolate can be confirmed. */
function isolateTimeoutFindings(
  path: Path,
  link: LinkConfig,
  config: Config,
  around: Surroundings,
): readonly Finding[] {
  const neededMs = link.contacts.map(({ bus: name, profile }) => {
    const [bus, board] = [config.buses[name], around.profiles.get(profile)];
    if (bus === undefined || (board?.driver !== 'modbus' && board?.driver !== 'serial')) return 0;
    // Frames with an id find their way through any buffer.
    const { transport } = bus;
    if (
      transport !== 'rtu-over-tcp' &&
      transport !== 'modbus-rtu' &&
      transport !== 'serial' &&
      transport !== 'tcp'
    )
      return 0;
    const { timings } = board;
    const replyMs = bus.reply_timeout ?? timings.reply_timeout_ms;
    return timings.worst_reply_delay_ms + EXCHANGES_AFTER_LOSS * (replyMs + timings.gap_ms);
  });
  const mostMs = Math.max(0, ...neededMs);
  if (mostMs <= link.isolate_timeout) return [];
  const what = `one lost answer takes up to ${formatDuration(mostMs)} on this line, longer than isolation may take`;
  return [warning(path, what, `an alarm would come too early: write ${formatDuration(mostMs)} or more`)];
}

function sharedDevices(config: Config): readonly Finding[] {
  const first = new Map<string, string>();
  return Object.entries(config.buses).flatMap(([name, bus]) => {
    const wire = wireOf(bus);
    if (wire === null) return [];
    const other = first.get(wire);
    first.set(wire, other ?? name);
    if (other === undefined) return [];
    const what = `bus ${quoted(other)} already uses ${quoted(wire)}: two buses would talk at once on one wire`;
    return [error(['buses', name], what, 'use one bus for all boards on a wire')];
  });
}

/** Contacts of all links with their places; those whose place is not known yet are left out. */
function placed(config: Config, around: Surroundings) {
  return Object.entries(config.links).flatMap(([link, { contacts }]) =>
    contacts.flatMap((contact, index) => {
      const profile = around.profiles.get(contact.profile);
      const place = profile === undefined ? null : placeOf(contact, profile);
      return place === null ? [] : [{ link, contact, place, path: ['links', link, 'contacts', index] }];
    }),
  );
}

function sharedUnits(config: Config, around: Surroundings): readonly Finding[] {
  const first = new Map<string, string>();
  return placed(config, around).flatMap(({ contact, place, path }) => {
    const device = deviceText(contact.bus, place);
    if (device === null) return [];
    const known = first.get(device) ?? contact.profile;
    first.set(device, known);
    if (known === contact.profile) return [];
    const what = `${device} already has the profile ${quoted(known)}`;
    return [error([...path, 'profile'], what, 'a board has one profile; mend profile or unit')];
  });
}

function sharedChannels(config: Config, around: Surroundings): readonly Finding[] {
  const first = new Map<string, string>();
  return placed(config, around).flatMap(({ link, contact, place, path }) => {
    const spot = placeText(contact.bus, place, contact.profile);
    const other = first.get(spot);
    first.set(spot, other ?? `${link}/${contact.name}`);
    if (other === undefined) return [];
    const key = 'channel' in place ? ['channel'] : [];
    const what = `${spot} is already contact ${other}`;
    return [error([...path, ...key], what, 'a channel belongs to one contact of one link')];
  });
}

/** One program at a time runs on a bus: the isolate of the second contact waits for that of the first. */
function queuedPrograms(config: Config, around: Surroundings): readonly Finding[] {
  const first = new Map<string, string>();
  return placed(config, around).flatMap(({ link, contact, place, path }) => {
    if (place.driver !== 'command') return [];
    const other = first.get(contact.bus);
    first.set(contact.bus, other ?? `${link}/${contact.name}`);
    if (other === undefined) return [];
    const what = `programs of bus ${quoted(contact.bus)} run one at a time: isolating this waits for contact ${other}, however long its program takes`;
    return [
      warning([...path, 'bus'], what, 'give each such contact a bus of its own with transport: command'),
    ];
  });
}

/** A switch is typed to on one line: its ports are isolated one after the other, and each may take as long as an answer may. */
function queuedPorts(config: Config, around: Surroundings): readonly Finding[] {
  const ports = placed(config, around).flatMap(({ link, contact }) => {
    const profile = around.profiles.get(contact.profile);
    if (profile?.driver !== 'console') return [];
    return [{ link, bus: contact.bus, replyMs: profile.timings.reply_timeout_ms }];
  });
  return Object.entries(config.links).flatMap(([name, { isolate_timeout: allowedMs }]) => {
    const buses = new Set(ports.filter(({ link }) => link === name).map(({ bus }) => bus));
    return [...buses].flatMap((bus) => {
      const waiting = ports.filter((each) => each.bus === bus);
      const neededMs = waiting.reduce((sum, { replyMs }) => sum + replyMs, 0);
      if (waiting.length < 2 || neededMs <= allowedMs) return [];
      const what = `the ${waiting.length} ports on bus ${quoted(bus)} are isolated one after the other, which may take ${formatDuration(neededMs)}, longer than isolation may take`;
      const hint = 'put a fail-safe contact before them, a port on another switch, or raise isolate_timeout';
      return [warning(['links', name, 'isolate_timeout'], what, hint)];
    });
  });
}
