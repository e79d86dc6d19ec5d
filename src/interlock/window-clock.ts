/** The window calendar at work: cron expressions by node-cron, the calendar itself by `core/calendar.ts`. */
import { randomInt } from 'node:crypto';
import { createTask, type ScheduledTask } from 'node-cron';
import {
  type ByHand,
  type Calendar,
  type CalendarEvent,
  emptyCalendar,
  type Missed,
  tickCalendar,
  type WindowPlan,
} from '../core/calendar.ts';
import type { Refusal } from '../core/link.ts';
import type { Millis } from '../core/time.ts';
import type { EntryInput } from '../journal/entry.ts';
import type { EventLine, WindowStatus } from '../protocol/messages.ts';
import { calendarText } from './clock.ts';

/** A window as configured; durations in ms. */
export interface WindowConfig {
  readonly link: string;
  readonly opens: string;
  readonly timezone: string;
  readonly jitter: number;
  readonly lasts: number;
  /** Default: `presence`. */
  readonly by_hand?: ByHand;
}

/** Resolution of the jitter draw. */
const DRAWS = 2 ** 32;
const randomDraw = (): number => randomInt(0, DRAWS - 1) / DRAWS;

/** The calendar of all configured windows. */
export class WindowClock {
  readonly #tasks: ReadonlyMap<string, ScheduledTask>;
  readonly #draw: () => number;
  readonly plans: readonly WindowPlan[];
  calendar: Calendar;

  constructor(
    windows: Readonly<Record<string, WindowConfig>>,
    lastBegun: Readonly<Record<string, number>>,
    draw: () => number = randomDraw,
  ) {
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

  /** Lets time pass; what happened is returned in order. */
  tick(now: Millis, calendarMs: number, clockTrusted: boolean): readonly CalendarEvent[] {
    const ticked = tickCalendar(this.calendar, this.plans, {
      now,
      calendarMs,
      clockTrusted,
      draw: this.#draw,
    });
    this.calendar = ticked.calendar;
    return ticked.events;
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
};
