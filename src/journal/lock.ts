/**
 * One writer per journal. The lock is a file that names its holder (process id, boot, start time of that process), so that a
 * lock whose holder died is recognised and taken over, while a living one is respected whatever happened to its id since.
 *
 * The file is linked into place whole, never written in place. A stale lock is removed only under a second lock of the same
 * kind (`….takeover`), which makes the removal safe: only a removal frees the name, and only one process may remove.
 * The bad case that remains: two containers with separate process ids sharing one directory do not see each other.
 */
import { randomUUID } from 'node:crypto';
import { link, mkdir, open, readFile, unlink } from 'node:fs/promises';
import { join } from 'node:path';

/** A held lock. */
export interface DirectoryLock {
  /** Gives the lock up. */
  release(): Promise<void>;
}

/** Another living process holds the lock. */
export class LockHeldError extends Error {
  override readonly name = 'LockHeldError';
  /** Process id of the holder. */
  readonly pid: number;
  readonly hint = 'stop that process first, or give this one a state_directory of its own';
  constructor(path: string, pid: number) {
    super(`${path} is held by process ${pid}: only one interlock may write a journal`);
    this.pid = pid;
  }
}

/** Name of the lock file inside the journal directory. */
export const LOCK_NAME = 'journal.lock';
const MAX_TAKEOVERS = 4;
const MAX_ATTEMPTS = 16;

interface Holder {
  readonly pid: number;
  readonly boot: string;
  /** Start time of the process in clock ticks since boot, from /proc. */
  readonly started: string;
}

const codeOf = (error: unknown): string | undefined => (error as NodeJS.ErrnoException).code;

/** Start time of a process (field 22 of /proc/PID/stat), or `null` when there is no such process. */
async function startOf(pid: number): Promise<string | null> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
    // The second field, the command, may hold spaces and parentheses; it ends at the last one.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    // A zombie has ended: its lock will never be released.
    return fields[0] === 'Z' || fields[0] === 'X' ? null : (fields[19] ?? null);
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ESRCH') return null;
    throw error;
  }
}

const currentBoot = async (): Promise<string> =>
  (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim();

function parseHolder(text: string): Holder | null {
  const [pid, boot, started] = text.split('\n');
  // Anything else was torn by a power cut, which its writer did not survive either: a lock is linked into place whole.
  return pid === undefined || !/^\d{1,10}$/.test(pid) || !boot || !started
    ? null
    : { pid: Number(pid), boot, started };
}

/** The living holder of the lock at `path`; `stale` when its holder is gone, `free` when there is no lock. */
async function holderOf(path: string): Promise<Holder | 'stale' | 'free'> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return 'free';
    throw error;
  }
  const holder = parseHolder(text);
  if (holder === null || holder.boot !== (await currentBoot())) return 'stale';
  return (await startOf(holder.pid)) === holder.started ? holder : 'stale';
}

async function linkWhole(path: string): Promise<boolean> {
  const draft = `${path}.${randomUUID()}`;
  const started = await startOf(process.pid);
  if (started === null) throw new Error(`/proc/${process.pid}/stat is not readable: is /proc mounted?`);
  try {
    const handle = await open(draft, 'wx', 0o640);
    try {
      await handle.writeFile(`${process.pid}\n${await currentBoot()}\n${started}\n`);
    } finally {
      await handle.close();
    }
    await link(draft, path);
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  } finally {
    await unlink(draft).catch((error: unknown) => {
      if (codeOf(error) !== 'ENOENT' && codeOf(error) !== 'EROFS') throw error;
    });
  }
}

async function acquire(path: string, depth: number): Promise<DirectoryLock> {
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
    if (await linkWhole(path)) return { release: () => unlink(path) };
    const holder = await holderOf(path);
    if (holder === 'free') continue;
    if (holder !== 'stale') throw new LockHeldError(path, holder.pid);
    if (depth === MAX_TAKEOVERS) break;
    const guard = await acquire(`${path}.takeover`, depth + 1);
    try {
      // Still the stale one? While the guard is held nobody else can have replaced it.
      if ((await holderOf(path)) === 'stale') await unlink(path);
    } finally {
      await guard.release();
    }
  }
  throw new Error(`${path} could not be taken over from a dead process: remove it by hand`);
}

/** Takes the lock of a journal directory. Throws `LockHeldError` when a living process, also this one, holds it. */
export const lockDirectory = (directory: string): Promise<DirectoryLock> =>
  acquire(join(directory, LOCK_NAME), 0);

/** The same, in a directory that is made when it is not there. */
export async function lockMadeDirectory(directory: string): Promise<DirectoryLock> {
  await mkdir(directory, { recursive: true, mode: 0o750 });
  return lockDirectory(directory);
}

/** Whether a living process writes the journal of this directory now. */
export async function isHeld(directory: string): Promise<boolean> {
  const holder = await holderOf(join(directory, LOCK_NAME));
  return holder !== 'free' && holder !== 'stale';
}
