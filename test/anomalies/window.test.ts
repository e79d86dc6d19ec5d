/** Whole windows with the real controller, over a link that is cut: guards before it is connected, rules while restic runs. */
import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { anomaliesIn, releaseFile, releaseText } from '../../src/controller/anomalies/book.ts';
import { canariesIn, canaryText, plant } from '../../src/controller/guards/canary.ts';
import { Appliance, eventually, missingTools } from '../controller/appliance.ts';
import { Dice, Village } from './village.ts';

/** KiB/s: what is encrypted below would take ten times as long as a detector may. */
const UPLOAD_KIB = 2_000;

describe.skipIf(missingTools() !== null)('windows that are watched', { timeout: 120_000 }, () => {
  let appliance: Appliance;
  beforeEach(async () => {
    appliance = new Appliance();
    await appliance.start();
  });
  afterEach(() => appliance.stop());

  const vaultBytes = (): number =>
    readdirSync(appliance.vault, { recursive: true, encoding: 'utf8', withFileTypes: true })
      .filter((entry) => entry.isFile())
      .reduce((all, entry) => all + statSync(join(entry.parentPath, entry.name)).size, 0);
  const released = (id: string | null, expected: boolean): void => {
    const said = { at: new Date().toISOString(), by: 'tester', reason: 'it was me', expected };
    writeFileSync(releaseFile(anomaliesIn(appliance.state), id ?? ''), releaseText(said));
  };

  test('mass encryption is cut before it is on the vault; forget is frozen; a release lets it through', async () => {
    const dice = new Dice(7);
    const names = Array.from({ length: 1_200 }, (_, index) => join(appliance.source, `report-${index}.txt`));
    const text = new Village(join(appliance.directory, 'words'), 7, { documents: 0, photos: 0, logs: 0 });
    const page = text.text(50_000);
    for (const [index, name] of names.entries())
      writeFileSync(name, `${index} ${page.slice(dice.below(9_000))}`);
    const backup = { repository: 'main', paths: [appliance.source] };
    const config = (limit: number | null) =>
      appliance.config({
        guards: [{ change_survey: { action: 'warn' } }],
        steps: [
          { backup: { ...backup, ...(limit === null ? {} : { limit_upload: limit }) } },
          { forget: { repository: 'main', keep_last: 1, minimum_snapshots: 1 } },
        ],
      });
    await appliance.run(config(null));
    const first = await appliance.window('one');
    expect(first.outcome).toBe('done');
    expect(first.anomalies).toBeUndefined();
    expect(first.guards).toMatchObject([{ guard: 'change_survey', outcome: 'clear' }]);
    await appliance.controller?.stop();

    let encrypted = 0;
    for (const name of names) {
      const { size } = statSync(name);
      encrypted += size;
      writeFileSync(name, randomBytes(size));
    }
    await appliance.run(config(UPLOAD_KIB));
    const before = vaultBytes();
    const cut = await appliance.window('two');
    const grown = vaultBytes() - before;
    console.info(`on the vault at the cut: ${grown} bytes of ${encrypted}; ${cut.why?.why ?? ''}`);
    expect(cut).toMatchObject({ outcome: 'cut-short', why: { code: 'anomaly' }, isolation_proven: true });
    expect(grown).toBeLessThan(encrypted / 2);
    expect(appliance.files('snapshots')).toHaveLength(1);
    expect(appliance.gate?.isConnected).toBe(false);
    expect(cut.guards).toMatchObject([{ guard: 'change_survey', outcome: 'warned' }]);
    const isolated = cut.anomalies?.find(({ action }) => action === 'isolate');
    expect(isolated).toMatchObject({ rule: 'out-of-type', repository: 'main', snapshot: null });
    expect(isolated?.numbers['changed']).toBeLessThan(100);
    expect(appliance.ledger().repositories['main']).toMatchObject({
      mark: { kind: 'cut' },
      frozen: { why: expect.stringContaining('cannot be compressed') as string },
    });
    expect(appliance.entries('controller.anomaly')).toContainEqual(
      expect.objectContaining({ rule: 'out-of-type', action: 'isolate' }),
    );
    // No trip was asked for: the link is isolated, and not latched.
    expect(appliance.interlock.latch).toBeNull();

    for (const { id } of cut.anomalies ?? []) released(id, true);
    await eventually('the release', () => appliance.ledger().repositories['main']?.['frozen'] === null);
    expect(appliance.entries('controller.anomaly-released')[0]).toMatchObject({
      by: 'tester',
      expected: true,
    });
    await appliance.controller?.stop();
    await appliance.run(config(null));
    const let_through = await appliance.window('three');
    expect(let_through.outcome).toBe('done');
    expect(let_through.anomalies?.every(({ action }) => action === 'warn')).toBe(true);
    expect(let_through.anomalies).not.toEqual([]);
    expect(let_through.steps.find(({ step }) => step === 'forget')).toMatchObject({ snapshots_removed: 1 });
  });

  test('guards bar a window before anything is connected; a canary latches', async () => {
    appliance.fill(40, 5_000);
    await appliance.run(
      appliance.config({
        guards: [{ source_present: {} }, { change_survey: {} }, { canary: { action: 'trip' } }],
        steps: [{ backup: { repository: 'main', paths: [appliance.source] } }],
      }),
    );
    // Nobody has planted a canary: that is no reason to latch.
    const without = await appliance.window('none');
    expect(without).toMatchObject({ outcome: 'skipped', why: { code: 'guard' } });
    expect(appliance.interlock.latch).toBeNull();

    const canaries = await plant(appliance.source, '2026-11-21T00:00:00Z');
    writeFileSync(canariesIn(appliance.state), canaryText(canaries));
    const good = await appliance.window('one');
    expect(good.outcome).toBe('done');
    expect(good.guards?.map(({ guard, outcome }) => [guard, outcome])).toEqual([
      ['source_present', 'clear'],
      ['change_survey', 'clear'],
      ['canary', 'clear'],
    ]);
    const leases = appliance.interlock.leaseRequests;

    for (let index = 0; index < 30; index += 1) rmSync(join(appliance.source, `file-${index}`));
    const emptied = await appliance.window('two');
    expect(emptied).toMatchObject({
      outcome: 'skipped',
      exposure_seconds: 0,
      why: { code: 'guard', why: expect.stringContaining('source_present') as string },
      guards: [
        { outcome: 'skipped', numbers: { files: 12, wanted_files: 21 } },
        { outcome: 'skipped', numbers: { removed: 30, files_before: 42 } },
        { outcome: 'clear' },
      ],
    });
    expect(emptied.anomalies?.map(({ rule, action }) => [rule, action])).toEqual([
      ['source_present', 'skip'],
      ['change_survey', 'skip'],
    ]);
    expect(appliance.interlock.latch).toBeNull();

    // It was meant to be: the next window goes, and what it found is what counts from then on.
    for (const { id } of emptied.anomalies ?? []) released(id, true);
    const meant = await appliance.window('three');
    expect(meant.guards?.map(({ outcome }) => outcome)).toEqual(['warned', 'warned', 'clear']);
    expect(meant.steps[0]?.outcome).toEqual({ kind: 'done' });
    const after = await appliance.window('four');
    expect(after.guards?.map(({ outcome }) => outcome)).toEqual(['clear', 'clear', 'clear']);

    const path = canaries[0]?.path ?? '';
    writeFileSync(path, readFileSync(path, 'utf8').replace('1', '2'));
    const tripped = await appliance.window('five');
    expect(tripped).toMatchObject({
      outcome: 'skipped',
      why: { code: 'guard', why: expect.stringContaining('canary') as string },
      guards: [{ outcome: 'clear' }, { outcome: 'clear' }, { outcome: 'tripped', numbers: { changed: 1 } }],
    });
    await eventually('the latch', () => appliance.interlock.latch);
    expect(appliance.interlock.latch).toMatchObject({
      reason: expect.stringContaining('guard canary') as string,
    });
    // One for each window that went.
    expect(appliance.interlock.leaseRequests).toBe(leases + 2);
  });
});
