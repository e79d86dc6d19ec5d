/** Entries that wait for the disk, in order, and the form in which they wait. */
import { Buffer } from 'node:buffer';
import { GENESIS } from './chain.ts';
import { parseEntry, printEntry, type Entry } from './entry.ts';
import type { Draft } from './writer.ts';

/** Most bytes written under one fsync. */
export const MAX_BATCH_BYTES = 1024 * 1024;

/** An entry that waits, and who is told what became of it. */
export interface Waiting {
  readonly draft: Draft;
  /** Bound on the bytes of its line. */
  readonly bytes: number;
  readonly resolve: (entry: Entry) => void;
  readonly reject: (error: Error) => void;
}

/** A copy that its caller cannot change any more, known to be printable wherever in the chain it will stand. Throws `EntryError`. */
export function checkedDraft(draft: Draft): Pick<Waiting, 'draft' | 'bytes'> {
  const line = printEntry({ ...draft, seq: Number.MAX_SAFE_INTEGER, prev: GENESIS.hash });
  const { seq: _seq, prev: _prev, ...checked } = parseEntry(line);
  return { draft: checked, bytes: Buffer.byteLength(line) + 1 };
}

/** The entries that wait. */
export class EntryQueue {
  #waiting: Waiting[] = [];

  /** How many wait. */
  get length(): number {
    return this.#waiting.length;
  }

  /** Puts an entry last; resolves or rejects as whoever takes it says. */
  add(checked: Pick<Waiting, 'draft' | 'bytes'>): Promise<Entry> {
    const { promise, resolve, reject } = Promise.withResolvers<Entry>();
    this.#waiting.push({ ...checked, resolve, reject });
    return promise;
  }

  /** The first entries, as many as one fsync is worth; at least one if any waits. */
  takeBatch(): Waiting[] {
    let bytes = 0;
    let count = 0;
    for (const waiting of this.#waiting) {
      bytes += waiting.bytes;
      if (count > 0 && bytes > MAX_BATCH_BYTES) break;
      count += 1;
    }
    return this.#waiting.splice(0, count);
  }

  /** All of them. */
  takeAll(): Waiting[] {
    return this.#waiting.splice(0);
  }
}
