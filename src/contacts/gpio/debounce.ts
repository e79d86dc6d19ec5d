/** When the level of an input counts as settled. Pure: time comes in as an argument. */
import type { Millis } from '../../core/time.ts';
import type { Level } from './lines.ts';

/** What is known of one input. */
export interface Debounce {
  /** The level seen last. */
  readonly level: Level;
  /** Since when nothing has moved. */
  readonly since: Millis;
}

/** The input was seen for the first time. */
export const firstSeen = (level: Level, at: Millis): Debounce => ({ level, since: at });

/**
 * An edge. Two edges of the same level have another one between them, so every edge starts the time anew. An edge that
 * is told late, with an older time than one before it, does not turn the clock back.
 */
export function edgeSeen(before: Debounce, level: Level, at: Millis): Debounce {
  return { level, since: at > before.since ? at : before.since };
}

/** The line was looked at without an edge having been told: only another level is news. */
export function looked(before: Debounce, level: Level, at: Millis): Debounce {
  return level === before.level ? before : edgeSeen(before, level, at);
}

/** The settled level, or `null` while the input has not been still for `debounceMs`. */
export function settled(state: Debounce, now: Millis, debounceMs: number): Level | null {
  return now - state.since >= debounceMs ? state.level : null;
}

/** ms until it may be settled. */
export function restMs(state: Debounce, now: Millis, debounceMs: number): number {
  return Math.max(0, state.since + debounceMs - now);
}
