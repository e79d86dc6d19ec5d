/** The newest entries of a journal, and those that follow. Nothing here verifies the chain: `reading.ts` does. */
import { Buffer } from 'node:buffer';
import { open, readdir, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as after } from 'node:timers/promises';
import { readLine } from './chain.ts';
import { MAX_LINE_BYTES, type Entry } from './entry.ts';
import { fileName, fileNumbers } from './names.ts';

/** Most entries that `tailJournal` gives. */
export const MAX_TAIL = 10_000;
/** ms between two looks at a journal that is followed. */
export const FOLLOW_EVERY_MS = 250;
const BLOCK_BYTES = 64 * 1024;
const FOLLOW_BYTES = 4 * (MAX_LINE_BYTES + 1);
const NEWLINE = 0x0a;

/** One line: an entry, or what is wrong with it. */
export type TailLine =
  | { readonly file: string; readonly entry: Entry; readonly problem?: never }
  | { readonly file: string; readonly problem: string; readonly entry?: never };

/** A place in a journal: how many bytes of which file were read. */
export interface Cursor {
  readonly file: number;
  readonly offset: number;
}

const asTailLine = (file: number, line: Buffer): TailLine => {
  const read = readLine(line);
  return 'entry' in read
    ? { file: fileName(file), entry: read.entry }
    : { file: fileName(file), problem: read.problem };
};

/** Whole lines within `bytes`, oldest first. */
function wholeLines(bytes: Buffer): Buffer[] {
  const lines: Buffer[] = [];
  let from = 0;
  for (let end = bytes.indexOf(NEWLINE); end !== -1; end = bytes.indexOf(NEWLINE, from)) {
    lines.push(bytes.subarray(from, end));
    from = end + 1;
  }
  return lines;
}

/** The last `count` whole lines of a file, oldest first, and the offset behind the last one. */
async function lastLines(handle: FileHandle, count: number): Promise<{ lines: Buffer[]; end: number }> {
  const { size } = await handle.stat();
  const blocks: Buffer[] = [];
  let newlines = 0;
  let from = size;
  // One newline more than lines wanted: it ends the line before the first of them.
  while (from > 0 && newlines <= count) {
    const length = Math.min(BLOCK_BYTES, from);
    from -= length;
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(length), 0, length, from);
    const block = buffer.subarray(0, bytesRead);
    for (const byte of block) if (byte === NEWLINE) newlines += 1;
    blocks.unshift(block);
  }
  const bytes = Buffer.concat(blocks);
  const end = from + bytes.lastIndexOf(NEWLINE) + 1;
  const lines = wholeLines(bytes);
  // Unless the file's beginning was reached, the first line is only the end of one.
  const whole = lines.slice(from > 0 ? 1 : 0);
  return { lines: whole.slice(Math.max(0, whole.length - count)), end };
}

/** The last `count` entries, oldest first, and where to go on from. A line that is still being written is left out. */
export async function tailJournal(
  directory: string,
  count: number,
): Promise<{ lines: TailLine[]; cursor: Cursor }> {
  const numbers = fileNumbers(await readdir(directory));
  const wanted = Math.min(count, MAX_TAIL);
  const lines: TailLine[] = [];
  let cursor: Cursor | null = null;
  for (const number of numbers.toReversed()) {
    if (cursor !== null && lines.length >= wanted) break;
    const handle = await open(join(directory, fileName(number)), 'r');
    try {
      const found = await lastLines(handle, wanted - lines.length);
      lines.unshift(...found.lines.map((line) => asTailLine(number, line)));
      cursor ??= { file: number, offset: found.end };
    } finally {
      await handle.close();
    }
  }
  return { lines, cursor: cursor ?? { file: 1, offset: 0 } };
}

async function readOn(
  directory: string,
  cursor: Cursor,
): Promise<{ lines: Buffer[]; offset: number } | null> {
  let handle;
  try {
    handle = await open(join(directory, fileName(cursor.file)), 'r');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
  try {
    const { size } = await handle.stat();
    // Shorter than it was: a failed write was taken back.
    const offset = Math.min(cursor.offset, size);
    const { buffer, bytesRead } = await handle.read(
      Buffer.allocUnsafe(FOLLOW_BYTES),
      0,
      FOLLOW_BYTES,
      offset,
    );
    const bytes = buffer.subarray(0, bytesRead);
    const end = bytes.lastIndexOf(NEWLINE) + 1;
    return { lines: wholeLines(bytes.subarray(0, end)), offset: offset + end };
  } finally {
    await handle.close();
  }
}

/**
 * Entries as they are written, from `cursor` on, across files, until `signal` aborts. An entry may show up before it is
 * acknowledged, and, when that write fails, again with other content under the same sequence number.
 */
export async function* followJournal(
  directory: string,
  cursor: Cursor,
  signal: AbortSignal,
  everyMs: number = FOLLOW_EVERY_MS,
): AsyncGenerator<TailLine, void, void> {
  let { file, offset } = cursor;
  let finished = false;
  while (!signal.aborted) {
    const read = await readOn(directory, { file, offset });
    if (read !== null) {
      offset = read.offset;
      for (const line of read.lines) yield asTailLine(file, line);
      if (read.lines.length > 0) continue;
    }
    // The next file appears only after this one was finished, but what finished it may have come after the last look.
    if (finished) {
      file += 1;
      offset = 0;
      finished = false;
      continue;
    }
    finished = fileNumbers(await readdir(directory)).includes(file + 1);
    if (finished) continue;
    await after(everyMs, undefined, { signal }).catch((error: unknown) => {
      if (!signal.aborted) throw error;
    });
  }
}
