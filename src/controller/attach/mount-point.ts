/**
 * Is it safe to write below a mount point? restic makes missing directories itself: where the disk has gone away it begins a new tree
 * on the system disk, writes there and ends with 0 (measured: 68 MB). So nothing may be writable there while nothing is mounted, and
 * what is written to must lie on the very device that was mounted.
 */
import { accessSync, constants, lstatSync, realpathSync } from 'node:fs';
import { lstat } from 'node:fs/promises';
import { sep } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { ControllerFault } from '../fault.ts';
import { deviceOf, mountAt } from './mount-table.ts';

/** Throws `ControllerFault` unless `at` is an existing directory into which this process cannot write. Nothing may be mounted there. */
export function refuseWritable(at: string): void {
  const found = lstatSync(at, { throwIfNoEntry: false });
  if (found === undefined || !found.isDirectory())
    throw new ControllerFault(
      'MOUNT_POINT',
      `the mount point ${at} ${found === undefined ? 'does not exist' : 'is no directory'}`,
      `as root: mkdir -p ${at} && chmod 0 ${at} && chattr +i ${at}`,
    );
  const real = realpathSync(at);
  // The kernel names mounts by where they really are: nobody would find this one again, nor unmount it.
  if (real !== at)
    throw new ControllerFault(
      'MOUNT_POINT',
      `the way to the mount point ${at} leads over a symbolic link, to ${real}`,
      `write \`at: ${real}\` into the configuration, if that is the place you mean`,
    );
  try {
    accessSync(at, constants.W_OK);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS') return;
    throw error;
  }
  throw new ControllerFault(
    'MOUNT_POINT',
    `while nothing is mounted, files can be written into ${at}: a vault that goes away would be continued on the system disk`,
    `as root, while nothing is mounted there: chmod 0 ${at} && chattr +i ${at}`,
  );
}

/** ms for a disk to say on which device a path lies; one that is gone may never answer. */
const ANSWER_TIMEOUT_MS = 5_000;

/** Rejects with `ControllerFault` unless `device` is mounted at `at`, writable, and `path` lies on it as far as it exists. */
export async function refuseElsewhere(path: string, at: string, device: string): Promise<void> {
  const mount = mountAt(at);
  if (mount === null) throw gone(`nothing is mounted at ${at} any more`);
  if (mount.device !== device)
    throw gone(`another device (${mount.device}) is mounted at ${at} than was attached (${device})`);
  if (mount.isReadOnly)
    throw gone(`the file system at ${at} is read-only; the kernel does that when it is damaged`);
  const over = new AbortController();
  const late = pause(ANSWER_TIMEOUT_MS, `the disk at ${at} does not answer`, { signal: over.signal });
  late.catch(() => undefined); // aborted below
  const why = await Promise.race([strayIn(path, at, device), late]);
  over.abort();
  if (why !== null) throw gone(why);
}

/** Why `path` does not lie on `device`, or `null`. */
async function strayIn(path: string, at: string, device: string): Promise<string | null> {
  for (const each of pathsDownTo(path, at)) {
    let found;
    try {
      // oxlint-disable-next-line no-await-in-loop -- downwards
      found = await lstat(each);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
      return `${each} cannot be looked at: ${(error as Error).message}`;
    }
    // A link could lead anywhere, and what it leads to need not exist yet.
    if (found.isSymbolicLink()) return `${each} is a symbolic link, which could lead off the vault`;
    const lies = deviceOf(found.dev);
    if (lies !== device) return `${each} lies on the device ${lies}, not on the vault (${device})`;
  }
  return null;
}

const gone = (what: string): ControllerFault =>
  new ControllerFault(
    'OTHER_DEVICE',
    what,
    'see `dmesg`, and whether somebody else mounts or unmounts there; run `fsck` on the vault if it is damaged',
  );

/** `at`, and every directory from there down to `path`. */
function pathsDownTo(path: string, at: string): readonly string[] {
  const paths = [at];
  for (const name of path
    .slice(at.length)
    .split(sep)
    .filter((each) => each !== ''))
    paths.push(`${paths.at(-1) ?? at}${sep}${name}`);
  return paths;
}
