/**
 * The hand that mounts, for a process that is root. It takes the disk with the configured UUID and no other, refuses when two claim it,
 * and afterwards reads the UUID again from the device that the kernel says is mounted.
 */
import { statSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import type { MountSettings } from '../../config/schema/mount.ts';
import { ControllerFault } from '../fault.ts';
import { runCommand } from '../processes/command.ts';
import { refuseWritable } from './mount-point.ts';
import { deviceOf, mountAt } from './mount-table.ts';

/** What was mounted. */
export interface Mounted {
  /** `major:minor`. */
  readonly device: string;
  /** Read from that device after it was mounted. */
  readonly uuid: string;
}

/** How a file system goes: written out and let go, or taken from sight at once, for its disk is gone. */
export type Manner = 'orderly' | 'lazy';

/** Mounts and unmounts the disk of one repository. Rejects with `ControllerFault`. */
export interface MountHand {
  readonly mount: (repository: string, settings: MountSettings, stop: AbortSignal) => Promise<Mounted>;
  /** How it went in the end: what is busy and stays so goes lazily. */
  readonly unmount: (repository: string, settings: MountSettings, manner: Manner) => Promise<Manner>;
}

/**
 * The same disk, to be read from only. A journal that a cut has left open is written back all the same: without that, what is read
 * may not be what was written.
 */
export const readOnly = (settings: MountSettings): MountSettings => ({
  ...settings,
  options: [...settings.options.filter((option) => option !== 'rw' && option !== 'ro'), 'ro'],
});

/** ms for mount: a big file system with a journal to replay takes its time. */
const MOUNT_TIMEOUT_MS = 60_000;
/** ms for an orderly umount, which writes out what is left. */
const UNMOUNT_TIMEOUT_MS = 60_000;
const LAZY_TIMEOUT_MS = 10_000;
const PROBE_TIMEOUT_MS = 15_000;
const PAUSE_MS = 300;
/** Attempts at a busy file system. */
const BUSY_ATTEMPTS = 5;
/** Mounts on top of each other that are taken away; more is no accident. */
const MOST_STACKED = 8;
const ENV = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LANG: 'C' } as const;
const NEVER = new AbortController().signal;

/** Mounts by itself; this process must be root. */
export const ownHand: MountHand = { mount: mountDisk, unmount: unmountDisk };

async function run(command: readonly string[], timeoutMs: number, stop: AbortSignal = NEVER) {
  return runCommand({ command, timeoutMs, env: ENV }, stop);
}

async function mountDisk(_name: string, settings: MountSettings, stop: AbortSignal): Promise<Mounted> {
  const { at, type, options } = settings;
  // Left by a controller that died: the link was isolated since, so what is mounted there is a disk that is gone.
  if (mountAt(at) !== null) await unmountDisk(_name, settings, 'lazy');
  refuseWritable(at);
  const disk = await diskWith(settings, stop);
  const flags = ['nosuid', 'nodev', 'noexec', ...options].join(',');
  const end = await run(['mount', '-i', '-t', type, '-o', flags, '--', disk, at], MOUNT_TIMEOUT_MS, stop);
  try {
    if (end.kind === 'stopped') throw notMounted('mounting was stopped');
    if (end.kind === 'failed') throw notMounted(`the vault's disk cannot be mounted: ${end.why}`);
    const mounted = await mountedOf(settings);
    // The kernel may have been quicker than whoever stopped: nobody would unmount it.
    if (stop.aborted) throw notMounted('mounting was stopped');
    return mounted;
  } catch (error) {
    await unmountDisk(_name, settings, stop.aborted ? 'lazy' : 'orderly');
    throw stop.aborted ? notMounted('mounting was stopped') : error;
  }
}

