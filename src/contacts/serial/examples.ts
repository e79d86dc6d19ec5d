/** Whether the examples of a serial profile are what its frames make of them, both ways. Pure. */
import type { Finding } from '../profile-finding.ts';
import { buildFrame, spelled } from './frame.ts';
import type { Asked, Frames, Reply, SerialAsk } from './frames.ts';
import type { SerialExample, SerialProfile } from './profile.ts';
import { leaseProblem } from './lease.ts';
import { readTemplate } from './template.ts';

/** What an example means, as its `means` says it. */
export type Meaning =
  | 'accepted'
  | 'refused'
  | 'nothing-said'
  | 'passed'
  | 'failed'
  | { readonly connected: readonly number[] };

type Found = (field: string, what: string, hint: string) => Finding;

/** What is wrong with one example: bytes that the profile does not compute, a meaning that they do not have. */
export function serialExampleFindings(
  frames: Frames,
  example: SerialExample,
  index: number,
): readonly Finding[] {
  const found: Found = (field, what, hint) => ({ path: ['examples', index, field], what, hint });
  const impossible = exampleProblem(frames, example, found);
  if (impossible !== null) return [impossible];
  const asked = frames.asked(example);
  if (asked === null) return [found('ask', `the profile has no ${example.ask}`, 'correct the example')];
  const address = addressOf(frames.profile, example);
  const numbers = frames.numbers(example, address);
  const findings: Finding[] = [];
  const computed = buildFrame(asked.send, numbers);
  const request = frames.literal(example.request);
  if (!request.equals(computed)) {
    const hint = 'one of the two is wrong; check both against the manual, and the checksum by computing it';
    findings.push(found('request', `the profile computes ${spelled(computed)}`, hint));
  }
  if (example.ask === 'initialise') return findings;
  const reply = example.reply === undefined ? null : frames.literal(example.reply);
  return [
    ...findings,
    ...replyFindings(frames, { asked, numbers, request: computed, reply }, example, found),
  ];
}

function replyFindings(
  frames: Frames,
  said: {
    readonly asked: Asked;
    readonly numbers: ReturnType<Frames['numbers']>;
    readonly request: Buffer;
    readonly reply: Buffer | null;
  },
  example: Exclude<SerialExample, { ask: 'initialise' }>,
  found: Found,
): readonly Finding[] {
  const { asked, numbers, request, reply } = said;
  let meaning: Meaning | null;
  if (reply === null) {
    if (asked.reply !== null) return [found('reply', 'the board answers this', 'add the reply')];
    meaning = 'nothing-said';
  } else {
    const understood = frames.understand(asked, { numbers, request }, reply);
    if (understood.kind === 'more' || understood.kind === 'mismatch') {
      const what =
        understood.kind === 'more'
          ? 'the reply ends too early'
          : `not a reply to this request (${understood.what})`;
      return [found('reply', what, 'check it against the manual, and the checksum by computing it')];
    }
    meaning = meaningOf(example, asked, understood);
  }
  if (JSON.stringify(meaning) === JSON.stringify(example.means)) return [];
  return [
    found('means', `the reply means ${JSON.stringify(meaning)}`, 'channels count from 1, in rising order'),
  ];
}

/** What an understood reply means. */
export function meaningOf(
  ask: SerialAsk,
  { mustBe }: Pick<Asked, 'mustBe'>,
  reply: Extract<Reply, { kind: 'refused' | 'match' }>,
): Meaning {
  if (reply.kind === 'refused') return 'refused';
  switch (ask.ask) {
    case 'connect':
    case 'isolate':
    case 'isolate-all':
    case 'lease':
    case 'initialise':
      return 'accepted';
    case 'read':
      return { connected: [...(reply.connected ?? [])].toSorted((a, b) => a - b) };
    case 'startup-check':
      return reply.value !== null && mustBe !== null && reply.value.equals(mustBe) ? 'passed' : 'failed';
  }
}

/** The card address of an example; the first when it names none. */
export const addressOf = (profile: SerialProfile, { address }: SerialExample): number | null =>
  profile.addresses === undefined ? null : (address ?? profile.addresses.first);

function exampleProblem(
  { profile, readsOneChannel }: Frames,
  example: SerialExample,
  found: Found,
): Finding | null {
  const { addresses, channels, hardware_lease: lease } = profile;
  const { address } = example;
  if (address !== undefined) {
    if (addresses === undefined) return found('address', 'the board has no addresses', 'remove it');
    if (address < addresses.first || address > addresses.last)
      return found('address', `addresses are ${addresses.first} to ${addresses.last}`, 'correct it');
  }
  const channel = 'channel' in example ? example.channel : undefined;
  if (channel !== undefined && channel > channels)
    return found('channel', `channels are 1 to ${channels}`, 'correct it');
  if (example.ask === 'read' && (channel !== undefined) !== readsOneChannel) {
    return readsOneChannel
      ? found('channel', 'the board is asked about one channel', 'say which')
      : found('channel', 'the board is asked about all channels', 'remove it');
  }
  if (example.ask === 'lease' && lease !== undefined) {
    const problem = leaseProblem(lease, example.lease_ms);
    if (problem !== null) return found('lease_ms', problem, 'choose a time that the field can hold');
  }
  for (const field of ['request', 'reply'] as const) {
    const frame = field === 'reply' ? ('reply' in example ? example.reply : undefined) : example.request;
    if (frame === undefined) continue;
    const reading = readTemplate(frame, profile.speaks, Number.POSITIVE_INFINITY);
    if (reading.kind === 'problem') return found(field, reading.what, 'write the bytes themselves');
    if (reading.template.parts.some(({ kind }) => kind !== 'literal'))
      return found(field, 'an example has no placeholders', 'write the bytes themselves');
  }
  return null;
}

/** A profile carries its own proof: every ability is shown once. */
export function coverageFindings(profile: SerialProfile): readonly Finding[] {
  const shown = (ask: SerialExample['ask']): boolean => profile.examples.some((each) => each.ask === ask);
  const missing: string[] = [];
  const must = (there: boolean, ask: SerialExample['ask']): void => {
    if (there && !shown(ask)) missing.push(`an example of ${ask}`);
  };
  must(true, 'connect');
  must(true, 'isolate');
  must(profile.isolate_all !== undefined, 'isolate-all');
  must(profile.hardware_lease !== undefined, 'lease');
  must(profile.initialise.length > 0, 'initialise');
  for (const [says, connected] of [
    ['connected', true],
    ['isolated', false],
  ] as const) {
    const there = profile.examples.some(
      (each) => each.ask === 'read' && each.means.connected.length > 0 === connected,
    );
    if (profile.read !== undefined && !there) missing.push(`an example of read that says ${says}`);
  }
  for (const { name } of profile.startup_checks) {
    for (const means of ['passed', 'failed'] as const) {
      const there = profile.examples.some(
        (each) => each.ask === 'startup-check' && each.check === name && each.means === means,
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
