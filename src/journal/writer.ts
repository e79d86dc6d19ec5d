/** Puts entries at the end of the chain, on disk. Knows files and bytes; queueing, failures and time are `file.ts`'s part. */
import { Buffer } from 'node:buffer';
import { join } from 'node:path';
import { carriedHead, lineHash, type Head } from './chain.ts';
import type { AppendFile, Disk } from './disk.ts';
import { JOURNAL_TYPES, printEntry, type Entry } from './entry.ts';
import { fileName } from './names.ts';
import type { Position } from './opening.ts';

/** An entry without its place in the chain. */
export type Draft = Omit<Entry, 'seq' | 'prev'>;

/** Actor of the entries that the journal writes by itself. */
export const SELF = 'journal';

/** The one who appends. `position` is what was acknowledged: bytes behind it are nobody's. */
export class ChainWriter {
  readonly #disk: Disk;
  readonly #directory: string;
  readonly #rotateAtBytes: number;
  #position: Position;
  #file: AppendFile | null = null;

  constructor(disk: Disk, directory: string, rotateAtBytes: number, position: Position) {
    this.#disk = disk;
    this.#directory = directory;
    this.#rotateAtBytes = rotateAtBytes;
    this.#position = position;
  }

  /** Head of what was acknowledged. */
  head(): Head {
    return this.#position.head;
  }

  /** Path of the file that is written to. */
  path(): string {
    return join(this.#directory, fileName(this.#position.file));
  }

  async close(): Promise<void> {
    const file = this.#file;
    this.#file = null;
    await file?.close();
  }

  /** Opens the current file, checks that it still ends as acknowledged, and cuts off what a failed write left behind it. */
  async attach(): Promise<void> {
    await this.close();
    const path = this.path();
    const { size, head } = this.#position;
    const bytes = (await this.#disk.read(path)) ?? new Uint8Array();
    if (bytes.length < size) throw new Error(`${path} became shorter than what was acknowledged`);
    if (size > 0) {
      const whole = Buffer.from(bytes.buffer, bytes.byteOffset, size);
      const line = whole.subarray(whole.lastIndexOf('\n', size - 2) + 1, -1);
      if (lineHash(line) !== head.hash)
        throw new Error(`${path} no longer ends with entry ${head.size} as it was acknowledged`);
    }
    this.#file = await this.#disk.openAppend(path);
    await this.#file.truncate(size);
    await this.#file.sync();
    await this.#disk.syncDirectory(this.#directory);
  }

  /** Writes drafts as the next entries and makes them survive power loss. The position moves only when all of them do. */
  async commit(drafts: readonly Draft[], mayRotate: boolean): Promise<Entry[]> {
    const first = drafts[0];
    if (first === undefined) return [];
    if (mayRotate && this.#position.size >= this.#rotateAtBytes) await this.#beginFile();
    const file = this.#file;
    if (file === null)
      throw new TypeError('broken invariant: a journal is written to only while its file is attached');
    const { file: number, size, head: before } = this.#position;
    const carries = size === 0 && before.size > 0;
    const data = carriedHead(fileName(number - 1), before);
    const carry: Draft = { ...first, type: JOURNAL_TYPES.rotated, actor: SELF, data };
    let head = before;
    let text = '';
    const entries = (carries ? [carry, ...drafts] : drafts).map((draft) => {
      const entry: Entry = { ...draft, seq: head.size + 1, prev: head.hash };
      const line = printEntry(entry);
      head = { size: entry.seq, hash: lineHash(line) };
      text += `${line}\n`;
      return entry;
    });
    const bytes = Buffer.from(text);
    await file.append(bytes);
    await file.sync();
    this.#position = { file: number, size: size + bytes.length, head };
    return entries.slice(carries ? 1 : 0);
  }

  /** Goes on in a new file. From here on a failure is retried in the new file, which begins with the carried head. */
  async #beginFile(): Promise<void> {
    const number = this.#position.file + 1;
    const path = join(this.#directory, fileName(number));
    const existing = await this.#disk.read(path);
    if (existing !== null && existing.length > 0)
      throw new Error(`${path} exists already and is not ours: move it away`);
    const next = await this.#disk.openAppend(path);
    const finished = this.#file;
    this.#file = next;
    this.#position = { file: number, size: 0, head: this.#position.head };
    await finished?.close();
    await this.#disk.syncDirectory(this.#directory);
  }
}
