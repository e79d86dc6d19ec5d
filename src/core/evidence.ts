import type { Millis } from './time.ts';

/** Where a link, or one indicator of it, stands. Unreadable is `unknown`, never `isolated`. */
export type Position = 'connected' | 'isolated' | 'unknown';

/** One answer of one indicator (a contact's read-back, or a witness). */
export interface Reading {
  readonly position: Position;
  /** Monotonic ms at which the question was put on its wire, not when the answer came. */
  readonly takenAt: Millis;
  /** What was read, or why nothing was, in a few words for people. Bounded, escaped. */
  readonly detail: string;
}
