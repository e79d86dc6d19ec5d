/** Restore drills with a real restic: what counts as compared, and what does not pass. */
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { nanosecondsOf } from '../../src/controller/steps/drill-comparison.ts';
import { fileIn, fitting, patternOf, Reservoir } from '../../src/controller/steps/drill-sample.ts';
import { missingTools } from './appliance.ts';
import { StepBench } from './step-bench.ts';

describe.skipIf(missingTools() !== null)('a restore drill', { timeout: 60_000 }, () => {
  let bench: StepBench;
  beforeEach(async () => {
    bench = new StepBench();
    await bench.start();
    await bench.make('vault');
  });
  afterEach(() => bench.stopAll());
  const drill = (more: Readonly<Record<string, unknown>> = {}) => ({
    restore_drill: { repository: 'vault', ...more },
  });
  const backUp = () => bench.step({ backup: { repository: 'vault', paths: [bench.source] } });
  /** Other content behind the same size and time, as a wiper that covers its tracks leaves it. */
  const swap = (path: string, content: string): void => {
    const { atime, mtime } = statSync(path);
    writeFileSync(path, content);
    utimesSync(path, atime, mtime);
  };

  test('compares with the source, later with the digest, and says when with neither', async () => {
    const odd = ['a*b', 'q[1]', 'back\\slash', 'sp ace', 'ünï', 'x$HOME', "quote'"].map((name) =>
      bench.write(`odd/${name}`, `this is ${name}`),
    );
    // Whole seconds: only these can be put back from here.
    for (const path of odd) utimesSync(path, 1_700_000_000, 1_700_000_000);
    await backUp();
    const stopped = await bench.begin(drill());
    const nothing = await stopped.afterwards?.(AbortSignal.abort());
    expect(nothing).toMatchObject({ outcome: { kind: 'cut-short' } });
    expect(nothing?.learnt).toBeUndefined();
    expect(bench.left()).toEqual([]);

    // What a killed drill left behind goes; what is not of a drill stays.
    mkdirSync(join(bench.scratch, 'portcullis-drill-vault-aB3dE9'), { recursive: true });
    mkdirSync(join(bench.scratch, 'mine'));
    const begun = await bench.begin(drill());
    expect(bench.left()).toHaveLength(2);
    const first = await begun.afterwards?.(bench.stop.signal);
    expect(bench.left()).toEqual(['mine']);
    expect(first).toMatchObject({
      outcome: { kind: 'done' },
      facts: { drill: { files: 7, as_source: 7, as_recorded: 0, without_reference: 0 } },
    });
    expect(first?.learnt?.last_restore_drill).toMatchObject({ outcome: 'done', why: null, files: 7 });
    expect(bench.calls.find(([command]) => command === 'restore')).toEqual(
      expect.arrayContaining(['--no-cache', '--verify']),
    );

    // Every source has changed since: the digests of the first drill are what is left to compare with.
    for (const path of odd) writeFileSync(path, 'encrypted');
    const second = await bench.step(drill());
    expect(second).toMatchObject({
      outcome: { kind: 'done' },
      facts: { drill: { files: 7, as_source: 0, as_recorded: 7 } },
    });

    rmSync(join(bench.directory, 'drill-vault.json'));
    const third = await bench.step(drill());
    expect(third).toMatchObject({
      outcome: { kind: 'partly-done' },
      facts: { drill: { without_reference: 7 } },
    });
    expect(bench.ledger.repository('vault')).toMatchObject({
      last_restore_drill: { outcome: 'partly-done' },
      frozen: null,
    });
  });

  test('two drills of one window wait for their comparison side by side', async () => {
    bench.write('dump/one.sql', 'CREATE');
    await backUp();
    const sample = await bench.begin(drill());
    const whole = await bench.begin(drill({ path: join(bench.source, 'dump') }));
    expect(bench.left()).toHaveLength(2);
    for (const begun of [sample, whole])
      // oxlint-disable-next-line no-await-in-loop -- in order, as a window does it
      expect(await begun.afterwards?.(bench.stop.signal)).toMatchObject({
        outcome: { kind: 'done' },
        facts: { drill: { files: 1, as_source: 1 } },
      });
    expect(bench.left()).toEqual([]);
    expect(bench.ledger.frozen('vault')).toBeNull();
  });

  test('what another repository still needs is left alone, however alike the names', async () => {
    mkdirSync(join(bench.scratch, 'portcullis-drill-vault-two-aB3dE9'), { recursive: true });
    bench.write('one', 'x');
    await backUp();
    await bench.step(drill());
    expect(bench.left()).toEqual(['portcullis-drill-vault-two-aB3dE9']);
  });

  test('names that are no UTF-8 are no reason to freeze anything', async () => {
    bench.write('good', 'x');
    writeFileSync(Buffer.concat([Buffer.from(`${bench.source}/bad`), Buffer.from([0xff])]), 'y');
    await backUp();
    for (const more of [{}, { path: bench.source }])
      // oxlint-disable-next-line no-await-in-loop
      expect(await bench.step(drill(more))).toMatchObject({
        outcome: { kind: 'done' },
        facts: { drill: { files: 1 } },
      });
    expect(bench.ledger.frozen('vault')).toBeNull();
  });

  test('a drill that compared nothing is not done, whosever snapshot it is', async () => {
    const path = bench.write('one', 'x');
    await bench.step({ backup: { repository: 'vault', paths: [bench.source], host: 'laptop' } });
    rmSync(path);
    for (const more of [{}, { path: bench.source }])
      // oxlint-disable-next-line no-await-in-loop
      expect((await bench.step(drill(more))).outcome).toMatchObject({ kind: 'partly-done' });
  });

  test('a source with another content behind the same size and time fails it, and keeps what is kept', async () => {
    const path = bench.write('ledger.db', 'all that we own');
    utimesSync(path, 1_700_000_000, 1_700_000_000);
    await backUp();
    swap(path, 'all that we owe');
    const { outcome } = await bench.step(drill());
    expect(outcome).toMatchObject({ kind: 'failed', code: 'drill-differs' });
    expect(outcome).toMatchObject({ why: expect.stringContaining(path) as string });
    expect(bench.ledger.frozen('vault')).toContain('a restore drill found');
    expect(bench.ledger.repository('vault').last_restore_drill).toMatchObject({ outcome: 'failed' });
    expect(bench.left()).toEqual([]);
  });

  test('a vault whose data rots fails it, although its structure is whole', async () => {
    bench.write('one', 'x'.repeat(100_000));
    await backUp();
    const data = join(bench.directory, 'vault', 'data');
    const packs = readdirSync(data).flatMap((part) =>
      readdirSync(join(data, part)).map((name) => join(data, part, name)),
    );
    for (const pack of packs) {
      chmodSync(pack, 0o600);
      writeFileSync(pack, randomBytes(statSync(pack).size));
    }
    const { outcome, learnt } = await bench.step(drill());
    expect(outcome).toMatchObject({ kind: 'failed', code: 'restic-failed' });
    expect(learnt?.last_restore_drill).toMatchObject({ outcome: 'failed' });
    expect(bench.left()).toEqual([]);
  });

  test("a path is handed to the user's program, which decides", async () => {
    bench.write('dump/one.sql', 'CREATE');
    bench.write('other/two', 'x');
    await backUp();
    const seen = join(bench.directory, 'seen');
    const verify = (script: string) =>
      drill({
        path: join(bench.source, 'dump'),
        verify: { command: ['/bin/sh', '-c', script], timeout: '20s' },
      });
    const good = await bench.step(
      verify(
        `grep -q CREATE "$PORTCULLIS_RESTORED/one.sql" && ls "$PORTCULLIS_RESTORED/.." > ${seen}; echo looked`,
      ),
    );
    expect(good).toMatchObject({
      outcome: { kind: 'done' },
      facts: { output: 'looked', drill: { files: 1, bytes: 6, judged_by: 'verify' } },
    });
    expect(readFileSync(seen, 'utf8')).toBe('dump\n');
    const bad = await bench.step(verify('echo no rows; exit 2'));
    expect(bad.outcome).toMatchObject({
      kind: 'failed',
      code: 'drill-refused',
      why: expect.stringContaining('no rows') as string,
    });
    const large = await bench.step(drill({ path: join(bench.source, 'dump'), max_size: '5' }));
    expect(large.outcome).toMatchObject({ kind: 'failed', code: 'drill-too-large' });
    const wrong = await bench.step(drill({ scratch_directory: join(bench.source, 'other/two') }));
    expect(wrong.outcome).toMatchObject({ kind: 'failed', code: 'scratch-unusable' });
    expect(bench.left()).toEqual([]);
  });
});

