/** A journal that outlives its processes, takes its time, and fails when told to. */
import { parseEntry, printEntry, type Entry, type EntryInput } from '../../src/journal/entry.ts';
import { type Journal, JournalUnwritableError, STALL_MS, type Writable } from '../../src/journal/file.ts';
import type { Dice } from './dice.ts';
import type { ProcessClock } from './virtual-time.ts';

export type JournalFault = 'unwritable' | 'slow' | 'hanging';

/** What is on the medium, and how the medium does. */
export class Medium {
  readonly entries: Entry[] = [];
  fault: JournalFault | null = null;
  /** How long a slow medium takes at most, ms. */
  slowMs = 3_000;
}

const QUICK_MS = 8;
const HANGING_LOOK_MS = 100;
const PREVIOUS = '0'.repeat(64);

/** The journal as one process has it. */
export class SimulatedJournal implements Journal {
  readonly #medium: Medium;
  readonly #clock: ProcessClock;
  readonly #dice: Dice;
  readonly #recorded: (entry: Entry) => void;
  #state: Writable = { ok: true };
  #busySince: number | null = null;
  #tail: Promise<unknown> = Promise.resolve();
  #closed = false;
  /** False until the medium could be read: then nothing is known of what it holds. */
  #found = false;

  constructor(medium: Medium, clock: ProcessClock, dice: Dice, recorded: (entry: Entry) => void) {
    this.#medium = medium;
    this.#clock = clock;
    this.#dice = dice;
    this.#recorded = recorded;
    this.#look();
  }

  append(input: EntryInput): Promise<Entry> {
    const draft = {
      boot: 'simulated',
      mono: this.#clock.now(),
      at: new Date(this.#clock.calendarMs()).toISOString(),
      clock: 'assumed' as const,
      ...input,
    };
    // What the real journal would not take must not pass here either.
    parseEntry(printEntry({ ...draft, seq: 1, prev: PREVIOUS }));
    const written = this.#tail.then(() => this.#write(draft));
    this.#tail = written.catch(() => undefined);
    return written;
  }

  head(): ReturnType<Journal['head']> {
    return { size: this.#found ? this.#medium.entries.length : 0, hash: PREVIOUS };
  }

  writable(): Writable {
    if (this.#closed) return { ok: false, why: 'closed' };
    const silentMs = this.#busySince === null ? 0 : this.#clock.now() - this.#busySince;
    return silentMs >= STALL_MS ? { ok: false, why: 'stalled' } : this.#state;
  }

  onWritableChange(): () => void {
    return () => undefined;
  }

  async retry(): Promise<void> {
    await this.#clock.pause(this.#dice.between(0, QUICK_MS));
    this.#look();
  }

  async close(): Promise<void> {
    await this.#tail;
    this.#closed = true;
  }

  #look(): void {
    if (this.#medium.fault === 'unwritable') {
      this.#state = { ok: false, why: 'ENOSPC: simulated' };
    } else {
      this.#found = true;
      this.#state = { ok: true };
    }
  }

  async #write(draft: Omit<Entry, 'seq' | 'prev'>): Promise<Entry> {
    if (!this.#state.ok) throw new JournalUnwritableError(`not recorded: ${this.#state.why}`);
    this.#busySince = this.#clock.now();
    try {
      await this.#clock.pause(
        this.#dice.between(0, this.#medium.fault === 'slow' ? this.#medium.slowMs : QUICK_MS),
      );
      while (this.#medium.fault === 'hanging') await this.#clock.pause(HANGING_LOOK_MS);
      if (this.#medium.fault === 'unwritable') {
        this.#state = { ok: false, why: 'ENOSPC: simulated' };
        throw new JournalUnwritableError(`not recorded: ${this.#state.why}`);
      }
    } finally {
      this.#busySince = null;
    }
    const entry: Entry = { ...draft, seq: this.#medium.entries.length + 1, prev: PREVIOUS };
    this.#medium.entries.push(entry);
    this.#recorded(entry);
    // On the disk, and its process may die before it knows.
    await this.#clock.pause(this.#dice.between(0, 1));
    return entry;
  }
}
