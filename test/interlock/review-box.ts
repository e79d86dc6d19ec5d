/** An interlock of one or two links on contacts, a disk and a journal that do what a test says. Real code in between. */
import { cut } from '../../src/contacts/cut.ts';
import type { CommandOutcome, Contact, Fence, IsolateReceipt } from '../../src/contacts/port.ts';
import type { Reading } from '../../src/core/evidence.ts';
import { millis } from '../../src/core/time.ts';
import type { Clock } from '../../src/interlock/clock.ts';
import { Interlock } from '../../src/interlock/interlock.ts';
import type { InterlockParts } from '../../src/interlock/interlock-parts.ts';
import { LatchFile, type Latches } from '../../src/interlock/records/latch-file.ts';
import { Ledger } from '../../src/interlock/records/ledger.ts';
import { ProofRecord } from '../../src/interlock/records/proof-record.ts';
import { WindowClock } from '../../src/interlock/windows/window-clock.ts';
import { everyLinkCommissioned } from '../commissioning/commissioned.ts';
import type { Disk } from '../../src/journal/disk.ts';
import { type Entry, type EntryInput, printEntry } from '../../src/journal/entry.ts';
import { type Journal, JournalUnwritableError } from '../../src/journal/file.ts';

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Time that passes only when told to. */
export class HandClock implements Clock {
  ms = 1_000;
  calendar = Date.UTC(2026, 10, 21, 3);
  #timers: { at: number; what: () => void }[] = [];

  now(): ReturnType<Clock['now']> {
    return millis(this.ms);
  }

  calendarMs(): number {
    return this.calendar;
  }

  after(ms: number, what: () => void): () => void {
    const timer = { at: this.ms + ms, what };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((each) => each !== timer);
    };
  }

  pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.after(ms, resolve);
    });
  }

  /** Lets `ms` pass, timer by timer. */
  async pass(ms: number): Promise<void> {
    const until = this.ms + ms;
    for (;;) {
      await settled();
      const [next] = this.#timers.filter(({ at }) => at <= until).toSorted((a, b) => a.at - b.at);
      if (next === undefined) break;
      this.#timers = this.#timers.filter((each) => each !== next);
      this.calendar += Math.max(0, next.at - this.ms);
      this.ms = Math.max(this.ms, next.at);
      next.what();
    }
    this.calendar += until - this.ms;
    this.ms = until;
    await settled();
  }
}

/** A contact that obeys at once and writes down what it was told. */
export class HandContact implements Contact {
  readonly kind = 'fail-safe';
  readonly hardwareLeaseMs = null;
  readonly name: string;
  readonly frames: ('connect' | 'isolate')[] = [];
  position: Reading['position'] = 'isolated';
  /** Settings are told once this resolves. */
  settings: Promise<readonly string[]> = Promise.resolve([]);
  settingsAsked = 0;
  readonly #clock: Clock;

  constructor(name: string, clock: Clock) {
    this.name = name;
    this.#clock = clock;
  }

