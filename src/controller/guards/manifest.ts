/**
 * What every file looked like in the last good window, in 24 bytes each, so that a million files are 24 MB: a seeded hash of the path,
 * size, time of change of the content and of the inode. The seed is random per file of manifest, so that nobody can prepare two
 * paths with one hash.
 */
import { randomBytes } from 'node:crypto';
import type { Stats } from 'node:fs';
import { open, readFile, rename, rm } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';

const MAGIC = 'PCMANI01';
const HEADER_BYTES = 16;
const RECORD_BYTES = 24;
/** Bytes that are written at once. */
const BLOCK_BYTES = RECORD_BYTES * 4_096;

/** How a file compares with the manifest. `touched`: only its inode changed (rights, name, or a forged time). */
export type Compared = 'new' | 'same' | 'changed' | 'touched';

/** A manifest in memory: the file itself and an index of 8 bytes per file. */
export class Manifest {
  readonly count: number;
  readonly #bytes: Buffer;
  readonly #slots: Int32Array;
  readonly #seen: Uint8Array;
  #seenCount = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
    this.count = Math.floor((bytes.length - HEADER_BYTES) / RECORD_BYTES);
    let size = 16;
    while (size < this.count * 2) size *= 2;
    this.#slots = new Int32Array(size).fill(-1);
    this.#seen = new Uint8Array(this.count);
    for (let index = 0; index < this.count; index += 1) {
      let slot = this.#low(index) & (size - 1);
      while (this.#slots[slot] !== -1) slot = (slot + 1) & (size - 1);
      this.#slots[slot] = index;
    }
  }

  /** Compares a file with what it was, and counts it as still there. */
  compare(path: string, stats: Stats): Compared {
    const [low, high] = hashOf(path, this.#bytes.readUInt32LE(8), this.#bytes.readUInt32LE(12));
    const mask = this.#slots.length - 1;
    for (let slot = low & mask; ; slot = (slot + 1) & mask) {
      const index = this.#slots[slot] ?? -1;
      if (index === -1) return 'new';
      if (this.#low(index) !== low || this.#bytes.readUInt32LE(this.#at(index) + 4) !== high) continue;
      if (this.#seen[index] === 0) this.#seenCount += 1;
      this.#seen[index] = 1;
      const at = this.#at(index);
      const [bytes, mtimeMs, ctimeMs32] = statesOf(stats);
      if (this.#bytes.readUIntLE(at + 8, 6) !== bytes) return 'changed';
      if (this.#bytes.readUIntLE(at + 14, 6) !== mtimeMs) return 'changed';
      return this.#bytes.readUInt32LE(at + 20) === ctimeMs32 ? 'same' : 'touched';
    }
  }

  /** Files that were not compared: gone. */
  get unseen(): number {
    return this.count - this.#seenCount;
  }

  #at(index: number): number {
    return HEADER_BYTES + index * RECORD_BYTES;
  }

  #low(index: number): number {
    return this.#bytes.readUInt32LE(this.#at(index));
  }
}

/** The manifest at `path`; `null` when there is none, or none that can be read: then there is nothing to compare with. */
export async function readManifest(path: string): Promise<Manifest | null> {
  try {
    const bytes = await readFile(path);
    const isWhole = bytes.length >= HEADER_BYTES && bytes.toString('latin1', 0, 8) === MAGIC;
    return isWhole && (bytes.length - HEADER_BYTES) % RECORD_BYTES === 0 ? new Manifest(bytes) : null;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

/** Writes a manifest, block by block, beside the one that counts. */
export class ManifestDraft {
  count = 0;
  readonly #path: string;
  readonly #handle: FileHandle;
  readonly #seed = randomBytes(8);
  #block = Buffer.alloc(BLOCK_BYTES);
  #filled = 0;
  #writing: Promise<void>;

  private constructor(path: string, handle: FileHandle) {
    this.#path = path;
    this.#handle = handle;
    this.#writing = this.#write(Buffer.concat([Buffer.from(MAGIC, 'latin1'), this.#seed]));
  }

  /** Begins one at `path`, with a suffix. */
  static async begin(path: string): Promise<ManifestDraft> {
    const draft = draftOf(path);
    return new ManifestDraft(draft, await open(draft, 'w', 0o640));
  }

  add(path: string, stats: Stats): void {
    const [low, high] = hashOf(path, this.#seed.readUInt32LE(0), this.#seed.readUInt32LE(4));
    const at = this.#filled;
    const [bytes, mtimeMs, ctimeMs32] = statesOf(stats);
    this.#block.writeUInt32LE(low, at);
    this.#block.writeUInt32LE(high, at + 4);
    this.#block.writeUIntLE(bytes, at + 8, 6);
    this.#block.writeUIntLE(mtimeMs, at + 14, 6);
    this.#block.writeUInt32LE(ctimeMs32, at + 20);
    this.#filled += RECORD_BYTES;
    this.count += 1;
    if (this.#filled === BLOCK_BYTES) this.#flush();
  }

  /** Rejects when it could not be written. */
  async finish(): Promise<void> {
    this.#flush();
    try {
      await this.#writing;
      await this.#handle.sync();
    } finally {
      await this.#handle.close();
    }
  }

  /** Gives it up. */
  async drop(): Promise<void> {
    await this.#writing.catch(() => undefined); // it is thrown away
    await this.#handle.close();
    await rm(this.#path, { force: true });
  }

  #flush(): void {
    if (this.#filled === 0) return;
    const block = this.#block.subarray(0, this.#filled);
    this.#block = Buffer.alloc(BLOCK_BYTES);
    this.#filled = 0;
    this.#writing = this.#writing.then(() => this.#write(block));
    this.#writing.catch(() => undefined); // `finish` hears of it
  }

  async #write(bytes: Uint8Array): Promise<void> {
    await this.#handle.writeFile(bytes);
  }
}

const draftOf = (path: string): string => `${path}.new`;

/** The draft beside `path` counts from now on. Without a draft nothing changes. */
export async function adoptDraft(path: string): Promise<void> {
  await rename(draftOf(path), path).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  });
}

/** The draft beside `path` never counts. */
export const dropDraft = (path: string): Promise<void> => rm(draftOf(path), { force: true });

const MOST_48_BITS = 2 ** 48 - 1;

/** Size, ms of the last change of the content, the low 32 bits of the ms of the last change of the inode. */
function statesOf({ size, mtimeMs, ctimeMs }: Stats): readonly [number, number, number] {
  const within = (value: number): number => Math.min(Math.max(0, Math.trunc(value)), MOST_48_BITS);
  return [within(size), within(mtimeMs), Math.trunc(ctimeMs) % 2 ** 32];
}

/** 64 bits of a path (two rounds of multiply and fold, as in MurmurHash3); not for secrets, the seed keeps it unpredictable. */
function hashOf(path: string, seedA: number, seedB: number): readonly [number, number] {
  let a = seedA;
  let b = seedB;
  for (let index = 0; index < path.length; index += 1) {
    const unit = path.charCodeAt(index);
    a = Math.imul(a ^ unit, 0x9e_37_79_b1);
    b = Math.imul(b ^ unit, 0x5f_35_64_95);
    a ^= a >>> 15;
    b ^= b >>> 13;
  }
  a = Math.imul(a ^ (a >>> 16), 0x85_eb_ca_6b) ^ Math.imul(b ^ (b >>> 13), 0xc2_b2_ae_35);
  b = Math.imul(b ^ (b >>> 16), 0x85_eb_ca_6b) ^ Math.imul(a ^ (a >>> 13), 0xc2_b2_ae_35);
  return [a >>> 0, b >>> 0];
}
