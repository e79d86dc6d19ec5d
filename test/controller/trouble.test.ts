/** Windows that must not do what they would like to. */
import { execFileSync, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { MARK } from '../../src/controller/processes/child.ts';
import { Appliance, RESTIC, eventually, missingTools } from './appliance.ts';

const backupOf = (appliance: Appliance, more: Readonly<Record<string, unknown>> = {}) => ({
  backup: { repository: 'main', paths: [appliance.source], ...more },
});

describe.skipIf(missingTools() !== null)('a window in trouble', { timeout: 120_000 }, () => {
  let appliance: Appliance;
  const started: ChildProcess[] = [];
  beforeEach(async () => {
    appliance = new Appliance();
    await appliance.start();
    appliance.fill(3, 10_000);
  });
  afterEach(async () => {
    for (const child of started.splice(0)) child.kill('SIGKILL');
    await appliance.stop();
  });

  test.each([
    [
      'fails',
      ['/bin/sh', '-c', 'echo no dump today >&2; exit 4'],
      '30s',
      /ended with code 4; it said: no dump today/,
    ],
    ['hangs', ['/bin/sh', '-c', 'sleep 1000 & sleep 1000'], '1s', /did not end within 1000 ms/],
    ['is not there', ['/nonexistent/hook'], '30s', /\/nonexistent\/hook/],
  ])('a hook that %s: no lease is asked for', async (_name, command, timeout, why) => {
    await appliance.run(appliance.config({ prepare: [{ command, timeout }], steps: [backupOf(appliance)] }));
    const report = await appliance.window('one');
    expect(report).toMatchObject({
      outcome: 'skipped',
      exposure_seconds: 0,
      steps: [],
      why: { code: 'prepare-failed' },
    });
    expect(report.why?.why).toMatch(why);
    expect(appliance.interlock.leaseRequests).toBe(0);
    expect(appliance.children()).toEqual([]);
  });

  test('a trip while the hooks run kills them; no lease is asked for', async () => {
    const flag = join(appliance.directory, 'hook-runs');
    const command = ['/bin/sh', '-c', `touch ${flag}; sleep 1000 & sleep 1000`];
    await appliance.run(appliance.config({ prepare: [{ command }], steps: [backupOf(appliance)] }));
    appliance.interlock.openWindow('nightly', 'one', 60_000);
    await eventually('the hook to run', () => existsSync(flag));
    appliance.interlock.trip('button', 'pressed');
    const report = await appliance.report('one');
    expect(report).toMatchObject({ outcome: 'skipped', why: { code: 'tripped' }, trip: { by: 'button' } });
    expect(appliance.interlock.leaseRequests).toBe(0);
    expect(appliance.children()).toEqual([]);
  });

  test('what the interlock refuses is reported with its words', async () => {
    appliance.interlock.onConnect = () => expect.unreachable();
    await appliance.run(appliance.config({ steps: [backupOf(appliance)] }));
    appliance.interlock.openWindow('nightly', 'one', 60_000);
    // The lease is asked for only once refusals are gone; here they come back in between.
    appliance.interlock.window = {
      window: 'nightly',
      occurrence: 'another',
      endsAtMs: performance.now() + 60_000,
    };
    const report = await appliance.report('one');
    expect(report).toMatchObject({ outcome: 'skipped', why: { code: 'outside-window', hint: 'wait' } });
  });

  test('evidence that never says connected: nothing touches the vault', async () => {
    appliance.interlock.provesConnected = false;
    await appliance.run(appliance.config({ steps: [backupOf(appliance)] }));
    const report = await appliance.window('one');
    expect(report).toMatchObject({ outcome: 'failed', why: { code: 'not-connected' }, steps: [] });
    expect(appliance.gate?.bytes).toBe(0);
    expect(appliance.ledger().repositories['main']?.mark).toBeNull();
  });

  test('a vault that does not answer: restic is not started', async () => {
    const reach = { tcp: '127.0.0.1:1', timeout: '500ms' };
    await appliance.run(appliance.config({ reach, steps: [backupOf(appliance)] }));
    const report = await appliance.window('one');
    expect(report).toMatchObject({ outcome: 'failed', why: { code: 'not-reachable' }, steps: [] });
    expect(appliance.gate?.bytes).toBe(0);
    expect(appliance.interlock.ends).toEqual(['released']);
  });

  test('a known repository that is gone or replaced is never made anew', async () => {
    await appliance.run(
      appliance.config({ steps: [backupOf(appliance), { forget: { repository: 'main', keep_last: 1 } }] }),
    );
    expect((await appliance.window('one')).outcome).toBe('done');

    for (const name of ['config', 'data', 'index', 'keys', 'locks', 'snapshots'])
      rmSync(join(appliance.vault, name), { recursive: true });
    const gone = await appliance.window('two');
    expect(gone.steps.map((step) => step.outcome)).toMatchObject([
      { kind: 'failed', code: 'repository-gone' },
      { kind: 'skipped' },
    ]);
    expect(existsSync(join(appliance.vault, 'config'))).toBe(false);

    appliance.restic('init');
    const other = await appliance.window('three');
    expect(other.steps[0]?.outcome).toMatchObject({ kind: 'failed', code: 'other-repository' });
    expect(appliance.files('snapshots')).toEqual([]);
  });

  test('exit code 0 is no proof: a snapshot that cannot be read back is a failed backup, and nothing is forgotten', async () => {
    const liar = join(appliance.directory, 'restic-liar');
    const lie = `#!/bin/sh\nfor word; do [ "$word" = snapshots ] && { echo '[]'; exit 0; }; done\nexec ${RESTIC} "$@"\n`;
    writeFileSync(liar, lie, { mode: 0o755 });
    const steps = [backupOf(appliance), { forget: { repository: 'main', keep_last: 1 } }];
    await appliance.run(appliance.config({ steps }, { restic: liar }));
    const report = await appliance.window('one');
    expect(report.outcome).toBe('failed');
    expect(report.steps.map((step) => step.outcome)).toMatchObject([
      { kind: 'failed', code: 'not-on-vault' },
      { kind: 'skipped' },
    ]);
  });

  test('the lock of another host that is alive is never removed', async ({ skip }) => {
    const asOther = ['--user', '--map-root-user', '--uts', 'sh', '-c'];
    try {
      execFileSync('unshare', [...asOther, 'hostname other-host']);
    } catch (error) {
      console.warn(`NOT TESTED: locks of other hosts, for unshare does not work here: ${String(error)}`);
      return skip();
    }
    await appliance.run(appliance.config({ steps: [backupOf(appliance)] }));
    expect((await appliance.window('one')).outcome).toBe('done');
    const other = spawn(
      'unshare',
      [...asOther, `hostname other-host && exec ${RESTIC} --no-cache backup --stdin`],
      {
        env: {
          ...process.env,
          RESTIC_REPOSITORY: appliance.vault,
          RESTIC_PASSWORD_FILE: appliance.passwordFile,
        },
        stdio: ['pipe', 'ignore', 'ignore'],
      },
    );
    started.push(other);
    const [lock] = await eventually('the other host to lock', () => {
      const locks = appliance.files('locks');
      return locks.length === 1 ? locks : null;
    });

    const ledger = appliance.ledger();
    await appliance.controller?.stop();
    const main = ledger.repositories['main'];
    if (main !== undefined)
      Object.assign(main, { mark: { kind: 'cut', why: 'test', at: new Date().toISOString() } });
    writeFileSync(join(appliance.state, 'ledger.json'), JSON.stringify(ledger));
    await appliance.run(appliance.config({ steps: [backupOf(appliance)] }));

    const report = await appliance.window('two');
    expect(report.steps.map((step) => [step.step, step.outcome])).toMatchObject([
      ['recover', { kind: 'failed', code: 'locked' }],
      ['backup', { kind: 'done' }],
    ]);
    expect(report.outcome).toBe('failed');
    expect(appliance.files('locks')).toEqual([lock]);
    expect(appliance.ledger().repositories['main']?.mark).toMatchObject({ kind: 'cut' });
  });

  test('restic over rclone: the kill reaches the helper in its own process group', async () => {
    appliance.fill(4, 4_000_000);
    const repository = {
      url: `rclone:${join(appliance.directory, 'by-rclone')}`,
      password_file: appliance.passwordFile,
    };
    const window = { steps: [backupOf(appliance, { limit_upload: 500 })] };
    await appliance.run(appliance.config(window, { repositories: { main: repository } }));
    appliance.interlock.openWindow('nightly', 'one', 60_000);
    await eventually('the backup to begin', () => appliance.progress.some((each) => each.bytes_done > 0));
    const names = appliance.children().map((pid) => readFileSync(`/proc/${pid}/comm`, 'utf8').trim());
    expect(names).toContain('rclone');
    appliance.interlock.trip('button', 'pressed');
    expect((await appliance.report('one')).outcome).toBe('cut-short');
    expect(appliance.children()).toEqual([]);
  });

  test('told to stop in mid-backup: restic says goodbye, the lease is given back, the report is written', async () => {
    appliance.fill(4, 4_000_000);
    await appliance.run(appliance.config({ steps: [backupOf(appliance, { limit_upload: 1_000 })] }));
    appliance.interlock.openWindow('nightly', 'one', 60_000);
    await appliance.untilUploading();
    await appliance.controller?.stop();
    expect(appliance.reports[0]).toMatchObject({
      outcome: 'cut-short',
      why: { code: 'controller-stopping' },
    });
    expect(appliance.interlock.ends).toEqual(['released']);
    expect(appliance.children()).toEqual([]);
    expect(appliance.entries('controller.window-finished')).toHaveLength(1);
  });

  test('a full or broken ledger: the window does not begin', async () => {
    await appliance.run(appliance.config({ steps: [backupOf(appliance)] }));
    rmSync(appliance.state, { recursive: true });
    appliance.interlock.openWindow('nightly', 'one', 60_000);
    await eventually('the complaint', () => appliance.notes.find((note) => note.level === 'error'));
    expect(appliance.interlock.leaseRequests).toBe(0);
  });

  test('what an earlier controller left behind is killed at the next start', async () => {
    const env = { PATH: process.env['PATH'] ?? '', [MARK]: appliance.state };
    const orphan = spawn('sleep', ['1000'], { env, stdio: 'ignore' });
    started.push(orphan);
    await eventually('the orphan to run', () => appliance.children().length === 1);
    await appliance.run(appliance.config({ steps: [backupOf(appliance)] }));
    await eventually('the orphan to die', () => orphan.signalCode === 'SIGKILL');
  });
});
