/**
 * The window calendar: which windows are in progress. Pure. Calendar time only decides when a window begins; from then on
 * the monotonic clock counts, so no clock step lengthens a window, and minutes skipped by a step begin nothing.
 */
import { own } from './names.ts';
import type { CatchUp } from './catch-up.ts';
import { later, type Millis } from './time.ts';

/** A jump of calendar time against monotonic time larger than this is a clock step, ms. */
export const CLOCK_STEP_MS = 2_000;
/** After a clock step no scheduled window begins for this long, ms: the step itself must not choose the minute. */
export const STEP_HOLD_MS = 5 * 60_000;

/** Who may run a window by hand: somebody with presence; two approvers as well; nobody. */
export type ByHand = 'presence' | 'approved' | 'never';

/** One configured window. */
export interface WindowPlan {
  readonly window: string;
  readonly link: string;
  readonly lastsMs: number;
  readonly jitterMs: number;
  readonly byHand: ByHand;
  /** Default: `none`. */
  readonly catchUp?: CatchUp;
  /** True when the schedule names the minute that begins at this calendar time (ms since 1970, a whole minute). */
  readonly names: (minuteMs: number) => boolean;
  /** A name for the opening scheduled for this minute, unique for this window. */
  readonly label: (minuteMs: number) => string;
}

/** A window that has begun, or (while `opensAt` is in the future) waits for its jitter. */
export interface Opening {
  readonly window: string;
  readonly link: string;
  /** Unique per opening. */
  readonly occurrence: string;
  readonly opensAt: Millis;
  readonly endsAt: Millis;
  /** Who opened it by hand and why; null for the schedule. */
  readonly byHand: string | null;
  /** By what right that was; null for the schedule. */
  readonly right: 'box' | 'button' | 'approvers' | null;
}

export interface Calendar {
  /** Calendar minus monotonic at the last tick, ms; null before the first. */
  readonly offsetMs: number | null;
  /** The minute last looked at, ms since 1970. */
  readonly minuteMs: number | null;
  readonly holdUntil: Millis | null;
  /** Per window: the scheduled minute it last began at. Survives restarts; one minute never begins a window twice. */
  readonly lastBegun: Readonly<Record<string, number>>;
  readonly waiting: readonly Opening[];
  readonly open: readonly Opening[];
}

export type CalendarEvent =
  | { readonly kind: 'opened'; readonly opening: Opening }
  /** `early`: its work was done before its time was over. */
  | { readonly kind: 'ended'; readonly opening: Opening; readonly early: boolean }
  | {
      readonly kind: 'missed';
      readonly window: string;
      readonly minuteMs: number;
      readonly why: Missed;
    }
  | { readonly kind: 'clock-stepped'; readonly byMs: number };

export type Missed =
  | 'clock-unsynchronised'
  | 'clock-stepped'
  | 'already-open'
  | 'already-begun'
  /** It opened, and no lease was granted in it. */
  | 'unused'
  /** The box, or this process, was off at its minute. */
  | 'not-running';

export interface CalendarTick {
  readonly now: Millis;
  readonly calendarMs: number;
  readonly clockTrusted: boolean;
  /** A number in [0, 1) for the jitter. */
  readonly draw: () => number;
}

export const emptyCalendar = (lastBegun: Readonly<Record<string, number>>): Calendar => ({
  offsetMs: null,
  minuteMs: null,
  holdUntil: null,
  lastBegun,
  waiting: [],
  open: [],
});

const MINUTE_MS = 60_000;

