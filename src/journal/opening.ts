/**
 * Reading back where a journal ended, and mending what a power cut left. Mended is only what no power cut can be mistaken
 * about: bytes after the last whole entry of the last file that are no entries. Whatever looks like an entry is never
 * removed; if it does not follow, the journal is broken and stays as it is.
 */
import { Buffer } from 'node:buffer';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { createVerifier, GENESIS, lineHash, placeProblem, readLine, type Head } from './chain.ts';
import type { Disk } from './disk.ts';
import { JOURNAL_TYPES } from './entry.ts';
import { fileName, fileNumbers, tornName } from './names.ts';

/** Longest tail that is mended. No write of ours is longer, so a longer one is not the work of a power cut. */
export const MAX_TORN_BYTES = 4 * 1024 * 1024;
/** Most torn tails kept of one file. */
export const MAX_TORN_FILES = 100;
/** Lines checked before other work gets a turn. */
const LINES_PER_TURN = 128;
const NEWLINE = 0x0a;

/** A torn tail that is not yet on record in the journal. */
export interface TornTail {
  /** Name of the file that was torn. */
  readonly file: string;
  /** Name under which the dropped bytes are kept. */
  readonly saved: string;
  readonly bytes: number;
  readonly digest: string;
}

/** Where to go on writing. */
export interface Position {
  /** Number of the current file. */
  readonly file: number;
  /** Its size in bytes up to the last whole entry. */
  readonly size: number;
  readonly head: Head;
}

/** What was found: a place to go on from, or a journal that must not be touched. */
export type Opening =
  | { readonly kind: 'sound'; readonly position: Position; readonly unrecorded: readonly TornTail[] }
  | { readonly kind: 'broken'; readonly why: string; readonly head: Head };

/** Splits bytes at newlines; what follows the last newline is `rest`. Offsets are of the beginning of each line. */
function* linesOf(bytes: Buffer): Generator<{ line: Buffer; offset: number; whole: boolean }> {
  let offset = 0;
  while (offset < bytes.length) {
    const end = bytes.indexOf(NEWLINE, offset);
    const whole = end !== -1;
    yield { line: bytes.subarray(offset, whole ? end : bytes.length), offset, whole };
    offset = whole ? end + 1 : bytes.length;
  }
}

interface Scan {
  readonly head: Head;
  /** Bytes up to the last whole entry. */
  readonly size: number;
  /** Digests of torn tails that this file has on record. */
  readonly recorded: ReadonlySet<string>;
  readonly broken: string | null;
}

/** Checks one file that carries on from `start` (`null`: take the first entry's word). */
async function scanFile(number: number, bytes: Buffer, start: Head | null): Promise<Scan> {
  const verifier = createVerifier(start);
  const recorded = new Set<string>();
  let size = 0;
  let count = 0;
  const result = (broken: string | null): Scan => ({ head: verifier.head(), size, recorded, broken });
  for (const { line, offset, whole } of linesOf(bytes)) {
    count += 1;
    if (count % LINES_PER_TURN === 0) await nextTurn();
    const before = verifier.head();
    const { entry, broken } = verifier.feed(line);
    const where = `${fileName(number)} line ${count}`;
    if (broken !== undefined) {
      if (broken.isEntry) return result(`${where}: ${broken.why}`);
      return result(
        laterEntry(bytes.subarray(offset)) ? `${where}: ${broken.why}, and whole entries follow it` : null,
      );
    }
    const misplaced = placeProblem(entry, number, count);
    if (misplaced !== null) return { ...result(`${where}: ${misplaced}`), head: before };
    if (!whole) return { ...result(null), head: before };
    size = offset + line.length + 1;
    const digest = entry.data['sha256'];
    if (entry.type === JOURNAL_TYPES.repaired && typeof digest === 'string') recorded.add(digest);
  }
  return result(null);
}

/** Whether anything after the first, bad line of `tail` is an entry. */
function laterEntry(tail: Buffer): boolean {
  if (tail.length > MAX_TORN_BYTES) return false;
  let first = true;
  for (const { line } of linesOf(tail)) {
    if (!first && 'entry' in readLine(line)) return true;
    first = false;
  }
  return false;
}

