/** Time that passes only when told to: timers fire in order, and everything they cause has happened before the next one. */
import { millis } from '../../src/core/time.ts';
import type { Clock } from '../../src/interlock/clock.ts';

interface Timer {
  readonly at: number;
  readonly what: () => void;
}

/** The time of the simulated world, ms since its beginning. */
export class VirtualTime {
  now = 0;
  /** Latest first, so that the next one is at the end. */
  readonly #timers: Timer[] = [];

  after(ms: number, what: () => void): () => void {
    const timer: Timer = { at: this.now + Math.max(0, ms), what };
    let low = 0;
    let high = this.#timers.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const other = this.#timers[middle];
      // Of two timers for the same instant the one set first fires first.
      if (other !== undefined && other.at > timer.at) low = middle + 1;
      else high = middle;
    }
    this.#timers.splice(low, 0, timer);
    return () => {
      const index = this.#timers.indexOf(timer);
      if (index >= 0) this.#timers.splice(index, 1);
    };
  }

  /** Fires the next timer and lets everything happen that follows from it; false when there is none before `until`. */
  async step(until: number): Promise<boolean> {
    const next = this.#timers.at(-1);
    if (next === undefined || next.at > until) {
      this.now = until;
      return false;
    }
    this.#timers.pop();
    this.now = next.at;
    next.what();
    await settled();
    return true;
  }
}

/** Resolves when no promise has anything left to do. */
export const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** The calendar of the world, which people and NTP may set. */
export interface Calendar {
  /** ms that the calendar is away from true time. */
  offsetMs: number;
  /** Stretches in which the whole box stood still while time went on, in order: when on the time of the world, and how long, ms. */
  readonly lapses?: { readonly at: number; readonly ms: number }[];
}

/** ms that have passed beside the time of the world by `at`. */
export const lapsedMs = ({ lapses = [] }: Calendar, at: number): number =>
  lapses.reduce((sum, lapse) => (lapse.at <= at ? sum + lapse.ms : sum), 0);

/** Calendar time at the beginning of the world, ms since 1970. */
export const BEGINNING_MS = Date.UTC(2026, 10, 21, 3, 0, 30);

/** The clocks as one process sees them; they stand still for a process that is dead. */
export class ProcessClock implements Clock {
  alive = true;
  readonly #time: VirtualTime;
  readonly #calendar: Calendar;
  /** When this boot began on the time of the world with its lapses, ms. */
  readonly #bootedAt: number;

  constructor(time: VirtualTime, calendar: Calendar, bootedAt: number) {
    this.#time = time;
    this.#calendar = calendar;
    this.#bootedAt = bootedAt;
  }

  now(): ReturnType<Clock['now']> {
    return millis(this.#trueNow() - this.#bootedAt);
  }

  /** A monotonic time of this process on the time of the world. */
  inWorld(monotonic: number): number {
    let at = monotonic + this.#bootedAt;
    // What is from before a lapse has happened before it; what falls into one, at its end.
    for (const lapse of this.#calendar.lapses ?? [])
      if (at > lapse.at) at = Math.max(lapse.at, at - lapse.ms);
    return at;
  }

  calendarMs(): number {
    return Math.floor(BEGINNING_MS + this.#trueNow() + this.#calendar.offsetMs);
  }

  #trueNow(): number {
    return this.#time.now + lapsedMs(this.#calendar, this.#time.now);
  }

  after(ms: number, what: () => void): () => void {
    return this.#time.after(ms, () => {
      if (this.alive) what();
    });
  }

  /** Never resolves for a process that has died meanwhile. */
  pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.after(ms, resolve);
    });
  }
}
