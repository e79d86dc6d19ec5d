/** What a profile of the right shape may still say wrongly. Pure. */
import type { ModbusProfile } from './profile.ts';
import type { Finding } from '../profile-finding.ts';
import { coverageFindings, exampleFindings } from './examples.ts';
import { askProblem } from './requests.ts';
import { checkFindings, watchdogFindings } from './settings-findings.ts';

const LAST_ADDRESS = 0xffff;
const LAST_WORD = 0xffff;
const BITS_PER_REGISTER = 16;
const ADDRESS_HINT = 'use the address range of the manual; wire addresses count from 0';

/** Everything that contradicts itself or Modbus in a profile whose shape is right. */
export function modbusFindings(profile: ModbusProfile): readonly Finding[] {
  const beyond = rangeFindings(profile);
  return [
    ...transportFindings(profile),
    ...beyond,
    ...addressFindings(profile),
    ...readFindings(profile),
    ...commandFindings(profile),
    ...leaseFindings(profile),
    ...checkFindings(profile),
    ...watchdogFindings(profile),
    // An address beyond the last one has no frame to compute.
    ...(beyond.length > 0
      ? []
      : profile.examples.flatMap((example, index) => exampleFindings(profile, example, index))),
    ...coverageFindings(profile),
  ];
}

function transportFindings(profile: ModbusProfile): readonly Finding[] {
  const findings: Finding[] = [];
  profile.transports.forEach((transport, index) => {
    if (profile.transports.indexOf(transport) !== index) {
      findings.push({ path: ['transports', index], what: `${transport} is named twice`, hint: 'remove one' });
    }
  });
  const serial = profile.transports.includes('modbus-rtu');
  if (serial && profile.serial === undefined) {
    findings.push({
      path: ['serial'],
      what: 'modbus-rtu is offered, but the serial settings are missing',
      hint: 'add serial: { baud, data_bits, parity, stop_bits } from the manual',
    });
  }
  if (!serial && profile.serial !== undefined) {
    findings.push({
      path: ['serial'],
      what: 'serial settings without modbus-rtu',
      hint: 'remove them or add modbus-rtu to transports',
    });
  }
  for (const transport of ['modbus-tcp', 'rtu-over-tcp'] as const) {
    if (profile.tcp_ports?.[transport] !== undefined && !profile.transports.includes(transport)) {
      findings.push({
        path: ['tcp_ports', transport],
        what: `a port for ${transport}, which is not among the transports`,
        hint: 'remove it or add the transport',
      });
    }
  }
  return findings;
}

interface Span {
  readonly path: readonly (string | number)[];
  readonly first: number;
  readonly last: number;
}

const span = (path: readonly (string | number)[], first: number, quantity: number): Span => ({
  path,
  first,
  last: first + quantity - 1,
});

/** The address ranges that requests write, by what they are for; coils and registers are counted apart. */
function writtenSpans(
  { connect, isolate_all: all, hardware_lease: lease, channels }: ModbusProfile,
  written: 5 | 6,
): readonly Span[] {
  const spans: Span[] = [];
  if (connect.function === written) spans.push(span(['connect', 'address'], connect.address, channels));
  // A register that is a command takes the command with a time, too.
  const apart = lease?.function === 5 || lease?.address !== connect.address;
  if (lease?.function === written && apart) {
    spans.push(span(['hardware_lease', 'address'], lease.address, channels));
  }
  if (all?.function === written) spans.push(span(['isolate_all', 'address'], all.address, 1));
  return spans;
}

function rangeFindings(profile: ModbusProfile): readonly Finding[] {
  const { isolate, isolate_all: all, read, inputs, startup_checks: checks, channels } = profile;
  const spans = [
    ...writtenSpans(profile, 5),
    ...writtenSpans(profile, 6),
    span(['isolate', 'address'], isolate.address, channels),
    span(['read', 'address'], read.address, read.quantity),
    ...checks.map((check, index) =>
      span(['startup_checks', index, 'address'], check.address, check.quantity),
    ),
  ];
  if (inputs !== undefined) spans.push(span(['inputs', 'address'], inputs.address, inputs.quantity));
  if (all?.function === 15) spans.push(span(['isolate_all', 'address'], all.address, all.quantity));
  return spans
    .filter(({ last }) => last > LAST_ADDRESS)
    .map(({ path, first, last }) => ({
      path,
      what: `addresses ${first} to ${last} go beyond ${LAST_ADDRESS}`,
      hint: ADDRESS_HINT,
    }));
}

function addressFindings(profile: ModbusProfile): readonly Finding[] {
  const { connect, isolate, isolate_all: all, channels } = profile;
  const findings: Finding[] = [];
  if (isolate.address !== connect.address || isolate.function !== connect.function) {
    const thing = (code: 5 | 6): string => (code === 5 ? 'coil' : 'register');
    findings.push({
      path: ['isolate', 'address'],
      what: `isolate moves ${thing(isolate.function)} ${isolate.address}, connect moves ${thing(connect.function)} ${connect.address}: not the same contact`,
      hint: 'both take the function and the address of channel 1',
    });
  }
  for (const written of [writtenSpans(profile, 5), writtenSpans(profile, 6)]) {
    written.forEach((one, index) => {
      const other = written.slice(0, index).find(({ first, last }) => one.first <= last && first <= one.last);
      if (other === undefined) return;
      findings.push({
        path: one.path,
        what: `addresses ${one.first} to ${one.last} collide with ${other.path.join('.')} (${other.first} to ${other.last})`,
        hint: ADDRESS_HINT,
      });
    });
  }
  if (all?.function === 15 && (all.address !== connect.address || all.quantity !== channels)) {
    findings.push({
      path: ['isolate_all'],
      what: `writes coils ${all.address} to ${all.address + all.quantity - 1}, but the channels are ${ownAddresses(profile)}`,
      hint: 'isolate_all takes exactly the channels',
    });
  }
  return findings;
}

