/**
 * restic as the controller meets it: a process that prints what the real one prints (measured: the three versions of
 * `judgeExit`), makes progress only while its vault answers, hangs when the path dies, and leaves its lock when it is killed.
 */
import type { ChildEnd } from '../../src/controller/processes/child.ts';
import { isAtLeast, type ResticVersion } from '../../src/controller/restic/verdict.ts';
import type { Dice } from '../simulation/dice.ts';
import type { VirtualTime } from '../simulation/virtual-time.ts';
import type { Lock, Snapshot, SourceFile, Sources, Vault, Writer } from './vault.ts';

export const VERSIONS: readonly ResticVersion[] = [
  { major: 0, minor: 14, patch: 0 },
  { major: 0, minor: 18, patch: 0 },
  { major: 0, minor: 19, patch: 1 },
];
/** What the controller's own machine is called. */
export const HOST = 'appliance';

const FILE_BYTES = 40_000;
const PACKED_BYTES = 16_000;
/** A dead path is given up after this long, ms: measured 15 to 43 minutes. */
const GIVES_UP_MS = 15 * 60_000;
/** A restic that is asked to stop tries to remove its lock for this long, ms: measured 60 s. */
const GOODBYE_MS = 60_000;
const LOOK_MS = 200;
const SLICE_MS = 500;
const STALE_LOCK_MS = 30 * 60_000;
const WITH_CODES: ResticVersion = { major: 0, minor: 17, patch: 1 };
const WITH_JSON: ResticVersion = { major: 0, minor: 18, patch: 0 };

/** What one run works with. */
export interface ResticParts {
  readonly time: VirtualTime;
  readonly dice: Dice;
  readonly version: ResticVersion;
  readonly vault: Vault;
  readonly sources: Sources;
  /** Calendar time of the box. */
  readonly date: () => Date;
  readonly args: readonly string[];
  readonly stdout: (line: string) => void;
  readonly stderr: (line: string) => void;
  readonly ended: (end: ChildEnd) => void;
  /** How much slower than usual the vault is. */
  readonly slowness: number;
}

/** Thrown where the process ends by itself. */
class Exit extends Error {
  readonly code: number;

  constructor(code: number, why: string) {
    super(why);
    this.code = code;
  }
}

export class Restic implements Writer {
  readonly command: string;
  readonly startedAt: number;
  readonly #parts: ResticParts;
  readonly #lock: Lock;
  isGone = false;
  #interruptedAt: number | null = null;
  #hasWritten = false;

