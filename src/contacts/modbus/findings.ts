/** What a profile of the right shape may still say wrongly. Pure. */
import type { ModbusProfile } from './profile.ts';
import type { Finding } from '../profile-finding.ts';
import { coverageFindings, exampleFindings } from './examples.ts';
import { askProblem } from './requests.ts';

const LAST_ADDRESS = 0xffff;
const ADDRESS_HINT = 'use the address range of the manual; wire addresses count from 0';

/** Everything that contradicts itself or Modbus in a profile whose shape is right. */
export function modbusFindings(profile: ModbusProfile): readonly Finding[] {
  const beyond = rangeFindings(profile);
  return [
    ...transportFindings(profile),
    ...beyond,
    ...addressFindings(profile),
    ...leaseFindings(profile),
    ...checkFindings(profile),
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

/** The address ranges that requests write, by what they are for. */
function writtenSpans({
  connect,
  isolate_all: all,
  hardware_lease: lease,
  channels,
}: ModbusProfile): readonly Span[] {
  const spans = [span(['connect', 'address'], connect.address, channels)];
  if (lease !== undefined) spans.push(span(['hardware_lease', 'address'], lease.address, channels));
  if (all?.function === 5) spans.push(span(['isolate_all', 'address'], all.address, 1));
  return spans;
}

function rangeFindings(profile: ModbusProfile): readonly Finding[] {
  const { isolate, isolate_all: all, read, inputs, startup_checks: checks, channels } = profile;
  const spans = [
    ...writtenSpans(profile),
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
  const { connect, isolate, isolate_all: all, read, channels } = profile;
  const written = writtenSpans(profile);
  const own = `${connect.address} to ${connect.address + channels - 1}`;
  const findings: Finding[] = [];
  if (isolate.address !== connect.address) {
    findings.push({
      path: ['isolate', 'address'],
      what: `isolate moves coil ${isolate.address}, connect moves coil ${connect.address}: not the same contact`,
      hint: 'both take the address of channel 1',
    });
  }
  written.forEach((one, index) => {
    const other = written.slice(0, index).find(({ first, last }) => one.first <= last && first <= one.last);
    if (other === undefined) return;
    findings.push({
      path: one.path,
      what: `addresses ${one.first} to ${one.last} collide with ${other.path.join('.')} (${other.first} to ${other.last})`,
      hint: ADDRESS_HINT,
    });
  });
  if (read.address !== connect.address || read.quantity < channels) {
    findings.push({
      path: ['read'],
      what: `reads coils ${read.address} to ${read.address + read.quantity - 1}, but the channels are ${own}`,
      hint: 'read from the first channel on, and all of them',
    });
  }
  if (all?.function === 15 && (all.address !== connect.address || all.quantity !== channels)) {
    findings.push({
      path: ['isolate_all'],
      what: `writes coils ${all.address} to ${all.address + all.quantity - 1}, but the channels are ${own}`,
      hint: 'isolate_all takes exactly the channels',
    });
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

function checkFindings(profile: ModbusProfile): readonly Finding[] {
  return profile.startup_checks.flatMap((check, index, checks) =>
    checks.findIndex(({ name }) => name === check.name) === index
      ? []
      : [
          {
            path: ['startup_checks', index, 'name'],
            what: `${check.name} is the name of an earlier check`,
            hint: 'choose another',
          },
        ],
  );
}
