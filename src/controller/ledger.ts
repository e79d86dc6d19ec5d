/**
 * What the controller must not forget: which openings of a window it has run, in which state it left each repository, and
 * the last good backup. One small file, replaced as a whole, so that after a power cut either the old or the new one stands.
 *
 * A repository is marked *before* restic touches it and unmarked after restic ended well. So the mark also stands after
 * `kill -9` and power loss, when nobody could have written it. The bad case that remains: a mark that is not needed,
 * which costs one check.
 *
 * An opening that was begun but not finished (this program died) is resumed, once, if its window is still open when we
 * are back: the first half of the work is not lost that way, and a window that kills its controller cannot do so for ever.
 * An opening that ended in whatever outcome, a cut included, is never run again.
 */
import { join } from 'node:path';
import { z } from 'zod';
import type { Disk } from '../journal/disk.ts';
import { ControllerFault } from './fault.ts';

const FILE = 'ledger.json';
const OCCURRENCES_KEPT = 200;
/** How often one opening may be begun. */
const ATTEMPTS = 2;

const mark = z.strictObject({
  /** `cut`: restic was killed, or may have been. `failed`: restic failed by itself and may have left its lock. */
  kind: z.enum(['cut', 'failed']),
  why: z.string(),
  /** Calendar time, RFC 3339. */
  at: z.string(),
});

const repositoryRecord = z.strictObject({
  /** Identity of the repository, once seen; another one behind the same address is refused. */
  id: z.string().nullable(),
  mark: mark.nullable(),
  last_good_backup: z.strictObject({ at: z.string(), snapshot: z.string(), bytes: z.number() }).nullable(),
  /** How many parts of rotating checks have been read. */
  parts_checked: z.number(),
  /** Which part comes next, counted from 0, by the N of `rotate/N`. */
  positions: z.record(z.string(), z.number()).default({}),
  /** Good or not; one that was stopped is none. */
  last_check: z
    .strictObject({
      at: z.string(),
      outcome: z.string(),
      why: z.string().nullable(),
      data_read: z.string().nullable(),
    })
    .nullable()
    .default(null),
  /** Good or not; one that was stopped is none. */
  last_restore_drill: z
    .strictObject({
      at: z.string(),
      outcome: z.string(),
      why: z.string().nullable(),
      snapshot: z.string(),
      files: z.number().exactOptional(),
      bytes: z.number().exactOptional(),
      as_source: z.number().exactOptional(),
      as_recorded: z.number().exactOptional(),
      without_reference: z.number().exactOptional(),
      judged_by: z.literal('verify').exactOptional(),
    })
    .nullable()
    .default(null),
  /** Set by whoever found something unusual; nothing is forgotten or pruned until a person has released it. */
  frozen: z.strictObject({ why: z.string(), at: z.string() }).nullable().default(null),
  /** Snapshots that we made, oldest first: any other was made by somebody else. `leaving`: we began to forget it, and may have done so. */
  snapshots: z
    .array(z.strictObject({ id: z.string(), at: z.string(), leaving: z.literal(true).exactOptional() }))
    .default([]),
});

const occurrenceRecord = z.strictObject({
  window: z.string(),
  occurrence: z.string(),
  started_at: z.string(),
  attempts: z.number(),
  /** `null` while running, or when the controller died in it. */
  outcome: z.string().nullable(),
});

const ledgerFile = z.strictObject({
  format: z.literal(1),
  occurrences: z.array(occurrenceRecord),
  repositories: z.record(z.string(), repositoryRecord),
});

type LedgerFile = z.output<typeof ledgerFile>;
export type RepositoryMark = z.output<typeof mark>;
export type RepositoryRecord = Readonly<z.output<typeof repositoryRecord>>;

const UNKNOWN_REPOSITORY: RepositoryRecord = {
  id: null,
  mark: null,
  last_good_backup: null,
  parts_checked: 0,
  positions: {},
  last_check: null,
  last_restore_drill: null,
  frozen: null,
  snapshots: [],
};

/** Snapshots of ours that are remembered per repository; 90 bytes each. */
export const SNAPSHOTS_REMEMBERED = 10_000;

