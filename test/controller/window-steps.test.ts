/** Windows with everything in them: hooks, programs, drills; and what keeps forget from running. */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Appliance, missingTools } from './appliance.ts';
import { initialiseCheaply } from './cheap-key.ts';

describe.skipIf(missingTools() !== null)('a window with all kinds of steps', { timeout: 120_000 }, () => {
  let appliance: Appliance;
  /** Is there while the vault is connected. */
  let flag: string;
  beforeEach(async () => {
    appliance = new Appliance();
    await appliance.start();
    appliance.fill(3, 10_000);
    flag = join(appliance.directory, 'connected');
    appliance.interlock.onConnect = () => {
      writeFileSync(flag, '');
      appliance.gate?.connect();
    };
    appliance.interlock.onIsolate = () => {
      rmSync(flag, { force: true });
      appliance.gate?.cut();
    };
  });
  afterEach(() => appliance.stop());
  /** A program that writes what it is told, and whether the vault is connected. */
  const tell = (name: string, more = '') => {
    const file = join(appliance.directory, name);
    const state = `[ -e ${flag} ] && echo connected || echo isolated`;
    const script = `{ ${state}; env | grep ^PORTCULLIS_ | sort; } > ${file}; echo said by ${name}; ${more}`;
    return { command: ['/bin/sh', '-c', script] };
  };
  const told = (name: string): readonly string[] =>
    readFileSync(join(appliance.directory, name), 'utf8').trim().split('\n');

  test("the user's programs run before, between and after, know the window, and leave their words", async () => {
    appliance.makeVault();
    await appliance.run(
      appliance.config({
        prepare: [tell('before')],
        steps: [
          { backup: { repository: 'main', paths: [appliance.source] } },
          { command: tell('between') },
          {
            restore_drill: {
              repository: 'main',
              path: appliance.source,
              verify: tell('verify', '[ "$(ls $PORTCULLIS_RESTORED | wc -l)" = 3 ]'),
            },
          },
          { check: { repository: 'main', read_data_subset: 'rotate/2' } },
        ],
        after: [tell('later', 'i=0; while [ $i -lt 3000 ]; do echo $i; i=$((i+1)); done')],
        limits: { nice: 10, io: 'idle', cpus: 1 },
      }),
    );
    const report = await appliance.window('one');
    expect(report.steps.map(({ step, repository, outcome }) => [step, repository, outcome.kind])).toEqual([
      ['backup', 'main', 'done'],
      ['command', null, 'done'],
      ['restore_drill', 'main', 'done'],
      ['check', 'main', 'done'],
    ]);
    expect(report.outcome).toBe('done');
    expect(told('before')).toEqual(
      expect.arrayContaining([
        'isolated',
        'PORTCULLIS_WINDOW=nightly',
        'PORTCULLIS_OCCURRENCE=one',
        'PORTCULLIS_LINK=vault',
        'PORTCULLIS_PHASE=prepare',
      ]),
    );
    expect(told('between')).toEqual(expect.arrayContaining(['connected', 'PORTCULLIS_PHASE=connected']));
    // What needs no vault keeps none connected.
    const snapshot = report.steps[0]?.snapshot ?? '';
    expect(told('verify')).toEqual(
      expect.arrayContaining([
        'isolated',
        'PORTCULLIS_PHASE=restore_drill',
        `PORTCULLIS_SNAPSHOT=${snapshot}`,
      ]),
    );
    expect(told('later')).toEqual(
      expect.arrayContaining([
        'isolated',
        'PORTCULLIS_PHASE=after',
        'PORTCULLIS_OUTCOME=done',
        `PORTCULLIS_SNAPSHOTS=${snapshot}`,
        'PORTCULLIS_ISOLATION_PROVEN=true',
      ]),
    );
    expect(report.steps[1]?.output).toBe('said by between');
    const [before, later] = report.hooks;
    expect(before).toMatchObject({ phase: 'prepare', outcome: 'done', output: 'said by before' });
    expect(later).toMatchObject({ phase: 'after', outcome: 'done' });
    expect(later?.output?.length).toBeLessThanOrEqual(4_000);
    expect(later?.output?.endsWith('\n2999')).toBe(true);
    expect(appliance.ledger().repositories['main']).toMatchObject({
      parts_checked: 1,
      last_check: { outcome: 'done', data_read: '1/2' },
      last_restore_drill: { outcome: 'done', judged_by: 'verify' },
    });
    const drill = appliance.entries('controller.step').find(({ step }) => step === 'restore_drill');
    expect(drill).toMatchObject({ outcome: { kind: 'done' } });
    expect(JSON.stringify(appliance.interlock.journal)).not.toContain('said by');
  });

  test('a source that is missing, and something unusual that nobody has released, keep everything', async () => {
    appliance.makeVault();
    const steps = [
      { backup: { repository: 'main', paths: [appliance.source, join(appliance.directory, 'absent')] } },
      { forget: { repository: 'main', keep_last: 1, minimum_snapshots: 1 } },
      { prune: { repository: 'main' } },
    ];
    await appliance.run(appliance.config({ steps, after: [{ command: ['/bin/false'] }] }));
    const missing = await appliance.window('one');
    expect(missing.steps.map(({ outcome }) => outcome)).toMatchObject([
      { kind: 'partly-done' },
      { kind: 'skipped', why: expect.stringContaining('a source was missing') as string },
      { kind: 'skipped', why: expect.stringContaining('a source was missing') as string },
    ]);
    // A hook that failed afterwards is not passed over.
    expect(missing.outcome).toBe('failed');
    expect(missing.hooks).toMatchObject([{ phase: 'after', outcome: 'failed' }]);

    mkdirSync(join(appliance.directory, 'absent'));
    const path = join(appliance.state, 'ledger.json');
    await appliance.controller?.stop();
    const ledger = JSON.parse(readFileSync(path, 'utf8')) as { repositories: { main: { frozen: unknown } } };
    ledger.repositories.main.frozen = { why: 'half of it is gone', at: '2026-11-21T00:00:00Z' };
    writeFileSync(path, JSON.stringify(ledger));
    await appliance.run(appliance.config({ steps }));
    const frozen = await appliance.window('two');
    expect(frozen.steps.map(({ outcome }) => outcome)).toMatchObject([
      { kind: 'done' },
      { kind: 'skipped', why: expect.stringContaining('half of it is gone') as string },
      { kind: 'skipped' },
    ]);
    expect(appliance.files('snapshots')).toHaveLength(2);
  });

  test('online to vault: the vault is made alike, the copy is seen there', async () => {
    const online = join(appliance.directory, 'online');
    const repositories = {
      main: { url: appliance.url, password_file: appliance.passwordFile },
      online: { url: online, password_file: appliance.passwordFile },
    };
    const copy = { copy: { repository: 'main', from_repository: 'online' } };
    await appliance.run(appliance.config({ steps: [copy] }, { repositories }));
    const without = await appliance.window('none');
    expect(without.steps[0]?.outcome).toMatchObject({ kind: 'failed', code: 'repository-missing' });
    expect(existsSync(join(appliance.vault, 'config'))).toBe(false);

    initialiseCheaply(online, 'a password');
    appliance.restic('-r', online, 'backup', '-q', appliance.source);
    const report = await appliance.window('one');
    expect(report.steps.map(({ step, outcome }) => [step, outcome.kind])).toContainEqual(['copy', 'done']);
    expect(report.steps.find(({ step }) => step === 'copy')).toMatchObject({ snapshots_copied: 1 });
    expect(appliance.files('snapshots')).toHaveLength(1);
    const chunker = (repository: string): unknown =>
      (JSON.parse(appliance.restic('-r', repository, 'cat', 'config')) as { chunker_polynomial: unknown })
        .chunker_polynomial;
    expect(chunker(online)).toBe(chunker(appliance.vault));
    expect(appliance.ledger().repositories).toMatchObject({ main: { mark: null }, online: { mark: null } });
  });
});
