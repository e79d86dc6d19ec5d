import type { Timers } from '../timers.ts';

/**
 * What is waited for: called after every piece of input (0), and again and again while it is quiet, with the ms that it has
 * been quiet. Not `null` ends the wait.
 */
export type Look<T> = (quietMs: number) => T | null;

/**
 * Waits for one thing that a console prints. The limit is absolute: a switch that never stops talking holds nobody.
 */
export class Attention {
  readonly #timers: Timers;
  readonly #quietMs: number;
  #heard: (() => void) | null = null;
  #cancel: (() => void) | null = null;

  constructor(timers: Timers, quietMs: number) {
    this.#timers = timers;
    this.#quietMs = quietMs;
  }

  /** Input came. */
  input(): void {
    this.#heard?.();
  }

  /** Ends the wait without an answer; nobody is called. */
  stop(): void {
    this.#cancel?.();
    this.#cancel = null;
    this.#heard = null;
  }

  /** Calls `found` or `late` once, unless `stop` comes first. Only one wait at a time. */
  wait<T>(look: Look<T>, limitMs: number, found: (what: T) => void, late: () => void): void {
    this.stop();
    let over = false;
    let cancelQuiet = (): void => undefined;
    const done = (act: () => void): void => {
      this.stop();
      act();
    };
    let rests = 0;
    const tried = (): boolean => {
      const what = look(rests * this.#quietMs);
      // Looking may have ended the wait by itself.
      if (over || what === null) return over;
      done(() => found(what));
      return true;
    };
    const restQuiet = (): void => {
      cancelQuiet();
      cancelQuiet = this.#timers.after(this.#quietMs, () => {
        // A loop that was blocked runs its timers before it reads.
        this.#timers.soon(() => {
          if (over) return;
          rests += 1;
          if (!tried()) restQuiet();
        });
      });
    };
    const cancelLimit = this.#timers.after(limitMs, () => {
      this.#timers.soon(() => {
        if (over) return;
        rests = Math.max(1, rests);
        if (!tried()) done(late);
      });
    });
    this.#cancel = () => {
      over = true;
      cancelQuiet();
      cancelLimit();
    };
    this.#heard = () => {
      rests = 0;
      if (!tried()) restQuiet();
    };
    restQuiet();
  }
}
