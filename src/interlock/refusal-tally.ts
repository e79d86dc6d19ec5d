/** Keeps a flood of refused requests from filling the journal: the first of a burst is written, the rest are counted. */
import type { EntryInput, JsonObject } from '../journal/entry.ts';
import type { Clock } from './clock.ts';

/** A burst is summed up this long after its first refusal, ms. */
const SUM_UP_AFTER_MS = 10_000;
/** Different bursts (source and status) told apart at one time; more share one entry. */
const MAX_BURSTS = 64;

export class RefusalTally {
  readonly #clock: Clock;
  readonly #note: (entry: EntryInput) => void;
  readonly #bursts = new Map<string, number>();

  constructor(clock: Clock, note: (entry: EntryInput) => void) {
    this.#clock = clock;
    this.#note = note;
  }

  /** Notes one refused request of a source. `describe` is called for the first of a burst only: a flood must cost little. */
  refused(source: string, status: number, describe: () => JsonObject): void {
    const named = `${source} ${status}`;
    const burst = this.#bursts.has(named) || this.#bursts.size < MAX_BURSTS ? named : `others ${status}`;
    const more = this.#bursts.get(burst);
    if (more !== undefined) {
      this.#bursts.set(burst, more + 1);
      return;
    }
    this.#bursts.set(burst, 0);
    this.#note({ type: 'trip.refused', actor: `source:${source}`, data: { status, ...describe() } });
    this.#clock.after(SUM_UP_AFTER_MS, () => this.#sumUp(burst, source, status));
  }

  #sumUp(burst: string, source: string, status: number): void {
    const more = this.#bursts.get(burst) ?? 0;
    this.#bursts.delete(burst);
    if (more === 0) return;
    const data = { status, more, within_ms: SUM_UP_AFTER_MS };
    this.#note({ type: 'trip.refused-more', actor: `source:${source}`, data });
  }
}
