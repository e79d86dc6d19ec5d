/**
 * The journal on disk: append-only files of one chain.
 *
 * An append is answered only when its line survives power loss; appends that wait together share one fsync, in order.
 * After any failure nothing more is written until `retry` has cut the file back to the last acknowledged entry: what was
 * half written is never continued, so the chain can neither fork nor repeat. An entry that was refused is not written later;
 * its caller knows. When the process dies between fsync and answer, the entry stands although nobody was told so.
 * While the journal is not writable, cutting goes on and connecting stops: that is the interlock's part (promise 8).
 */
import type { Millis } from '../core/time.ts';
import { GENESIS, type Head } from './chain.ts';
import type { Disk } from './disk.ts';
import { EntryError, JOURNAL_TYPES, type Entry, type EntryInput } from './entry.ts';
import { LockHeldError, lockMadeDirectory, type DirectoryLock } from './lock.ts';
import { findEnd, type TornTail } from './opening.ts';
import { Outage, reasonOf } from './outage.ts';
import { checkedDraft, EntryQueue } from './queue.ts';
import { ChainWriter, SELF, type Draft } from './writer.ts';

/** Most entries that may wait for the disk; further ones are refused. */
export const MAX_WAITING = 10_000;
/** ms without an answer from the disk after which the journal counts as not writable. */
export const STALL_MS = 5_000;

/** Whether entries can be recorded; `why` says what is wrong, where, and what to do. */
export type Writable = { readonly ok: true } | { readonly ok: false; readonly why: string };

/** The journal cannot record this entry now; it was not and will not be written. */
export class JournalUnwritableError extends Error {
  override readonly name = 'JournalUnwritableError';
}

/** An open journal. */
export interface Journal {
  /**
   * Records one entry; resolves with it once it survives power loss. Rejects with `EntryError` for what cannot be written and
   * with `JournalUnwritableError` when the disk does not take it. Takes as long as the disk does.
   */
  append(input: EntryInput): Promise<Entry>;
  /** Where the journal stands on disk, acknowledged entries only. */
  head(): Head;
  writable(): Writable;
  /** Calls back on every change between writable and not (a stalled disk shows in `writable()` only). Returns the way to stop. */
  onWritableChange(listener: (state: Writable) => void): () => void;
  /** Tries to write again after a failure; does nothing while writable. Never rejects: look at `writable()`. */
  retry(): Promise<void>;
  /** Finishes waiting appends, gives up the lock. */
  close(): Promise<void>;
}

/** What a journal needs to know. */
export interface JournalOptions {
  readonly directory: string;
  readonly disk: Disk;
  /** 1 to 64 printable ASCII characters, no space. */
  readonly bootId: string;
  readonly now: () => Millis;
  readonly calendar: () => Date;
  readonly clockQuality: () => Entry['clock'];
  /** A file of at least this many bytes is followed by a new one. */
  readonly rotateAtBytes: number;
  /** How the directory is held against a second writer; for tests on a disk in memory. Default: makes and locks the real directory. */
  readonly acquireLock?: (directory: string) => Promise<DirectoryLock>;
}

/** What a person does about a broken journal. */
const WAY_OUT =
  'run `portcullis journal verify`; keep the files as evidence: move them to another directory, then restart the interlock';
const RESERVED: ReadonlySet<string> = new Set(Object.values(JOURNAL_TYPES));

class FileJournal implements Journal {
  readonly #options: JournalOptions;
  readonly #listeners = new Set<(state: Writable) => void>();
  #state: Writable = { ok: false, why: 'not opened yet' };
  #lock: DirectoryLock | null = null;
  #writer: ChainWriter | null = null;
  /** Head of what could be verified of a journal that is broken. */
  #brokenHead: Head | null = null;
  #unrecorded: readonly TornTail[] = [];
  #outage: Outage | null = null;
  readonly #queue = new EntryQueue();
  #flushing = false;
  #flushed: Promise<void> = Promise.resolve();
  /** When the commit in flight began. */
  #busySince: Millis | null = null;
  #retrying: Promise<void> | null = null;
  #closed = false;

  constructor(options: JournalOptions) {
    this.#options = options;
  }

  head(): Head {
    return this.#writer?.head() ?? this.#brokenHead ?? GENESIS;
  }

