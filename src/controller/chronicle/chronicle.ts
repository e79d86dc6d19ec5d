/**
 * Follows the journal of the interlock, in order, and keeps what follows from it. After a restart it goes on from a checkpoint,
 * so that a journal of a million entries is read once. A checkpoint that does not fit the journal any more (another box, a
 * restored directory) is thrown away and everything is read anew.
 *
 * Memory is bounded: the newest entries for readers that resume, and the bounded book.
 */
import { join } from 'node:path';
import canonicalize from 'canonicalize';
import { z } from 'zod';
import { own } from '../../core/names.ts';
import { lineHash } from '../../journal/chain.ts';
import type { Disk } from '../../journal/disk.ts';
import type { InterlockClient } from '../../protocol/client.ts';
import { InterlockError } from '../../protocol/interlock-error.ts';
import { MOST_ENTRIES, type KeptEntry } from '../../protocol/journal.ts';
import { machineTime } from '../../protocol/time.ts';
import type { Time } from '../../protocol/time.ts';
import type { Voice } from '../voice.ts';
import { bookContent, emptyBook, type BookContent } from './book-content.ts';
import { enter, lastedMs } from './book.ts';
import { byDay, dayBegins, dayOf, timezone } from './days.ts';

const FILE = 'chronicle.json';
const FORMAT = 1;
/** Entries kept for readers that resume. */
const RECENT = 1_000;
/** Entries before a checkpoint that are looked at again: for readers that resume, and to see that it is the same journal. */
const READ_AGAIN = 200;
/** Entries after which, and ms after which, a checkpoint is written. */
const CHECKPOINT_ENTRIES = 5_000;
const CHECKPOINT_MS = 3_600_000;
/** ms between pages while catching up: others want the interlock, too. */
const BREATH_MS = 5;
const RETRY_MS = 2_000;

const checkpoint = z.object({ format: z.literal(FORMAT), prev: z.string(), book: bookContent });

export interface ChronicleParts {
  readonly client: Pick<InterlockClient, 'entries'>;
  readonly disk: Disk;
  readonly directory: string;
  readonly voice: Pick<Voice, 'note'>;
  /** Default: the time of this machine. */
  readonly time?: Time;
}

/** Sums of exposure, ms. */
export interface ExposureSums {
  readonly todayMs: number;
  readonly days7Ms: number;
  readonly days30Ms: number;
}

/** The journal as far as it was read, and what follows from it. */
export class Chronicle {
  readonly timezone = timezone();
  readonly #parts: ChronicleParts;
  readonly #time: Time;
  readonly #listeners = new Set<(entries: readonly KeptEntry[]) => void>();
  readonly #stopping = new AbortController();
  #book: BookContent = emptyBook();
  /** `prev` of the newest entry read: what a checkpoint is recognised by. */
  #prev = '';
  #recent: KeptEntry[] = [];
  #size: number | null = null;
  #reading: Promise<void> | null = null;
  #savedThrough = 0;
  #savedAtMs: number;
  #said = '';
  #wasComplete = false;
  /** The checkpoint was seen to fit. */
  #isRecognised = false;

  constructor(parts: ChronicleParts) {
    this.#parts = parts;
    this.#time = parts.time ?? machineTime;
    this.#savedAtMs = this.#time.now();
  }

  /** Takes up the checkpoint; one that cannot be read is none. */
  async load(): Promise<void> {
    const bytes = await this.#parts.disk.read(this.#path).catch(() => null);
    if (bytes === null) return;
    let value: unknown;
    try {
      value = JSON.parse(new TextDecoder().decode(bytes));
    } catch {
      return; // torn: everything is read anew
    }
    const read = checkpoint.safeParse(value);
    if (!read.success) return;
    this.#book = read.data.book;
    this.#prev = read.data.prev;
    this.#savedThrough = this.#book.through;
  }

