/** Goes through directories, bounded in time and in memory: one directory is read in pieces, and nothing is remembered. */
import type { Stats } from 'node:fs';
import { lstat, opendir } from 'node:fs/promises';
import { join } from 'node:path';

/** Files looked at at once. */
const AT_ONCE = 64;

export interface WalkOrder {
  readonly roots: readonly string[];
  /** Absolute paths, and names of files and directories. */
  readonly exclude: readonly string[];
  /** ms. */
  readonly timeoutMs: number;
  readonly stop: AbortSignal;
  /** Each regular file. Answering `false` ends the walk: enough was seen. */
  readonly onFile: (path: string, stats: Stats) => boolean;
}

/** How a walk ended. */
export interface Walked {
  readonly end: 'done' | 'enough' | 'late' | 'stopped';
  /** Roots that are not there. */
  readonly missing: readonly string[];
  /** Directories and files that could not be read. */
  readonly unreadable: number;
}

/** Visits every regular file below the roots. Symbolic links are not followed, but for the roots themselves. */
export async function walk(order: WalkOrder): Promise<Walked> {
  const endsAt = performance.now() + order.timeoutMs;
  const excluded = new Set(order.exclude);
  const missing: string[] = [];
  const waiting: string[] = [];
  let unreadable = 0;
  let isEnough = false;
  const isOver = (): boolean => isEnough || order.stop.aborted || performance.now() > endsAt;

  const visit = async (path: string, isRoot: boolean): Promise<void> => {
    try {
      const stats = await lstat(path);
      if (stats.isDirectory() || (isRoot && stats.isSymbolicLink())) waiting.push(path);
      else if (stats.isFile() && !isEnough) isEnough = !order.onFile(path, stats);
    } catch (error) {
      // Gone meanwhile: for a source that lives that is nothing.
      if (isRoot && isGone(error)) missing.push(path);
      else if (!isGone(error)) unreadable += 1;
    }
  };
  for (const root of order.roots) {
    // oxlint-disable-next-line no-await-in-loop -- a handful
    await visit(root, true);
  }
  for (let directory = waiting.pop(); directory !== undefined && !isOver(); directory = waiting.pop()) {
    try {
      // oxlint-disable-next-line no-await-in-loop -- one directory at a time
      const entries = await opendir(directory, { bufferSize: 256 });
      let batch: Promise<void>[] = [];
      // oxlint-disable-next-line no-await-in-loop
      for await (const { name } of entries) {
        const path = join(directory, name);
        if (excluded.has(name) || excluded.has(path)) continue;
        batch.push(visit(path, false));
        if (batch.length < AT_ONCE) continue;
        await Promise.all(batch);
        batch = [];
        if (isOver()) break;
      }
      // oxlint-disable-next-line no-await-in-loop
      await Promise.all(batch);
    } catch (error) {
      if (typeof (error as NodeJS.ErrnoException).code !== 'string') throw error;
      if (!isGone(error)) unreadable += 1;
    }
  }
  const isWhole = waiting.length === 0 && !isOver();
  const end = isEnough ? 'enough' : order.stop.aborted ? 'stopped' : isWhole ? 'done' : 'late';
  return { end, missing, unreadable };
}

const isGone = (error: unknown): boolean => (error as NodeJS.ErrnoException).code === 'ENOENT';
