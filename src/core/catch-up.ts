/**
 * Scheduled openings in which no lease was granted, because the box was off, the clock not synchronised or something refused, and whether
 * one is made up for. Pure. Made up for is the newest one only, once, when nothing refuses a lease, and not shortly before the next
 * scheduled one. A clock that is not synchronised, or was just stepped, tells of no missed opening and makes up for none.
 */
import { own } from './names.ts';

/** Whether a missed opening is made up for. */
export type CatchUp = 'none' | 'once';

const MINUTE_MS = 60_000;
/** An opening that was missed longer ago than this is not looked for, ms: a week and a day. */
export const MISSED_HORIZON_MS = 8 * 86_400_000;
/** Minutes looked through at once, so that looking back delays nothing (17 µs each on a PC). */
export const MINUTES_AT_ONCE = 60;

/** What is remembered of past openings by window, over restarts; calendar ms. */
export interface PastOpenings {
  /** When a lease was last granted to it. */
  readonly used: Readonly<Record<string, number>>;
  /** The missed minute that was last made up for, whether or not that brought a lease. */
  readonly caughtUp: Readonly<Record<string, number>>;
  /** The missed minute that was last journaled. */
  readonly told: Readonly<Record<string, number>>;
}

export const NO_PAST: PastOpenings = { used: {}, caughtUp: {}, told: {} };

/** How far the schedule was looked through: from `from` to `to`, both whole minutes. `newest`: the last minute in it that the schedule names. */
export interface Search {
  readonly from: number;
  readonly to: number;
  readonly newest: number | null;
}

/** Goes on looking: forward to `minuteMs`, and a piece further back until something is found or the horizon is reached. */
export function searchOn(
  before: Search | null,
  names: (minuteMs: number) => boolean,
  minuteMs: number,
): Search {
  const known =
    before === null || minuteMs < before.to || minuteMs - before.to > MINUTES_AT_ONCE * MINUTE_MS
      ? { from: minuteMs, to: minuteMs, newest: names(minuteMs) ? minuteMs : null }
      : before;
  let { from, newest } = known;
  for (let each = known.to + MINUTE_MS; each <= minuteMs; each += MINUTE_MS) if (names(each)) newest = each;
  for (let count = 0; count < MINUTES_AT_ONCE && newest === null; count += 1) {
    if (minuteMs - from >= MISSED_HORIZON_MS) break;
    from -= MINUTE_MS;
    if (names(from)) newest = from;
  }
  return { from, to: minuteMs, newest };
}

/**
 * The newest scheduled minute whose opening brought no lease, or `null`. A window that never had one has missed nothing: it is new.
 * `busy`: one of its openings is waiting or in progress.
 */
export function missedBy(
  window: string,
  { newest }: Search,
  { used }: PastOpenings,
  busy: boolean,
): number | null {
  const last = own(used, window);
  return newest === null || busy || last === undefined || last >= newest ? null : newest;
}

/** Whether the missed minute is to be made up for. */
export function mayCatchUp(
  window: string,
  catchUp: CatchUp,
  missedMs: number,
  { caughtUp }: PastOpenings,
): boolean {
  return catchUp === 'once' && (own(caughtUp, window) ?? -1) < missedMs;
}

/** Whether an opening that begins now leaves the next scheduled one alone. `longestMs`: its length, with all jitter. */
export function leavesRoom(
  names: (minuteMs: number) => boolean,
  minuteMs: number,
  longestMs: number,
): boolean {
  for (let each = minuteMs + MINUTE_MS; each <= minuteMs + longestMs; each += MINUTE_MS)
    if (names(each)) return false;
  return true;
}