/** Moves the calendar to this moment. Call it about once a second. */
export function tickCalendar(
  before: Calendar,
  plans: readonly WindowPlan[],
  tick: CalendarTick,
): { readonly calendar: Calendar; readonly events: readonly CalendarEvent[] } {
  const events: CalendarEvent[] = [];
  const offsetMs = tick.calendarMs - tick.now;
  const byMs = before.offsetMs === null ? 0 : offsetMs - before.offsetMs;
  const stepped = Math.abs(byMs) > CLOCK_STEP_MS;
  if (stepped) events.push({ kind: 'clock-stepped', byMs });
  const holdUntil = stepped ? later(tick.now, STEP_HOLD_MS) : before.holdUntil;
  const held = holdUntil !== null && tick.now < holdUntil;

  const minuteMs = Math.floor(tick.calendarMs / MINUTE_MS) * MINUTE_MS;
  const waiting = [...before.waiting];
  const lastBegun = { ...before.lastBegun };
  for (const minute of minutesToLookAt(before, minuteMs, stepped)) {
    for (const plan of plans.filter((each) => each.names(minute))) {
      const busy = [...before.open, ...waiting].some((each) => each.window === plan.window);
      const why = missedBecause(tick.clockTrusted, held, busy, minute <= (own(lastBegun, plan.window) ?? -1));
      if (why !== null) {
        events.push({ kind: 'missed', window: plan.window, minuteMs: minute, why });
        continue;
      }
      lastBegun[plan.window] = minute;
      waiting.push(openingOf(plan, tick, minute));
    }
  }
  const opened = waiting.filter((each) => each.opensAt <= tick.now);
  const ended = before.open.filter((each) => each.endsAt <= tick.now);
  events.push(...opened.map((opening): CalendarEvent => ({ kind: 'opened', opening })));
  events.push(...ended.map((opening): CalendarEvent => ({ kind: 'ended', opening, early: false })));
  const calendar: Calendar = {
    offsetMs,
    minuteMs,
    holdUntil,
    lastBegun,
    waiting: waiting.filter((each) => each.opensAt > tick.now),
    open: [...before.open.filter((each) => each.endsAt > tick.now), ...opened],
  };
  return { calendar, events };
}

/** The minutes that began since the last tick; after a step only the present one, at start none (it may be half over). */
function minutesToLookAt(before: Calendar, minuteMs: number, stepped: boolean): readonly number[] {
  if (before.minuteMs === null) return [];
  if (stepped) return [minuteMs];
  const minutes: number[] = [];
  for (let each = before.minuteMs + MINUTE_MS; each <= minuteMs; each += MINUTE_MS) minutes.push(each);
  return minutes;
}

function missedBecause(trusted: boolean, held: boolean, busy: boolean, begunBefore: boolean): Missed | null {
  if (!trusted) return 'clock-unsynchronised';
  if (held) return 'clock-stepped';
  if (busy) return 'already-open';
  return begunBefore ? 'already-begun' : null;
}

function openingOf(plan: WindowPlan, tick: CalendarTick, minuteMs: number): Opening {
  const opensAt = later(tick.now, Math.floor(tick.draw() * plan.jitterMs));
  return {
    window: plan.window,
    link: plan.link,
    occurrence: plan.label(minuteMs),
    opensAt,
    endsAt: later(opensAt, plan.lastsMs),
    byHand: null,
    right: null,
  };
}

/** Opens a window by hand, now. Null when it is already open or waiting. */
export function openByHand(
  before: Calendar,
  plan: WindowPlan,
  now: Millis,
  occurrence: string,
  { byHand, right }: { readonly byHand: string; readonly right: NonNullable<Opening['right']> },
): { readonly calendar: Calendar; readonly opening: Opening } | null {
  if ([...before.open, ...before.waiting].some((each) => each.window === plan.window)) return null;
  const opening: Opening = {
    window: plan.window,
    link: plan.link,
    occurrence,
    opensAt: now,
    endsAt: later(now, plan.lastsMs),
    byHand,
    right,
  };
  return { calendar: { ...before, open: [...before.open, opening] }, opening };
}

/** Opens a window now to make up for an opening that was missed. The caller has seen that it is neither open nor waiting. */
export function openCatchUp(
  before: Calendar,
  plan: WindowPlan,
  now: Millis,
  minuteMs: number,
): { readonly calendar: Calendar; readonly opening: Opening } {
  const { window, link, lastsMs } = plan;
  const occurrence = `catch-up-${plan.label(minuteMs)}`;
  const endsAt = later(now, lastsMs);
  const opening: Opening = { window, link, occurrence, opensAt: now, endsAt, byHand: null, right: null };
  return { calendar: { ...before, open: [...before.open, opening] }, opening };
}

/** Ends an opening before its time: its work is done, so nothing entitles its link any more. Null when it is not in progress. */
export function endEarly(
  before: Calendar,
  window: string,
  occurrence: string,
): { readonly calendar: Calendar; readonly opening: Opening } | null {
  const opening = before.open.find((each) => each.window === window && each.occurrence === occurrence);
  if (opening === undefined) return null;
  return { calendar: { ...before, open: before.open.filter((each) => each !== opening) }, opening };
}

/** Until when the window named by a lease request entitles its link; null when it is not in progress. */
export const entitledUntil = (
  calendar: Calendar,
  link: string,
  window: string,
  occurrence: string,
): Millis | null =>
  calendar.open.find((each) => each.link === link && each.window === window && each.occurrence === occurrence)
    ?.endsAt ?? null;
