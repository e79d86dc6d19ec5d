/** A disk made of single system calls, each of which can fail, and a loss of power that keeps only what was synced. */
import { dirname } from 'node:path';
import type { AppendFile, Disk } from '../../src/journal/disk.ts';

interface Inode {
  cached: Uint8Array;
  durable: Uint8Array;
}

/** What a failing call leaves behind: nothing, or everything (and the caller is told that it failed). */
export type FailureMode = 'before' | 'after';

/** What a loss of power spares of that which was not synced. */
export interface Spared {
  readonly names: boolean;
  readonly contents: boolean;
}

/** Every way in which power may be lost between two calls. */
export const LOSSES: readonly Spared[] = [
  { names: false, contents: false },
  { names: true, contents: false },
  { names: false, contents: true },
  { names: true, contents: true },
];

const nothing = new Uint8Array();

export class SyscallDisk implements Disk {
  #cached = new Map<string, Inode>();
  #durable = new Map<string, Inode>();
  calls = 0;
  /** The calls that fail, counted from 1. */
  failFrom = Number.POSITIVE_INFINITY;
  failUntil = Number.POSITIVE_INFINITY;
  mode: FailureMode = 'before';
  failed = 0;

  async read(path: string): Promise<Uint8Array | null> {
    return this.#call(() => this.#cached.get(path)?.cached ?? null);
  }

  async list(): Promise<readonly string[]> {
    return this.#call(() => [...this.#cached.keys()]);
  }

  async openAppend(path: string): Promise<AppendFile> {
    const inode = await this.#call(() => this.#cached.get(path) ?? this.#create(path));
    return {
      append: (bytes) =>
        this.#call(() => {
          inode.cached = Buffer.concat([inode.cached, bytes]);
        }),
      truncate: (size) =>
        this.#call(() => {
          inode.cached = inode.cached.subarray(0, size);
        }),
      sync: () => this.#sync(inode),
      close: () => this.#call(() => undefined),
    };
  }

  /** The calls of `nodeDisk.replace`, in its order. */
  async replace(path: string, bytes: Uint8Array): Promise<void> {
    const draft = `${path}.new`;
    const inode = await this.#call(() => this.#create(draft));
    await this.#call(() => {
      inode.cached = Uint8Array.from(bytes);
    });
    await this.#sync(inode);
    await this.#call(() => undefined);
    await this.#call(() => {
      this.#cached.delete(draft);
      this.#cached.set(path, inode);
    });
    await this.syncDirectory(dirname(path));
  }

  async remove(path: string): Promise<void> {
    await this.#call(() => {
      if (!this.#cached.delete(path)) throw Object.assign(new Error('ENOENT'), { code: 'ENOENT' });
    });
    await this.syncDirectory(dirname(path));
  }

  syncDirectory(_directory: string): Promise<void> {
    return this.#call(() => {
      this.#durable = new Map(this.#cached);
    });
  }

  async makeDirectory(): Promise<void> {}

  /** The disk as it is found after power was lost now; this one goes on as it is. */
  afterPowerLoss({ names, contents }: Spared): SyscallDisk {
    const found = new SyscallDisk();
    const spared = names ? this.#cached : this.#durable;
    for (const [path, inode] of spared) {
      const kept = contents ? inode.cached : inode.durable;
      found.#cached.set(path, { cached: kept, durable: kept });
    }
    found.#durable = new Map(found.#cached);
    return found;
  }

  put(path: string, bytes: Uint8Array): void {
    this.#cached.set(path, { cached: bytes, durable: bytes });
    this.#durable = new Map(this.#cached);
  }

  #create(path: string): Inode {
    const inode: Inode = { cached: nothing, durable: nothing };
    this.#cached.set(path, inode);
    return inode;
  }

  #sync(inode: Inode): Promise<void> {
    return this.#call(() => {
      inode.durable = inode.cached;
    });
  }

  async #call<T>(happens: () => T): Promise<T> {
    await Promise.resolve();
    this.calls += 1;
    if (this.calls < this.failFrom || this.calls > this.failUntil) return happens();
    this.failed += 1;
    if (this.mode === 'after') happens();
    throw Object.assign(new Error('EIO: simulated'), { code: 'EIO' });
  }
}

/** Runs `attempt` with its n-th call failing, alone or with all after it, for n = 1, 2, 3 … until nothing fails any more. */
export async function sweep(
  attempt: (disk: SyscallDisk, how: string) => Promise<void>,
  prepared: () => Promise<SyscallDisk>,
): Promise<number> {
  let runs = 0;
  for (const mode of ['before', 'after'] as const) {
    for (const lasting of [false, true]) {
      for (let nth = 1; ; nth += 1) {
        const disk = await prepared();
        disk.calls = 0;
        disk.mode = mode;
        disk.failFrom = nth;
        disk.failUntil = lasting ? Number.POSITIVE_INFINITY : nth;
        await attempt(disk, `call ${nth} fails ${mode} it happens${lasting ? ', and all after it' : ''}`);
        runs += 1;
        if (disk.failed === 0) break;
      }
    }
  }
  return runs;
}
