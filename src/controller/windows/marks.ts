/** The marks on repositories: put before anything touches one, taken off when what was done there ended well. */
import type { Ledger, RepositoryMark } from '../ledger.ts';
import type { StepOutcome } from '../outcome.ts';
import type { CutSwitch } from './cut.ts';
import type { WindowJob } from './job.ts';
import { markAfter, namesOf } from './plan.ts';

/** Marks found before this window touched anything, by repository. */
export type MarksBefore = ReadonlyMap<string, RepositoryMark | null>;

/** What was done in each repository, by name; one that was not touched is missing. */
export type Done = ReadonlyMap<string, readonly StepOutcome[]>;

const IN_PROGRESS = 'restic was at work when the record ends';

/** True when no step of the window writes there: nothing but a lock of ours can be left. */
const isOnlyRead = (job: WindowJob, name: string): boolean =>
  !job.steps.some((step) => step.repository === name);

/**
 * Marks every repository of the window as being worked on, before anything touches one. Rejects when that cannot be
 * written; then nothing may touch them.
 */
export async function markAll(job: WindowJob, ledger: Ledger, at: string): Promise<MarksBefore> {
  const names = new Set(job.steps.flatMap(namesOf));
  const before = new Map([...names].map((name) => [name, ledger.repository(name).mark] as const));
  const marks = [...before].map(([name, old]) => {
    // One that was cut stays so until it is recovered.
    const kind = isOnlyRead(job, name) && old?.kind !== 'cut' ? ('failed' as const) : ('cut' as const);
    return [name, { mark: { kind, why: IN_PROGRESS, at } }] as const;
  });
  await ledger.note(Object.fromEntries(marks));
  return before;
}

/** Leaves the right mark on every repository. */
export async function settleMarks(
  job: WindowJob,
  before: MarksBefore,
  done: Done,
  unrecovered: ReadonlySet<string>,
  { ledger, now, cut }: { readonly ledger: Ledger; readonly now: () => Date; readonly cut: CutSwitch },
): Promise<void> {
  const changes: Record<string, { mark: RepositoryMark | null }> = {};
  // restic may hear of a cut path before we do, and then fails by itself.
  const wasCut = cut.reason() !== null;
  for (const [name, old] of before) {
    const mine = done.get(name);
    const after = unrecovered.has(name) ? 'cut' : markAfter(mine ?? []);
    const worst = after === 'failed' && wasCut ? 'cut' : after;
    const kind = worst === 'cut' && !unrecovered.has(name) && isOnlyRead(job, name) ? 'failed' : worst;
    const last = mine?.findLast((outcome) => 'why' in outcome && outcome.kind !== 'skipped');
    const why = last !== undefined && 'why' in last ? last.why : 'not recovered yet';
    const fresh = kind === null ? null : { kind, why, at: now().toISOString() };
    changes[name] = { mark: mine === undefined ? old : fresh };
  }
  await ledger.note(changes);
}
