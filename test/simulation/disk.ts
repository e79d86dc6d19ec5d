/** The disk of the simulated box: what is in its cache, what survives power loss, and how it fails. */
import { join } from 'node:path';
import type { AppendFile, Disk } from '../../src/journal/disk.ts';
import type { Dice } from './dice.ts';
import type { ProcessClock } from './virtual-time.ts';

export type DiskFault = 'full' | 'read-only' | 'flaky' | 'slow' | 'hanging';

/** How often a flaky disk fails a call. */
const FLAKY = 0.4;
const SLOW_MS = 1_500;
const QUICK_MS = 6;
/** How often a call looks whether a hanging disk answers again, ms. */
const HANGING_LOOK_MS = 100;

/** What outlives processes and, where it was synced, power loss. */
export class SimulatedDisk {
  readonly #dice: Dice;
  readonly cached = new Map<string, Uint8Array>();
  readonly #durable = new Map<string, Uint8Array>();
  fault: DiskFault | null = null;

  constructor(dice: Dice) {
    this.#dice = dice;
  }

  /** Power is lost: of what was not synced, anything between nothing and all survives. */
  losePower(): void {
    for (const path of new Set([...this.cached.keys(), ...this.#durable.keys()])) {
      if (this.#dice.chance(0.5)) put(this.#durable, path, this.cached.get(path));
      put(this.cached, path, this.#durable.get(path));
    }
  }

  /** What of a file would survive a loss of power now; null when nothing would. */
  survives(path: string): Uint8Array | null {
    return this.#durable.get(path) ?? null;
  }

  /** Something scribbles over a file. */
  garble(path: string): void {
    const bytes = this.cached.get(path);
    if (bytes === undefined) return;
    const garbled = Uint8Array.from(bytes.subarray(0, this.#dice.between(0, bytes.length)));
    if (garbled.length > 0) garbled[Math.floor(this.#dice.between(0, garbled.length))] = 0x7e;
    this.cached.set(path, garbled);
    this.#durable.set(path, garbled);
  }

  /** Only the beginning of a file is left. False when there is no such file. */
  tear(path: string): boolean {
    const bytes = this.cached.get(path);
    if (bytes === undefined) return false;
    const torn = bytes.subarray(0, this.#dice.between(0, bytes.length));
    this.cached.set(path, torn);
    this.#durable.set(path, torn);
    return true;
  }

  /** A person writes a file. */
  write(path: string, bytes: Uint8Array): void {
    this.cached.set(path, bytes);
    this.#durable.set(path, bytes);
  }

  /** A file is gone. */
  lose(path: string): void {
    this.cached.delete(path);
    this.#durable.delete(path);
  }

  /** The disk as one process uses it. A process that dies in a call leaves the call where it was. */
  usedBy(clock: Pick<ProcessClock, 'pause'>): Disk {
    const step = (kind: 'reads' | 'writes' | 'removes', what: () => void = () => undefined): Promise<void> =>
      this.#step(clock, kind, what);
    const settle = (path: string): void => put(this.#durable, path, this.cached.get(path));
    return {
      read: async (path) => {
        await step('reads');
        return this.cached.get(path) ?? null;
      },
      list: async (directory) => {
        await step('reads');
        const within = `${directory}/`;
        return [...this.cached.keys()].flatMap((path) => {
          const name = path.slice(within.length);
          return path.startsWith(within) && !name.includes('/') ? [name] : [];
        });
      },
      openAppend: async (path) => {
        await step('removes', () => this.cached.set(path, this.cached.get(path) ?? new Uint8Array()));
        return this.#appendFile(path, step, settle);
      },
      replace: async (path, bytes) => {
        await step('writes');
        await step('writes');
        await step('removes', () => this.cached.set(path, Uint8Array.from(bytes)));
        await step('removes', () => settle(path));
      },
      remove: async (path) => {
        await step('removes', () => {
          if (!this.cached.delete(path)) throw Object.assign(new Error('ENOENT'), { code: 'ENOENT' });
        });
        await step('removes', () => settle(path));
      },
      syncDirectory: async (directory) => {
        await step('removes', () => {
          for (const path of this.cached.keys()) if (path.startsWith(`${directory}/`)) settle(path);
        });
      },
      makeDirectory: () => step('removes'),
    };
  }

  #appendFile(
    path: string,
    step: (kind: 'writes' | 'removes', what?: () => void) => Promise<void>,
    settle: (path: string) => void,
  ): AppendFile {
    return {
      append: (bytes) =>
        step('writes', () =>
          this.cached.set(path, Buffer.concat([this.cached.get(path) ?? new Uint8Array(), bytes])),
        ),
      truncate: (size) =>
        step('removes', () =>
          this.cached.set(path, (this.cached.get(path) ?? new Uint8Array()).subarray(0, size)),
        ),
      sync: () => step('removes', () => settle(path)),
      close: async () => undefined,
    };
  }

  /** One system call: takes its time, then happens or fails. `removes` need no space. */
  async #step(
    clock: Pick<ProcessClock, 'pause'>,
    kind: 'reads' | 'writes' | 'removes',
    what: () => void,
  ): Promise<void> {
    await clock.pause(this.#dice.between(0, this.fault === 'slow' ? SLOW_MS : QUICK_MS));
    while (this.fault === 'hanging') await clock.pause(HANGING_LOOK_MS);
    if (this.fault === 'full' && kind === 'writes') throw diskError('ENOSPC');
    if (this.fault === 'read-only' && kind !== 'reads') throw diskError('EROFS');
    if (this.fault === 'flaky' && this.#dice.chance(FLAKY)) {
      // A call that failed may have happened.
      if (this.#dice.chance(0.5)) what();
      throw diskError('EIO');
    }
    what();
  }
}

const diskError = (code: string): Error => Object.assign(new Error(`${code}: simulated`), { code });

function put(files: Map<string, Uint8Array>, path: string, bytes: Uint8Array | undefined): void {
  if (bytes === undefined) files.delete(path);
  else files.set(path, bytes);
}

/** Where the interlock keeps its state. */
export const STATE = '/state';
export const LATCH_PATH = join(STATE, 'latch.json');
export const LEDGER_PATH = join(STATE, 'ledger.json');
export const PROOFS_PATH = join(STATE, 'proofs.json');
