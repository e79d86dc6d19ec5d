/**
 * Keeps refused requests from filling the journal, in a flood and over the years: the first of a burst is written, the rest are counted,
 * and the longer a burst lasts the more rarely its count is written. A burst is over when nothing came for the longest of these times: a
 * sender with a wrong secret who tries again every quarter of a minute is one burst, and no thousands of lines a day. Sources and statuses are few, whatever is sent. A button
 * whose wire makes and breaks is counted in the same way.
 */
import type { EntryInput, JsonObject } from '../../journal/entry.ts';
import type { Clock } from '../clock.ts';

/** A burst is summed up this long after its first refusal, ms; then after twice as long, and so on. */
const SUM_UP_AFTER_MS = 10_000;
/** Longest time between two sums of one burst, ms. */
const SUM_UP_AT_LEAST_EVERY_MS = 10 * 60_000;

interface Burst {
  /** Since the last line. */
  more: number;
  readonly sum: (more: number, withinMs: number) => void;
  withinMs: number;
  cancel: () => void;
}

/** Counts refused requests by source and status. */
export class RefusalTally {
  readonly #clock: Clock;
  readonly #note: (entry: EntryInput) => void;
  readonly #sumUpAfterMs: number;
  readonly #bursts = new Map<string, Burst>();
  #closed = false;

  /** `sumUpAfterMs`: from the first of a burst to its first count. */
  constructor(clock: Clock, note: (entry: EntryInput) => void, sumUpAfterMs = SUM_UP_AFTER_MS) {
    this.#clock = clock;
    this.#note = note;
    this.#sumUpAfterMs = sumUpAfterMs;
  }

  /**
   * Notes one refused request as an entry of this type. `actor` and `what` tell bursts apart: configured names and constants
   * only. `describe` is called for the first of a burst: a flood must cost little.
   */
  refused(type: string, actor: string, what: JsonObject, describe: () => JsonObject): void {
    const name = JSON.stringify([type, actor, what]);
    const burst = this.#bursts.get(name);
    if (burst !== undefined) {
      burst.more += 1;
      return;
    }
    this.#note({ type, actor, data: { ...what, ...describe() } });
    if (this.#closed) return;
    const begun: Burst = {
      more: 0,
      sum: (more, withinMs) =>
        this.#note({ type: `${type}-more`, actor, data: { ...what, more, within_ms: withinMs } }),
      withinMs: this.#sumUpAfterMs,
      cancel: () => undefined,
    };
    this.#bursts.set(name, begun);
    this.#sumUpLater(name, begun);
  }

  /** Writes what was counted so far. From now on nothing waits, and whatever is refused is written. */
  close(): void {
    this.#closed = true;
    for (const { cancel, more, sum, withinMs } of this.#bursts.values()) {
      cancel();
      if (more > 0) sum(more, withinMs);
    }
    this.#bursts.clear();
  }

  #sumUpLater(name: string, burst: Burst): void {
    burst.cancel = this.#clock.after(burst.withinMs, () => {
      if (burst.more === 0 && burst.withinMs >= SUM_UP_AT_LEAST_EVERY_MS) {
        this.#bursts.delete(name);
        return;
      }
      if (burst.more > 0) burst.sum(burst.more, burst.withinMs);
      burst.more = 0;
      burst.withinMs = Math.min(2 * burst.withinMs, SUM_UP_AT_LEAST_EVERY_MS);
      this.#sumUpLater(name, burst);
    });
  }
}
