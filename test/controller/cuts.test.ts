/**
 * Cuts at moments that a seed chooses, over links that are really cut. After each the next window recovers by itself, all data is read and
 * good, and no finished snapshot is lost. `PORTCULLIS_LONG=1` cuts twelve times per kind of vault; otherwise once or twice, and says so.
 * `PORTCULLIS_SEED` repeats a run; `PORTCULLIS_CUTS_OUT` names a file for the figures in docs/recovery.md.
 */
import { execFileSync, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createHash, randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import type { WindowReport } from '../../src/controller/report.ts';
import { cableMissing } from '../contacts/cable.ts';
import { Appliance, eventually, missingTools, RESTIC } from './appliance.ts';
import { initialiseCheaply } from './cheap-key.ts';
import { bytesIn, diskVault, restVault, sftpVault } from './cut-vaults.ts';
import type { CutVault } from './cut-vaults.ts';
import { missingDisks } from './loop-disk.ts';
import { missingSsh } from './sshd.ts';

const LONG = process.env['PORTCULLIS_LONG'] !== undefined;
const SEED = Number(process.env['PORTCULLIS_SEED'] ?? '20261121');
const CUTS = LONG ? 12 : { rest: 2, sftp: 1, disk: 2 };
/** Bytes of new files in each round. */
const ROUND_BYTES = LONG ? 24_000_000 : 10_000_000;
const FILES = 12;

const noCable = cableMissing();
if (noCable !== null) console.warn(`NOT TESTED: cuts over a cable: ${noCable}`);
if (!LONG) console.warn('short form: 5 cuts over cut links; PORTCULLIS_LONG=1 makes 36');

/** The same numbers for the same seed (mulberry32). */
function dice(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const filesIn = (directory: string, kind: string): string[] =>
  existsSync(join(directory, kind))
    ? readdirSync(join(directory, kind), { recursive: true, encoding: 'utf8' }).filter(
        (name) => !/^[0-9a-f]{2}$/.test(name),
      )
    : [];
const finished = (names: readonly string[]): string[] =>
  names.map((name) => name.replace(/^.*\//, '')).filter((name) => /^[0-9a-f]{64}$/.test(name));

class CutAppliance extends Appliance {
  vaultBehind: CutVault | null = null;

  /** `make` makes the vault; nothing of the usual path is started. */
  async behind(make: (directory: string) => CutVault | Promise<CutVault>): Promise<CutVault> {
    for (const path of [this.source, this.runtime]) mkdirSync(path, { recursive: true });
    writeFileSync(this.passwordFile, 'a password\n');
    await this.interlock.start();
    const vault = await make(this.directory);
    this.vaultBehind = vault;
    this.interlock.onConnect = vault.connect;
    this.interlock.onIsolate = vault.cut;
    vault.cut();
    return vault;
  }

  override async stop(): Promise<void> {
    try {
      await this.controller?.stop();
    } finally {
      for (const pid of this.children()) process.kill(pid, 'SIGKILL');
      this.vaultBehind?.stop();
      await super.stop();
    }
  }

  async backing(): Promise<void> {
    const reach = this.vaultBehind?.reach ?? null;
    const entry = { password_file: this.passwordFile, ...this.vaultBehind?.entry };
    const steps = [
      { backup: { repository: 'main', paths: [this.source], limit_upload: 8_000, pack_size: 4 } },
      { forget: { repository: 'main', keep_last: 3, minimum_snapshots: 1, prune: true } },
    ];
    await this.run(
      this.config(
        { steps, ...(reach === null ? {} : { reach: { tcp: reach } }) },
        { repositories: { main: entry } },
      ),
    );
  }

  /** restic on what lies in the vault, past the link. */
  resticIn(directory: string, ...args: string[]): string {
    return execFileSync(RESTIC, ['--no-cache', '-r', directory, ...args], {
      env: { ...process.env, RESTIC_PASSWORD_FILE: this.passwordFile },
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  }

  renew(round: number): void {
    for (let index = 0; index < FILES; index += 1)
      writeFileSync(join(this.source, `file-${round % 2}-${index}`), randomBytes(ROUND_BYTES / FILES));
  }
}

/** When to cut: at the first lock, after a share of the bytes, at the index, or so many ms into forget and prune. */
type Moment =
  | { readonly kind: 'lock' | 'index' }
  | { readonly kind: 'bytes'; readonly share: number }
  | { readonly kind: 'prune'; readonly afterMs: number };

function momentOf(throwOf: () => number): Moment {
  const where = throwOf();
  if (where < 0.1) return { kind: 'lock' };
  if (where < 0.7) return { kind: 'bytes', share: throwOf() };
  if (where < 0.85) return { kind: 'index' };
  return { kind: 'prune', afterMs: Math.round(throwOf() * 2_000) };
}

const shown = (moment: Moment): string =>
  moment.kind === 'bytes'
    ? `${Math.round(moment.share * 100)} % of the bytes`
    : moment.kind === 'prune'
      ? `${moment.afterMs} ms into forget and prune`
      : moment.kind;

/** Waits for the moment; false when the window was over before it. */
async function untilMoment(
  it: CutAppliance,
  vault: CutVault,
  moment: Moment,
  occurrence: string,
): Promise<boolean> {
  const look = <T>(see: (directory: string) => T): T => vault.inspect(see);
  const isOver = (): boolean => it.reports.some((report) => report.occurrence === occurrence);
  const before = { bytes: 0, index: 0, isSet: false };
  let prunedAtMs: number | null = null;
  await eventually(
    `the moment: ${shown(moment)}`,
    () => {
      if (isOver()) return true;
      // Nothing is there to look at until restic works.
      if (it.progress.findLast((each) => each.occurrence === occurrence)?.phase !== 'work') return false;
      if (!before.isSet) {
        before.bytes = look((directory) => bytesIn(join(directory, 'data')));
        before.index = look((directory) => filesIn(directory, 'index').length);
        before.isSet = true;
      }
      const step = it.progress.findLast((each) => each.occurrence === occurrence)?.step?.name ?? '';
      switch (moment.kind) {
        case 'lock':
          return look((directory) => finished(filesIn(directory, 'locks')).length > 0);
        case 'bytes':
          return (
            step === 'backup' &&
            look((directory) => bytesIn(join(directory, 'data'))) - before.bytes >= moment.share * ROUND_BYTES
          );
        case 'index':
          return step === 'backup' && look((directory) => filesIn(directory, 'index').length) > before.index;
        case 'prune':
          if (step !== 'forget') return false;
          prunedAtMs ??= performance.now();
          return performance.now() - prunedAtMs >= moment.afterMs;
      }
    },
    90_000,
  );
  return !isOver();
}

const DONE = { kind: 'done' };
const SOUND = [
  ['recover', DONE],
  ['backup', DONE],
  ['forget', DONE],
];

/** What a vault holds, as its files say. */
function contentOf(directory: string): {
  readonly locks: number;
  readonly unfinished: readonly string[];
  readonly packs: readonly string[];
} {
  const data = filesIn(directory, 'data');
  // A server that writes under the final name leaves half a pack there: only its content says whether it is whole.
  const isPack = (name: string): boolean =>
    finished([name])[0] ===
    createHash('sha256')
      .update(readFileSync(join(directory, 'data', name)))
      .digest('hex');
  const packs = data.filter(isPack);
  return {
    locks: finished(filesIn(directory, 'locks')).length,
    unfinished: data.filter((name) => !packs.includes(name)),
    packs,
  };
}

const sizeOf = (directory: string, names: readonly string[]): number =>
  names.reduce((sum, name) => sum + statSync(join(directory, 'data', name)).size, 0);

/** One cut, and what the next window makes of it. True when the cut came before the end. */
async function cutOnce(
  it: CutAppliance,
  vault: CutVault,
  name: string,
  moment: Moment,
  round: number,
): Promise<boolean> {
  const occurrence = `cut-${round}`;
  it.renew(round);
  const before = vault.inspect(contentOf);
  it.interlock.openWindow('nightly', occurrence, 120_000);
  await untilMoment(it, vault, moment, occurrence);
  const cutAtMs = performance.now();
  it.interlock.trip('source:test', `cut at ${shown(moment)}`);
  await eventually('restic and its helpers to be gone', () => it.children().length === 0, 20_000);
  const diedMs = performance.now() - cutAtMs;
  const report = await it.report(occurrence);
  const inTime = report.outcome !== 'done';
  if (inTime) {
    expect(report.outcome, `${shown(moment)}: ${JSON.stringify(report)}`).toBe('cut-short');
    // Where the cut came after the last step nothing is unfinished.
    if (report.steps.some(({ outcome }) => outcome.kind === 'cut-short'))
      expect(it.ledger().repositories['main']?.mark).toMatchObject({ kind: 'cut' });
  }
  // On a disk that was torn out while it was unmounted the work is done, and what was written last may be lost all the same.
  const isMarked = it.ledger().repositories['main']?.mark !== null;
  const left = vault.inspect((directory) => {
    const now = contentOf(directory);
    const fresh = now.packs.filter((each) => !before.packs.includes(each));
    return {
      ...now,
      fresh: fresh.length,
      freshBytes: sizeOf(directory, fresh),
      unfinishedBytes: sizeOf(directory, now.unfinished),
    };
  });
  it.interlock.reset();
  const next = await it.window(`after-${round}`, 120_000, 90_000);
  expect(
    next.steps.map((step) => [step.step, step.outcome]),
    shown(moment),
  ).toEqual(isMarked ? SOUND : SOUND.slice(1));
  const backup = next.steps.find(({ step }) => step === 'backup');
  // What was finished before the cut is not sent again.
  if (inTime && moment.kind !== 'prune')
    expect(backup?.bytes_added, shown(moment)).toBeLessThan(
      ROUND_BYTES * 1.05 + 500_000 - left.freshBytes * 0.95,
    );
  lookThrough(it, vault);
  const figures = {
    vault: name,
    moment: inTime ? shown(moment) : 'after the end',
    died_ms: Math.round(diedMs),
    locks: left.locks,
    unfinished: left.unfinished.length,
    unfinished_bytes: left.unfinishedBytes,
    finished_packs: left.fresh,
    finished_bytes: left.freshBytes,
    sent_again: backup?.bytes_added ?? null,
    recover_ms: next.steps[0]?.step === 'recover' ? next.steps[0].took_ms : null,
  };
  const out = process.env['PORTCULLIS_CUTS_OUT'];
  if (out !== undefined) appendFileSync(out, `${JSON.stringify(figures)}\n`);
  // Left to itself restic hangs for a quarter of an hour and more.
  expect(diedMs).toBeLessThan(10_000);
  return inTime;
}

/** All data is read and good, no lock is left, and the last two snapshots that were reported are there: one that was finished but not reported counts for `keep_last` as well. */
function lookThrough(it: CutAppliance, vault: CutVault): void {
  const made = it.reports
    .flatMap(({ steps }) => steps)
    .flatMap(({ step, outcome, snapshot }) =>
      step === 'backup' && outcome.kind === 'done' && snapshot !== undefined ? [snapshot] : [],
    );
  vault.inspect((directory) => {
    expect(filesIn(directory, 'locks')).toEqual([]);
    it.resticIn(directory, 'check', '--read-data');
    const there = finished(filesIn(directory, 'snapshots'));
    expect(there).toEqual(expect.arrayContaining(made.slice(-2)));
  });
}

const KINDS = [
  ['rest', restVault, noCable ?? missingTools()],
  ['sftp', sftpVault, noCable ?? missingTools() ?? missingSsh()],
  ['disk', (directory: string) => diskVault(directory), missingDisks() ?? missingTools()],
] as const;

describe('a cut at any moment', { timeout: LONG ? 1_200_000 : 180_000 }, () => {
  let it: CutAppliance | null = null;
  const others: ChildProcess[] = [];
  afterEach(async () => {
    for (const each of others.splice(0)) each.kill('SIGKILL');
    await it?.stop();
    it = null;
  });
  const ready = async (
    make: (typeof KINDS)[number][1],
    throwOf: () => number,
  ): Promise<[CutAppliance, CutVault]> => {
    const appliance = new CutAppliance();
    it = appliance;
    const vault = await appliance.behind((directory) => make(directory, () => throwOf() < 0.5));
    vault.inspect((directory) => initialiseCheaply(directory, 'a password'));
    await appliance.backing();
    appliance.renew(0);
    const first = await appliance.window('first');
    expect(first.outcome, JSON.stringify(first)).toBe('done');
    return [appliance, vault];
  };

  test.each(KINDS.map(([name, make, why], index) => ({ name, make, why, index })))(
    '$name: the next window recovers by itself, and all data is good',
    async ({ name, make, why, index }) => {
      if (why !== null) {
        console.warn(`NOT TESTED: cuts of ${name}: ${why}`);
        return;
      }
      const throwOf = dice(SEED + index);
      const [appliance, vault] = await ready(make, throwOf);
      let count = 0;
      for (let round = 1; round <= (typeof CUTS === 'number' ? CUTS : CUTS[name]); round += 1)
        // oxlint-disable-next-line no-await-in-loop -- one cut after the other
        if (await cutOnce(appliance, vault, name, momentOf(throwOf), round)) count += 1;
      expect(count, 'cuts that came before the end').toBeGreaterThan(0);
      // The newest snapshot holds what the source holds.
      const restored = join(appliance.directory, 'restored');
      vault.inspect((directory) => appliance.resticIn(directory, 'restore', 'latest', '--target', restored));
      execFileSync('diff', ['-r', appliance.source, join(restored, appliance.source)]);
    },
  );

  test.skipIf(KINDS[0][2] !== null)(
    'the live lock of another machine stays, whatever was cut here',
    async () => {
      const [appliance, vault] = await ready(restVault, dice(SEED));
      const held = vault.inspect((directory) => {
        const other = spawn(
          'unshare',
          [
            '--uts',
            'sh',
            '-c',
            'hostname elsewhere; exec "$0" "$@"',
            RESTIC,
            '--no-cache',
            '-r',
            directory,
            'backup',
            '--stdin',
          ],
          {
            stdio: ['pipe', 'ignore', 'ignore'],
            env: { ...process.env, RESTIC_PASSWORD_FILE: appliance.passwordFile },
          },
        );
        others.push(other);
        return directory;
      });
      const [theirs] = await eventually('the lock of the other machine', () => {
        const locks = finished(filesIn(held, 'locks'));
        return locks.length > 0 && locks;
      });
      appliance.renew(1);
      appliance.interlock.openWindow('nightly', 'cut', 120_000);
      await untilMoment(appliance, vault, { kind: 'bytes', share: 0.4 }, 'cut');
      appliance.interlock.trip('source:test', 'cut');
      await appliance.report('cut');
      expect(finished(filesIn(held, 'locks'))).toHaveLength(2);
      appliance.interlock.reset();
      const report: WindowReport = await appliance.window('after');
      expect(finished(filesIn(held, 'locks'))).toEqual([theirs]);
      // A backup beside the other machine is fine; what needs the repository alone waits, and the mark stays.
      expect(report.steps.map(({ step, outcome }) => [step, outcome.kind])).toEqual([
        ['recover', 'failed'],
        ['backup', 'done'],
        ['forget', 'failed'],
      ]);
      expect(appliance.ledger().repositories['main']?.mark).toMatchObject({ kind: 'cut' });
    },
  );
});

test.skipIf(missingTools() !== null)(
  'an append-only vault recovers, too: nothing but locks is deleted there',
  { timeout: 120_000 },
  async () => {
    const appliance = new Appliance();
    try {
      await appliance.start(['--append-only']);
      appliance.makeVault();
      appliance.fill(4, 500_000);
      const steps = [{ backup: { repository: 'main', paths: [appliance.source], limit_upload: 4_000 } }];
      const main = { url: appliance.url, password_file: appliance.passwordFile, append_only: true };
      await appliance.run(appliance.config({ steps }, { repositories: { main } }));
      expect(await appliance.window('first')).toMatchObject({ outcome: 'done' });
      const [index = ''] = appliance.files('index');
      appliance.fill(10, 1_000_000, 'more');
      appliance.interlock.openWindow('nightly', 'cut', 60_000);
      await appliance.untilUploading((appliance.gate?.bytes ?? 0) + 2_000_000);
      appliance.interlock.trip('source:test', 'cut');
      expect(await appliance.report('cut')).toMatchObject({ outcome: 'cut-short' });
      appliance.interlock.reset();
      const next = await appliance.window('after');
      expect(next.steps.map(({ step, outcome }) => [step, outcome])).toEqual(SOUND.slice(0, 2));
      expect(appliance.files('index')).toContain(index);
      appliance.restic('check', '--read-data');
    } finally {
      await appliance.stop();
    }
  },
);