  /** The journal has this many entries now: reads on. Never throws, never waits. */
  told(size: number): void {
    this.#size = size;
    if (this.#stopping.signal.aborted) return;
    this.#reading ??= this.#read().finally(() => {
      this.#reading = null;
    });
  }

  /** Sequence number of the newest entry read. */
  get through(): number {
    return this.#book.through;
  }

  /** Everything that is known to be there was read. */
  get isComplete(): boolean {
    return this.#size !== null && this.#book.through === this.#size;
  }

  /** Everything was read once since the start; what came since is read as it comes. */
  get wasComplete(): boolean {
    return this.#wasComplete;
  }

  get book(): Readonly<BookContent> {
    return this.#book;
  }

  /** Calls `listener` with new entries, in order, until the returned function is called. Not while catching up after a start. */
  listen(listener: (entries: readonly KeptEntry[]) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** The newest entries behind `after`, `most` of them; `gap`: there were more. */
  recent(after: number, most: number): { readonly entries: readonly KeptEntry[]; readonly gap: boolean } {
    const entries = this.#recent.filter(({ seq }) => seq > after).slice(-most);
    const [first] = entries;
    return { entries, gap: first === undefined ? after < this.through : first.seq > after + 1 };
  }

  /** `null` until the journal has been read once. */
  exposureOf(link: string): ExposureSums | null {
    if (!this.#wasComplete) return null;
    const now = this.#time.date().getTime();
    const days = this.daysOf(link);
    const sum = (daysBefore: number): number => {
      const [first, today] = [dayOf(dayBegins(now, daysBefore)), dayOf(now)];
      // Days of a clock that was ahead are none of these.
      return Object.entries(days).reduce(
        (all, [day, { exposure_ms }]) => (day >= first && day <= today ? all + exposure_ms : all),
        0,
      );
    };
    return { todayMs: sum(0), days7Ms: sum(6), days30Ms: sum(29) };
  }

  /** Days of a link, the stretch in progress included. */
  daysOf(link: string): BookContent['days'][string] {
    const days = { ...own(this.#book.days, link) };
    const since = own(this.#book.since, link);
    if (since === undefined) return days;
    const last = this.#recent.at(-1);
    const now = this.#time.date().getTime();
    const elapsed = last === undefined ? 0 : now - Date.parse(last.at);
    const lasted =
      last === undefined ? now - since.calendar_ms : lastedMs(since, last.boot, last.mono + elapsed, now);
    for (const [day, ms] of byDay(since.calendar_ms, Math.max(0, lasted))) {
      const known = days[day] ?? { exposure_ms: 0, connections: 0, trips: 0 };
      days[day] = { ...known, exposure_ms: known.exposure_ms + ms };
    }
    return days;
  }

  lastTripOf(link: string): BookContent['trips'][number] | null {
    return this.#book.trips.findLast((each) => each.link === link) ?? null;
  }

  lastStepOf(repository: string, step: string): BookContent['steps'][string] | null {
    return this.#book.steps[`${repository} ${step}`] ?? null;
  }

  lastRunOf(
    window: string,
  ): { occurrence: string; started_at: string; outcome: string; why: string | null } | null {
    const run = this.#book.runs.findLast((each) => each.window === window && each.outcome !== null);
    if (run === undefined) return null;
    const { occurrence, opened_at: started_at, outcome, why } = run;
    return { occurrence, started_at, outcome: outcome ?? '', why };
  }

  /** Writes a checkpoint and reads no further. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#reading;
    await this.#save();
  }

  get #path(): string {
    return join(this.#parts.directory, FILE);
  }

  async #read(): Promise<void> {
    while (!this.#stopping.signal.aborted && !this.isComplete) {
      try {
        // oxlint-disable-next-line no-await-in-loop -- one page after the other
        if (!(await this.#readPage())) break;
      } catch (error) {
        if (!(error instanceof InterlockError)) throw error;
        if (this.#said !== error.code)
          this.#parts.voice.note('warn', 'the journal cannot be followed', { why: error.message });
        this.#said = error.code;
        // oxlint-disable-next-line no-await-in-loop
        await this.#rest(RETRY_MS);
      }
    }
    if (this.isComplete) this.#wasComplete = true;
  }

  /** False when there is nothing more now. */
  async #readPage(): Promise<boolean> {
    if (!this.#isRecognised && !(await this.#recognise())) this.#forget();
    this.#isRecognised = true;
    const after = this.#book.through;
    const page = await this.#parts.client.entries(after, MOST_ENTRIES);
    this.#said = '';
    this.#size = page.size;
    if (page.size < after || (await this.#isAnother(page.entries[0]))) {
      this.#forget();
      return true;
    }
    for (const entry of page.entries) {
      enter(this.#book, entry);
      this.#prev = entry.prev;
    }
    this.#recent = [...this.#recent, ...page.entries].slice(-RECENT);
    // What is missing at the end is passed over, too.
    this.#book.through = Math.max(this.#book.through, page.next_after);
    if (page.entries.length === 0) return page.next_after > after && page.next_after < page.size;
    if (this.#wasComplete) for (const listener of this.#listeners) listener(page.entries);
    const many = this.#book.through - this.#savedThrough >= CHECKPOINT_ENTRIES;
    if (many || this.#time.now() - this.#savedAtMs > CHECKPOINT_MS) await this.#save();
    if (!this.isComplete) await this.#rest(BREATH_MS);
    return true;
  }

  /** What was read before a restart must be in this journal. Looks at its last entries again, and keeps them for readers that resume. */
  async #recognise(): Promise<boolean> {
    const { through } = this.#book;
    this.#recent = [];
    for (let from = Math.max(0, through - READ_AGAIN); from < through;) {
      // oxlint-disable-next-line no-await-in-loop -- long entries come in several answers
      const page = await this.#parts.client.entries(from, Math.min(MOST_ENTRIES, through - from));
      if (page.size < through) return false;
      this.#recent.push(...page.entries);
      if (page.next_after <= from) break;
      from = page.next_after;
    }
    const last = this.#recent.at(-1);
    return last?.seq !== through || last.prev === this.#prev;
  }

  /** This entry does not follow the newest one that was read, and that one is not there any more: the files are others. */
  async #isAnother(next: KeptEntry | undefined): Promise<boolean> {
    const last = this.#recent.at(-1);
    if (last === undefined || next?.seq !== last.seq + 1 || next.prev === hashOf(last)) return false;
    const { entries } = await this.#parts.client.entries(last.seq - 1, 1);
    // A chain that is broken within the same files is for the proof of the journal to say.
    return entries[0]?.seq !== last.seq || hashOf(entries[0]) !== hashOf(last);
  }

  #forget(): void {
    this.#parts.voice.note('warn', 'the journal is another one than before: its history is read anew');
    this.#book = emptyBook();
    this.#prev = '';
    this.#recent = [];
    this.#savedThrough = 0;
    this.#wasComplete = false;
  }

  async #rest(ms: number): Promise<void> {
    await this.#time.pause(ms, this.#stopping.signal);
  }

  async #save(): Promise<void> {
    if (this.#book.through === this.#savedThrough) return;
    const through = this.#book.through;
    const text = JSON.stringify({ format: FORMAT, prev: this.#prev, book: this.#book });
    this.#savedAtMs = this.#time.now();
    try {
      await this.#parts.disk.replace(this.#path, new TextEncoder().encode(text));
      this.#savedThrough = through;
    } catch (error) {
      // Only costs time after the next start.
      this.#parts.voice.note('warn', 'the checkpoint of the history cannot be written', {
        why: String(error),
      });
    }
  }
}

const hashOf = (entry: KeptEntry): string => lineHash(canonicalize(entry) ?? '');
