/** The window calendar at work: cron expressions by node-cron, the calendar itself by `core/calendar.ts`. */
import { randomInt } from 'node:crypto';
import { createTask, type ScheduledTask } from 'node-cron';
import {
  type ByHand,
  type Calendar,
  type CalendarEvent,
  emptyCalendar,
  type Missed,
  openCatchUp,
  tickCalendar,
  type WindowPlan,
} from '../../core/calendar.ts';
import {
  type CatchUp,
  leavesRoom,
  mayCatchUp,
  missedBy,
  NO_PAST,
  type PastOpenings,
  type Search,
  searchOn,
} from '../../core/catch-up.ts';
import { own } from '../../core/names.ts';
import type { Refusal } from '../../core/link.ts';
import type { Millis } from '../../core/time.ts';
import type { EntryInput } from '../../journal/entry.ts';
import type { EventLine, WindowStatus } from '../../protocol/messages.ts';
import { calendarText } from '../clock.ts';

/** A window as configured; durations in ms. */
export interface WindowConfig {
  readonly link: string;
  readonly opens: string;
  readonly timezone: string;
  readonly jitter: number;
  readonly lasts: number;
  /** Default: `presence`. */
  readonly by_hand?: ByHand;
  /** Default: `none`. */
  readonly catch_up?: CatchUp;
}

const MINUTE_MS = 60_000;
/** Resolution of the jitter draw. */
const DRAWS = 2 ** 32;
const randomDraw = (): number => randomInt(0, DRAWS - 1) / DRAWS;

/** The calendar of all configured windows. */
export class WindowClock {
  readonly #tasks: ReadonlyMap<string, ScheduledTask>;
  readonly #draw: () => number;
  readonly #searches = new Map<string, Search>();
  /** Openings in which a lease was granted, as `window occurrence`. */
  readonly #granted = new Set<string>();
  readonly #why = new Map<string, Missed>();
  readonly plans: readonly WindowPlan[];
  calendar: Calendar;
  /** What is to be remembered over restarts. */
  past: PastOpenings;

  constructor(
    windows: Readonly<Record<string, WindowConfig>>,
    lastBegun: Readonly<Record<string, number>>,
    draw: () => number = randomDraw,
    past: PastOpenings = NO_PAST,
  ) {
    this.past = past;
    this.#draw = draw;
    this.#tasks = new Map(
      Object.entries(windows).map(([name, { opens, timezone }]) => [
        name,
        // Never started: node-cron reads the expression and the time zone; the minutes are walked by `tickCalendar`.
        createTask(opens, () => undefined, { timezone }),
      ]),
    );
    this.plans = Object.entries(windows).map(([name, window]) => this.#planOf(name, window));
    this.calendar = emptyCalendar(lastBegun);
  }

  /** Lets time pass; what happened is returned in order. `ready`: nothing but the time would refuse a lease of this link. */
  tick(
    now: Millis,
    calendarMs: number,
    clockTrusted: boolean,
    ready: (link: string) => boolean = () => false,
  ): readonly CalendarEvent[] {
    const ticked = tickCalendar(this.calendar, this.plans, {
      now,
      calendarMs,
      clockTrusted,
      draw: this.#draw,
    });
    this.calendar = ticked.calendar;
    const events = [...ticked.events, ...ticked.events.flatMap((event) => this.#unused(event))];
    for (const event of events) if (event.kind === 'missed') this.#remember(event);
    const { holdUntil } = ticked.calendar;
    const held = holdUntil !== null && now < holdUntil;
    for (const plan of this.plans) {
      // A clock that may be wrong says nothing about the past.
      if (held || !clockTrusted) this.#searches.delete(plan.window);
      else events.push(...this.#lookBack(plan, now, calendarMs, ready));
    }
    return events;
  }

  /** A lease was granted in an opening. `calendarMs`: now, or null while the clock is not synchronised. */
  granted(window: string, occurrence: string, calendarMs: number | null): void {
    this.#granted.add(`${window} ${occurrence}`);
    if (calendarMs !== null) this.past = { ...this.past, used: { ...this.past.used, [window]: calendarMs } };
  }

  /** An opening that has ended without a lease was missed. */
  #unused(event: CalendarEvent): readonly CalendarEvent[] {
    if (event.kind !== 'ended') return [];
    const { window, occurrence, byHand } = event.opening;
    // Also of one that was opened by hand: what is over is forgotten.
    const wasGranted = this.#granted.delete(`${window} ${occurrence}`);
    if (wasGranted || byHand !== null) return [];
    const minuteMs = own(this.calendar.lastBegun, window);
    return minuteMs === undefined ? [] : [{ kind: 'missed', window, minuteMs, why: 'unused' }];
  }

  #lookBack(
    plan: WindowPlan,
    now: Millis,
    calendarMs: number,
    ready: (link: string) => boolean,
  ): readonly CalendarEvent[] {
    const { window, lastsMs, jitterMs } = plan;
    const minuteMs = Math.floor(calendarMs / MINUTE_MS) * MINUTE_MS;
    const before = this.#searches.get(window) ?? null;
    const search = searchOn(before, plan.names, minuteMs);
    this.#searches.set(window, search);
    const missedMs = this.#missedNow(window, search);
    if (missedMs === null) return [];
    const isNews = (own(this.past.told, window) ?? -1) < missedMs;
    const why = this.#why.get(`${window} ${missedMs}`) ?? 'not-running';
    const news = { kind: 'missed' as const, window, minuteMs: missedMs, why };
    if (isNews) this.#remember(news);
    const events: CalendarEvent[] = isNews ? [news] : [];
    // Thought about once a minute: looking whether there is room takes a few ms.
    if (before?.to === minuteMs || !mayCatchUp(window, plan.catchUp ?? 'none', missedMs, this.past))
      return events;
    if (!ready(plan.link) || !leavesRoom(plan.names, minuteMs, lastsMs + jitterMs)) return events;
    const { calendar, opening } = openCatchUp(this.calendar, plan, now, missedMs);
    this.calendar = calendar;
    this.past = { ...this.past, caughtUp: { ...this.past.caughtUp, [window]: missedMs } };
    return [...events, { kind: 'opened', opening }];
  }

  #missedNow(window: string, search: Search): number | null {
    const { open, waiting } = this.calendar;
    return missedBy(
      window,
      search,
      this.past,
      [...open, ...waiting].some((each) => each.window === window),
    );
  }

