/** The backup step: options that reach restic, and the proof that the snapshot stands in the vault. */
import { hostname } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { FileSeen, ScanSeen } from '../../src/controller/restic/lines.ts';
import type { Run } from '../../src/controller/restic/run.ts';
import { isAtLeast } from '../../src/controller/restic/verdict.ts';
import { missingTools } from './appliance.ts';
import { ended, StepBench } from './step-bench.ts';

describe.skipIf(missingTools() !== null)('backup', { timeout: 60_000 }, () => {
  let bench: StepBench;
  beforeEach(async () => {
    bench = new StepBench();
    await bench.start();
  });
  afterEach(() => bench.stopAll());

  test('options by name leave out, mark and limit what they say', async () => {
    await bench.make('vault');
    bench.write('kept', 'x');
    bench.write('by-pattern.tmp', 'x');
    bench.write('by-file.bak', 'x');
    bench.write('cache/CACHEDIR.TAG', 'Signature: 8a477f597d28d172789f06886806bc55\n');
    bench.write('cache/thing', 'x');
    bench.write('private/.nobackup', '');
    bench.write('private/thing', 'x');
    bench.write('large', new Uint8Array(5_000));
    const patterns = bench.write('patterns', '*.bak\n');
    const { outcome, facts } = await bench.step({
      backup: {
        repository: 'vault',
        paths: [bench.source],
        exclude: ['*.tmp'],
        exclude_file: [patterns],
        exclude_caches: true,
        exclude_if_present: ['.nobackup'],
        exclude_larger_than: '4K',
        one_file_system: true,
        tags: ['nightly', 'db'],
        host: 'elsewhere',
        limit_upload: 100_000,
        limit_download: 100_000,
        compression: 'max',
        pack_size: 8,
        extra_arguments: ['--with-atime'],
      },
    });
    expect(outcome).toEqual({ kind: 'done' });
    const [snapshot] = bench.snapshots('vault');
    expect(snapshot).toMatchObject({ id: facts?.snapshot, hostname: 'elsewhere', tags: ['nightly', 'db'] });
    const listed = bench
      .restic('vault', 'ls', 'latest')
      .split('\n')
      .filter((line) => line.startsWith(`${bench.source}/`))
      .map((line) => line.slice(bench.source.length + 1));
    expect(listed).toContain('kept');
    expect(listed).toContain('cache/CACHEDIR.TAG');
    for (const gone of ['by-pattern.tmp', 'by-file.bak', 'cache/thing', 'private/thing', 'large'])
      expect(listed).not.toContain(gone);
    expect(bench.ledger.repository('vault')).toMatchObject({
      last_good_backup: { snapshot: snapshot?.id },
      snapshots: [{ id: snapshot?.id, at: snapshot?.time }],
    });
  });

  test('who watches is shown every new file as it happens, and may freeze what is kept', async () => {
    await bench.make('vault');
    bench.write('one', 'some text, some text, some text');
    bench.write('two', 'x');
    const files: FileSeen[] = [];
    const scans: ScanSeen[] = [];
    bench.watch = {
      file: (file) => files.push(file),
      scanned: (scan) => scans.push(scan),
      ended: ({ snapshot, known }) =>
        Promise.resolve({ why: `odd: ${snapshot.paths.join()}`, snapshot, known }),
    };
    await bench.step({ backup: { repository: 'vault', paths: [bench.source] } });
    expect(scans).toEqual([{ files: 2, bytes: 32 }]);
    const one = files.find(({ path }) => path === join(bench.source, 'one'));
    expect(one).toMatchObject({ action: 'new', dataBytes: 31 });
    expect(one?.dataBytesInRepository).toBeGreaterThan(0);
    expect(bench.ledger.frozen('vault')).toBe(`odd: ${bench.source}`);
  });

  test('without anything new, the snapshot that is there is read back', async (context) => {
    if (!isAtLeast(bench.host.program.version, { major: 0, minor: 17, patch: 0 }))
      return context.skip('NOT TESTED: skip_if_unchanged needs restic 0.17 (PORTCULLIS_TEST_RESTIC)');
    await bench.make('vault');
    // Directories above count, too, and /tmp changes all the time.
    const step = { backup: { repository: 'vault', paths: ['/usr/lib/os-release'], skip_if_unchanged: true } };
    const first = await bench.step(step);
    const second = await bench.step(step);
    expect(second.outcome).toEqual({ kind: 'done' });
    expect(second.facts?.snapshot).toBe(first.facts?.snapshot);
    expect(second.facts?.notes?.join()).toContain('nothing has changed');
    expect(bench.snapshots('vault')).toHaveLength(1);
  });

  test('what a program prints is backed up; one that fails is no backup', async (context) => {
    if (!isAtLeast(bench.host.program.version, { major: 0, minor: 17, patch: 0 }))
      return context.skip('NOT TESTED: stdin needs restic 0.17 (PORTCULLIS_TEST_RESTIC)');
    await bench.make('vault');
    const step = (command: readonly string[]) => ({
      backup: { repository: 'vault', stdin: { command, filename: '/all.sql' } },
    });
    expect((await bench.step(step(['/bin/echo', 'a dump']))).outcome).toEqual({ kind: 'done' });
    expect(bench.restic('vault', 'dump', 'latest', '/all.sql')).toBe('a dump\n');
    const torn = await bench.step(step(['/bin/sh', '-c', 'echo half a dump; exit 3']));
    expect(torn.outcome).toMatchObject({ kind: 'failed' });
    expect(bench.snapshots('vault')).toHaveLength(1);
  });

  test.each([
    ['read_concurrency', { read_concurrency: 4, paths: ['/srv'] }, '0.15.0'],
    ['skip_if_unchanged', { skip_if_unchanged: true, paths: ['/srv'] }, '0.17.0'],
    ['stdin', { stdin: { command: ['/bin/echo'], filename: '/dump' } }, '0.17.0'],
  ])('%s is refused by name for a restic that is too old', async (key, settings, least) => {
    const version = { major: 0, minor: 14, patch: 0 };
    const { outcome } = await bench.step({ backup: { repository: 'vault', ...settings } }, { version });
    expect(outcome).toMatchObject({
      kind: 'failed',
      code: 'restic-too-old',
      why: `\`${key}\` needs restic ${least}, this one is 0.14.0`,
    });
    expect(bench.calls).toEqual([]);
  });

  test('what restic 0.18.0 cannot do is said before it is tried', async () => {
    const version = { major: 0, minor: 18, patch: 0 };
    const stdin = { command: ['/bin/echo'], filename: '/dumps/all.sql' };
    const { outcome } = await bench.step({ backup: { repository: 'vault', stdin } }, { version });
    const hint = expect.stringContaining('`filename: /all.sql`') as string;
    expect(outcome).toMatchObject({ kind: 'failed', code: 'restic-too-old', hint });
    expect(bench.calls).toEqual([]);
  });

  const ID = 'a'.repeat(64);
  const good = { id: ID, time: new Date().toISOString(), hostname: hostname(), paths: ['/srv/a', '/srv/b'] };
  test.each([
    ['the one that was asked for', good, 'done'],
    ['of another host', { ...good, hostname: 'intruder' }, 'not-as-asked'],
    ['of another path', { ...good, paths: ['/srv/a', '/etc'] }, 'not-as-asked'],
    ['of less than was asked for', { ...good, paths: ['/srv/a'] }, 'not-as-asked'],
    ['from last week', { ...good, time: '2026-01-01T00:00:00Z' }, 'not-as-asked'],
    ['without a time', { ...good, time: 'yesterday' }, 'not-as-asked'],
    ['another one', { ...good, id: 'b'.repeat(64) }, 'not-on-vault'],
  ])('a snapshot that is read back as %s', async (_name, snapshot, verdict) => {
    const run: Run = ({ args }) =>
      Promise.resolve(
        args[0] === 'backup'
          ? ended({ summary: summaryOf(ID.slice(0, 8)) })
          : ended({ output: JSON.stringify([snapshot]) }),
      );
    const paths = ['/srv/a/', '/srv//b'];
    const { outcome, learnt } = await bench.step({ backup: { repository: 'vault', paths } }, { run });
    if (verdict === 'done') expect(outcome).toEqual({ kind: 'done' });
    else expect(outcome).toMatchObject({ kind: 'failed', code: verdict });
    expect(learnt === undefined).toBe(verdict !== 'done');
  });
});

