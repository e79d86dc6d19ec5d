/** Forgetting: judged before it is done, and then exactly what was judged. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { judgeList } from '../../src/controller/anomalies/ledger-rules.ts';
import type { Run } from '../../src/controller/restic/run.ts';
import { missingTools } from './appliance.ts';
import { ended, StepBench } from './step-bench.ts';

describe.skipIf(missingTools() !== null)('forget and prune', { timeout: 60_000 }, () => {
  let bench: StepBench;
  beforeEach(async () => {
    bench = new StepBench();
    await bench.start();
    bench.write('one', 'x');
  });
  afterEach(() => bench.stopAll());
  const forget = (rules: Readonly<Record<string, unknown>>) => ({
    forget: { repository: 'vault', ...rules },
  });

  test('the floor holds, and below it nothing goes; above it exactly what the rules say', async () => {
    await bench.make('vault');
    for (const day of ['01', '02', '03', '04']) {
      bench.write('one', `version ${day}`.repeat(1_000));
      bench.restic('vault', 'backup', '-q', '--time', `2026-11-${day} 02:00:00`, bench.source);
    }
    const refused = await bench.step(forget({ keep_last: 2 }));
    expect(refused.outcome).toMatchObject({
      kind: 'skipped',
      why: expect.stringContaining('2 would stay, and minimum_snapshots is 3') as string,
    });
    expect(refused.facts).toEqual({ snapshots_kept: 4 });
    expect(bench.snapshots('vault')).toHaveLength(4);

    const nothing = await bench.step(forget({ keep_last: 4 }));
    expect(nothing).toMatchObject({
      outcome: { kind: 'done' },
      facts: { snapshots_kept: 4, snapshots_removed: 0 },
    });

    const done = await bench.step(
      forget({ keep_within: '25h', keep_last: 1, minimum_snapshots: 2, prune: true }),
    );
    expect(done).toMatchObject({
      outcome: { kind: 'done' },
      facts: { snapshots_kept: 2, snapshots_removed: 2 },
    });
    expect(bench.snapshots('vault').map(({ time }) => time.slice(8, 10))).toEqual(['03', '04']);
    expect(bench.calls.map(([command]) => command)).toContain('prune');
    bench.restic('vault', 'check', '--read-data');
    const limited = await bench.step({
      prune: { repository: 'vault', max_unused: '10%', max_repack_size: '100M' },
    });
    expect(limited.outcome).toEqual({ kind: 'done' });
  });

  test('one that is cut half way leaves nothing that looks stolen', async () => {
    await bench.make('vault');
    for (const day of ['01', '02', '03', '04'])
      bench.restic('vault', 'backup', '-q', '--time', `2026-11-${day} 02:00:00`, bench.source);
    await bench.ledger.note({
      vault: { snapshots: bench.snapshots('vault').map(({ id, time }) => ({ id, at: time })) },
    });
    const real = bench.run('vault');
    const run: Run = async (call) => {
      if (call.args.includes('--dry-run')) return real(call);
      bench.restic('vault', ...call.args.slice(0, 3)); // forget --json, the first of them
      return ended({ verdict: 'cut-short' });
    };
    const { outcome } = await bench.step(forget({ keep_last: 1, minimum_snapshots: 1 }), { run });
    expect(outcome).toMatchObject({ kind: 'cut-short' });
    const left = bench.snapshots('vault');
    expect(left).toHaveLength(3);
    const list = left.map((each) => ({ ...each, tags: [] }));
    const judged = judgeList(list, bench.ledger.repository('vault').snapshots, () => false);
    expect(judged.findings).toEqual([]);
    // One that we did not begin to forget is missed all the same.
    const kept = judgeList(list.slice(0, -1), bench.ledger.repository('vault').snapshots, () => false);
    expect(kept.findings).toMatchObject([{ rule: 'snapshot-gone', numbers: { gone: 1 } }]);
  });

  test('a snapshot from the future keeps everything as it is', async () => {
    await bench.make('vault');
    for (const time of ['2026-11-01', '2026-11-02', '2099-01-01'])
      bench.restic('vault', 'backup', '-q', '--time', `${time} 02:00:00`, bench.source);
    const { outcome } = await bench.step(forget({ keep_last: 1, minimum_snapshots: 1 }));
    expect(outcome).toMatchObject({ kind: 'failed', code: 'snapshot-from-the-future' });
    expect(bench.snapshots('vault')).toHaveLength(3);
  });

  const snapshot = (letter: string, time = '2026-11-01T02:00:00Z') => ({ id: letter.repeat(64), time });
  const group = (keep: string, remove: string) => ({
    host: 'box',
    paths: ['/srv'],
    keep: keep.split('').map((letter) => snapshot(letter)),
    remove: remove.split('').map((letter) => snapshot(letter)),
  });
  test.each([
    ['one thin group among others', [group('abc', 'd'), group('e', 'f')], 'skipped'],
    ['a thin group of which nothing goes', [group('abc', 'd'), { ...group('e', ''), remove: null }], 'done'],
    [
      'no time at all',
      [group('abc', ''), { ...group('abc', ''), remove: [snapshot('d', 'soon')] }],
      'failed',
    ],
    ['something else than a plan', { groups: [] }, 'failed'],
  ])('%s', async (_name, plan, kind) => {
    const made: string[][] = [];
    const run: Run = ({ args }) => {
      made.push([...args]);
      return Promise.resolve(ended({ output: args.includes('--dry-run') ? JSON.stringify(plan) : '' }));
    };
    const { outcome } = await bench.step(forget({ keep_last: 3 }), { run });
    expect(outcome.kind).toBe(kind);
    expect(made.slice(1)).toEqual(kind === 'done' ? [['forget', '--json', 'd'.repeat(64)]] : []);
  });
});
