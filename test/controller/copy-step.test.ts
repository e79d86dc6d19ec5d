/** Copying from a repository that is online into the vault. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { identify } from '../../src/controller/restic/identity.ts';
import { accessTo, pairOf } from '../../src/controller/restic/repository.ts';
import type { Run } from '../../src/controller/restic/run.ts';
import { missingTools } from './appliance.ts';
import { ended, StepBench } from './step-bench.ts';

describe.skipIf(missingTools() !== null)('copy', { timeout: 60_000 }, () => {
  let bench: StepBench;
  beforeEach(async () => {
    bench = new StepBench();
    await bench.start();
  });
  afterEach(() => bench.stopAll());
  const copy = { copy: { repository: 'vault', from_repository: 'online', hosts: ['box'] } };

  test('what is not in the vault yet arrives, and is seen there; a new vault cuts files alike', async () => {
    await bench.make('online');
    await bench.make('vault', 'online');
    bench.write('one', 'x'.repeat(10_000));
    bench.restic('online', 'backup', '-q', '--host=box', bench.source);
    bench.restic('online', 'backup', '-q', '--host=elsewhere', bench.source);
    const first = await bench.step(copy);
    expect(first).toMatchObject({ outcome: { kind: 'done' }, facts: { snapshots_copied: 1 } });
    expect(first.facts?.notes).toBeUndefined();
    const [online] = bench.snapshots('online').filter(({ hostname }) => hostname === 'box');
    expect(bench.snapshots('vault')).toMatchObject([
      { id: first.facts?.snapshot, original: online?.id, hostname: 'box' },
    ]);
    // As old as the data, not as the copy.
    expect(bench.ledger.repository('vault').last_good_backup).toMatchObject({ at: online?.time });

    const again = await bench.step(copy);
    expect(again).toMatchObject({ outcome: { kind: 'done' }, facts: { snapshots_copied: 0 } });
    expect(bench.snapshots('vault')).toHaveLength(1);

    // A vault that was made by itself: said, for it cannot be changed any more.
    await bench.make('other');
    const apart = await bench.step({ copy: { repository: 'other', from_repository: 'online' } });
    expect(apart).toMatchObject({ outcome: { kind: 'done' }, facts: { snapshots_copied: 2 } });
    expect(apart.facts?.notes?.join()).toContain('at different places');
    const [a, b] = [await identify(bench.run('online')), await identify(bench.run('vault'))];
    expect(a.kind === 'known' && b.kind === 'known' && a.chunker === b.chunker).toBe(true);
  });

  test('a source without a fitting snapshot is no good copy', async () => {
    await bench.make('online');
    expect((await bench.step(copy)).outcome).toMatchObject({ kind: 'failed', code: 'nothing-to-copy' });
  });

  const snapshot = (letter: string, more: object = {}) => ({
    id: letter.repeat(64),
    time: '2026-11-01T02:00:00Z',
    hostname: 'box',
    paths: ['/srv'],
    ...more,
  });
  const original = 'a'.repeat(64);
  test.each([
    ['nothing', [], 'not-on-vault'],
    ['another one', [snapshot('b')], 'not-on-vault'],
    ['one that says so, of another host', [snapshot('b', { original, hostname: 'x' })], 'not-on-vault'],
    [
      'one that says so, of another time',
      [snapshot('b', { original, time: '2026-11-02T02:00:00Z' })],
      'not-on-vault',
    ],
    ['the copy', [snapshot('b', { original })], null],
  ])('restic says that it copied, and the vault has %s', async (_name, there, code) => {
    const answer =
      (output: unknown): Run =>
      () =>
        Promise.resolve(ended({ output: JSON.stringify(output) }));
    const { outcome } = await bench.step(copy, {
      run: answer(there),
      other: (name) => ({ repository: bench.repository(name), run: answer([snapshot('a')]) }),
    });
    if (code === null) expect(outcome).toEqual({ kind: 'done' });
    else expect(outcome).toMatchObject({ kind: 'failed', code });
  });

  test.each([
    ['older than the last backup there', '2026-11-01T02:00:00Z', '2026-11-05T02:00:00.000Z'],
    ['newer than it', '2026-11-06T02:00:00Z', '2026-11-06T02:00:00Z'],
    ['of the future', '2099-01-01T00:00:00Z', '2026-11-05T02:00:00.000Z'],
  ])('a copy that is %s', async (_name, time, at) => {
    const before = { at: '2026-11-05T02:00:00.000Z', snapshot: 'c'.repeat(64), bytes: 1 };
    await bench.ledger.note({ vault: { last_good_backup: before } });
    bench.now = () => new Date('2026-11-07T02:00:00Z');
    const run: Run = () => Promise.resolve(ended({ output: JSON.stringify([snapshot('a', { time })]) }));
    const step = { copy: { ...copy.copy, extra_arguments: ['--tls-client-cert'] } };
    const calls: (readonly string[])[] = [];
    const { outcome } = await bench.step(step, {
      run: (call) => {
        calls.push(call.args);
        return run(call);
      },
      other: (name) => ({ repository: bench.repository(name), run }),
    });
    expect(outcome).toEqual({ kind: 'done' });
    expect(bench.ledger.repository('vault').last_good_backup?.at).toBe(at);
    // Else it would take the filter for its value, and everything would be copied.
    expect(calls[0]).toEqual(['copy', '--host=box', '--tls-client-cert']);
  });

  test('two sets of credentials for one restic are refused, not mixed', async () => {
    const [one, other, same] = await Promise.all([
      accessTo(bench.repository('one', { options: { 's3.region': 'a' } })),
      accessTo(bench.repository('other', { options: { 's3.region': 'b' } })),
      accessTo(bench.repository('same', { options: { 's3.region': 'a' } })),
    ]);
    expect(() => pairOf(one, other)).toThrow(expect.objectContaining({ code: 'CREDENTIALS_DIFFER' }));
    expect(pairOf(one, same)).toMatchObject({
      env: {
        RESTIC_REPOSITORY: one.env['RESTIC_REPOSITORY'],
        RESTIC_FROM_REPOSITORY: same.env['RESTIC_REPOSITORY'],
      },
    });
  });
});