test('without anything new, a snapshot of more paths is not taken for it', async () => {
  const bench = new StepBench();
  await bench.start();
  try {
    const mine = { id: 'a'.repeat(64), time: '2026-11-01T02:00:00Z', hostname: hostname(), paths: ['/srv'] };
    const more = { ...mine, id: 'b'.repeat(64), time: '2026-11-02T02:00:00Z', paths: ['/srv', '/etc'] };
    const run: Run = ({ args }) =>
      Promise.resolve(
        args[0] === 'backup'
          ? ended({ summary: { ...summaryOf('c'.repeat(8)), snapshot_id: null } })
          : ended({ output: JSON.stringify([mine, more]) }),
      );
    const version = { major: 0, minor: 18, patch: 0 };
    const step = { backup: { repository: 'vault', paths: ['/srv'], skip_if_unchanged: true } };
    const { outcome, facts } = await bench.step(step, { run, version });
    expect(outcome).toEqual({ kind: 'done' });
    expect(facts?.snapshot).toBe(mine.id);
  } finally {
    bench.stopAll();
  }
});

const summaryOf = (id: string) => ({
  files_new: 1,
  files_changed: 0,
  files_unmodified: 0,
  data_added: 1,
  data_added_packed: null,
  total_files_processed: 1,
  total_bytes_processed: 1,
  snapshot_id: id,
});
