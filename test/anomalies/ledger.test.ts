/** Snapshots that nobody here made, that claim to be old, and that are gone. */
import { hostname } from 'node:os';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { keyOf, PastStore } from '../../src/controller/anomalies/past-store.ts';
import { nodeDisk } from '../../src/journal/disk.ts';
import { missingTools } from '../controller/appliance.ts';
import { Life } from './life.ts';

describe.skipIf(missingTools() !== null)('snapshots against our own ledger', { timeout: 120_000 }, () => {
  let life: Life;
  beforeEach(async () => {
    life = new Life();
    await life.start(3, { documents: 30, photos: 2, logs: 1 });
  });
  afterEach(() => life.stop());
  const byHand = (...args: string[]) =>
    life.bench.restic('vault', 'backup', '-q', ...args, life.village.root);
  const found = (night: Awaited<ReturnType<Life['night']>>) =>
    night.anomalies.map(({ rule, action }) => [rule, action]);

  test('what is there at first is taken over; later ones are foreign, and each is said once', async () => {
    byHand('--host', 'laptop');
    expect(found(await life.night())).toEqual([]);
    expect(life.ledger.repository('vault').snapshots).toHaveLength(2);

    byHand('--host', 'intruder');
    byHand('--host', hostname(), '--time', '2020-01-01 02:00:00');
    expect(found(await life.night())).toEqual([
      ['foreign-snapshot', 'hold'],
      ['back-dated-snapshot', 'hold'],
    ]);
    const { snapshots, frozen, last_good_backup: good } = life.ledger.repository('vault');
    expect(frozen?.why).toContain('nobody here made');
    // The suspect one is no good backup, and known under the id that its tag gave it.
    const suspect = life.bench.snapshots('vault').find(({ tags }) => String(tags).includes('suspect'));
    expect(snapshots.map(({ id }) => id)).toContain(suspect?.id);
    expect(good?.snapshot).not.toBe(suspect?.id);
    expect(snapshots).toHaveLength(5);
    expect(found(await life.night())).toEqual([]);
  });

  test('one of ours that is gone; one that a person tagged is not', async () => {
    await life.night();
    await life.night();
    const [first, second] = life.bench.snapshots('vault');
    life.bench.restic('vault', 'tag', '--add', 'kept', second?.id ?? '');
    expect(found(await life.night())).toEqual([]);
    life.bench.restic('vault', 'forget', first?.id ?? '');
    expect(found(await life.night())).toEqual([['snapshot-gone', 'hold']]);
  });

  test('a backup that was cut at its very end has left its snapshot: it is ours', async () => {
    await life.night();
    const [step] = life.config.windows['nightly']?.steps ?? [];
    if (step === undefined || !('backup' in step)) throw new Error('no backup');
    const pasts = new PastStore(nodeDisk, life.bench.directory);
    const past = await pasts.read(keyOf(step.backup));
    await pasts.write(keyOf(step.backup), { ...past, pending: new Date().toISOString() });
    byHand('--host', hostname());
    expect(found(await life.night())).toEqual([]);
    byHand('--host', hostname());
    expect(found(await life.night())).toEqual([['foreign-snapshot', 'hold']]);
  });
});
