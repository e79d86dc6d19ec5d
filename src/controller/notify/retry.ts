/** When a delivery is tried again. Pure. */

/** What an attempt came to. The reasons hold no secrets. */
export type Attempt =
  | { readonly kind: 'taken'; readonly answer: string }
  /** It may be taken later. `afterMs`: when the other side asks to be tried again. */
  | { readonly kind: 'later'; readonly why: string; readonly afterMs: number | null }
  /** It was understood and not taken; the same again will hardly do better. */
  | { readonly kind: 'refused'; readonly why: string };

/** How fast deliveries are repeated, ms. */
export interface Pace {
  readonly firstMs: number;
  readonly mostMs: number;
}

export const PACE: Pace = { firstMs: 5_000, mostMs: 900_000 };
/** Attempts of one notice: about a day at the slowest pace. */
export const MOST_ATTEMPTS = 100;
/** Refusals of one notice: about ten minutes, in which a token may be mended; then the next one gets its turn. */
export const MOST_REFUSALS = 8;
/** No other side makes us wait longer than this, ms. */
const MOST_ASKED_MS = 3_600_000;

/** ms until the next attempt after `failures` (from 1). `dice` is 0 to 1: many boxes must not come back all at once. */
export function waitMs(failures: number, askedMs: number | null, dice: number, pace: Pace = PACE): number {
  const whole = Math.min(pace.mostMs, pace.firstMs * 2 ** Math.min(failures - 1, 30));
  const ours = Math.round(whole / 2 + (whole / 2) * dice);
  return Math.max(ours, Math.min(askedMs ?? 0, MOST_ASKED_MS));
}

/** ms that a Retry-After header asks for (RFC 9110, 10.2.3: seconds or a date); null when it says nothing usable. */
export function retryAfterMs(header: string | undefined, nowMs: number): number | null {
  if (header === undefined) return null;
  if (/^\d{1,9}$/.test(header)) return Number(header) * 1_000;
  const at = Date.parse(header);
  return Number.isNaN(at) ? null : Math.max(0, at - nowMs);
}
