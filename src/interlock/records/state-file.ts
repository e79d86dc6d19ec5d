/** A small file of the state directory that is read once and written whole, each time with all that is known. */
import { join } from 'node:path';
import { z } from 'zod';
import type { Millis } from '../../core/time.ts';
import type { Disk } from '../../journal/disk.ts';

/** How often a file that cannot be written is tried again, ms. */
const RETRY_MS = 2_000;
const MAX_WHY_CHARS = 200;

/** Keeps one file. What cannot be read or written is said, and nothing is written over a file that could not be read. */
export class StateFile<Content> {
  readonly #disk: Disk;
  readonly #path: string;
  readonly #what: string;
  readonly #shape: z.ZodType<Content>;
  readonly #content: () => Content;
  #tail: Promise<unknown> = Promise.resolve();
  #triedAt = Number.NEGATIVE_INFINITY;
  /** Why the content is not known, or null. */
  unreadable: string | null = null;
  /** Why the last write failed, or null; it is tried again until it succeeds. */
  unwritable: string | null = null;

  /** `what` names it for people; `content` is what stands to be written. */
  constructor(
    disk: Disk,
    directory: string,
    file: { readonly name: string; readonly what: string; readonly shape: z.ZodType<Content> },
    content: () => Content,
  ) {
    this.#disk = disk;
    this.#path = join(directory, file.name);
    this.#what = file.what;
    this.#shape = file.shape;
    this.#content = content;
  }

  /** What the file holds; null when there is none, or it cannot be read (`unreadable` says why). */
  async load(): Promise<Content | null> {
    try {
      const bytes = await this.#disk.read(this.#path);
      return bytes === null ? null : this.#shape.parse(JSON.parse(Buffer.from(bytes).toString('utf8')));
    } catch (error) {
      this.unreadable =
        error instanceof z.ZodError ? `not a ${this.#what}` : String(error).slice(0, MAX_WHY_CHARS);
      return null;
    }
  }

  /** Tries again, now and then, to write what could not be written. */
  retry(now: Millis): void {
    if (this.unwritable === null || now - this.#triedAt < RETRY_MS) return;
    this.#triedAt = now;
    this.save().catch(() => undefined); // `unwritable` says why
  }

  /** Resolves once what is known survives power loss. A file that could not be read is kept: what it held must not be forgotten. */
  save(): Promise<void> {
    if (this.unreadable !== null)
      return Promise.reject(new Error(`the ${this.#what} is kept: ${this.unreadable}`));
    const saved = this.#tail.then(() =>
      this.#disk.replace(this.#path, Buffer.from(JSON.stringify(this.#content()))),
    );
    this.#tail = saved.then(
      () => {
        this.unwritable = null;
      },
      (error: unknown) => {
        this.unwritable = String(error).slice(0, MAX_WHY_CHARS);
      },
    );
    return saved;
  }
}