  constructor(parts: ResticParts) {
    this.#parts = parts;
    this.startedAt = parts.time.now;
    this.command = parts.args.find((each) => !each.startsWith('-')) ?? '';
    this.#lock = {
      exclusive: ['check', 'forget', 'prune', 'tag', 'repair'].includes(this.command),
      host: HOST,
      isAlive: () => !this.isGone,
      at: parts.time.now,
    };
    void this.#live();
  }

  /** SIGINT. */
  interrupt(): void {
    this.#interruptedAt ??= this.#parts.time.now;
  }

  /** SIGKILL, by whom ever. */
  kill(): void {
    if (this.isGone) return;
    this.isGone = true;
    const { vault, time, dice, ended } = this.#parts;
    // Also one that had only begun to lock: nobody can tell the two apart.
    if (this.#hasWritten && !['unlock', 'check'].includes(this.command))
      vault.interrupted = { at: time.now, unlocked: false, indexed: false };
    time.after(dice.between(1, 30), () => ended({ exitCode: null, signal: 'SIGKILL', startProblem: null }));
  }

  async #live(): Promise<void> {
    let code = 0;
    try {
      await this.#wait(this.#parts.dice.between(20, 200));
      code = await this.#run();
    } catch (error) {
      if (!(error instanceof Exit)) throw error;
      ({ code } = error);
      this.#complain(code, error.message);
    }
    this.#unlock();
    this.isGone = true;
    this.#parts.ended({ exitCode: code, signal: null, startProblem: null });
  }

  /** Never goes on in a process that is gone. */
  #wait(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.#parts.time.after(ms, () => (this.isGone ? undefined : resolve()));
    });
  }

  /** Works with the vault for so long, and waits where it does not answer. */
  async #work(ms: number): Promise<void> {
    const { time, vault, slowness } = this.#parts;
    for (let left = ms * slowness; left > 0; left -= SLICE_MS) {
      await this.#wait(Math.min(left, SLICE_MS));
      const since = time.now;
      while (!vault.answers) {
        const askedMs = this.#interruptedAt === null ? 0 : time.now - this.#interruptedAt;
        if (askedMs > GOODBYE_MS || time.now - since > GIVES_UP_MS)
          throw new Exit(this.#interruptCode(), 'Fatal: the server did not answer');
        await this.#wait(LOOK_MS);
      }
      if (this.#interruptedAt !== null)
        throw new Exit(this.#interruptCode(), 'signal interrupt received, cleaning up');
    }
  }

  #interruptCode(): number {
    if (this.#interruptedAt === null) return 1;
    return this.#parts.version.minor === 18 ? 1 : 130;
  }

  #write(what: string): void {
    const { vault } = this.#parts;
    if (vault.isFull && what !== 'lock' && what !== 'removal')
      throw new Exit(1, 'Fatal: unable to save: no space left on device');
    vault.watch.wrote(vault, this, what);
    this.#hasWritten = true;
  }

  #complain(code: number, why: string): void {
    const { version, stderr } = this.#parts;
    if (isAtLeast(version, WITH_JSON))
      stderr(JSON.stringify({ message_type: 'exit_error', code, message: why }));
    else stderr(why);
  }

  #refuse(code: number, why: string): never {
    throw new Exit(isAtLeast(this.#parts.version, WITH_CODES) ? code : 1, why);
  }

  async #open(): Promise<void> {
    await this.#work(this.#parts.dice.between(100, 1_500));
    const { vault } = this.#parts;
    if (vault.id === null)
      this.#refuse(
        10,
        'Fatal: repository does not exist: unable to open config file: <config/> does not exist',
      );
    if (!vault.passwordFits) this.#refuse(12, 'Fatal: wrong password or no key found');
  }

  async #openLocked(): Promise<void> {
    await this.#open();
    const { vault } = this.#parts;
    const { exclusive } = this.#lock;
    if (vault.locks.some((each) => exclusive || each.exclusive))
      this.#refuse(
        11,
        'unable to create lock in backend: repository is already locked by PID 77 on elsewhere',
      );
    if (vault.isReadOnly) await this.#work(GIVES_UP_MS);
    this.#write('lock');
    vault.locks = [...vault.locks, this.#lock];
    await this.#work(200);
  }

  #unlock(): void {
    const { vault } = this.#parts;
    if (!vault.locks.includes(this.#lock)) return;
    // Stays behind, as stale as that of a process that was killed.
    if (!vault.answers) return;
    vault.locks = vault.locks.filter((each) => each !== this.#lock);
  }

  async #run(): Promise<number> {
    const { args } = this.#parts;
    switch (this.command) {
      case 'cat':
        return this.#cat();
      case 'init':
        return this.#init();
      case 'snapshots':
        return this.#snapshots();
      case 'unlock':
        return this.#removeLocks(args.includes('--remove-all'));
      case 'repair':
      case 'rebuild-index':
        return this.#repair();
      case 'check':
        return this.#check();
      case 'backup':
        return this.#backup();
      case 'forget':
        return args.includes('--dry-run') ? this.#planForget() : this.#forget();
      case 'prune':
        return this.#prune();
      case 'diff':
        return this.#diff();
      case 'tag':
        return this.#tag();
      default:
        throw new Exit(1, `unknown command ${this.command}`);
    }
  }

  async #cat(): Promise<number> {
    await this.#open();
    const { vault, stdout } = this.#parts;
    stdout('{');
    stdout('  "version": 2,');
    stdout(`  "id": "${vault.id ?? ''}",`);
    stdout('  "chunker_polynomial": "3dc88c0d9ea3cb"');
    stdout('}');
    return 0;
  }

  async #init(): Promise<number> {
    await this.#work(1_000);
    const { vault, stdout } = this.#parts;
    if (vault.id !== null) throw new Exit(1, 'Fatal: create repository failed: config file already exists');
    this.#write('config');
    stdout(JSON.stringify({ message_type: 'initialized', id: vault.make(), repository: vault.name }));
    return 0;
  }

  async #snapshots(): Promise<number> {
    await this.#open();
    const { args, stdout, vault } = this.#parts;
    const ids = args.filter((each) => /^[0-9a-f]{8,64}$/.test(each));
    const host = args.find((each) => each.startsWith('--host='))?.slice('--host='.length);
    const shown = vault.snapshots.filter(
      ({ id, hostname }) =>
        (ids.length === 0 || ids.some((each) => id.startsWith(each))) &&
        (host === undefined || hostname === host),
    );
    stdout(JSON.stringify(shown.map(shownSnapshot)));
    return 0;
  }

  async #removeLocks(all: boolean): Promise<number> {
    await this.#open();
    const { vault, time } = this.#parts;
    const isStale = ({ host, isAlive, at }: Lock): boolean =>
      all || (host === HOST && !isAlive()) || time.now - at > STALE_LOCK_MS;
    const stale = vault.locks.filter(isStale);
    if (all) vault.watch.wrote(vault, this, 'removal of every lock');
    if (stale.length > 0) this.#write('removal');
    vault.locks = vault.locks.filter((each) => !isStale(each));
    if (vault.interrupted !== null) vault.interrupted.unlocked = true;
    this.#parts.stdout('successfully removed locks');
    return 0;
  }

  async #repair(): Promise<number> {
    await this.#openLocked();
    await this.#work(1_000);
    const { vault } = this.#parts;
    this.#write('index');
    vault.orphans = 0;
    if (vault.interrupted !== null) vault.interrupted.indexed = true;
    this.#parts.stdout('loading indexes...');
    return 0;
  }

  async #check(): Promise<number> {
    await this.#openLocked();
    await this.#work(this.#parts.dice.between(500, 8_000));
    const { vault, version, stdout } = this.#parts;
    if (vault.isDamaged) {
      if (isAtLeast(version, WITH_JSON)) stdout(JSON.stringify({ message_type: 'summary', num_errors: 1 }));
      throw new Exit(1, 'Fatal: repository contains errors');
    }
    if (isAtLeast(version, WITH_JSON)) stdout(JSON.stringify({ message_type: 'summary', num_errors: 0 }));
    else stdout('no errors were found');
    if (vault.interrupted?.unlocked === true) vault.interrupted = null;
    return 0;
  }

  async #backup(): Promise<number> {
    const { args, sources, stderr, vault, version, dice, date } = this.#parts;
    const began = date();
    const host = args.find((each) => each.startsWith('--host='))?.slice('--host='.length) ?? HOST;
    const paths = args.slice(args.indexOf('--') + 1);
    if (sources.missing) {
      stderr(`${sources.root} does not exist, skipping`);
      throw new Exit(1, 'Fatal: all source directories/files do not exist');
    }
    await this.#openLocked();
    const parent = vault.parentOf(host, paths);
    const { files } = sources;
    const before = new Map((parent?.files ?? []).map((file) => [file.path, file]));
    this.#scanned(files.length);
    let packed = 0;
    let done = 0;
    let changed = 0;
    let added = 0;
    for (const file of files) {
      done += 1;
      const old = before.get(file.path);
      if (old?.version === file.version && old.dense === file.dense) continue;
      await this.#work(dice.between(40, 400));
      packed += this.#seen(file, old === undefined ? 'new' : 'modified');
      if (old === undefined) added += 1;
      else changed += 1;
      this.#status(done, files.length);
      if (packed < 8 * PACKED_BYTES * (vault.orphans + 1)) continue;
      this.#write('pack');
      vault.orphans += 1;
    }
    await this.#work(dice.between(500, 3_000));
    this.#write('index');
    if (sources.unreadable)
      stderr(
        JSON.stringify({
          message_type: 'error',
          error: version.minor === 14 ? {} : { message: 'permission denied' },
          during: 'archival',
          item: `${sources.root}/secret`,
        }),
      );
    await this.#work(300);
    this.#write('snapshot');
    const made = vault.add({
      time: began.toISOString(),
      hostname: host,
      paths,
      tags: [],
      original: null,
      files,
    });
    vault.orphans = 0;
    await this.#work(100);
    this.#summary(made, { changed, added, packed });
    return sources.unreadable ? 3 : 0;
  }

  #scanned(files: number): void {
    const kind = this.#parts.version.minor === 14 ? 'status' : 'verbose_status';
    this.#parts.stdout(
      JSON.stringify({
        message_type: kind,
        action: 'scan_finished',
        item: '',
        data_size: files * FILE_BYTES,
        total_files: files,
      }),
    );
  }

  #seen(file: SourceFile, action: 'new' | 'modified'): number {
    const inRepository = file.dense ? FILE_BYTES : PACKED_BYTES;
    this.#parts.stdout(
      JSON.stringify({
        message_type: this.#parts.version.minor === 14 ? 'status' : 'verbose_status',
        action,
        item: file.path,
        duration: 0.01,
        data_size: FILE_BYTES,
        data_size_in_repo: inRepository,
      }),
    );
    return inRepository;
  }

  #status(done: number, total: number): void {
    this.#parts.stdout(
      JSON.stringify({
        message_type: 'status',
        percent_done: done / total,
        total_files: total,
        files_done: done,
        total_bytes: total * FILE_BYTES,
        bytes_done: done * FILE_BYTES,
      }),
    );
  }

  #summary(
    { id, files }: Snapshot,
    { changed, added, packed }: { changed: number; added: number; packed: number },
  ): void {
    this.#parts.stdout(
      JSON.stringify({
        message_type: 'summary',
        files_new: added,
        files_changed: changed,
        files_unmodified: files.length - added - changed,
        data_added: (added + changed) * FILE_BYTES,
        ...(this.#parts.version.minor === 14 ? {} : { data_added_packed: packed }),
        total_files_processed: files.length,
        total_bytes_processed: files.length * FILE_BYTES,
        snapshot_id: this.#parts.version.minor === 14 ? id.slice(0, 8) : id,
      }),
    );
  }

  async #planForget(): Promise<number> {
    await this.#openLocked();
    const { args, stdout, vault } = this.#parts;
    const last = Number(args.find((each) => each.startsWith('--keep-last='))?.slice('--keep-last='.length));
    const groups = Map.groupBy(vault.snapshots, ({ hostname, paths }) => `${hostname} ${paths.join()}`);
    const plan = [...groups.values()].map((group) => {
      const ordered = group.toSorted((a, b) => b.time.localeCompare(a.time));
      const [first] = ordered;
      return {
        tags: null,
        host: first?.hostname ?? '',
        paths: first?.paths ?? [],
        keep: ordered.slice(0, last).map(shownSnapshot),
        remove: ordered.length <= last ? null : ordered.slice(last).map(shownSnapshot),
      };
    });
    stdout(JSON.stringify(plan));
    return 0;
  }

  async #forget(): Promise<number> {
    await this.#openLocked();
    const { args, vault } = this.#parts;
    for (const id of args.filter((each) => /^[0-9a-f]{64}$/.test(each))) {
      await this.#work(200);
      this.#write('removal');
      vault.watch.forgot(vault, this, [id]);
      vault.snapshots = vault.snapshots.filter((each) => each.id !== id);
    }
    return 0;
  }

  async #prune(): Promise<number> {
    await this.#openLocked();
    await this.#work(2_000);
    this.#write('pack');
    await this.#work(1_000);
    this.#write('removal');
    this.#parts.stdout('done');
    return 0;
  }

  async #diff(): Promise<number> {
    await this.#open();
    const { args, stdout, vault } = this.#parts;
    const [before, after] = args
      .filter((each) => /^[0-9a-f]{64}$/.test(each))
      .map((id) => vault.snapshots.find((each) => each.id === id));
    if (before === undefined || after === undefined) throw new Exit(1, 'Fatal: no matching ID found');
    await this.#work(500);
    const old = new Map(before.files.map((file) => [file.path, file]));
    const change = (path: string, modifier: string): void =>
      stdout(JSON.stringify({ message_type: 'change', path, modifier }));
    for (const { path, version } of after.files) {
      const was = old.get(path);
      old.delete(path);
      if (was === undefined) change(path, '+');
      else if (was.version !== version) change(path, 'M');
    }
    for (const path of old.keys()) change(path, '-');
    stdout(JSON.stringify({ message_type: 'statistics', changed_files: 0 }));
    return 0;
  }

  async #tag(): Promise<number> {
    await this.#openLocked();
    const { args, vault } = this.#parts;
    const id = args.at(-1) ?? '';
    const old = vault.snapshots.find((each) => each.id === id);
    if (old === undefined) return 0;
    this.#write('snapshot');
    vault.snapshots = vault.snapshots.filter((each) => each.id !== id);
    vault.add({ ...old, tags: [...old.tags, 'suspect'], original: old.original ?? old.id });
    return 0;
  }
}

const shownSnapshot = ({ id, time, hostname, paths, tags, original }: Snapshot) => ({
  id,
  short_id: id.slice(0, 8),
  time,
  hostname,
  paths,
  ...(tags.length === 0 ? {} : { tags }),
  ...(original === null ? {} : { original }),
});
