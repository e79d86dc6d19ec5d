/** The restic work in one repository, each piece from a call to one outcome. */
import { z } from 'zod';
import { printable } from '../../sources/excerpt.ts';
import type { StepOutcome } from '../outcome.ts';
import type { ResticCall, ResticEnd } from './run.ts';
import type { BackupSummary } from './lines.ts';
import { repairIndexCommand } from './verdict.ts';
import type { ResticVersion } from './verdict.ts';

/** ms for the small commands, which read or write a few files; a dead vault must not eat the window. */
const SMALL_TIMEOUT_MS = 180_000;

/** Runs one restic command in the repository at hand. */
export type Run = (call: ResticCall) => Promise<ResticEnd>;

const done: StepOutcome = { kind: 'done' };
const failed = (code: string, why: string, hint: string): StepOutcome => ({
  kind: 'failed',
  code,
  why,
  hint,
});

/** The outcome of a command that has nothing to say for itself but how it ended. */
export function outcomeOf(end: ResticEnd, what: string): StepOutcome {
  const words = end.lastWords === '' ? '' : `: ${end.lastWords}`;
  const code = end.exitCode === null ? '' : ` (restic ended with ${end.exitCode})`;
  switch (end.verdict) {
    case 'done':
      return done;
    case 'cut-short':
      return { kind: 'cut-short', code: 'stopped', why: `${what} was stopped${words}` };
    case 'timed-out':
      return failed(
        'timed-out',
        `${what} took too long and was killed${words}`,
        'see whether the vault answers, and how fast',
      );
    case 'repository-missing':
      return failed(
        'repository-missing',
        `${what}: there is no repository${words}`,
        'see whether the right vault is connected, and whether it is mounted where the repository is expected',
      );
    case 'locked':
      return failed(
        'locked',
        `${what}: somebody else has locked the repository${words}`,
        'let the other restic finish; if it is dead, run `restic unlock` on the machine that made the lock. Locks of others are never removed from here',
      );
    case 'wrong-password':
      return failed(
        'wrong-password',
        `${what}: the password does not fit the repository`,
        'compare password_file with the password that the repository was made with',
      );
    // Only a backup may be done in part; elsewhere 3 says that files could not be deleted.
    case 'partly-done':
    case 'failed':
      return failed(
        'restic-failed',
        `${what} failed${code}${words}`,
        'the words of restic say why; run the same restic command by hand in a window to see more',
      );
  }
}

const repositoryConfig = z.object({ id: z.string().regex(/^[0-9a-f]{16,64}$/) });

/** Who the repository says it is. `missing` only when restic positively said that there is none. */
export type Identity =
  | { readonly kind: 'known'; readonly id: string }
  | { readonly kind: 'missing' }
  | { readonly kind: 'no'; readonly outcome: StepOutcome };

/** Reads the identity of the repository, past any lock, not from the cache. */
export async function identify(run: Run): Promise<Identity> {
  const end = await run({ args: ['cat', 'config', '--no-lock', '--no-cache'], timeoutMs: SMALL_TIMEOUT_MS });
  if (end.verdict === 'repository-missing') return { kind: 'missing' };
  if (end.verdict !== 'done') return { kind: 'no', outcome: outcomeOf(end, 'reading the repository') };
  const config = repositoryConfig.safeParse(jsonOf(end.output));
  if (config.success) return { kind: 'known', id: config.data.id };
  const outcome = failed(
    'restic-unreadable',
    `restic did not print the repository's id: ${printable(end.output.trim(), 200)}`,
    'report this with the version of restic',
  );
  return { kind: 'no', outcome };
}

/** Makes a new repository. Only ever called when restic said that there is none and none was known. */
export async function initialise(run: Run): Promise<StepOutcome> {
  return outcomeOf(
    await run({ args: ['init', '--json'], timeoutMs: SMALL_TIMEOUT_MS }),
    'making the repository',
  );
}

/**
 * Removes our own stale locks: restic takes a lock for stale when its process on this host is gone, or after 30 minutes
 * without a sign of life. `--remove-all` is never used: the lock of another host that is alive must stand.
 */
export async function removeOwnLocks(run: Run): Promise<StepOutcome> {
  return outcomeOf(await run({ args: ['unlock'], timeoutMs: SMALL_TIMEOUT_MS }), 'removing our stale lock');
}

