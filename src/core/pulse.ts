/**
 * Whether a sign of life may be given now: to the watchdog of systemd, and as an edge to the dead-man circuit. Pure.
 *
 * A sign of life says that every link was looked at just now, round by round, and not that some thread still turns. It is
 * withheld by a link whose loop stopped, and by a question to a contact or witness that never came back (its driver hangs:
 * each has bounds of its own, far below). A board that is silent withholds nothing: its driver says so in time, and no
 * restart would cure it.
 */
import type { Millis } from './time.ts';

/** A look that ended longer ago is not "just now", ms. A round with its pause takes 4 s at most, with a silent board in it. */
export const CHECKED_WITHIN_MS = 5_000;
/** A question on its way for longer than this hangs, ms. No driver waits longer than 10 s for anything. */
export const HUNG_AFTER_MS = 30_000;

/** What the loop of one link has done. */
export interface Checked {
  readonly link: string;
  /** When its newest whole round ended; null before the first. */
  readonly at: Millis | null;
  /** Since when its oldest unanswered question is on its way; null when there is none. */
  readonly askingSince: Millis | null;
}

/** Whether a sign of life may be given; if not, the link that withholds it, and why. */
export type Pulse =
  | { readonly kind: 'given' }
  | { readonly kind: 'withheld'; readonly link: string; readonly why: 'not-checked' | 'hung' };

/** The one rule. Without links there is nothing to check: whoever asks has shown enough. */
export function pulse(links: readonly Checked[], now: Millis): Pulse {
  for (const { link, at, askingSince } of links) {
    if (at === null || now - at > CHECKED_WITHIN_MS) return { kind: 'withheld', link, why: 'not-checked' };
    if (askingSince !== null && now - askingSince > HUNG_AFTER_MS)
      return { kind: 'withheld', link, why: 'hung' };
  }
  return { kind: 'given' };
}
