/** A time during which nothing could be recorded, and what is said about it once something can. */
import { JOURNAL_TYPES, type JsonObject } from './entry.ts';
import { SELF, type Draft } from './writer.ts';

/** Refused entries are listed up to this many, beyond it only counted: the list must fit into one line (at most 1.5 kB each). */
export const MAX_LISTED_REFUSALS = 32;

/** Longest reason that is told, characters. */
const MAX_WHY_LENGTH = 500;

/** Why something failed, bounded and well formed. */
export const reasonOf = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error))
    .toWellFormed()
    .slice(0, MAX_WHY_LENGTH)
    .toWellFormed();

/** Begins with the first failure. */
export class Outage {
  readonly #stamp: Pick<Draft, 'boot' | 'mono' | 'at' | 'clock'>;
  readonly #why: string;
  #count = 0;
  #listed: JsonObject[] = [];

  /** `since` gives the time of the failure. */
  constructor(since: Draft, why: string) {
    const { boot, mono, at, clock } = since;
    this.#stamp = { boot, mono, at, clock };
    this.#why = why;
  }

  /** Notes an entry that its caller was told is not recorded. */
  refuse({ mono, at, type, actor }: Draft): void {
    this.#count += 1;
    if (this.#listed.length < MAX_LISTED_REFUSALS) this.#listed.push({ type, actor, at, mono });
  }

  /** What failed, stamped with when it failed. */
  failed(): Draft {
    return { ...this.#stamp, type: JOURNAL_TYPES.writeFailed, actor: SELF, data: { why: this.#why } };
  }

  /** Data of the entry that says recording goes on. */
  refusals(): JsonObject {
    return { refused: this.#count, refused_entries: this.#listed };
  }

  /** Forgets refusals that are now on record; returns the way to undo that, for when recording them failed. */
  handOver(): () => void {
    const [count, listed] = [this.#count, this.#listed];
    this.#count = 0;
    this.#listed = [];
    return () => {
      this.#count += count;
      this.#listed = [...listed, ...this.#listed].slice(0, MAX_LISTED_REFUSALS);
    };
  }

  /** Whether refusals wait to be put on record. */
  get pending(): boolean {
    return this.#count > 0;
  }
}
