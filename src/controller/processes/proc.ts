/** Which processes belong to a child of ours, read from `/proc`. */
import { readFileSync, readdirSync } from 'node:fs';

const PID = /^\d+$/;

/**
 * Every process of the session `session`. restic starts `ssh` and `rclone` in process groups of their own, which a kill of
 * restic's group does not reach; the session is what they still share, even after restic itself is gone.
 * (The `children` files of `/proc` would need a kernel option that not every board has, and forgets orphans.)
 */
export function sessionMembers(session: number): number[] {
  return processIds().filter((pid) => sessionOf(pid) === session);
}

/** Every process, except this one, whose environment at its start held `variable` (`NAME=value`). Unreadable ones are left out. */
export function processesWith(variable: string): number[] {
  return processIds().filter(
    (pid) => pid !== process.pid && (procFile(pid, 'environ')?.split('\0').includes(variable) ?? false),
  );
}

/** Sends `signal` to `target` (negative: a process group); false when it no longer exists, or has become another user's (sudo). */
export function signalProcess(target: number, signal: NodeJS.Signals): boolean {
  try {
    return process.kill(target, signal);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ESRCH' || code === 'EPERM') return false;
    throw error;
  }
}

function processIds(): number[] {
  return readdirSync('/proc')
    .filter((name) => PID.test(name))
    .map(Number);
}

function sessionOf(pid: number): number | null {
  const stat = procFile(pid, 'stat');
  if (stat === null) return null;
  // pid (comm) state ppid pgrp session …; comm may itself contain blanks and parentheses
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields[0] === 'Z' ? null : Number(fields[3]);
}

/** `null` when the process ended meanwhile or may not be looked at. */
function procFile(pid: number, name: string): string | null {
  try {
    return readFileSync(`/proc/${pid}/${name}`, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ESRCH' || code === 'EACCES' || code === 'EPERM') return null;
    throw error;
  }
}