  #remember({ window, minuteMs, why }: Extract<CalendarEvent, { kind: 'missed' }>): void {
    for (const key of this.#why.keys()) if (key.startsWith(`${window} `)) this.#why.delete(key);
    this.#why.set(`${window} ${minuteMs}`, why);
    const told = Math.max(minuteMs, own(this.past.told, window) ?? minuteMs);
    this.past = { ...this.past, told: { ...this.past.told, [window]: told } };
  }

  #nextMs(window: string): number | null {
    return this.#tasks.get(window)?.getNextRuns(1)[0]?.getTime() ?? null;
  }

  /** The newest opening that brought no lease, and what comes next; empty when there is none. */
  #missedShown({ window, catchUp = 'none' }: WindowPlan): Pick<WindowStatus, 'missed'> {
    const search = this.#searches.get(window);
    const missedMs = search === undefined ? null : this.#missedNow(window, search);
    if (missedMs === null) return {};
    const nextMs = this.#nextMs(window);
    const scheduled = nextMs === null ? null : calendarText(nextMs);
    const isOwed = mayCatchUp(window, catchUp, missedMs, this.past);
    return {
      missed: {
        scheduled: calendarText(missedMs),
        why: missedWords[this.#why.get(`${window} ${missedMs}`) ?? 'not-running'],
        next_chance: isOwed ? null : scheduled,
        by: isOwed ? 'catch-up' : scheduled === null ? 'nobody' : 'schedule',
      },
    };
  }

  /** A calendar event as journal entry and, where the controller must know, as event line. */
  tell(event: CalendarEvent, now: Millis): { readonly entry: EntryInput; readonly line: EventLine | null } {
    switch (event.kind) {
      case 'opened': {
        const { window, link, occurrence, byHand, endsAt, right } = event.opening;
        const ends_in_ms = Math.floor(endsAt - now);
        return {
          entry: {
            type: 'window.opened',
            actor: byHand === null ? 'calendar' : right === 'approvers' ? 'approvers' : 'presence',
            data: { window, link, occurrence, by_hand: byHand, ends_in_ms },
          },
          line: { event: 'window-opened', window, link, occurrence, ends_in_ms, by_hand: byHand },
        };
      }
      case 'ended': {
        const { window, occurrence } = event.opening;
        const why = event.early ? 'its work is done' : 'its time is over';
        return {
          entry: {
            type: 'window.closed',
            actor: event.early ? 'controller' : 'calendar',
            data: { window, occurrence, why },
          },
          line: { event: 'window-closed', window, occurrence, why },
        };
      }
      case 'missed': {
        const data = {
          window: event.window,
          scheduled: calendarText(event.minuteMs),
          why: missedWords[event.why],
        };
        return { entry: { type: 'window.missed', actor: 'calendar', data }, line: null };
      }
      case 'clock-stepped':
        return {
          entry: { type: 'clock.stepped', actor: 'calendar', data: { by_ms: event.byMs } },
          line: null,
        };
    }
  }

  /** For status pages. */
  status(now: Millis, needs: (plan: WindowPlan) => readonly Refusal[]): WindowStatus[] {
    return this.plans.map((plan) => {
      const { window, link, byHand } = plan;
      const open = this.calendar.open.find((each) => each.window === window);
      return {
        window,
        link,
        next_opens: this.#tasks.get(window)?.getNextRuns(1)[0]?.toISOString() ?? null,
        open:
          open === undefined
            ? null
            : { occurrence: open.occurrence, ends_in_ms: Math.floor(open.endsAt - now) },
        by_hand: byHand,
        run_needs: [...needs(plan)],
        ...this.#missedShown(plan),
      };
    });
  }

  #planOf(name: string, window: WindowConfig): WindowPlan {
    return {
      window: name,
      link: window.link,
      lastsMs: window.lasts,
      jitterMs: window.jitter,
      byHand: window.by_hand ?? 'presence',
      catchUp: window.catch_up ?? 'none',
      names: (minuteMs) => this.#tasks.get(name)?.match(new Date(minuteMs)) ?? false,
      label: calendarText,
    };
  }
}

const missedWords: Readonly<Record<Missed, string>> = {
  'clock-unsynchronised': 'the clock was not synchronised',
  'clock-stepped': 'the clock had just been stepped',
  'already-open': 'the window was still in progress',
  'already-begun': 'this minute had begun the window before (the clock was set back)',
  unused: 'it opened, and no lease was granted in it',
  'not-running': 'the box was off, or its clock not synchronised',
};
