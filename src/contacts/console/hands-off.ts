import { later, millis, type Millis } from '../../core/time.ts';
import type { Timers } from '../timers.ts';
import type { ConsoleDevice } from './fields.ts';
import { anyMatches, pattern, type Pattern } from './pattern.ts';
import type { Screen } from './screen.ts';

/** Whether a switch is starting, and for how long nothing may be typed: a key would stop it in its boot loader. */
export class HandsOff {
  readonly #timers: Timers;
  readonly #lines: readonly Pattern[];
  readonly #forMs: number;
  #until: Millis = millis(0);
  #seen = 0;

  constructor(device: ConsoleDevice, timers: Timers) {
    this.#timers = timers;
    this.#lines = (device.hands_off?.lines ?? []).map((each) => pattern(each));
    this.#forMs = device.hands_off?.for_ms ?? 0;
  }

  /** ms for which nothing may be typed. */
  get leftMs(): number {
    return Math.max(0, this.#until - this.#timers.now());
  }

  /** Looks at what has come; true when it says, for the first time, that the switch is starting. */
  begins(screen: Screen): boolean {
    if (this.#lines.length === 0) return false;
    const lines = [...screen.since(this.#seen), screen.current];
    this.#seen = screen.count;
    if (this.leftMs > 0 || !lines.some((line) => anyMatches(this.#lines, line))) return false;
    this.#until = later(this.#timers.now(), this.#forMs);
    return true;
  }
}
