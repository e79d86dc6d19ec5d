/**
 * The latch file: what a trip leaves behind on disk.
 *
 * It never reads as clear unless it says so, whole and with the right digest: missing (see `latchesFound`),
 * torn, garbled or unreadable counts as tripped. A trip is acknowledged only after `save` resolved.
 *
 * When the disk is full the new content cannot be written; then the old file is emptied, for an empty latch cannot be read
 * and counts as tripped, and emptying needs no space. When even that fails (read-only disk), `save` rejects, the trip is
 * not acknowledged, and the link is cut all the same.
 *
 * The bad case that remains: a disk that reports a sync that did not happen.
 */
import { createHash } from 'node:crypto';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import type { Disk } from '../../journal/disk.ts';

/** What latched a link, and when (calendar time, RFC 3339, a label only). */
export interface Latch {
  readonly by: string;
  readonly reason: string;
  readonly at: string;
}

/** Latch per link; a link that is not named is clear. */
export type Latches = Readonly<Record<string, Latch>>;

export type LatchesRead =
  | { readonly kind: 'read'; readonly latches: Latches }
  | { readonly kind: 'missing' }
  | { readonly kind: 'unreadable'; readonly why: string };

const FILE = 'latch.json';
const shape = z.strictObject({
  digest: z.string(),
  latches: z.record(z.string(), z.strictObject({ by: z.string(), reason: z.string(), at: z.string() })),
});

const digestOf = (latches: Latches): string =>
  createHash('sha256').update(JSON.stringify(latches)).digest('hex');

/** Reads the latch file. Never throws: what cannot be read is `unreadable`. */
export async function readLatches(disk: Disk, directory: string): Promise<LatchesRead> {
  try {
    const bytes = await disk.read(join(directory, FILE));
    if (bytes === null) return { kind: 'missing' };
    const { digest, latches } = shape.parse(JSON.parse(Buffer.from(bytes).toString('utf8')));
    if (digest !== digestOf(latches))
      return { kind: 'unreadable', why: 'the digest does not match the content' };
    return { kind: 'read', latches };
  } catch (error) {
    return {
      kind: 'unreadable',
      why: error instanceof z.ZodError ? 'not a latch file' : String(error).slice(0, 200),
    };
  }
}

/** Saves latches, one save at a time, in the order asked. */
export class LatchFile {
  readonly #disk: Disk;
  readonly #path: string;
  #tail: Promise<unknown> = Promise.resolve();

  constructor(disk: Disk, directory: string) {
    this.#disk = disk;
    this.#path = join(directory, FILE);
  }

  /** Resolves once the latches survive power loss; rejects when they do not. */
  save(latches: Latches): Promise<void> {
    const saved = this.#tail.then(() => this.#write(latches));
    this.#tail = saved.catch(() => undefined);
    return saved;
  }

  async #write(latches: Latches): Promise<void> {
    const text = `${JSON.stringify({ digest: digestOf(latches), latches })}\n`;
    try {
      await this.#disk.replace(this.#path, Buffer.from(text));
    } catch (error) {
      if (Object.keys(latches).length === 0) throw error;
      // An empty file counts as tripped; only latched content may fall back to it.
      await this.#empty();
    }
  }

  /** Also when there is no file yet: a missing one beside an empty journal would count as a first start. */
  async #empty(): Promise<void> {
    const file = await this.#disk.openAppend(this.#path);
    try {
      await file.truncate(0);
      await file.sync();
    } finally {
      await file.close();
    }
    await this.#disk.syncDirectory(dirname(this.#path));
  }
}
