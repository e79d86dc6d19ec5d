import type { Millis } from '../core/time.ts';
import { monotonicNow } from './clock.ts';

/** Time as the buses see it; injected so that tests run in virtual time. */
export interface Timers {
  /** Monotonic ms. */
  readonly now: () => Millis;
  /** Calls `act` once after at least `ms` milliseconds; returns what cancels it. */
  readonly after: (ms: number, act: () => void) => () => void;
  /** Calls `act` once after input that already waits in the kernel has been delivered. */
  readonly soon: (act: () => void) => void;
}

/** The timers of this process. `soon` runs after one poll phase of the event loop. */
export const processTimers: Timers = {
  now: monotonicNow,
  after: (ms, act) => {
    const timer = setTimeout(act, Math.ceil(ms));
    return () => clearTimeout(timer);
  },
  // An immediate runs right after the poll phase, but one asked for inside the poll phase runs after the *current*
  // batch, in which bytes that arrived meanwhile are not yet delivered: the second hop makes sure of a whole poll.
  soon: (act) => {
    setImmediate(() => setImmediate(act));
  },
};

/** One call in the future; asking for a later one while an earlier one is due changes nothing. */
export class Alarm {
  readonly #timers: Timers;
  readonly #act: () => void;
  #due: { readonly at: Millis; readonly cancel: () => void } | null = null;

  constructor(timers: Timers, act: () => void) {
    this.#timers = timers;
    this.#act = act;
  }

  get set(): boolean {
    return this.#due !== null;
  }

  /** Calls at `at`, or earlier when it was asked to before. */
  at(at: Millis): void {
    if (this.#due !== null && this.#due.at <= at) return;
    this.clear();
    const cancel = this.#timers.after(Math.max(0, at - this.#timers.now()), () => {
      this.#due = null;
      this.#act();
    });
    this.#due = { at, cancel };
  }

  clear(): void {
    this.#due?.cancel();
    this.#due = null;
  }
}