const ownAddresses = ({ connect, channels }: ModbusProfile): string =>
  `${connect.address} to ${connect.address + channels - 1}`;

/** A read that does not tell every channel, or not both positions. */
function readFindings(profile: ModbusProfile): readonly Finding[] {
  const { connect, read, channels } = profile;
  const last = read.address + read.quantity - 1;
  if (read.function === 1) {
    if ((connect.function === 6 || read.address === connect.address) && read.quantity >= channels) return [];
    return [
      {
        path: ['read'],
        what: `reads coils ${read.address} to ${last}, but the channels are ${ownAddresses(profile)}`,
        hint: 'read from the first channel on, and all of them',
      },
    ];
  }
  const findings: Finding[] = [];
  const covered = read.quantity * (read.layout === 'bitmap' ? BITS_PER_REGISTER : 1);
  if (covered < channels) {
    const what = `reads registers ${read.address} to ${last}, which tell ${covered} of ${channels} channels`;
    findings.push({ path: ['read'], what, hint: 'read all channels' });
  }
  if (read.connected_when === read.isolated_when) {
    const what = `${read.connected_when} cannot mean both connected and isolated`;
    findings.push({ path: ['read', 'isolated_when'], what, hint: 'see what the manual says is read' });
  }
  if (read.layout === 'bitmap' && (read.connected_when !== 1 || read.isolated_when !== 0)) {
    const what = 'in a bitmap 1 is connected and 0 isolated';
    findings.push({ path: ['read', 'layout'], what, hint: 'write connected_when: 1, isolated_when: 0' });
  }
  return findings;
}

/** Commands in registers whose values contradict each other. */
function commandFindings({
  connect,
  isolate,
  isolate_all: all,
  hardware_lease: lease,
}: ModbusProfile): readonly Finding[] {
  const findings: Finding[] = [];
  const isolating = [isolate.value, ...(isolate.function === 6 ? (isolate.followed_by ?? []) : [])];
  if (connect.function === isolate.function && isolating.includes(connect.value)) {
    const what = `${connect.value} both connects and isolates: after a lost reply nobody knows where the contact stands`;
    findings.push({ path: ['connect', 'value'], what, hint: 'never a toggle command' });
  }
  if (all !== undefined && isolating.length > 1) {
    const what = 'an isolate of one channel takes several frames, isolate_all only one';
    findings.push({ path: ['isolate_all'], what, hint: 'leave it out: channel by channel is certain' });
  }
  if (lease?.function !== 6) return findings;
  const { opcode, min, max, ended_by: endedBy } = lease;
  const starts = (value: number): boolean => value >= opcode + min && value <= opcode + max;
  if (lease.address === connect.address && [connect.value, ...isolating].some(starts)) {
    const what = 'a plain connect or isolate is also a lease of some length';
    findings.push({
      path: ['hardware_lease', 'opcode'],
      what,
      hint: 'see the list of commands in the manual',
    });
  }
  if (endedBy !== undefined && isolate.value !== endedBy) {
    const what = `only ${endedBy} ends a running lease, but isolate begins with ${isolate.value}`;
    findings.push({
      path: ['isolate', 'value'],
      what,
      hint: `write ${endedBy} there, and the rest in followed_by`,
    });
  }
  if (endedBy !== undefined && all !== undefined) {
    const what = 'isolate_all does not end a running lease';
    findings.push({ path: ['isolate_all'], what, hint: 'leave it out: channel by channel is certain' });
  }
  if (opcode + max > LAST_WORD) {
    const what = `${opcode} + ${max} does not fit into a register`;
    findings.push({ path: ['hardware_lease', 'max'], what, hint: 'correct opcode or max' });
  }
  return findings;
}

function leaseFindings(profile: ModbusProfile): readonly Finding[] {
  const lease = profile.hardware_lease;
  if (lease === undefined) return [];
  const findings: Finding[] = [];
  if (lease.min > lease.max) {
    findings.push({
      path: ['hardware_lease', 'min'],
      what: `min ${lease.min} exceeds max ${lease.max}`,
      hint: 'correct the range',
    });
  }
  const problem = askProblem(profile, { ask: 'lease', channel: 1, lease_ms: lease.default_ms });
  if (problem !== null) {
    findings.push({
      path: ['hardware_lease', 'default_ms'],
      what: problem,
      hint: 'choose a time that the value field can hold',
    });
  }
  const leastMs = 2 * (profile.timings.reply_timeout_ms + profile.timings.gap_ms);
  if (lease.default_ms <= leastMs) {
    findings.push({
      path: ['hardware_lease', 'default_ms'],
      what: `${lease.default_ms} ms is over before one lost reply is noticed and the lease asked for again (${leastMs} ms)`,
      hint: 'take several times reply_timeout_ms + gap_ms',
    });
  }
  return findings;
}