async function readBytes(disk: Disk, path: string): Promise<Buffer | null> {
  const bytes = await disk.read(path);
  return bytes === null ? null : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** The head after the last line of a finished file, or why there is none. */
function endOf(number: number, bytes: Buffer): Head | string {
  const name = fileName(number);
  if (bytes.length === 0 || bytes.at(-1) !== NEWLINE)
    return `${name} is not the last file, yet does not end with a whole entry`;
  const line = bytes.subarray(bytes.lastIndexOf(NEWLINE, bytes.length - 2) + 1, -1);
  const read = readLine(line);
  if ('problem' in read) return `${name}, last line: ${read.problem}`;
  return { size: read.entry.seq, hash: lineHash(line) };
}

/** Keeps the bytes after `size` beside the file. Does nothing when an earlier, interrupted attempt kept the same bytes. */
async function keepTail(disk: Disk, directory: string, number: number, tail: Buffer): Promise<void> {
  for (let attempt = 1; attempt <= MAX_TORN_FILES; attempt++) {
    const path = join(directory, tornName(number, attempt));
    const kept = await readBytes(disk, path);
    if (kept?.equals(tail) === true) return;
    if (kept === null) return disk.replace(path, tail);
  }
  throw new Error(
    `${fileName(number)} was torn more than ${MAX_TORN_FILES} times: look after the disk, then move the .torn files away`,
  );
}

/** Kept tails of a file that it does not have on record: a process died between mending and recording. */
async function unrecordedTails(
  disk: Disk,
  directory: string,
  number: number,
  recorded: ReadonlySet<string>,
): Promise<TornTail[]> {
  const tails: TornTail[] = [];
  for (let attempt = 1; attempt <= MAX_TORN_FILES; attempt++) {
    const saved = tornName(number, attempt);
    const kept = await readBytes(disk, join(directory, saved));
    if (kept === null) break;
    const digest = lineHash(kept);
    if (!recorded.has(digest)) tails.push({ file: fileName(number), saved, bytes: kept.length, digest });
  }
  return tails;
}

/** The head from which the last file carries on; `null` when the file before it was pruned. */
async function startOfLast(
  disk: Disk,
  directory: string,
  numbers: readonly number[],
): Promise<Head | null | string> {
  const last = numbers.at(-1) ?? 1;
  if (last === 1) return GENESIS;
  for (const [index, number] of numbers.entries())
    if (index > 0 && number !== (numbers[index - 1] ?? 0) + 1)
      return `${fileName(number - 1)} is missing between ${fileName(numbers[index - 1] ?? 0)} and ${fileName(number)}`;
  if (numbers.length === 1) return null;
  const bytes = await readBytes(disk, join(directory, fileName(last - 1)));
  return bytes === null ? `${fileName(last - 1)} vanished while it was read` : endOf(last - 1, bytes);
}

/**
 * Finds where the journal ends and keeps a torn tail aside; bytes behind the position are to be cut off. Checks the last file and how it joins the one before: older files
 * are `verifyJournal`'s work, which may take seconds. Throws what the disk throws.
 */
export async function findEnd(disk: Disk, directory: string): Promise<Opening> {
  const numbers = fileNumbers(await disk.list(directory));
  const number = numbers.at(-1) ?? 1;
  const start = await startOfLast(disk, directory, numbers);
  if (typeof start === 'string') return { kind: 'broken', why: start, head: GENESIS };
  const bytes = (await readBytes(disk, join(directory, fileName(number)))) ?? Buffer.alloc(0);
  const scan = await scanFile(number, bytes, start);
  if (scan.broken !== null) return { kind: 'broken', why: scan.broken, head: scan.head };
  if (start === null && scan.size === 0)
    return {
      kind: 'broken',
      why: `${fileName(number)} holds no whole entry and the file before it is gone`,
      head: GENESIS,
    };
  const tail = bytes.subarray(scan.size);
  if (tail.length > MAX_TORN_BYTES)
    return {
      kind: 'broken',
      why: `${fileName(number)} ends with ${tail.length} bytes that are no entries`,
      head: scan.head,
    };
  // Kept before it is cut off; the writer cuts off everything behind the position when it attaches.
  if (tail.length > 0) await keepTail(disk, directory, number, tail);
  const unrecorded = await unrecordedTails(disk, directory, number, scan.recorded);
  return { kind: 'sound', position: { file: number, size: scan.size, head: scan.head }, unrecorded };
}
