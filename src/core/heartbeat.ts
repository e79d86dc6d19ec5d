/**
 * When a sign of life counts, and for how long. Pure.
 *
 * What it never does: let a sign of life count that was given before this program began, or take one for younger than its
 * sender says. A signed time can only make it older: a calendar that is wrong shortens a permission and never lengthens it.
 *
 * The bad case that remains: where the sender signs no time, whoever can record a request can repeat it.
 */
import { later, type Millis } from './time.ts';

/** The last sign of life that counted. */
export interface Beat {
  /** The moment for which it stands, monotonic. */
  readonly at: Millis;
  /** The time that its sender signed, seconds since 1970; `null` when it signs none. */
  readonly signedAt: number | null;
}

/** A sign of life, verified, as it comes. */
export interface Sign {
  readonly receivedAt: Millis;
  /** `ageMs`: calendar time since it was signed; negative when the clocks differ. */
  readonly signed: { readonly at: number; readonly ageMs: number } | null;
}

/** Whether a sign of life counts, and why not. */
export type Counted =
  | { readonly counts: true; readonly beat: Beat }
  | { readonly counts: false; readonly why: 'before-start' | 'repeated' };

/** Judges a sign of life. `last`: the one that counted before; `startedAt`: since when this program listens. */
export function countBeat(last: Beat | null, { receivedAt, signed }: Sign, startedAt: Millis): Counted {
  if (signed === null) return { counts: true, beat: { at: receivedAt, signedAt: null } };
  const newest = last?.signedAt ?? null;
  if (newest !== null && signed.at <= newest) return { counts: false, why: 'repeated' };
  const at = later(receivedAt, -Math.max(0, signed.ageMs));
  if (!(at >= startedAt)) return { counts: false, why: 'before-start' };
  return { counts: true, beat: { at: last !== null && last.at > at ? last.at : at, signedAt: signed.at } };
}

/** `awaited`: nothing was heard since the start, which is not long enough ago to be alarmed. Only `fresh` permits. */
export type Freshness = 'awaited' | 'fresh' | 'stale';

/** How a heartbeat stands at `now`. */
export function freshness(last: Beat | null, now: Millis, startedAt: Millis, maxAgeMs: number): Freshness {
  if (last === null) return now - startedAt <= maxAgeMs ? 'awaited' : 'stale';
  return now - last.at <= maxAgeMs ? 'fresh' : 'stale';
}
