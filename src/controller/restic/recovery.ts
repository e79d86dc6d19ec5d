/** What a repository needs after an interruption. */
import type { StepOutcome } from '../outcome.ts';
import { outcomeOf, SMALL_TIMEOUT_MS } from './outcome.ts';
import type { Run } from './run.ts';
import { repairIndexCommand } from './verdict.ts';
import type { ResticVersion } from './verdict.ts';

/**
 * Removes our own stale locks: restic takes a lock for stale when its process on this host is gone, or after 30 minutes
 * without a sign of life. `--remove-all` is never used: the lock of another host that is alive must stand.
 */
export async function removeOwnLocks(run: Run): Promise<StepOutcome> {
  return outcomeOf(await run({ args: ['unlock'], timeoutMs: SMALL_TIMEOUT_MS }), 'removing our stale lock');
}

/**
 * After a cut: lock, then index (so that the packs that were finished before the cut are not sent again), then check. Where nothing can be
 * deleted the index stays as it is: rebuilding it would end in a refused delete, which looks like an attack. What was sent is sent again.
 */
export async function recover(run: Run, version: ResticVersion, isAppendOnly: boolean): Promise<StepOutcome> {
  const unlocked = await removeOwnLocks(run);
  if (unlocked.kind !== 'done') return unlocked;
  if (!isAppendOnly) {
    const index = outcomeOf(
      await run({ args: repairIndexCommand(version), timeoutMs: null }),
      'rebuilding the index',
    );
    if (index.kind !== 'done') return index;
  }
  return outcomeOf(
    await run({ args: ['check', '--json'], timeoutMs: null }),
    'the check after an interruption',
  );
}
