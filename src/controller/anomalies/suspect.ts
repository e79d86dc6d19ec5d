/** Marks a snapshot as suspect, in the repository itself, so that whoever restores sees it without this box. */
import { SMALL_TIMEOUT_MS } from '../restic/outcome.ts';
import type { Run } from '../restic/run.ts';
import { listSnapshots } from '../restic/snapshots.ts';
import type { Snapshot } from '../restic/snapshots.ts';

export const SUSPECT_TAG = 'suspect';

/** A tagged snapshot is a new one, and has a new id. An append-only vault keeps the old one beside it. */
export interface Tagged {
  readonly snapshot: Snapshot;
  readonly isOldGone: boolean;
}

/** Tags; `null` when it could not be done. restic ends with 0 also where it was refused, so the vault is asked. */
export async function tagSuspect(run: Run, { id }: Snapshot): Promise<Tagged | null> {
  await run({ args: ['tag', '--json', '--add', SUSPECT_TAG, id], timeoutMs: SMALL_TIMEOUT_MS });
  const listed = await listSnapshots(run);
  if (listed.kind === 'no') return null;
  const snapshot = listed.snapshots.find(
    ({ original, tags }) => original === id && tags.includes(SUSPECT_TAG),
  );
  return snapshot === undefined
    ? null
    : { snapshot, isOldGone: listed.snapshots.every((each) => each.id !== id) };
}
