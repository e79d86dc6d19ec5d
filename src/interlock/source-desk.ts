/**
 * What becomes of a request to a source, however it came in: verified, judged, and then cut, drilled or written down.
 *
 * Order: verified, judged; a trip cuts in the same tick; then the latch is saved and journaled; then there is an answer.
 * It never parses what is not verified, and never lets a refusal say more than the sender already knows.
 */
import type { JsonObject } from '../journal/entry.ts';
import { excerptOf, printable } from '../sources/excerpt.ts';
import { readMessage } from '../sources/read.ts';
import type { SourceRequest } from '../sources/request.ts';
import { verdictOf } from '../sources/verdict.ts';
import { type Verification, type VerificationRule, verify } from '../sources/verify.ts';
import type { Interlock } from './interlock.ts';
import type { Step } from './link-shell.ts';
import type { RefusalTally } from './refusal-tally.ts';

/** A source as the listener needs it. */
export interface TripSource {
  readonly verify: VerificationRule;
  readonly secrets: readonly Uint8Array[];
  readonly trips: 'all' | readonly string[];
  readonly on_unrecognised: 'trip' | 'refuse';
}

/** What a sender is told. */
export interface Heard {
  /** HTTP status; 200 means: cut commanded, and the latch survives power loss. */
  readonly status: number;
  readonly answer: JsonObject;
}

const MS_PER_SECOND = 1_000;
/** Longest source name shown in the journal when there is no such source. */
const MAX_NAME_CHARS = 60;
/** Stands in the journal for whoever names no source that there is. */
export const UNKNOWN_SOURCE = 'unknown';

/** What tells one burst of refusals from another. */
export const burstOf = (source: string, status: number): readonly [string, string, { status: number }] => [
  'trip.refused',
  `source:${source}`,
  { status },
];

/** Hears what sources say. */
export class SourceDesk {
  readonly #interlock: Interlock;
  readonly #sources: Readonly<Record<string, TripSource>>;
  readonly #tally: RefusalTally;

  constructor(interlock: Interlock, sources: Readonly<Record<string, TripSource>>, tally: RefusalTally) {
    this.#interlock = interlock;
    this.#sources = sources;
    this.#tally = tally;
  }

  /** A source of this name is configured. */
  knows(name: string): boolean {
    return Object.hasOwn(this.#sources, name);
  }

  /** Judges one request and does what it asks. `from`: the sender's address; `receivedAt`: monotonic ms. */
  async hear(name: string, request: SourceRequest, from: string, receivedAt: number): Promise<Heard> {
    const source = this.knows(name) ? this.#sources[name] : undefined;
    const nowSeconds = Math.floor(this.#interlock.parts.clock.calendarMs() / MS_PER_SECOND);
    const verified: Verification =
      source === undefined
        ? { ok: false, why: 'there is no such source' }
        : verify(source.verify, source.secrets, request, nowSeconds);
    if (source === undefined || !verified.ok) {
      const why = verified.ok ? 'there is no such source' : verified.why;
      return this.#refuseUnverified(name, source !== undefined, why, request, from);
    }
    const { verdict, reason } = verdictOf(source, readMessage({ format: 'generic' }, request.rawBody));
    // Called after the cut: hashing and escaping a body takes time.
    const told = (): JsonObject => ({
      source: name,
      tier: verified.tier,
      verdict,
      reason,
      ...(verified.note === undefined ? {} : { note: verified.note }),
      body: { ...excerptOf(request.rawBody) },
    });
    const actor = `source:${name}`;
    switch (verdict) {
      case 'trip': {
        const tripping = this.#interlock.trip(source.trips === 'all' ? [] : source.trips, {
          by: actor,
          reason,
        });
        this.#interlock.note({ type: 'trip.received', actor, data: told() });
        return tripAnswer(await tripping, receivedAt);
      }
      case 'drill':
        this.#interlock.note({ type: 'trip.drill', actor, data: told() });
        return { status: 200, answer: { status: 'drill', cut: false, reason } };
      case 'annotate':
        this.#interlock.note({ type: 'trip.annotated', actor, data: told() });
        return { status: 200, answer: { status: 'noted', cut: false, reason } };
      case 'refuse':
        this.#tally.refused(...burstOf(name, 422), told);
        return { status: 422, answer: { error: reason } };
    }
  }

  #refuseUnverified(name: string, known: boolean, why: string, request: SourceRequest, from: string): Heard {
    this.#tally.refused(...burstOf(known ? name : UNKNOWN_SOURCE, 401), () => ({
      why,
      ...(known ? {} : { name: printable(name, MAX_NAME_CHARS) }),
      from,
      body: { ...excerptOf(request.rawBody) },
    }));
    const hint = 'compare secret and signature settings on both sides';
    return { status: 401, answer: { error: 'not verified', hint } };
  }
}

/** 200 only when every latch survives power loss; the cut itself was commanded either way. */
export function tripAnswer(steps: readonly Step[], receivedAt: number): Heard {
  const links = steps.map(({ link, cut }) => ({
    link,
    written_ms: cut === null ? null : sinceReceived(cut.at - receivedAt, Object.values(cut.writtenMs)),
  }));
  if (steps.every((step) => step.latchSaved))
    return { status: 200, answer: { status: 'tripped', cut: true, links } };
  const hint =
    'the links were cut; send it again until it is answered 200, and look at the disk of state_directory';
  return { status: 503, answer: { error: 'cut, but the latch could not be saved', cut: true, hint, links } };
}

/** ms from the request to the last frame in the kernel; null while a wire is not there (the isolate stays pending). */
const sinceReceived = (decidedMs: number, writtenMs: readonly (number | null)[]): number | null =>
  writtenMs.reduce<number | null>(
    (last, ms) => (last === null || ms === null ? null : Math.max(last, thousandths(decidedMs + ms))),
    Math.max(0, thousandths(decidedMs)),
  );

/** µs are what the clock gives. */
const thousandths = (ms: number): number => Math.round(ms * 1_000) / 1_000;