test('what was restored goes also where its directories let nobody write', async () => {
  // Root may write everywhere: only another user sees it.
  const where = mkdtempSync(join(tmpdir(), 'portcullis-scratch-'));
  try {
    chmodSync(where, 0o777);
    const module = join(import.meta.dirname, '../../src/controller/steps/drill-scratch.ts');
    const script = `import { freshScratch, removeScratch, dropLeftScratch } from ${JSON.stringify(module)};
      import { chmodSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
      const where = ${JSON.stringify(where)};
      const fill = (directory) => {
        mkdirSync(directory + '/a/b', { recursive: true });
        writeFileSync(directory + '/a/b/c', 'x');
        chmodSync(directory + '/a/b', 0o555);
        chmodSync(directory + '/a', 0o555);
      };
      const mine = await freshScratch(where, 'vault');
      fill(mine);
      mkdirSync(where + '/portcullis-drill-vault-aB3dE9');
      fill(where + '/portcullis-drill-vault-aB3dE9');
      await dropLeftScratch(where, 'vault');
      console.log(JSON.stringify([readdirSync(where).length, await removeScratch(mine), readdirSync(where)]));`;
    const nobody = 65_534;
    const said = execFileSync(process.execPath, ['--input-type=module-typescript', '-e', script], {
      encoding: 'utf8',
      ...(process.getuid?.() === 0 ? { uid: nobody, gid: nobody } : {}),
    });
    expect(JSON.parse(said)).toEqual([1, null, []]);
  } finally {
    rmSync(where, { recursive: true, force: true });
  }
});

