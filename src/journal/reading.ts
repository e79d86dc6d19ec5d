/**
 * Reading a journal without writing it, also while another process does. Files are streamed: memory does not grow with the
 * journal. Verification stops at the first line that does not follow, for nothing behind it is proven; what it gives is
 * the longest verified prefix, and known heads say whether that is all there was.
 */
import { Buffer } from 'node:buffer';
import { open, readdir, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as after } from 'node:timers/promises';
import { createVerifier, GENESIS, placeProblem, type Head, type Verifier } from './chain.ts';
import { MAX_LINE_BYTES, type Entry } from './entry.ts';
import { isHeld } from './lock.ts';
import { fileName, fileNumbers } from './names.ts';

/** Bytes read at a time; also how much is checked before other work gets a turn. */
const CHUNK_BYTES = 256 * 1024;
/** How long a line that a living writer has begun is waited for, in ms. */
const SETTLE_MS = 1_000;
const SETTLE_STEP_MS = 20;
const NEWLINE = 0x0a;

/** One file as far as it was verified. */
export interface FileReport {
  readonly name: string;
  readonly entries: number;
  readonly bytes: number;
}

/** Something wrong with the journal itself. `line` counts from 1 within the file. */
export interface JournalProblem {
  readonly file: string;
  readonly line: number | null;
  readonly why: string;
}

/** A head that was seen earlier, with where it comes from. */
export interface KnownHead extends Head {
  readonly label: string;
}

/** A known head that this journal cannot have had. */
export interface ContradictedHead extends KnownHead {
  readonly why: string;
}

/** What verification found. */
export interface Verification {
  /** No problem and no contradicted head. */
  readonly ok: boolean;
  /** Entries verified. */
  readonly entries: number;
  /** Where the journal begins: 1 unless older files were pruned; `null` when nothing was verified. */
  readonly firstSeq: number | null;
  /** Head of the verified prefix. */
  readonly head: Head;
  readonly files: readonly FileReport[];
  readonly problems: readonly JournalProblem[];
  readonly confirmedHeads: readonly KnownHead[];
  readonly contradictedHeads: readonly ContradictedHead[];
  /** Heads older than the first file that is still there: neither confirmed nor contradicted. */
  readonly uncheckedHeads: readonly KnownHead[];
}

/** What a reader may do with every verified entry and after every chunk. `line` is valid only during the call. */
export interface Visitor {
  entry?(entry: Entry, line: Buffer, hash: string): void;
  chunk?(): Promise<void>;
}

/** How one file ended: `done` at its end, `stopped` by the callback, or with bytes that are no whole line. */
interface Ending {
  readonly kind: 'done' | 'stopped' | 'unfinished' | 'endless';
  readonly bytes: number;
}

/** Calls back for every whole line of a file; the callback returns false to stop. */
async function eachLine(
  handle: FileHandle,
  buffer: Buffer,
  line: (bytes: Buffer) => boolean,
  afterChunk: () => Promise<void>,
  growing: () => Promise<boolean>,
): Promise<Ending> {
  let kept = 0;
  let bytes = 0;
  for (;;) {
    const { bytesRead } = await handle.read(buffer, kept, CHUNK_BYTES);
    if (bytesRead === 0) {
      if (kept === 0) return { kind: 'done', bytes };
      if (await growing()) continue;
      return { kind: 'unfinished', bytes };
    }
    const filled = buffer.subarray(0, kept + bytesRead);
    let from = 0;
    for (let end = filled.indexOf(NEWLINE, kept); end !== -1; end = filled.indexOf(NEWLINE, from)) {
      if (!line(filled.subarray(from, end))) return { kind: 'stopped', bytes };
      bytes += end + 1 - from;
      from = end + 1;
    }
    kept = filled.length - from;
    if (kept > MAX_LINE_BYTES) return { kind: 'endless', bytes };
    buffer.copyWithin(0, from, filled.length);
    await afterChunk();
  }
}

/** Whether waiting for the rest of a line makes sense: only while somebody writes, and not for ever. */
function patience(directory: string): () => Promise<boolean> {
  let leftMs = SETTLE_MS;
  return async () => {
    if (leftMs <= 0 || !(await isHeld(directory))) return false;
    leftMs -= SETTLE_STEP_MS;
    await after(SETTLE_STEP_MS);
    return true;
  };
}

/** Sorts known heads into confirmed, contradicted and unchecked while the entries pass by. */
class HeadComparison {
  readonly confirmed: KnownHead[] = [];
  readonly contradicted: ContradictedHead[] = [];
  readonly unchecked: KnownHead[] = [];
  readonly #bySize = new Map<number, KnownHead[]>();

  constructor(heads: readonly KnownHead[]) {
    for (const head of heads) {
      const same = this.#bySize.get(head.size);
      if (same === undefined) this.#bySize.set(head.size, [head]);
      else same.push(head);
    }
  }

  pass(size: number, hash: string): void {
    const heads = this.#bySize.get(size);
    if (heads === undefined) return;
    this.#bySize.delete(size);
    for (const head of heads) {
      if (head.hash === hash) this.confirmed.push(head);
      else
        this.contradicted.push({
          ...head,
          why: `entry ${size} is not the one that was there when this head was signed`,
        });
    }
  }

