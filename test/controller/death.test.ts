/** The controller itself dies or starts in the middle of things. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Appliance, RESTIC, eventually, missingTools } from './appliance.ts';

describe.skipIf(missingTools() !== null)('a controller that dies', { timeout: 120_000 }, () => {
  let appliance: Appliance;
  const started: ChildProcess[] = [];
  beforeEach(async () => {
    appliance = new Appliance();
    await appliance.start();
    appliance.interlock.adoptsBuild = true;
    appliance.fill(4, 4_000_000);
  });
  afterEach(async () => {
    for (const child of started.splice(0)) child.kill('SIGKILL');
    await appliance.stop();
  });

  const file = (limitUpload: number | null) => ({
    state_directory: join(appliance.directory, 'state'),
    runtime_directory: appliance.runtime,
    controller: { listen: '127.0.0.1:0' },
    ...(RESTIC.startsWith('/') ? { restic: RESTIC } : {}),
    links: { vault: { contacts: [], settle: '10ms' } },
    repositories: { main: { url: appliance.url, password_file: appliance.passwordFile } },
    windows: {
      nightly: {
        link: 'vault',
        opens: '* * * * *',
        timezone: 'UTC',
        lasts: '1h',
        grace: '0s',
        steps: [
          {
            backup: {
              repository: 'main',
              paths: [appliance.source],
              ...(limitUpload === null ? {} : { limit_upload: limitUpload }),
            },
          },
        ],
      },
    },
  });

  /** A controller process in the middle of a backup. */
  async function busyController(): Promise<ChildProcess> {
    const path = join(appliance.directory, 'portcullis.json');
    writeFileSync(path, JSON.stringify(file(1_000)));
    const main = join(import.meta.dirname, 'controller-process.ts');
    const log = openSync(join(appliance.directory, 'controller.log'), 'a');
    const child = spawn(process.execPath, [main, path], { stdio: ['ignore', log, log] });
    closeSync(log);
    started.push(child);
    await eventually('the process to listen', () => appliance.interlock.requests.includes('GET /v1/events'));
    appliance.interlock.openWindow('nightly', 'one', 120_000);
    await appliance.untilUploading().catch((error: unknown) => {
      throw new Error(readFileSync(join(appliance.directory, 'controller.log'), 'utf8'), { cause: error });
    });
    return child;
  }

  test('kill -9 in mid-backup: restic dies with it, the lease ends, the next start recovers in the same window, once', async () => {
    const first = await busyController();
    const children = appliance.children();
    expect(children.length).toBeGreaterThan(0);
    first.kill('SIGKILL');
    await eventually('restic to be gone', () => appliance.children().length === 0);
    // An init that reaps late keeps its number alive for a while, and restic takes the lock of a zombie for a live one.
    await eventually('init to reap it', () => children.every((pid) => !existsSync(`/proc/${pid}`)), 60_000);
    await eventually('the lease to end', () => appliance.interlock.held === null);
    expect(appliance.interlock.ends).toEqual(['stream-closed']);
    expect(appliance.ledger().repositories['main']?.mark).toMatchObject({ kind: 'cut' });
    expect(appliance.files('locks')).toHaveLength(1);

    // The window is still open: the hello of the next connection says so.
    await appliance.run(appliance.config({ steps: file(null).windows.nightly.steps }));
    const report = await appliance.report('one');
    expect(report).toMatchObject({ outcome: 'done', resumed: true });
    expect(report.steps.map((step) => step.step)).toEqual(['recover', 'backup']);
    expect(appliance.files('locks')).toEqual([]);

    // A third start within the same window does nothing: it was finished.
    await appliance.controller?.stop();
    appliance.interlock.requests.length = 0;
    await appliance.run(appliance.config({ steps: file(null).windows.nightly.steps }));
    const next = await appliance.window('two');
    expect(next.outcome).toBe('done');
    expect(appliance.reports.map((each) => each.occurrence)).toEqual(['one', 'two']);
  });

  test('stopped with SIGSTOP in mid-backup: renewals stop, the lease lapses', async () => {
    const child = await busyController();
    const { renewals } = appliance.interlock;
    child.kill('SIGSTOP');
    await eventually('the lease to lapse', () => appliance.interlock.ends.includes('lease-lapsed'));
    expect(appliance.interlock.renewals).toBeLessThanOrEqual(renewals + 2);
    // Woken up, it finds the lease gone and kills restic.
    child.kill('SIGCONT');
    await eventually('restic to be gone', () => appliance.children().length === 0);
    expect(appliance.ledger().repositories['main']?.mark).toMatchObject({ kind: 'cut' });
  });
});
