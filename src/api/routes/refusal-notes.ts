/**
 * Refused requests in the journal: the first of a kind at once, the rest of a flood as one number. The longer it lasts the more rarely
 * the number is written: a page that was forgotten with a login that is over asks for years.
 */

/** How long refusals of one kind are counted before they are written as one entry, ms; then twice as long, and so on. */
const TOGETHER_MS = 60_000;
/** Longest time; after as long without any the next one is written at once again. */
const TOGETHER_AT_MOST_MS = 3_600_000;
/** Kinds counted at one time; what comes beyond is counted together. */
const MOST_KINDS = 50;
const MAX_CHARS = 100;

interface Tally {
  count: number;
  togetherMs: number;
  timer: NodeJS.Timeout;
}

/** Notes refusals. */
export class RefusalNotes {
  readonly #note: (type: string, data: Readonly<Record<string, unknown>>) => void;
  readonly #tallies = new Map<string, Tally>();

  constructor(note: (type: string, data: Readonly<Record<string, unknown>>) => void) {
    this.#note = note;
  }

  /** `who` asked for `what` from an address and was refused with `code`. */
  refused(who: string, what: string, code: string, from: string): void {
    const data = { who: who.slice(0, MAX_CHARS), what: what.slice(0, MAX_CHARS), code, from };
    const isKnown = this.#tallies.has(`${code} ${from}`);
    const key = isKnown || this.#tallies.size < MOST_KINDS ? `${code} ${from}` : 'more';
    const tally = this.#tallies.get(key);
    if (tally !== undefined) {
      tally.count += 1;
      return;
    }
    this.#note('controller.refused', data);
    const timer = this.#later(key, data, TOGETHER_MS);
    this.#tallies.set(key, { count: 0, togetherMs: TOGETHER_MS, timer });
  }

  /** Writes down what was counted. */
  stop(): void {
    for (const [key, { timer, count }] of this.#tallies) {
      clearTimeout(timer);
      if (count > 0) this.#note('controller.refused', { kind: key, more: count });
    }
    this.#tallies.clear();
  }

  #flush(key: string, data: Readonly<Record<string, unknown>>): void {
    const tally = this.#tallies.get(key);
    if (tally === undefined) return;
    const { count, togetherMs } = tally;
    if (count > 0) this.#note('controller.refused', { ...data, more: count });
    else if (togetherMs >= TOGETHER_AT_MOST_MS) {
      this.#tallies.delete(key);
      return;
    }
    tally.count = 0;
    tally.togetherMs = Math.min(2 * togetherMs, TOGETHER_AT_MOST_MS);
    tally.timer = this.#later(key, data, tally.togetherMs);
  }

  #later(key: string, data: Readonly<Record<string, unknown>>, ms: number): NodeJS.Timeout {
    return setTimeout(() => this.#flush(key, data), ms).unref();
  }
}
