/**
 * Entries of a journal by their sequence numbers, a page at a time, while its writer goes on. Nothing here verifies the chain:
 * `reading.ts` does. An entry is found by counting lines, for sequence numbers have no gaps within a file; where a line is
 * not the entry that the count says, it is said to be missing, and reading goes on behind it.
 *
 * The interlock reads for others between its own work: what is read in one go is bounded, and every few lines others have
 * their turn.
 */
import { Buffer } from 'node:buffer';
import { open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { readLine } from './chain.ts';
import { MAX_LINE_BYTES, type Entry } from './entry.ts';
import { fileName, fileNumbers } from './names.ts';

/** Bytes of lines after which a page ends. */
export const PAGE_BYTES = 512 * 1024;
const CHUNK_BYTES = 128 * 1024;
/** Lines checked before other work gets a turn. */
const LINES_PER_TURN = 32;
/** Places in files that are remembered for readers who come back. */
const MOST_PLACES = 64;
const NEWLINE = 0x0a;

/** Entries that were asked for and cannot be given. */
export interface Missing {
  readonly from: number;
  readonly to: number;
  readonly why: string;
}

/** Entries in order, and what is missing before the first of them. */
export interface Page {
  readonly entries: readonly Entry[];
  /** The next page begins behind this. */
  readonly nextAfter: number;
  /** Sequence number of the newest entry. */
  readonly size: number;
  readonly missing: Missing | null;
}

/** A line begins at this offset of this file. */
interface Place {
  readonly file: number;
  readonly offset: number;
}

/** Reads pages of the journal in `directory`; `size` tells the newest entry that survives power loss. */
export class JournalPages {
  readonly #directory: string;
  readonly #size: () => number;
  /** Sequence number of the first entry of every file looked at. */
  readonly #first = new Map<number, number>();
  /** Where entries begin, newest knowledge last. */
  readonly #places = new Map<number, Place>();

  constructor(directory: string, size: () => number) {
    this.#directory = directory;
    this.#size = size;
  }

  /** Up to `limit` entries behind `after`. Rejects when the directory cannot be read. */
  async page(after: number, limit: number): Promise<Page> {
    // Before the directory is listed: a file that holds an acknowledged entry is there by then.
    const size = this.#size();
    const page = new Gathering(after, limit, size);
    if (after >= size) return page.end();
    const numbers = fileNumbers(await readdir(this.#directory));
    for (const number of await this.#from(numbers, page)) {
      await this.#gather(number, page);
      if (page.full) break;
    }
    if (!page.full) page.lost(size, 'the end of the journal is not where it was written');
    const last = page.end();
    if (page.place !== null) this.#remember(last.nextAfter + 1, page.place);
    return last;
  }

  /** The files from the one that holds the wanted entry, or from the oldest when that is gone. */
  async #from(numbers: readonly number[], page: Gathering): Promise<readonly number[]> {
    const place = this.#places.get(page.wanted);
    if (place !== undefined && numbers.includes(place.file))
      return numbers.filter((each) => each >= place.file);
    let [low, high] = [0, numbers.length - 1];
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      const first = await this.#firstOf(numbers[middle] ?? 0);
      if (first !== null && first <= page.wanted) low = middle;
      else high = middle - 1;
    }
    return numbers.slice(low);
  }

  async #firstOf(number: number): Promise<number | null> {
    const known = this.#first.get(number);
    if (known !== undefined) return known;
    for await (const { line } of linesFrom(join(this.#directory, fileName(number)), 0)) {
      const read = readLine(line);
      if ('problem' in read) return null;
      this.#first.set(number, read.entry.seq);
      return read.entry.seq;
    }
    return null;
  }

  async #gather(number: number, page: Gathering): Promise<void> {
    const known = this.#places.get(page.wanted);
    const first = await this.#firstOf(number);
    if (first === null) return;
    if (first > page.wanted)
      page.lost(first - 1, 'the files that held them were taken away, or cannot be read');
    if (page.full) return;
    const at = known?.file === number ? known : { file: number, offset: 0 };
    let skip = at === known ? 0 : page.wanted - first;
    let count = 0;
    for await (const { line, end } of linesFrom(join(this.#directory, fileName(number)), at.offset)) {
      count += 1;
      if (skip > 0) {
        skip -= 1;
        continue;
      }
      page.take(line);
      page.place = { file: number, offset: end };
      if (page.full) return;
      if (count % LINES_PER_TURN === 0) await nextTurn();
    }
  }

  #remember(seq: number, place: Place): void {
    this.#places.delete(seq);
    this.#places.set(seq, place);
    const [oldest] = this.#places.keys();
    if (this.#places.size > MOST_PLACES && oldest !== undefined) this.#places.delete(oldest);
  }
}

/** A page as it is put together. */
class Gathering {
  readonly #entries: Entry[] = [];
  readonly #limit: number;
  readonly #size: number;
  #missing: Missing | null = null;
  #bytes = 0;
  #isOver = false;
  /** Sequence number of the next entry. */
  wanted: number;
  /** Behind the last line taken. */
  place: Place | null = null;

  constructor(after: number, limit: number, size: number) {
    this.wanted = Math.min(after, size) + 1;
    this.#limit = limit;
    this.#size = size;
  }

  get full(): boolean {
    return (
      this.#isOver ||
      this.wanted > this.#size ||
      this.#entries.length >= this.#limit ||
      this.#bytes >= PAGE_BYTES
    );
  }

  /** Takes the line that should hold the wanted entry. */
  take(line: Buffer): void {
    const read = readLine(line);
    if ('problem' in read) return this.lost(this.wanted, `line cannot be read: ${read.problem}`);
    const { entry } = read;
    if (entry.seq > this.wanted) this.lost(Math.min(entry.seq - 1, this.#size), 'lines were removed');
    if (this.#isOver || entry.seq > this.#size) return;
    if (entry.seq < this.wanted) return this.lost(this.wanted, 'another entry stands in its place');
    this.#entries.push(entry);
    this.#bytes += line.length;
    this.wanted += 1;
  }

  /** What is wanted up to `to` cannot be given. It is said at the beginning of a page; a page that has entries ends here. */
  lost(to: number, why: string): void {
    if (this.#entries.length > 0) {
      this.#isOver = true;
      this.place = null;
      return;
    }
    this.#missing = { from: this.#missing?.from ?? this.wanted, to, why: this.#missing?.why ?? why };
    this.wanted = to + 1;
  }

  end(): Page {
    return {
      entries: this.#entries,
      nextAfter: this.wanted - 1,
      size: this.#size,
      missing: this.#missing,
    };
  }
}

/** The whole lines of a file from an offset on, without their newlines; `end` is the offset behind it. */
async function* linesFrom(path: string, from: number): AsyncGenerator<{ line: Buffer; end: number }> {
  const handle = await open(path, 'r');
  try {
    let offset = from;
    let kept = Buffer.alloc(0);
    for (;;) {
      const { buffer, bytesRead } = await handle.read(
        Buffer.allocUnsafe(CHUNK_BYTES),
        0,
        CHUNK_BYTES,
        offset + kept.length,
      );
      if (bytesRead === 0) return;
      const bytes = Buffer.concat([kept, buffer.subarray(0, bytesRead)]);
      let begin = 0;
      for (let end = bytes.indexOf(NEWLINE); end !== -1; end = bytes.indexOf(NEWLINE, begin)) {
        yield { line: bytes.subarray(begin, end), end: offset + end + 1 };
        begin = end + 1;
      }
      kept = bytes.subarray(begin);
      offset += begin;
      if (kept.length > MAX_LINE_BYTES) return;
    }
  } finally {
    await handle.close();
  }
}
