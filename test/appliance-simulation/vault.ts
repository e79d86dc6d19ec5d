/** What is behind a link: a restic repository as far as its owner can see it, and what a rogue client does to it. */
import { createHash } from 'node:crypto';
import type { Dice } from '../simulation/dice.ts';
import type { PhysicalLink } from '../simulation/hardware.ts';

/** One file of the sources: how often its content has changed, and whether it is noise now. */
export interface SourceFile {
  readonly path: string;
  readonly version: number;
  readonly dense: boolean;
}

/** What is backed up, as it is now. */
export class Sources {
  readonly root: string;
  files: readonly SourceFile[];
  /** The directory is not there: a mount that failed. */
  missing = false;
  /** One file cannot be read. */
  unreadable = false;

  constructor(root: string, canary: string, files: number) {
    this.root = root;
    const names = Array.from({ length: files }, (_, index) => `${root}/letter-${index}.txt`);
    this.files = [canary, ...names].map((path) => ({ path, version: 0, dense: false }));
  }

  /** What a day of work does. */
  work(dice: Dice): void {
    const edited = new Set(Array.from({ length: dice.pick([2, 3, 4, 5]) }, () => this.#any(dice)));
    this.files = this.files.map((file, index) =>
      edited.has(index) ? { ...file, version: file.version + 1 } : file,
    );
    const path = `${this.root}/letter-${this.files.length}-new.txt`;
    if (dice.chance(0.5)) this.files = [...this.files, { path, version: 0, dense: false }];
  }

  /** Blackmail: every file becomes noise. The canaries too, unless the intruder knows them. */
  encrypt(sparesCanary: boolean): void {
    this.files = this.files.map((file, index) =>
      index === 0 && sparesCanary ? file : { ...file, version: file.version + 1, dense: true },
    );
  }

  empty(dice: Dice): void {
    this.files = this.files.slice(0, Math.ceil(this.files.length * dice.between(0.05, 0.4)));
  }

  touchCanary(): void {
    this.files = this.files.map((file, index) =>
      index === 0 ? { ...file, version: file.version + 1 } : file,
    );
  }

  /** The canary is put back as it was planted. */
  mendCanary(): void {
    this.files = this.files.map((file, index) =>
      index === 0 ? { ...file, version: 0, dense: false } : file,
    );
  }

  /** Never the canary. */
  #any(dice: Dice): number {
    return 1 + Math.floor(dice.next() * (this.files.length - 1));
  }
}

export interface Snapshot {
  readonly id: string;
  readonly time: string;
  readonly hostname: string;
  readonly paths: readonly string[];
  readonly tags: readonly string[];
  readonly original: string | null;
  readonly files: readonly SourceFile[];
}

export interface Lock {
  readonly exclusive: boolean;
  readonly host: string;
  /** Its process still runs. */
  readonly isAlive: () => boolean;
  /** Time of the world. */
  readonly at: number;
}

/** What somebody outside sees of a vault. */
export interface VaultWatch {
  /** Something of a process of ours was written or removed there. */
  readonly wrote: (vault: Vault, by: Writer, what: string) => void;
  readonly forgot: (vault: Vault, by: Writer, ids: readonly string[]) => void;
}

/** A process of ours that works in a vault. */
export interface Writer {
  readonly command: string;
  readonly startedAt: number;
}

export class Vault {
  readonly name: string;
  readonly link: PhysicalLink;
  readonly watch: VaultWatch;
  id: string | null = null;
  snapshots: Snapshot[] = [];
  /** Every id that ever stood here. */
  readonly ever = new Set<string>();
  locks: Lock[] = [];
  /** Finished packs that no index names. */
  orphans = 0;
  hasPower = true;
  isFull = false;
  isReadOnly = false;
  isDamaged = false;
  passwordFits = true;
  /** A process of ours was killed while it wrote, and nobody has checked since. */
  interrupted: { readonly at: number; unlocked: boolean; indexed: boolean } | null = null;
  #serial = 0;

  constructor(name: string, link: PhysicalLink, watch: VaultWatch) {
    this.name = name;
    this.link = link;
    this.watch = watch;
  }

  /** Somebody who tries gets through. */
  get answers(): boolean {
    return this.link.connected && this.hasPower;
  }

  make(): string {
    this.id = this.#newId('repository');
    return this.id;
  }

  add(snapshot: Omit<Snapshot, 'id'>): Snapshot {
    const made = { ...snapshot, id: this.#newId('snapshot') };
    this.snapshots = [...this.snapshots, made];
    this.ever.add(made.id);
    return made;
  }

  /** The newest one of the same host and paths. */
  parentOf(hostname: string, paths: readonly string[]): Snapshot | null {
    const alike = (each: Snapshot): boolean =>
      each.hostname === hostname && each.paths.join() === paths.join();
    return this.snapshots.findLast(alike) ?? null;
  }

  // What a rogue client does, with the password or without.

  removeNewest(): void {
    this.snapshots = this.snapshots.slice(0, -1);
  }

  empty(): void {
    this.id = null;
    this.snapshots = [];
    this.locks = [];
    this.interrupted = null;
    this.orphans = 0;
  }

  plant(time: string): void {
    this.add({ time, hostname: 'elsewhere', paths: ['/tmp'], tags: [], original: null, files: [] });
  }

  #newId(what: string): string {
    this.#serial += 1;
    return createHash('sha256').update(`${this.name} ${what} ${this.#serial}`).digest('hex');
  }
}
