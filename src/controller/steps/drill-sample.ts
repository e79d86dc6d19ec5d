/** Which files a restore drill restores: a fair sample of the newest snapshot, within bounds. Pure but for its dice. */
import { randomInt } from 'node:crypto';
import { z } from 'zod';
import { jsonOf } from '../restic/lines.ts';

/** A file of a snapshot. */
export interface SnapshotFile {
  readonly path: string;
  readonly bytes: number;
  /** As restic prints it, RFC 3339 with nanoseconds. */
  readonly mtime: string;
}

/** Characters of all patterns together: they are arguments of one program. */
const PATTERN_CHARS = 500_000;

const node = z.object({
  struct_type: z.literal('node'),
  type: z.literal('file'),
  path: z.string().startsWith('/'),
  size: z.number().nonnegative().default(0),
  mtime: z.string(),
});

/** A file in a line of `restic ls --json`, or `null`. */
export function fileIn(line: string): SnapshotFile | null {
  // Other kinds are told apart without reading them whole.
  if (!line.includes('"type":"file"')) return null;
  const { success, data } = node.safeParse(jsonOf(line));
  return success ? { path: data.path, bytes: data.size, mtime: data.mtime } : null;
}

/**
 * False for a name that is no UTF-8: restic prints another character for what is not, so that it can be found neither in the snapshot nor
 * on the disk by what was printed. Such a file cannot be drilled, and says nothing about the backup.
 */
export const isNamedWhole = ({ path }: SnapshotFile): boolean => !path.includes('\uFFFD');

/** Keeps `most` of the files it is offered, each with the same chance, however many there are. */
export class Reservoir {
  readonly #most: number;
  readonly #random: (below: number) => number;
  readonly #files: SnapshotFile[] = [];
  #offered = 0;

  constructor(most: number, random: (below: number) => number = randomInt) {
    this.#most = most;
    this.#random = random;
  }

  offer(file: SnapshotFile): void {
    this.#offered += 1;
    if (this.#files.length < this.#most) {
      this.#files.push(file);
      return;
    }
    const place = this.#random(this.#offered);
    if (place < this.#most) this.#files[place] = file;
  }

  files(): readonly SnapshotFile[] {
    return this.#files;
  }
}

/** At most `most` of the files, without repetition, that together have at most `mostBytes`. */
export function fitting(
  files: readonly SnapshotFile[],
  most: number,
  mostBytes: number,
): readonly SnapshotFile[] {
  const chosen = new Map<string, SnapshotFile>();
  let bytes = 0;
  let characters = 0;
  for (const file of files) {
    const isTooMuch = bytes + file.bytes > mostBytes || characters + file.path.length > PATTERN_CHARS;
    if (isTooMuch || chosen.has(file.path) || chosen.size >= most) continue;
    bytes += file.bytes;
    characters += file.path.length;
    chosen.set(file.path, file);
  }
  return [...chosen.values()];
}

/** A path as a pattern of restic that means this path and nothing else. */
export const patternOf = (path: string): string => path.replaceAll(/[\\*?[\]]/g, '\\$&');
