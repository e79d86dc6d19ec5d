/**
 * Canaries: files that nobody has a reason to touch. `portcullis canary plant` leaves them and writes down what they are; a window
 * looks at them before it connects anything, and restic's own word on each is heard while it runs.
 */
import { createHash, randomBytes, randomInt } from 'node:crypto';
import { constants } from 'node:fs';
import { chown, open, opendir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import type { Disk } from '../../journal/disk.ts';
import { nameOf, stemOf } from './file-types.ts';
import { clear } from './look.ts';
import type { Look } from './look.ts';

const FILE = 'canaries.json';
/** Longest canary that is read, bytes. */
const MOST_BYTES = 65_536;
/** Names of a directory that are looked through for a canary that moved. */
const MOST_NAMES = 20_000;
const MOST_CANARIES = 1_000;

const canary = z.strictObject({
  path: z.string(),
  sha256: z.string(),
  bytes: z.number(),
  planted_at: z.string(),
});
const canaryFile = z.strictObject({ format: z.literal(1), canaries: z.array(canary) });
export type Canary = Readonly<z.output<typeof canary>>;

/** Where the list of canaries lies. */
export const canariesIn = (stateDirectory: string): string => join(stateDirectory, FILE);

/** The list, as a file. */
export const canaryText = (canaries: readonly Canary[]): string =>
  `${JSON.stringify({ format: 1, canaries: canaries.slice(-MOST_CANARIES) }, null, 1)}\n`;

/** The canaries that were planted; `null` when the list cannot be understood. */
export async function readCanaries(disk: Disk, stateDirectory: string): Promise<readonly Canary[] | null> {
  const bytes = await disk.read(canariesIn(stateDirectory));
  if (bytes === null) return [];
  try {
    return canaryFile.parse(JSON.parse(new TextDecoder().decode(bytes))).canaries;
  } catch {
    return null; // torn or foreign: the guard says so
  }
}

/** First and last in the order of names, of types that are worth something to a blackmailer. */
const KINDS = [
  { name: (tag: string) => `1-accounts-${tag}.csv`, glue: ';' },
  { name: (tag: string) => `zz-letters-${tag}.rtf`, glue: ' ' },
] as const;
const WORDS =
  'invoice balance transfer customer contract address amount total monthly account payment received order delivery offer reminder due paid open tax net gross'.split(
    ' ',
  );
const LINES = 120;

/** Leaves two canaries in a directory, as files of its owner. Rejects when it cannot. */
export async function plant(directory: string, at: string): Promise<readonly Canary[]> {
  const { uid, gid } = await stat(directory);
  const planted: Canary[] = [];
  for (const { name, glue } of KINDS) {
    const path = join(directory, name(randomBytes(3).toString('hex')));
    const text = Array.from({ length: LINES }, () => line(glue)).join('\n');
    const bytes = Buffer.from(`${text}\n`);
    // oxlint-disable-next-line no-await-in-loop -- two
    const handle = await open(path, 'wx', 0o644);
    try {
      // oxlint-disable-next-line no-await-in-loop
      await handle.writeFile(bytes);
      // oxlint-disable-next-line no-await-in-loop
      await handle.sync();
    } finally {
      // oxlint-disable-next-line no-await-in-loop
      await handle.close();
    }
    // oxlint-disable-next-line no-await-in-loop
    if (process.getuid?.() === 0) await chown(path, uid, gid);
    planted.push({ path, sha256: digestOf(bytes), bytes: bytes.length, planted_at: at });
  }
  return planted;
}

const line = (glue: string): string =>
  [randomInt(10_000, 99_999), ...Array.from({ length: 9 }, () => WORDS[randomInt(WORDS.length)] ?? '')].join(
    glue,
  );

const digestOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** How a canary is found. */
export type CanaryState =
  | { readonly kind: 'intact' }
  | { readonly kind: 'changed' }
  | { readonly kind: 'missing' }
  | { readonly kind: 'renamed'; readonly to: string }
  | { readonly kind: 'unreadable'; readonly why: string };

/** Looks at one canary. */
export async function inspect({ path, bytes, sha256 }: Canary): Promise<CanaryState> {
  try {
    const handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    try {
      const facts = await handle.stat();
      if (!facts.isFile() || facts.size !== bytes || facts.size > MOST_BYTES) return { kind: 'changed' };
      return { kind: digestOf(await handle.readFile()) === sha256 ? 'intact' : 'changed' };
    } finally {
      await handle.close();
    }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ELOOP') return { kind: 'changed' };
    if (code === 'ENOENT' || code === 'ENOTDIR') return moved(path);
    if (typeof code === 'string') return { kind: 'unreadable', why: code };
    throw error;
  }
}

/** A canary under another name: ransomware puts its own extension behind. */
async function moved(path: string): Promise<CanaryState> {
  const stem = stemOf(path);
  try {
    let looked = 0;
    for await (const { name } of await opendir(dirname(path))) {
      if (name.includes(stem)) return { kind: 'renamed', to: join(dirname(path), name) };
      looked += 1;
      if (looked >= MOST_NAMES) break;
    }
  } catch (error) {
    if (typeof (error as NodeJS.ErrnoException).code !== 'string') throw error;
  }
  return { kind: 'missing' };
}

/** A state in words. */
export function stateWords(state: CanaryState): string {
  switch (state.kind) {
    case 'renamed':
      return `renamed to ${nameOf(state.to)}`;
    case 'unreadable':
      return `cannot be read (${state.why})`;
    case 'intact':
    case 'changed':
    case 'missing':
      return state.kind;
  }
}

/** The guard: every canary is there and as it was. */
export async function lookAtCanaries(disk: Disk, stateDirectory: string): Promise<Look> {
  const canaries = await readCanaries(disk, stateDirectory);
  if (canaries === null || canaries.length === 0)
    return {
      found: 'unknown',
      why: canaries === null ? 'the list of canaries cannot be read' : 'no canary was ever planted',
      hint: 'plant some: portcullis canary plant DIRECTORY',
      numbers: { canaries: 0 },
    };
  const counts = { canaries: canaries.length, intact: 0, changed: 0, missing: 0, renamed: 0, unreadable: 0 };
  const wrongs: string[] = [];
  for (const each of canaries) {
    // oxlint-disable-next-line no-await-in-loop -- small files, one at a time
    const state = await inspect(each);
    counts[state.kind] += 1;
    if (state.kind !== 'intact') wrongs.push(`${each.path} ${stateWords(state)}`);
  }
  if (wrongs.length === 0) return clear(counts);
  return {
    found: counts.changed + counts.missing + counts.renamed > 0 ? 'wrong' : 'unknown',
    why: `${wrongs.length} of ${canaries.length} canaries are not as they were planted: ${wrongs.slice(0, 5).join('; ')}`,
    hint: 'find out what touched them before anything is connected; if it was you: portcullis canary plant --again DIRECTORY',
    numbers: counts,
  };
}
