/**
 * Where a restore drill puts what it restores: readable data of a backup, so it lies there no longer than it must. A drill that was killed
 * leaves it behind; the next start of the controller removes that, and so does the next drill.
 */
import { chmod, mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { StepOutcome } from '../outcome.ts';
import { failed } from '../restic/outcome.ts';

const PREFIX = 'portcullis-drill-';
/** What mkdtemp appends; repositories may be called `vault` and `vault-two`. */
const RANDOM = /^[A-Za-z0-9]{6}$/;

/** Directories that a drill of this process still needs: two in one window wait for their comparison side by side. */
const inUse = new Set<string>();

/** An empty directory that only this user can look into, or why there is none. */
export async function freshScratch(where: string, repository: string): Promise<string | StepOutcome> {
  try {
    await mkdir(where, { recursive: true, mode: 0o700 });
    await dropLeftScratch(where, repository);
    const directory = await mkdtemp(join(where, `${PREFIX}${repository}-`));
    inUse.add(directory);
    return directory;
  } catch (error) {
    const why = `the scratch directory ${where} cannot be used: ${(error as Error).message.slice(0, 200)}`;
    return failed(
      'scratch-unusable',
      why,
      'name one with `scratch_directory` that the user of the controller may write',
    );
  }
}

/** Removes what killed drills of `repository` left in `where`; a directory that is not there is as good. Rejects when it cannot. */
export async function dropLeftScratch(where: string, repository: string): Promise<void> {
  const prefix = `${PREFIX}${repository}-`;
  const names = await readdir(where).catch((error: unknown): readonly string[] => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  });
  const left = names
    .filter((name) => name.startsWith(prefix) && RANDOM.test(name.slice(prefix.length)))
    .map((name) => join(where, name))
    .filter((directory) => !inUse.has(directory));
  await Promise.all(left.map(removeTree));
}

/** Removes a directory of `freshScratch`. Why it could not, or `null`. Safe to call twice. */
export async function removeScratch(directory: string): Promise<string | null> {
  try {
    await removeTree(directory);
    return null;
  } catch (error) {
    return (error as Error).message.slice(0, 200);
  } finally {
    inUse.delete(directory);
  }
}

/** restic restores directories with their modes: what nobody may write in, its owner cannot even remove. */
async function removeTree(directory: string): Promise<void> {
  try {
    await rm(directory, { recursive: true, force: true });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'EACCES' && code !== 'EPERM') throw error;
    await makeWritable(directory);
    await rm(directory, { recursive: true, force: true });
  }
}

async function makeWritable(directory: string): Promise<void> {
  await chmod(directory, 0o700);
  for (const entry of await readdir(directory, { withFileTypes: true }))
    // oxlint-disable-next-line no-await-in-loop -- one disk
    if (entry.isDirectory()) await makeWritable(join(directory, entry.name));
}
