/** A disk in memory that can fail at its n-th call, leave half a write, and lose what was not synced. */
import { basename, dirname, join } from 'node:path';
import type { Disk } from '../../src/journal/disk.ts';
import type { DirectoryLock } from '../../src/journal/lock.ts';

interface File {
  content: Buffer;
  /** How many bytes are known to survive power loss. */
  durable: number;
}

/** Where a journal lives on this disk. */
export const DIRECTORY = '/journal';

/** No lock: the disk is not shared. */
export const noLock = async (): Promise<DirectoryLock> => ({ release: async () => undefined });

/** What a failing call leaves behind. */
export type FailureMode =
  /** Nothing happens. */
  | 'before'
  /** Half of the bytes are written. */
  | 'half'
  /** Everything is done, then the call fails. */
  | 'after';

/** The disk, what is on it, and the switch that makes it fail. */
export class MemoryDisk implements Disk {
  readonly files = new Map<string, File>();
  calls = 0;
  /** The call that fails, from 1; calls up to `failUntil` fail with it. */
  failFrom = Number.POSITIVE_INFINITY;
  failUntil = Number.POSITIVE_INFINITY;
  mode: FailureMode = 'half';
  failed = 0;
  syncs = 0;
  /** Names of the calls, for a failing test's message. */
  readonly trace: string[] = [];

  async #call<T>(name: string, half: () => void, whole: () => T): Promise<T> {
    // Real disks answer later.
    await Promise.resolve();
    this.calls += 1;
    this.trace.push(name);
    if (this.calls < this.failFrom || this.calls > this.failUntil) return whole();
    this.failed += 1;
    if (this.mode === 'half') half();
    if (this.mode === 'after') whole();
    throw Object.assign(new Error(`ENOSPC: no space left on device, ${name}`), { code: 'ENOSPC' });
  }

  read(path: string): Promise<Uint8Array | null> {
    return this.#call('read', nothing, () => {
      const file = this.files.get(path);
      return file === undefined ? null : Buffer.from(file.content);
    });
  }

  list(directory: string): Promise<readonly string[]> {
    const names = () =>
      [...this.files.keys()].filter((path) => dirname(path) === directory).map((path) => basename(path));
    return this.#call('list', nothing, names);
  }

  async openAppend(path: string) {
    const make = (): void => {
      if (!this.files.has(path)) this.files.set(path, { content: Buffer.alloc(0), durable: 0 });
    };
    await this.#call('open', make, make);
    const file = (): File => {
      const found = this.files.get(path);
      if (found === undefined) throw new Error('the file was removed under the writer');
      return found;
    };
    const add = (bytes: Uint8Array): void => {
      file().content = Buffer.concat([file().content, bytes]);
    };
    const settle = (): void => {
      file().durable = file().content.length;
      this.syncs += 1;
    };
    const cut = (size: number): void => {
      file().content = file().content.subarray(0, size);
      file().durable = Math.min(file().durable, size);
    };
    return {
      append: (bytes: Uint8Array) =>
        this.#call(
          'append',
          () => add(bytes.subarray(0, bytes.length / 2)),
          () => add(bytes),
        ),
      sync: () => this.#call('sync', nothing, settle),
      truncate: (size: number) => this.#call('truncate', nothing, () => cut(size)),
      close: () => this.#call('close', nothing, nothing),
    };
  }

  replace(path: string, bytes: Uint8Array): Promise<void> {
    const put = (): void => {
      this.files.set(path, { content: Buffer.from(bytes), durable: bytes.length });
    };
    return this.#call('replace', nothing, put);
  }

  remove(path: string): Promise<void> {
    return this.#call('remove', nothing, () => void this.files.delete(path));
  }

  syncDirectory(): Promise<void> {
    return this.#call('syncDirectory', nothing, nothing);
  }

  async makeDirectory(): Promise<void> {}

  /** Power loss: of every file, what was synced stays, and `share` (0 to 1) of the rest. */
  losePower(share: number): void {
    for (const file of this.files.values()) {
      const kept = file.durable + Math.floor((file.content.length - file.durable) * share);
      file.content = file.content.subarray(0, kept);
      file.durable = kept;
    }
  }

  heal(): void {
    this.failFrom = Number.POSITIVE_INFINITY;
  }

  text(name: string): string {
    return this.files.get(join(DIRECTORY, name))?.content.toString('utf8') ?? '';
  }

  put(name: string, content: string | Uint8Array): void {
    const bytes = Buffer.from(content);
    this.files.set(join(DIRECTORY, name), { content: bytes, durable: bytes.length });
  }

  names(): string[] {
    return [...this.files.keys()].map((path) => basename(path)).toSorted();
  }
}

const nothing = (): void => undefined;