  finish(firstSeq: number | null, end: Head): void {
    for (const head of [...this.#bySize.values()].flat()) {
      if (firstSeq !== null && head.size < firstSeq) this.unchecked.push(head);
      else
        this.contradicted.push({
          ...head,
          why: `the journal verifies only up to entry ${end.size}; entry ${head.size} was there when this head was signed`,
        });
    }
  }
}

interface Walk {
  /** Room for one chunk and the beginning of a line that was left from the chunk before. */
  readonly buffer: Buffer;
  /** Head of the verified prefix. */
  head: Head;
  entries: number;
  firstSeq: number | null;
  readonly files: FileReport[];
  readonly problems: JournalProblem[];
}

const gapProblem = (numbers: readonly number[], index: number): string | null => {
  const [before, number] = [numbers[index - 1], numbers[index]];
  return before === undefined || number === before + 1
    ? null
    : `the file is missing, as are all entries up to ${fileName(number ?? 0)}`;
};

/** Verifies one file; returns whether the next one may follow. */
async function walkFile(
  directory: string,
  number: number,
  isLast: boolean,
  verifier: Verifier,
  walk: Walk,
  heads: HeadComparison,
  visitor: Visitor,
): Promise<boolean> {
  const name = fileName(number);
  let position = 0;
  const check = (line: Buffer): boolean => {
    const { entry, broken } = verifier.feed(line);
    const why = broken?.why ?? placeProblem(entry as Entry, number, position + 1);
    if (entry === undefined || why !== null) {
      walk.problems.push({ file: name, line: position + 1, why: why ?? 'not an entry' });
      return false;
    }
    if (walk.firstSeq === null) {
      walk.firstSeq = entry.seq;
      heads.pass(entry.seq - 1, entry.prev);
    }
    position += 1;
    walk.head = verifier.head();
    heads.pass(entry.seq, walk.head.hash);
    visitor.entry?.(entry, line, walk.head.hash);
    return true;
  };
  const handle = await open(join(directory, name), 'r');
  try {
    const growing = isLast ? patience(directory) : async () => false;
    const ending = await eachLine(handle, walk.buffer, check, async () => visitor.chunk?.(), growing);
    walk.entries += position;
    walk.files.push({ name, entries: position, bytes: ending.bytes });
    const problem = endingProblem(ending, isLast, position);
    if (problem !== null) walk.problems.push({ file: name, line: position + 1, why: problem });
    return ending.kind === 'done' && problem === null;
  } finally {
    await handle.close();
  }
}

function endingProblem(ending: Ending, isLast: boolean, entries: number): string | null {
  switch (ending.kind) {
    case 'stopped':
      return null;
    case 'done':
      // A power cut may leave the newest file empty; an older one was finished.
      return entries === 0 && !isLast ? 'the file is empty, yet not the last' : null;
    case 'endless':
      return `a line is longer than ${MAX_LINE_BYTES} bytes`;
    case 'unfinished':
      return isLast
        ? 'the last line is torn (a power cut leaves this; the interlock mends it and says so when it starts)'
        : 'the last line is torn, yet the file is not the last';
  }
}

/** Verifies the whole journal of a directory against itself and against known heads, calling the visitor for every entry. */
export async function walkJournal(
  directory: string,
  known: readonly KnownHead[],
  visitor: Visitor,
): Promise<Verification> {
  const numbers = fileNumbers(await readdir(directory));
  const heads = new HeadComparison(known);
  const buffer = Buffer.allocUnsafe(CHUNK_BYTES + MAX_LINE_BYTES + 1);
  const walk: Walk = { buffer, head: GENESIS, entries: 0, firstSeq: null, files: [], problems: [] };
  // Without the first file the beginning is taken from the oldest one that is left, and reported as `firstSeq`.
  const verifier = createVerifier((numbers[0] ?? 1) === 1 ? GENESIS : null);
  if (numbers.length === 0)
    walk.problems.push({ file: fileName(1), line: null, why: `there is no journal in ${directory}` });
  for (const [index, number] of numbers.entries()) {
    const gap = gapProblem(numbers, index);
    if (gap !== null)
      walk.problems.push({ file: fileName((numbers[index - 1] ?? 0) + 1), line: null, why: gap });
    const isLast = index === numbers.length - 1;
    if (gap !== null || !(await walkFile(directory, number, isLast, verifier, walk, heads, visitor))) break;
  }
  if (walk.problems.length === 0 && walk.firstSeq === null && numbers[0] !== 1)
    walk.problems.push({ file: fileName(numbers[0] ?? 1), line: null, why: 'the only file left is empty' });
  await visitor.chunk?.();
  if (walk.firstSeq === null) heads.pass(GENESIS.size, GENESIS.hash);
  heads.finish(walk.firstSeq, walk.head);
  const { confirmed: confirmedHeads, contradicted: contradictedHeads, unchecked: uncheckedHeads } = heads;
  const ok = walk.problems.length === 0 && contradictedHeads.length === 0;
  const { head, entries, firstSeq, files, problems } = walk;
  return { ok, entries, firstSeq, head, files, problems, confirmedHeads, contradictedHeads, uncheckedHeads };
}

/** Verifies the journal of a directory. Throws only when it cannot be read. */
export const verifyJournal = (
  directory: string,
  options: { heads?: readonly KnownHead[] } = {},
): Promise<Verification> => walkJournal(directory, options.heads ?? [], {});