test('a sample is fair, bounded, and without repetition', () => {
  const file = (index: number, bytes = 10) => ({ path: `/f${index}`, bytes, mtime: 't' });
  const hits = new Map<string, number>();
  for (let round = 0; round < 2_000; round += 1) {
    const reservoir = new Reservoir(2);
    for (let index = 0; index < 10; index += 1) reservoir.offer(file(index));
    for (const { path } of reservoir.files()) hits.set(path, (hits.get(path) ?? 0) + 1);
  }
  // 400 are expected of each; eight standard deviations away is not chance.
  expect(hits.size).toBe(10);
  for (const count of hits.values()) expect(Math.abs(count - 400)).toBeLessThan(145);
  const many = [file(1, 60), file(2, 60), file(1, 60), file(3, 30), file(4, 1)];
  expect(fitting(many, 10, 100).map(({ path }) => path)).toEqual(['/f1', '/f3', '/f4']);
  expect(fitting(many, 1, 100)).toHaveLength(1);
});

test('lines, patterns and times', () => {
  const line = {
    name: 'x',
    type: 'file',
    path: '/x',
    size: 3,
    mtime: '2026-11-21T08:00:00.5Z',
    struct_type: 'node',
  };
  expect(fileIn(JSON.stringify(line))).toEqual({ path: '/x', bytes: 3, mtime: line.mtime });
  expect(fileIn(JSON.stringify({ ...line, type: 'dir' }))).toBeNull();
  expect(fileIn('{"type":"file"')).toBeNull();
  expect(patternOf('/a*b?[c]\\d')).toBe('/a\\*b\\?\\[c\\]\\\\d');
  expect(nanosecondsOf('1970-01-01T01:00:01.000000005+01:00')).toBe(1_000_000_005n);
  expect(nanosecondsOf('yesterday')).toBeNull();
  // The times of the file system are compared as restic writes them.
  const path = execFileSync('mktemp', { encoding: 'utf8' }).trim();
  const { mtimeNs } = statSync(path, { bigint: true });
  const text = `${new Date(Number(mtimeNs / 1_000_000n)).toISOString().slice(0, 19)}.${String(mtimeNs % 1_000_000_000n).padStart(9, '0')}Z`;
  rmSync(path);
  expect(nanosecondsOf(text)).toBe(mtimeNs);
});