/** Our snapshots, and these with them. */
export function withSnapshots(
  known: RepositoryRecord['snapshots'],
  more: readonly { readonly id: string; readonly time: string }[],
): RepositoryRecord['snapshots'] {
  const fresh = new Set(more.map(({ id }) => id));
  const others = known.filter(({ id }) => !fresh.has(id));
  return [...others, ...more.map(({ id, time }) => ({ id, at: time }))].slice(-SNAPSHOTS_REMEMBERED);
}

/** What to do about an opening of a window: run it, resume it after our own death, or leave it alone. */
export type Turn = 'run' | 'resume' | 'run-before' | 'given-up';

/** Every write survives power loss when its promise resolves; a rejected write has changed nothing that is remembered. */
export interface Ledger {
  turnOf(window: string, occurrence: string): Turn;
  repository(name: string): RepositoryRecord;
  /** Why nothing may be removed from this repository, or `null`. `note` sets and releases it. */
  frozen(name: string): string | null;
  started(window: string, occurrence: string, at: string): Promise<void>;
  finished(window: string, occurrence: string, outcome: string): Promise<void>;
  /** Changes what is known of some repositories. */
  note(changes: Readonly<Record<string, Partial<RepositoryRecord>>>): Promise<void>;
}

/** Reads the ledger in `directory`. Throws `ControllerFault` when there is one that cannot be read. */
export async function openLedger(disk: Disk, directory: string): Promise<Ledger> {
  const path = join(directory, FILE);
  let file = await readLedger(disk, path);
  let writing: Promise<void> = Promise.resolve();

  const change = (next: (from: LedgerFile) => LedgerFile): Promise<void> => {
    const write = async (): Promise<void> => {
      const changed = next(file);
      await disk.replace(path, new TextEncoder().encode(`${JSON.stringify(changed, null, 1)}\n`));
      file = changed;
    };
    const mine = writing.then(write);
    writing = mine.catch(() => undefined); // the caller hears of it; the next write must not wait for a failed one
    return mine;
  };
  const find = (window: string, occurrence: string) =>
    file.occurrences.find((each) => each.window === window && each.occurrence === occurrence);

  return {
    turnOf(window, occurrence) {
      const known = find(window, occurrence);
      if (known === undefined) return 'run';
      if (known.outcome !== null) return 'run-before';
      return known.attempts < ATTEMPTS ? 'resume' : 'given-up';
    },
    repository: (name) => recordOf(file, name),
    frozen: (name) => recordOf(file, name).frozen?.why ?? null,
    started: (window, occurrence, at) =>
      change((from) => {
        const attempts = (find(window, occurrence)?.attempts ?? 0) + 1;
        const others = from.occurrences.filter(
          (each) => each.window !== window || each.occurrence !== occurrence,
        );
        const record = { window, occurrence, started_at: at, attempts, outcome: null };
        return { ...from, occurrences: [...others, record].slice(-OCCURRENCES_KEPT) };
      }),
    finished: (window, occurrence, outcome) =>
      change((from) => ({
        ...from,
        occurrences: from.occurrences.map((each) =>
          each.window === window && each.occurrence === occurrence ? { ...each, outcome } : each,
        ),
      })),
    note: (changes) =>
      change((from) => {
        const repositories = { ...from.repositories };
        for (const [name, part] of Object.entries(changes))
          repositories[name] = { ...recordOf(from, name), ...part };
        return { ...from, repositories };
      }),
  };
}

const recordOf = (file: LedgerFile, name: string): RepositoryRecord =>
  Object.hasOwn(file.repositories, name)
    ? (file.repositories[name] ?? UNKNOWN_REPOSITORY)
    : UNKNOWN_REPOSITORY;

async function readLedger(disk: Disk, path: string): Promise<LedgerFile> {
  try {
    const bytes = await disk.read(path);
    if (bytes === null) return { format: 1, occurrences: [], repositories: {} };
    return ledgerFile.parse(JSON.parse(new TextDecoder().decode(bytes)));
  } catch (error) {
    throw new ControllerFault(
      'LEDGER_UNREADABLE',
      `the controller's ledger ${path} cannot be read: ${(error as Error).message.slice(0, 300)}`,
      'restore it, or move it away to begin a new one: then which repository belongs to which name is learnt anew, and an emptied vault looks like a new one',
      error,
    );
  }
}
