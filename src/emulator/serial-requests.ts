/** What a serial board makes of the bytes that reach it, by the frames of its profile. Pure. */
import { type Match, matchFrame } from '../contacts/serial/frame.ts';
import type { Frames, SerialAsk } from '../contacts/serial/frames.ts';
import type { RequestKind } from './faults.ts';

/** A request that was recognised at the start of the bytes. */
export interface HeardRequest {
  readonly ask: SerialAsk;
  readonly bytes: Buffer;
}

/** What the bytes begin with. `noise`: no request of this board begins so. */
export type Hearing =
  | { readonly kind: 'request'; readonly request: HeardRequest }
  | { readonly kind: 'more' }
  | { readonly kind: 'noise' };

/** What kind of request this is, as faults are scoped to kinds. */
export function serialRequestKind({ ask }: SerialAsk): RequestKind {
  switch (ask) {
    case 'connect':
    case 'lease':
      return 'connect';
    case 'isolate':
    case 'isolate-all':
      return 'isolate';
    case 'read':
      return 'read';
    case 'startup-check':
    case 'initialise':
      return 'other';
  }
}

/** Everything that this board can be asked. */
export function asksOf({ profile, readsOneChannel }: Frames): readonly SerialAsk[] {
  const channels = Array.from({ length: profile.channels }, (_, index) => index + 1);
  const lease = profile.hardware_lease;
  return [
    ...channels.flatMap((channel): SerialAsk[] => [
      { ask: 'connect', channel },
      { ask: 'isolate', channel },
      ...(readsOneChannel ? [{ ask: 'read', channel } as const] : []),
      // After the plain connect: with a time of nothing the two may look alike.
      ...(lease === undefined ? [] : [{ ask: 'lease', channel, lease_ms: lease.default_ms } as const]),
    ]),
    ...(readsOneChannel || profile.read === undefined ? [] : [{ ask: 'read' } as const]),
    ...(profile.isolate_all === undefined ? [] : [{ ask: 'isolate-all' } as const]),
    ...profile.startup_checks.map(({ name }) => ({ ask: 'startup-check', check: name }) as const),
    ...profile.initialise.map((_, index) => ({ ask: 'initialise', step: index + 1 }) as const),
  ];
}

/** Recognises the request at the start of `bytes`. */
export function hearRequest(
  frames: Frames,
  asks: readonly SerialAsk[],
  address: number | null,
  bytes: Buffer,
): Hearing {
  let begun = false;
  for (const ask of asks) {
    const match = matchAsk(frames, ask, address, bytes);
    if (match.kind === 'more') begun = true;
    if (match.kind !== 'match') continue;
    const heard = bytes.subarray(0, match.length);
    const unitMs = frames.profile.hardware_lease?.unit_ms ?? 1;
    const whole = ask.ask === 'lease' ? { ...ask, lease_ms: (match.lease ?? 0) * unitMs } : ask;
    return { kind: 'request', request: { ask: whole, bytes: heard } };
  }
  return begun ? { kind: 'more' } : { kind: 'noise' };
}

function matchAsk(frames: Frames, ask: SerialAsk, address: number | null, bytes: Buffer): Match {
  const asked = frames.asked(ask);
  if (asked === null) return { kind: 'mismatch', what: 'unknown' };
  const { lease: _, ...numbers } = frames.numbers(ask, address);
  return matchFrame(asked.send, { numbers }, bytes);
}