/** Waits for the one block device that bears the UUID. */
async function diskWith({ uuid, timeout }: MountSettings, stop: AbortSignal): Promise<string> {
  const endsAt = performance.now() + timeout;
  for (;;) {
    // oxlint-disable-next-line no-await-in-loop -- until it is there
    const end = await run(
      ['blkid', '-c', '/dev/null', '-o', 'device', '-t', `UUID=${uuid}`],
      PROBE_TIMEOUT_MS,
      stop,
    );
    const disks = end.output.split('\n').filter((line) => line.startsWith('/dev/'));
    const [disk] = disks;
    if (end.kind === 'done' && disk !== undefined) {
      if (disks.length === 1) return disk;
      throw new ControllerFault(
        'MOUNT_FAILED',
        `several disks say that they are ${uuid}: ${disks.join(', ')}`,
        'one is a copy of the other: find out which is the vault, and remove the other',
      );
    }
    if (stop.aborted || performance.now() > endsAt)
      throw new ControllerFault(
        'VAULT_ABSENT',
        `no disk with the UUID ${uuid} appeared within ${timeout} ms of the link being connected`,
        'see whether the disk has power and how long it takes to start (`timeout` of `mount`); `blkid` shows the UUIDs of what is there',
      );
    // oxlint-disable-next-line no-await-in-loop
    await pause(PAUSE_MS, undefined, { signal: stop }).catch(() => undefined); // aborted: the loop looks
  }
}

/** What the kernel says is mounted at the place, with the UUID that this very device bears. */
async function mountedOf({ at, uuid }: MountSettings): Promise<Mounted> {
  const mount = mountAt(at);
  if (mount === null) throw elsewhere(`the kernel does not say that anything is mounted at ${at}`);
  const disk = statSync(mount.source, { throwIfNoEntry: false });
  if (disk?.isBlockDevice() !== true || deviceOf(disk.rdev) !== mount.device)
    throw elsewhere(`${mount.source} is not the device that is mounted at ${at}`);
  const end = await run(['blkid', '-p', '-s', 'UUID', '-o', 'value', '--', mount.source], PROBE_TIMEOUT_MS);
  const found = end.output.trim();
  if (end.kind !== 'done' || found.toLowerCase() !== uuid.toLowerCase())
    throw elsewhere(
      `${mount.source} at ${at} bears the UUID ${found === '' ? 'of nobody' : found}, not ${uuid}`,
    );
  return { device: mount.device, uuid: found };
}

const notMounted = (what: string): ControllerFault =>
  new ControllerFault(
    'MOUNT_FAILED',
    what,
    'try the same command by hand in an attended session; a damaged file system needs `fsck`',
  );

const elsewhere = (what: string): ControllerFault =>
  new ControllerFault('OTHER_DEVICE', what, 'find out what else mounts there');

async function unmountDisk(_name: string, { at }: MountSettings, manner: Manner): Promise<Manner> {
  let went: Manner = manner;
  for (let count = 0; count < MOST_STACKED && mountAt(at) !== null; count += 1)
    // oxlint-disable-next-line no-await-in-loop -- one lies on the other
    if ((await unmountOnce(at, manner)) === 'lazy') went = 'lazy';
  if (mountAt(at) === null) return went;
  throw new ControllerFault(
    'MOUNT_FAILED',
    `something is still mounted at ${at}`,
    `see \`findmnt ${at}\`; the next window tries again before it mounts`,
  );
}

async function unmountOnce(at: string, manner: Manner): Promise<Manner> {
  // umount does not say when something could not be written; this does.
  const isWritten =
    manner === 'orderly' && (await run(['sync', '-f', '--', at], UNMOUNT_TIMEOUT_MS)).kind === 'done';
  if (isWritten)
    for (let attempt = 0; attempt < BUSY_ATTEMPTS; attempt += 1) {
      // oxlint-disable-next-line no-await-in-loop -- whoever was busy gets a moment
      const end = await run(['umount', '-i', '--', at], UNMOUNT_TIMEOUT_MS);
      if (end.kind === 'done') return 'orderly';
      if (!end.output.includes('busy')) break;
      // oxlint-disable-next-line no-await-in-loop
      await pause(PAUSE_MS);
    }
  // A disk that is gone or busy: out of sight at once; the kernel lets go of it when the last file is closed.
  await run(['umount', '-i', '-l', '--', at], LAZY_TIMEOUT_MS);
  return 'lazy';
}
