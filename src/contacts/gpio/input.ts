/**
 * An input on a GPIO line: a mirror contact, a button. Tells every edge at once and every settled level; says nothing
 * while the line is lost, which is told too. A lost line is claimed again every RETRY_PAUSE_MS for ever.
 */
import { later, type Millis } from '../../core/time.ts';
import { RETRY_PAUSE_MS } from '../seats.ts';
import { Alarm, type Timers } from '../timers.ts';
import { type Debounce, edgeSeen, firstSeen, looked, restMs, settled } from './debounce.ts';
import type { Bias, GpioAccess, InputLine, Level, LinePlace } from './lines.ts';

/** ms between two looks at the pin that nobody asked for: sysfs does not say when a chip goes. */
export const LOOK_PAUSE_MS = 1_000;
const MAX_WHY = 200;

/** Who listens to an input. None of them may throw. */
export interface InputListener {
  /** The pin moved, however briefly. `at`: the kernel's time where it gives one (character device), monotonic ms. */
  readonly edge: (level: Level, at: Millis) => void;
  /** The level has settled, for the first time since the line was found, or at another level than before. */
  readonly settled: (level: Level, at: Millis) => void;
  /** The level is unknown from now on. Told again only after the line was found. */
  readonly lost: (why: string) => void;
}

/** What is known of the level: settled, or unknown and why. */
export type InputLevel =
  | { readonly kind: 'settled'; readonly level: Level }
  | { readonly kind: 'unknown'; readonly why: string };

/** Where an input is. */
export interface GpioInputParts {
  /** Finds the way into the kernel; asked for each claim, and may throw. */
  readonly access: () => GpioAccess;
  readonly place: LinePlace;
  readonly bias: Bias;
  /** ms for which the level must be still. */
  readonly debounceMs: number;
  readonly timers: Timers;
  readonly listener?: InputListener;
}

/** One input. */
export class GpioInput {
  readonly #parts: GpioInputParts;
  readonly #retry: Alarm;
  readonly #settle: Alarm;
  readonly #patrol: Alarm;
  #line: InputLine | null = null;
  #state: Debounce | null = null;
  /** The settled level that the listener knows. */
  #told: Level | null = null;
  #lostTold = false;
  #why = 'the line was not yet looked at';
  #closed = false;

  constructor(parts: GpioInputParts) {
    this.#parts = parts;
    this.#retry = new Alarm(parts.timers, () => this.start());
    this.#settle = new Alarm(parts.timers, () => this.#tellSettled());
    this.#patrol = new Alarm(parts.timers, () => this.look());
  }

  /** Claims the line, or tries until it has it. Never throws. */
  start(): void {
    if (this.#closed || this.#line !== null) return;
    this.#retry.clear();
    const { access, place, bias, timers } = this.#parts;
    try {
      const line = access().claimInput(place, bias, {
        edge: (level, at) => this.#edge(level, at),
        lost: (why) => this.#lose(why),
      });
      this.#line = line;
      this.#move(firstSeen(line.read(), timers.now()));
      this.#lostTold = false;
      this.#patrolLater();
    } catch (error) {
      this.#lose(error);
    }
  }

  /** Looks at the pin now. Starts the input if need be; a level is settled only after it has been watched for a while. */
  look(): InputLevel {
    if (this.#closed) return { kind: 'unknown', why: 'the driver was closed' };
    if (this.#line === null && !this.#retry.set) this.start();
    const { timers, debounceMs } = this.#parts;
    if (this.#line !== null && this.#state !== null) {
      try {
        const state = looked(this.#state, this.#line.read(), timers.now());
        if (state !== this.#state) this.#move(state);
      } catch (error) {
        this.#lose(error);
      }
    }
    if (this.#state === null) return { kind: 'unknown', why: this.#why };
    this.#patrolLater();
    const level = settled(this.#state, timers.now(), debounceMs);
    return level === null
      ? { kind: 'unknown', why: `the input has not been still for ${debounceMs} ms` }
      : { kind: 'settled', level };
  }

  /** Lets go of the line. The listener hears nothing any more. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#retry.clear();
    this.#settle.clear();
    this.#patrol.clear();
    this.#line?.release();
    this.#line = null;
    this.#state = null;
  }

  #patrolLater(): void {
    this.#patrol.clear();
    this.#patrol.at(later(this.#parts.timers.now(), LOOK_PAUSE_MS));
  }

  #edge(level: Level, at: Millis): void {
    if (this.#closed || this.#state === null) return;
    this.#move(edgeSeen(this.#state, level, at));
    this.#parts.listener?.edge(level, at);
  }

  #move(state: Debounce): void {
    this.#state = state;
    const { timers, debounceMs } = this.#parts;
    this.#settle.clear();
    this.#settle.at(later(timers.now(), restMs(state, timers.now(), debounceMs)));
  }

  #tellSettled(): void {
    const state = this.#state;
    if (state === null) return;
    const { timers, debounceMs, listener } = this.#parts;
    const level = settled(state, timers.now(), debounceMs);
    if (level === null) {
      // Timers may run early by a part of a millisecond.
      this.#settle.at(later(timers.now(), Math.max(1, restMs(state, timers.now(), debounceMs))));
    } else if (level !== this.#told) {
      this.#told = level;
      listener?.settled(level, timers.now());
    }
  }

  #lose(error: unknown): void {
    this.#line?.release();
    this.#line = null;
    this.#state = null;
    this.#told = null;
    this.#settle.clear();
    this.#patrol.clear();
    this.#why = (error instanceof Error ? error.message : String(error)).slice(0, MAX_WHY);
    if (this.#closed) return;
    this.#retry.at(later(this.#parts.timers.now(), RETRY_PAUSE_MS));
    if (this.#lostTold) return;
    this.#lostTold = true;
    this.#parts.listener?.lost(this.#why);
  }
}