  writable(): Writable {
    if (this.#closed) return { ok: false, why: 'the journal was closed' };
    if (!this.#state.ok || this.#busySince === null) return this.#state;
    const silentMs = this.#options.now() - this.#busySince;
    if (silentMs < STALL_MS) return this.#state;
    return {
      ok: false,
      why: `${this.#where()}: the disk has not answered for ${Math.round(silentMs)} ms; check the medium`,
    };
  }

  onWritableChange(listener: (state: Writable) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async append(input: EntryInput): Promise<Entry> {
    const draft = this.#draft(input);
    if (RESERVED.has(input.type))
      throw new EntryError(`entries of type ${input.type} are written by the journal alone`);
    return this.#enqueue(draft);
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#retrying;
    await this.#flushed;
    try {
      await this.#writer?.close();
    } finally {
      const lock = this.#lock;
      this.#lock = null;
      await lock?.release();
    }
  }

  retry(): Promise<void> {
    if (this.#state.ok || this.#closed || this.#brokenHead !== null) return Promise.resolve();
    this.#retrying ??= this.start()
      .catch(() => undefined) // `start` has put the reason into the state.
      .finally(() => {
        this.#retrying = null;
      });
    return this.#retrying;
  }

  /** Opens, or opens again after a failure. Rejects with what went wrong after putting it into the state. */
  async start(): Promise<void> {
    let keepRefusals = (): void => undefined;
    try {
      this.#lock ??= await (this.#options.acquireLock ?? lockMadeDirectory)(this.#options.directory);
      const writer = (this.#writer ??= await this.#find());
      if (writer === null) return;
      await writer.attach();
      const drafts = this.#opening();
      keepRefusals = this.#outage?.handOver() ?? keepRefusals;
      await writer.commit(drafts, false);
    } catch (error) {
      keepRefusals();
      this.#fail(error);
      throw error;
    }
    const outage = this.#outage;
    this.#unrecorded = [];
    this.#outage = null;
    this.#set({ ok: true });
    // Refused while the entries above were on their way to the disk. Failing here begins the next outage, which counts it.
    if (outage?.pending === true) this.#enqueue(this.#resumed(outage)).catch(() => undefined);
  }

  /** Finds where the journal ended. `null`: it is broken, which only a person can resolve. */
  async #find(): Promise<ChainWriter | null> {
    const { disk, directory, rotateAtBytes } = this.#options;
    const opening = await findEnd(disk, directory);
    if (opening.kind === 'broken') {
      this.#brokenHead = opening.head;
      this.#set({ ok: false, why: `the journal in ${directory} is broken: ${opening.why}; ${WAY_OUT}` });
      return null;
    }
    this.#unrecorded = opening.unrecorded;
    return new ChainWriter(disk, directory, rotateAtBytes, opening.position);
  }

  /** What is recorded first after opening: what was mended, and what failed meanwhile. */
  #opening(): Draft[] {
    const drafts = this.#unrecorded.map((tail) =>
      this.#draft({
        type: JOURNAL_TYPES.repaired,
        actor: SELF,
        data: { file: tail.file, dropped_bytes: tail.bytes, sha256: tail.digest, saved_as: tail.saved },
      }),
    );
    const outage = this.#outage;
    return outage === null ? drafts : [...drafts, outage.failed(), this.#resumed(outage)];
  }

  #resumed(outage: Outage): Draft {
    return this.#draft({ type: JOURNAL_TYPES.resumed, actor: SELF, data: outage.refusals() });
  }

  #draft(input: EntryInput): Draft {
    const { bootId: boot, now, calendar, clockQuality } = this.#options;
    return {
      boot,
      mono: now(),
      at: calendar().toISOString(),
      clock: clockQuality(),
      type: input.type,
      actor: input.actor,
      data: input.data,
    };
  }

  /** Throws `EntryError` when no entry could be printed with this boot id and these clocks. */
  checkClocks(): void {
    checkedDraft(this.#draft({ type: JOURNAL_TYPES.resumed, actor: SELF, data: {} }));
  }

  async #enqueue(draft: Draft): Promise<Entry> {
    const checked = checkedDraft(draft);
    const state = this.#closed ? this.writable() : this.#state;
    if (!state.ok) {
      this.#outage?.refuse(checked.draft);
      throw new JournalUnwritableError(`not recorded: ${state.why}`);
    }
    if (this.#queue.length >= MAX_WAITING)
      throw new JournalUnwritableError(`not recorded: ${MAX_WAITING} entries wait for the disk already`);
    const recorded = this.#queue.add(checked);
    if (!this.#flushing) this.#flushed = this.#flush();
    return recorded;
  }

  async #flush(): Promise<void> {
    this.#flushing = true;
    try {
      // Appends of one turn share the first fsync.
      await Promise.resolve();
      while (this.#queue.length > 0) await this.#flushBatch();
    } finally {
      this.#flushing = false;
    }
  }

  async #flushBatch(): Promise<void> {
    const batch = this.#queue.takeBatch();
    try {
      const writer = this.#writer;
      if (writer === null)
        throw new TypeError('broken invariant: entries wait only while the journal is open');
      this.#busySince = this.#options.now();
      const entries = await writer.commit(
        batch.map(({ draft }) => draft),
        true,
      );
      for (const [index, entry] of entries.entries()) batch[index]?.resolve(entry);
    } catch (error) {
      this.#fail(error);
      for (const { draft, reject } of [...batch, ...this.#queue.takeAll()]) {
        this.#outage?.refuse(draft);
        reject(new JournalUnwritableError(`not recorded: ${reasonOf(error)}`, { cause: error }));
      }
    } finally {
      this.#busySince = null;
    }
  }

  #where(): string {
    return this.#writer?.path() ?? this.#options.directory;
  }

  #fail(error: unknown): void {
    const why = reasonOf(error);
    this.#outage ??= new Outage(this.#draft({ type: JOURNAL_TYPES.writeFailed, actor: SELF, data: {} }), why);
    this.#set({
      ok: false,
      why: `${this.#where()} cannot be written: ${why}; connecting stays refused until it can, free space or replace the medium`,
    });
  }

  #set(state: Writable): void {
    const changed = state.ok !== this.#state.ok;
    this.#state = state;
    if (changed) for (const listener of this.#listeners) listener(state);
  }
}

/**
 * Opens the journal of a directory, mending a torn tail. A journal that cannot be written (full or read-only disk, broken
 * chain) is returned as not writable and says why; `retry` tries again, except for a broken chain. Throws `LockHeldError`
 * when another process writes this journal.
 */
export async function openJournal(options: JournalOptions): Promise<Journal> {
  if (!(options.rotateAtBytes >= 1)) throw new RangeError('rotateAtBytes must be at least 1');
  const journal = new FileJournal(options);
  journal.checkClocks();
  try {
    await journal.start();
  } catch (error) {
    if (error instanceof LockHeldError) throw error;
  }
  return journal;
}