  async connect(fence: Fence): Promise<CommandOutcome> {
    if (!fence.isCurrent()) return { kind: 'fenced' };
    this.frames.push('connect');
    this.position = 'connected';
    return { kind: 'done', at: this.#clock.now() };
  }

  isolate(): IsolateReceipt {
    this.frames.push('isolate');
    this.position = 'isolated';
    const at = this.#clock.now();
    return { written: Promise.resolve(at), acknowledged: Promise.resolve({ kind: 'done', at }) };
  }

  async read(): Promise<Reading> {
    return { position: this.position, takenAt: this.#clock.now(), detail: '' };
  }

  settingsProblems(): Promise<readonly string[]> {
    this.settingsAsked += 1;
    return this.settings;
  }

  async close(): Promise<void> {}
}

/** Files in memory; `before` runs before every call that changes something and may throw. */
export class HandDisk implements Disk {
  readonly files = new Map<string, Uint8Array>();
  before: (call: 'replace' | 'remove', path: string) => void | Promise<void> = () => undefined;

  async read(path: string): Promise<Uint8Array | null> {
    return this.files.get(path) ?? null;
  }

  async list(): Promise<readonly string[]> {
    return [...this.files.keys()];
  }

  openAppend(): Promise<never> {
    return Promise.reject(new Error('not for journals'));
  }

  async replace(path: string, bytes: Uint8Array): Promise<void> {
    await this.before('replace', path);
    this.files.set(path, bytes);
  }

  async remove(path: string): Promise<void> {
    await this.before('remove', path);
    if (!this.files.delete(path)) throw Object.assign(new Error('ENOENT'), { code: 'ENOENT' });
  }

  async syncDirectory(): Promise<void> {}

  async makeDirectory(): Promise<void> {}
}

/** Keeps entries in memory; refuses what the real one would not print. */
export class HandJournal implements Journal {
  readonly entries: EntryInput[] = [];
  why: string | null = null;
  size = 1;
  /** Resolves when the disk answers. */
  disk: Promise<void> = Promise.resolve();

  async append(input: EntryInput): Promise<Entry> {
    const entry: Entry = {
      seq: this.entries.length + 1,
      boot: 'boot',
      mono: 0,
      at: '2026-11-21T03:00:00.000Z',
      clock: 'assumed',
      prev: '0'.repeat(64),
      ...input,
    };
    printEntry(entry);
    await this.disk;
    if (this.why !== null) throw new JournalUnwritableError(this.why);
    this.entries.push(input);
    return entry;
  }

  head(): ReturnType<Journal['head']> {
    return { size: this.size, hash: '0'.repeat(64) };
  }

  writable(): ReturnType<Journal['writable']> {
    return this.why === null ? { ok: true } : { ok: false, why: this.why };
  }

  onWritableChange(): () => void {
    return () => undefined;
  }

  async retry(): Promise<void> {}

  async close(): Promise<void> {}

  types(): readonly string[] {
    return this.entries.map(({ type }) => type);
  }
}

/** Everything, before `interlock.start()`. */
export interface Box<C extends Clock> {
  readonly clock: C;
  readonly disk: HandDisk;
  readonly journal: HandJournal;
  readonly contacts: Readonly<Record<string, HandContact>>;
  readonly ledger: Ledger;
  readonly interlock: Interlock;
}

/** A box with these links; each has one contact of its own name and a window `w-<link>`. */
export async function box<C extends Clock>(
  clock: C,
  {
    links = ['vault'],
    latches = {},
    disk = new HandDisk(),
    commissionings = everyLinkCommissioned,
    beside = {},
    byHand = 'presence',
  }: {
    readonly links?: readonly string[];
    readonly latches?: Latches;
    readonly disk?: HandDisk;
    readonly commissionings?: InterlockParts['commissionings'];
    readonly beside?: Partial<Pick<InterlockParts, 'button' | 'approvers' | 'lamps' | 'trust'>>;
    /** Who may run the windows by hand. */
    readonly byHand?: 'presence' | 'approved' | 'never';
  } = {},
): Promise<Box<C>> {
  const journal = new HandJournal();
  const contacts = Object.fromEntries(links.map((name) => [name, new HandContact(name, clock)]));
  const ledger = new Ledger(disk, '/state');
  await ledger.load();
  const windows = Object.fromEntries(
    links.map((link) => [
      `w-${link}`,
      { link, opens: '0 0 1 1 *', timezone: 'UTC', jitter: 0, lasts: 3_600_000, by_hand: byHand },
    ]),
  );
  const interlock = new Interlock({
    clock,
    bootId: 'boot',
    build: 'build',
    trust: () => ({ synchronised: true, quality: 'assumed', detail: '' }),
    journal,
    latchFile: new LatchFile(disk, '/state'),
    latches,
    latchesSaved: true,
    ledger,
    commissionings,
    proofs: new ProofRecord(disk, '/state'),
    windows: new WindowClock(windows, {}),
    signedHead: () => null,
    links: Object.fromEntries(
      Object.entries(contacts).map(([name, contact]) => [
        name,
        {
          contacts: [contact],
          witnesses: [],
          policy: {
            connectTimeoutMs: 5_000,
            isolateTimeoutMs: 2_000,
            leaseTimeoutMs: 3_000,
            commissioningMs: 60_000,
            evidenceMaxAgeMs: 5_000,
          },
          budgetMs: 4 * 3_600_000,
          longestSessionMs: 3_600_000,
          proofMaxAgeMs: 40 * 86_400_000,
          grade: 'simulated',
        },
      ]),
    ),
    cut,
    ...beside,
  });
  return { clock, disk, journal, contacts, ledger, interlock };
}

/** Opens the window of a link by hand; what a lease of it has to claim. */
export function opened(
  { interlock }: Box<Clock>,
  link: string,
): { readonly link: string; readonly window: string; readonly occurrence: string } {
  const window = `w-${link}`;
  const plan = interlock.parts.windows.plans.find((each) => each.window === window);
  const opening = plan && interlock.openByHand(plan, 'person:test', 'test');
  if (opening === undefined || opening === null) throw new TypeError(`${window} could not be opened`);
  return { link, window, occurrence: opening.occurrence };
}
