/**
 * Keeps a flood of refused requests from filling the journal: the first of a burst is written, the rest are counted, and
 * the longer a burst lasts the more rarely its count is written. Sources and statuses are few, whatever is sent.
 */
import type { EntryInput, JsonObject } from '../journal/entry.ts';
import type { Clock } from './clock.ts';

/** A burst is summed up this long after its first refusal, ms; then after twice as long, and so on. */
const SUM_UP_AFTER_MS = 10_000;
/** Longest time between two sums of one burst, ms. */
const SUM_UP_AT_LEAST_EVERY_MS = 10 * 60_000;

/** Counts refused requests by source and status. */
export class RefusalTally {
  readonly #clock: Clock;
  readonly #note: (entry: EntryInput) => void;
  readonly #bursts = new Map<string, number>();

  constructor(clock: Clock, note: (entry: EntryInput) => void) {
    this.#clock = clock;
    this.#note = note;
  }

  /**
   * Notes one refused request as an entry of this type. `actor` and `what` tell bursts apart: configured names and constants
   * only. `describe` is called for the first of a burst: a flood must cost little.
   */
  refused(type: string, actor: string, what: JsonObject, describe: () => JsonObject): void {
    const burst = JSON.stringify([type, actor, what]);
    const more = this.#bursts.get(burst);
    if (more !== undefined) {
      this.#bursts.set(burst, more + 1);
      return;
    }
    this.#bursts.set(burst, 0);
    this.#note({ type, actor, data: { ...what, ...describe() } });
    const sum = (count: number, withinMs: number): void =>
      this.#note({ type: `${type}-more`, actor, data: { ...what, more: count, within_ms: withinMs } });
    this.#sumUpAfter(SUM_UP_AFTER_MS, burst, sum);
  }

  #sumUpAfter(ms: number, burst: string, sum: (count: number, withinMs: number) => void): void {
    this.#clock.after(ms, () => {
      const more = this.#bursts.get(burst) ?? 0;
      if (more === 0) {
        this.#bursts.delete(burst);
        return;
      }
      this.#bursts.set(burst, 0);
      sum(more, ms);
      this.#sumUpAfter(Math.min(2 * ms, SUM_UP_AT_LEAST_EVERY_MS), burst, sum);
    });
  }
}
