/** What a profile of the right shape may still say wrongly: ranges that collide, examples that do not compute. Pure. */
import { encodeRequest, ReplyDecoder } from './modbus/frame.ts';
import { framingOf, type Framing, type Profile, type ProfileExample } from './profile.ts';
import { askProblem, meaningOf, requestFor } from './profile-requests.ts';

/** One thing that is wrong, by its place in the profile. */
export interface Finding {
  readonly path: readonly (string | number)[];
  readonly what: string;
  /** What to do about it. */
  readonly hint: string;
}

const LAST_ADDRESS = 0xffff;
const ADDRESS_HINT = 'use the address range of the manual; wire addresses count from 0';

/** Everything that contradicts itself or Modbus in a profile whose shape is right. */
export function meaningFindings(profile: Profile): readonly Finding[] {
  return [
    ...transportFindings(profile),
    ...positionFindings(profile),
    ...addressFindings(profile),
    ...leaseFindings(profile),
    ...checkFindings(profile),
    ...profile.examples.flatMap((example, index) => exampleFindings(profile, example, index)),
    ...coverageFindings(profile),
  ];
}

function transportFindings(profile: Profile): readonly Finding[] {
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

function positionFindings(profile: Profile): readonly Finding[] {
  const findings: Finding[] = [];
  if (profile.contact === 'fail-safe' && profile.without_power !== 'isolated') {
    findings.push({
      path: ['contact'],
      what: `a fail-safe contact is isolated without power, but without_power says ${profile.without_power}`,
      hint: 'call it holding, or correct without_power',
    });
  }
  if (profile.power_on.position === 'connected' && profile.dangers.length === 0) {
    findings.push({
      path: ['dangers'],
      what: 'the board connects when power returns and no danger says so',
      hint: 'say it in dangers',
    });
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

function addressFindings(profile: Profile): readonly Finding[] {
  const { connect, isolate, isolate_all: all, read, inputs, hardware_lease: lease, channels } = profile;
  const coils = span(['connect', 'address'], connect.address, channels);
  const written: Span[] = [coils];
  if (lease !== undefined) written.push(span(['hardware_lease', 'address'], lease.address, channels));
  if (all?.function === 5) written.push(span(['isolate_all', 'address'], all.address, 1));
  const spans = [...written, span(['read', 'address'], read.address, read.quantity)];
  if (inputs !== undefined) spans.push(span(['inputs', 'address'], inputs.address, inputs.quantity));
  profile.startup_checks.forEach((check, index) =>
    spans.push(span(['startup_checks', index, 'address'], check.address, check.quantity)),
  );
  const findings: Finding[] = spans
    .filter(({ last }) => last > LAST_ADDRESS)
    .map(({ path, first, last }) => ({
      path,
      what: `addresses ${first} to ${last} go beyond ${LAST_ADDRESS}`,
      hint: ADDRESS_HINT,
    }));
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
      what: `reads coils ${read.address} to ${read.address + read.quantity - 1}, but the channels are ${coils.first} to ${coils.last}`,
      hint: 'read from the first channel on, and all of them',
    });
  }
  if (all?.function === 15 && (all.address !== connect.address || all.quantity !== channels)) {
    findings.push({
      path: ['isolate_all'],
      what: `writes coils ${all.address} to ${all.address + all.quantity - 1}, but the channels are ${coils.first} to ${coils.last}`,
      hint: 'isolate_all takes exactly the channels',
    });
  }
  return findings;
}

function leaseFindings(profile: Profile): readonly Finding[] {
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

function checkFindings(profile: Profile): readonly Finding[] {
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

const bytesOf = (frame: string): Buffer => Buffer.from(frame.replaceAll(' ', ''), 'hex');
const spelled = (bytes: Uint8Array): string =>
  Buffer.from(bytes)
    .toString('hex')
    .toUpperCase()
    .replaceAll(/(?<=..)(..)/g, ' $1')
    .trim();

/** The transaction id that an example uses; RTU has none. */
export const transactionOf = (example: ProfileExample): number =>
  example.framing === 'modbus-tcp' ? bytesOf(example.request.slice(0, 5)).readUInt16BE(0) : 0;

function exampleFindings(profile: Profile, example: ProfileExample, index: number): readonly Finding[] {
  const path = ['examples', index];
  const impossible = askProblem(profile, example);
  if (impossible !== null) {
    return [{ path, what: impossible, hint: 'correct the example, or the profile it shows' }];
  }
  const findings: Finding[] = [];
  if (!framings(profile).includes(example.framing)) {
    findings.push({
      path: [...path, 'framing'],
      what: `none of the transports uses ${example.framing}`,
      hint: 'remove the example or add the transport',
    });
  }
  if (example.framing === 'modbus-tcp' && example.request.length < 'FF FF'.length) {
    findings.push({
      path: [...path, 'request'],
      what: 'too short for Modbus TCP',
      hint: 'a frame begins with seven bytes of header',
    });
    return findings;
  }
  const transaction = transactionOf(example);
  const request = requestFor(profile, example);
  const computed = encodeRequest(example.framing, { transaction, unit: profile.unit }, request);
  if (!bytesOf(example.request).equals(computed)) {
    findings.push({
      path: [...path, 'request'],
      what: `the profile computes ${spelled(computed)}`,
      hint: 'one of the two is wrong; check both against the manual, and the checksum by computing it',
    });
  }
  const progress = new ReplyDecoder({
    framing: example.framing,
    transaction,
    unit: profile.unit,
    request,
  }).push(bytesOf(example.reply));
  if (progress.kind !== 'reply') {
    const what =
      progress.kind === 'more'
        ? 'the reply ends too early'
        : `not a reply to this request (${progress.fault.detail})`;
    findings.push({
      path: [...path, 'reply'],
      what,
      hint: 'check it against the manual, and the checksum by computing it',
    });
    return findings;
  }
  const meaning = meaningOf(profile, example, progress.reply);
  if (JSON.stringify(meaning) !== JSON.stringify(example.means)) {
    findings.push({
      path: [...path, 'means'],
      what: `the reply means ${JSON.stringify(meaning)}`,
      hint: 'channels and inputs count from 1, in rising order',
    });
  }
  return findings;
}

const framings = (profile: Profile): readonly Framing[] => [...new Set(profile.transports.map(framingOf))];

/** A profile carries its own proof: every ability is shown once, and connect, isolate and read in every framing. */
function coverageFindings(profile: Profile): readonly Finding[] {
  const shown = (ask: ProfileExample['ask'], framing?: Framing): boolean =>
    profile.examples.some(
      (example) => example.ask === ask && (framing === undefined || example.framing === framing),
    );
  const missing = framings(profile).flatMap((framing) =>
    (['connect', 'isolate', 'read'] as const)
      .filter((ask) => !shown(ask, framing))
      .map((ask) => `an example of ${ask} in ${framing} framing`),
  );
  if (profile.isolate_all !== undefined && !shown('isolate-all')) missing.push('an example of isolate-all');
  if (profile.inputs !== undefined && !shown('inputs')) missing.push('an example of inputs');
  if (profile.hardware_lease !== undefined && !shown('lease')) missing.push('an example of lease');
  for (const { name } of profile.startup_checks) {
    for (const means of ['passed', 'failed'] as const) {
      const there = profile.examples.some(
        (example) => example.ask === 'startup-check' && example.check === name && example.means === means,
      );
      if (!there) missing.push(`an example of start-up check ${name} that has ${means}`);
    }
  }
  return missing.map((what) => ({
    path: ['examples'],
    what: `missing: ${what}`,
    hint: 'add request and reply, byte for byte',
  }));
}
