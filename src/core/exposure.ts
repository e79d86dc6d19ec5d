import type { Millis } from './time.ts';

/** The span over which an exposure budget counts, ms. */
export const EXPOSURE_SPAN_MS = 24 * 60 * 60 * 1000;

/** One ended stretch in which a link was, or may have been, connected. */
export interface Exposure {
  /** Kernel boot id; monotonic times of different boots cannot be compared. */
  readonly boot: string;
  readonly endedAt: Millis;
  readonly endedCalendarMs: number;
  readonly lastedMs: number;
}

/** Now, on both clocks. */
export interface Moment {
  readonly boot: string;
  readonly now: Millis;
  readonly calendarMs: number;
}

/**
 * True when the stretch counts against the budget: it ended less than 24 hours ago. Within one boot the monotonic clock
 * says so; across boots the calendar does, and a stretch from the future (the clock was set back) still counts.
 */
export const counts = (exposure: Exposure, moment: Moment): boolean => {
  const ageMs =
    exposure.boot === moment.boot
      ? moment.now - exposure.endedAt
      : moment.calendarMs - exposure.endedCalendarMs;
  return ageMs < EXPOSURE_SPAN_MS;
};

/** Exposure that counts now, ms: every counting stretch whole, plus the one in progress since `since`. */
export const exposedMs = (past: readonly Exposure[], since: Millis | null, moment: Moment): number =>
  past.reduce((sum, each) => (counts(each, moment) ? sum + each.lastedMs : sum), 0) +
  (since === null ? 0 : moment.now - since);
