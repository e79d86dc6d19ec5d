/**
 * The hash chain. It finds every edit, deletion, insertion and re-ordering between its ends; it cannot find a cut-off tail
 * or a rewrite from some point to the end: for that a head kept elsewhere is compared (`heads.ts`, `reading.ts`).
 */
import { Buffer, isUtf8 } from 'node:buffer';
import { hash } from 'node:crypto';
import { EntryError, JOURNAL_TYPES, parseEntry, type Entry, type JsonObject } from './entry.ts';

/** Where a journal stands: the sequence number of its last entry and the hash of that entry's line. */
export interface Head {
  readonly size: number;
  /** 64 hex digits. */
  readonly hash: string;
}

/** The head of an empty journal; its hash is what the first entry carries as `prev`. */
export const GENESIS: Head = { size: 0, hash: '0'.repeat(64) };

/** SHA-256 of a line's bytes without newline, 64 hex digits. */
export const lineHash = (line: string | Uint8Array): string => hash('sha256', line, 'hex');

/** The first line that does not follow. `line` counts from 1 over everything fed; `seq` is the entry expected there. */
export interface Break {
  readonly line: number;
  readonly seq: number;
  readonly why: string;
  /** Whether the line is an entry that does not belong here, as opposed to no entry at all. */
  readonly isEntry: boolean;
}

/** What feeding one line gave. */
export type Fed =
  | { readonly entry: Entry; readonly broken?: never }
  | { readonly broken: Break; readonly entry?: never };

/** Checks lines one after the other. */
export interface Verifier {
  /** Checks the next line (without newline). After a break every further line gives that same break. */
  feed(line: string | Uint8Array): Fed;
  /** Head of what has been verified so far. */
  head(): Head;
}

/** The text of a line; throws `EntryError` for bytes that are not UTF-8. */
function textOf(line: string | Uint8Array): string {
  if (typeof line === 'string') return line;
  const bytes = Buffer.isBuffer(line) ? line : Buffer.from(line.buffer, line.byteOffset, line.byteLength);
  const text = bytes.toString('utf8');
  // A malformed sequence decodes to U+FFFD, which is also a character that may stand there honestly.
  if (text.includes('\ufffd') && !isUtf8(line)) throw new EntryError('not UTF-8');
  return text;
}

/** A line as an entry, or why it is none. */
export function readLine(line: string | Uint8Array): { entry: Entry } | { problem: string } {
  try {
    return { entry: parseEntry(textOf(line)) };
  } catch (error) {
    if (error instanceof EntryError) return { problem: error.message };
    throw error;
  }
}

/**
 * A verifier that continues from `start`. With `null` the first line fed is believed about where it stands: for a journal
 * whose older files were pruned.
 */
export function createVerifier(start: Head | null): Verifier {
  let head = start;
  let line = 0;
  let broken: Break | null = null;
  const fail = (why: string, isEntry: boolean): Fed => {
    broken = { line, seq: (head?.size ?? 0) + 1, why, isEntry };
    return { broken };
  };
  return {
    feed(bytes) {
      if (broken !== null) return { broken };
      line += 1;
      const read = readLine(bytes);
      if ('problem' in read) return fail(read.problem, false);
      const { entry } = read;
      const before = head ?? { size: entry.seq - 1, hash: entry.prev };
      if (entry.seq !== before.size + 1)
        return fail(`seq is ${entry.seq} where ${before.size + 1} must follow`, true);
      if (entry.prev !== before.hash) return fail(`prev is not the hash of entry ${before.size}`, true);
      head = { size: entry.seq, hash: lineHash(bytes) };
      return { entry };
    },
    head: () => head ?? GENESIS,
  };
}

/** The data of the entry with which a new file begins. */
export const carriedHead = (previousFile: string, head: Head): JsonObject => ({
  previous_file: previousFile,
  size: head.size,
  hash: head.hash,
});

/**
 * What is wrong with `entry` as the `position`-th entry (from 1) of file number `file`; `null` when nothing is. Every file
 * but the first begins with the head it carries on from, and nothing else may claim to.
 */
export function placeProblem(entry: Entry, file: number, position: number): string | null {
  const isCarry = entry.type === JOURNAL_TYPES.rotated;
  if (position === 1 && file === 1)
    return isCarry || entry.seq !== 1 ? 'the first file does not begin with entry 1' : null;
  if (position > 1) return isCarry ? `${JOURNAL_TYPES.rotated} is not at the beginning of a file` : null;
  if (!isCarry) return `the file does not begin with ${JOURNAL_TYPES.rotated}`;
  return entry.data['size'] === entry.seq - 1 && entry.data['hash'] === entry.prev
    ? null
    : 'the carried head is not the one that entry continues';
}
