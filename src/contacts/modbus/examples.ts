/** Whether the examples of a profile are what the profile computes. Pure. */
import { encodeRequest, ReplyDecoder } from './frame.ts';
import { framingOf, type Framing, type ModbusProfile, type ModbusExample } from './profile.ts';
import { bytesOf, spelledBytes } from '../hex.ts';
import type { Finding } from '../profile-finding.ts';
import type { Reply } from './pdu.ts';
import { askProblem, meaningOf, requestsFor } from './requests.ts';

/** The transaction id that an example uses; RTU has none. */
export const transactionOf = (example: ModbusExample): number =>
  example.framing === 'modbus-tcp' ? bytesOf(example.request.slice(0, 5)).readUInt16BE(0) : 0;

/** The transaction id of frame `turn` of an example: they count on. */
export const turnId = (first: number, turn: number, framing: Framing): number =>
  framing === 'rtu' ? 0 : first + turn;

/** What is wrong with one example: bytes that the profile does not compute, a meaning that they do not have. */
export function exampleFindings(
  profile: ModbusProfile,
  example: ModbusExample,
  index: number,
): readonly Finding[] {
  const found = (field: string, what: string, hint: string): Finding => ({
    path: ['examples', index, field],
    what,
    hint,
  });
  const impossible = askProblem(profile, example);
  if (impossible !== null)
    return [found(askedField(profile, example), impossible, 'correct the example, or the profile it shows')];
  const findings: Finding[] = [];
  if (!framings(profile).includes(example.framing)) {
    const what = `none of the transports uses ${example.framing}`;
    findings.push(found('framing', what, 'remove the example or add the transport'));
  }
  if (example.framing === 'modbus-tcp' && example.request.length < 'FF FF'.length) {
    const hint = 'a frame begins with seven bytes of header';
    return [...findings, found('request', 'too short for Modbus TCP', hint)];
  }
  return [...findings, ...byteFindings(profile, example, found)];
}

function byteFindings(
  profile: ModbusProfile,
  example: ModbusExample,
  found: (field: string, what: string, hint: string) => Finding,
): readonly Finding[] {
  const { framing } = example;
  const { unit } = profile;
  const findings: Finding[] = [];
  const transaction = transactionOf(example);
  const requests = requestsFor(profile, example);
  const shown = [example, ...(('followed_by' in example ? example.followed_by : undefined) ?? [])];
  if (shown.length !== requests.length) {
    const what = `the profile takes ${requests.length} frames, the example shows ${shown.length}`;
    return [
      found('followed_by', what, 'show every frame and its reply, those after the first in `followed_by`'),
    ];
  }
  const replies: Reply[] = [];
  for (const [turn, request] of requests.entries()) {
    const frames = shown[turn] ?? example;
    const at = (field: string, what: string, hint: string): Finding => {
      const finding = found(field, what, hint);
      return turn === 0
        ? finding
        : { ...finding, path: [...finding.path.slice(0, -1), 'followed_by', turn - 1, field] };
    };
    const id = turnId(transaction, turn, framing);
    const computed = encodeRequest(framing, { transaction: id, unit }, request);
    if (!bytesOf(frames.request).equals(computed)) {
      const hint = 'one of the two is wrong; check both against the manual, and the checksum by computing it';
      findings.push(at('request', `the profile computes ${spelledBytes(computed)}`, hint));
    }
    const progress = new ReplyDecoder({ framing, transaction: id, unit, request }).push(
      bytesOf(frames.reply),
    );
    if (progress.kind !== 'reply') {
      const what =
        progress.kind === 'more'
          ? 'the reply ends too early'
          : `not a reply to this request (${progress.fault.detail})`;
      const hint = 'check it against the manual, and the checksum by computing it';
      return [...findings, at('reply', what, hint)];
    }
    replies.push(progress.reply);
  }
  const meaning = meaningOf(profile, example, replies);
  if (JSON.stringify(meaning) !== JSON.stringify(example.means)) {
    const hint = 'channels and inputs count from 1, in rising order';
    findings.push(found('means', `the reply means ${JSON.stringify(meaning)}`, hint));
  }
  return findings;
}

/** The field of an example that makes it impossible. */
function askedField(profile: ModbusProfile, example: ModbusExample): string {
  if ('channel' in example && example.channel > profile.channels) return 'channel';
  if (example.ask === 'lease' && profile.hardware_lease !== undefined) return 'lease_ms';
  return example.ask === 'startup-check' ? 'check' : 'ask';
}

const framings = (profile: ModbusProfile): readonly Framing[] => [
  ...new Set(profile.transports.map(framingOf)),
];

/** A profile carries its own proof: every ability is shown once, and connect, isolate and read in every framing. */
export function coverageFindings(profile: ModbusProfile): readonly Finding[] {
  const shown = (ask: ModbusExample['ask'], framing?: Framing): boolean =>
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