/** After a cut: lock, then index (so that the packs that were finished before the cut are not sent again), then check. */
export async function recover(run: Run, version: ResticVersion): Promise<StepOutcome> {
  const unlocked = await removeOwnLocks(run);
  if (unlocked.kind !== 'done') return unlocked;
  const index = outcomeOf(
    await run({ args: repairIndexCommand(version), timeoutMs: null }),
    'rebuilding the index',
  );
  if (index.kind !== 'done') return index;
  return outcomeOf(
    await run({ args: ['check', '--json'], timeoutMs: null }),
    'the check after an interruption',
  );
}

export interface BackupTask {
  readonly paths: readonly string[];
  readonly exclude: readonly string[];
  readonly tags: readonly string[];
  /** KiB per second, or `null` for no limit. */
  readonly limitUploadKiB: number | null;
}

export interface BackedUp {
  readonly outcome: StepOutcome;
  readonly summary: BackupSummary | null;
  /** Full id of the snapshot that was read back from the vault. */
  readonly snapshot: string | null;
  readonly missingSources: readonly string[];
}

/** Backs up and reads the snapshot back from the vault; without that, exit code 0 proves nothing. */
export async function backUp(
  run: Run,
  task: BackupTask,
  onProgress: NonNullable<ResticCall['onProgress']>,
): Promise<BackedUp> {
  const limit = task.limitUploadKiB === null ? [] : [`--limit-upload=${task.limitUploadKiB}`];
  const excludes = task.exclude.map((pattern) => `--exclude=${pattern}`);
  const tags = task.tags.map((tag) => `--tag=${tag}`);
  const args = ['backup', '--json', ...limit, ...excludes, ...tags, '--', ...task.paths];
  const end = await run({ args, timeoutMs: null, onProgress });
  const { missingSources, summary } = end;
  const wrong = (outcome: StepOutcome): BackedUp => ({ outcome, summary, snapshot: null, missingSources });
  const outcome = backupOutcome(end);
  if (outcome.kind !== 'done' && outcome.kind !== 'partly-done') return wrong(outcome);
  if (summary === null)
    return wrong(
      failed(
        'no-summary',
        'restic ended well but named no snapshot',
        'report this with the version of restic',
      ),
    );

  const read = await run({
    args: ['snapshots', '--json', '--no-lock', '--no-cache', summary.snapshot_id],
    timeoutMs: SMALL_TIMEOUT_MS,
  });
  if (read.verdict === 'cut-short') return wrong(outcomeOf(read, 'reading the snapshot back'));
  const snapshot = read.verdict === 'done' ? snapshotIn(read.output, summary.snapshot_id) : null;
  if (snapshot !== null) return { outcome, summary, snapshot, missingSources };
  return wrong(
    failed(
      'not-on-vault',
      `restic reported snapshot ${summary.snapshot_id}, but reading it back from the vault did not show it${read.lastWords === '' ? '' : `: ${read.lastWords}`}`,
      'see whether the repository is really on the vault, and not in an empty mount point on this machine',
    ),
  );
}

function backupOutcome(end: ResticEnd): StepOutcome {
  // restic before 0.19 ends with 0 when one of several sources is missing.
  if (end.missingSources.length > 0 && (end.verdict === 'done' || end.verdict === 'partly-done'))
    return { kind: 'partly-done', why: `these sources do not exist: ${end.missingSources.join(', ')}` };
  if (end.verdict !== 'partly-done') return outcomeOf(end, 'the backup');
  return { kind: 'partly-done', why: `files could not be read: ${end.lastWords}` };
}

const snapshotList = z.array(z.object({ id: z.string() }));

function snapshotIn(output: string, id: string): string | null {
  const list = snapshotList.safeParse(jsonOf(output));
  return list.data?.find((each) => each.id.startsWith(id))?.id ?? null;
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // every caller's schema refuses it
  }
}

/** Rules as restic flags: `--keep-last=3`. */
export async function forget(run: Run, rules: readonly string[], prune: boolean): Promise<StepOutcome> {
  const args = ['forget', '--json', ...rules, ...(prune ? ['--prune'] : [])];
  return outcomeOf(await run({ args, timeoutMs: null }), 'forgetting old snapshots');
}

/** Checks the repository; `subset` as restic takes it, or `null` for structure only. */
export async function check(run: Run, subset: string | null): Promise<StepOutcome> {
  const args = ['check', '--json', ...(subset === null ? [] : [`--read-data-subset=${subset}`])];
  return outcomeOf(await run({ args, timeoutMs: null }), 'the check');
}
