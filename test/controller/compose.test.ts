/** The controller around its windows: health, reconnecting, the journal's outbox, the voice. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { serveApi } from '../../src/api/compose.ts';
import { startController } from '../../src/controller/compose.ts';
import { linkFeed } from '../../src/controller/link-feed.ts';
import { REPORT_FORMAT } from '../../src/controller/reports/document.ts';
import { readEnvironmentFile } from '../../src/controller/restic/repository.ts';
import { formatBytes, logVoice, terminalVoice } from '../../src/controller/voice.ts';
import type { WindowProgress } from '../../src/controller/voice.ts';
import { jobOf } from '../../src/controller/windows/job.ts';
import { Appliance, eventually, missingTools } from './appliance.ts';

describe.skipIf(missingTools() !== null)('the controller', { timeout: 60_000 }, () => {
  let appliance: Appliance;
  beforeEach(async () => {
    appliance = new Appliance();
    await appliance.start();
    appliance.fill(1, 1_000);
  });
  afterEach(() => appliance.stop());
  const steps = () => [{ backup: { repository: 'main', paths: [appliance.source] } }];
  const get = async (path: string): Promise<{ code: number; body: Record<string, unknown> }> => {
    const headers = { authorization: `Bearer ${await appliance.token()}` };
    const answer = await fetch(`${appliance.controller?.url ?? ''}${path}`, { headers });
    return { code: answer.status, body: (await answer.json()) as Record<string, unknown> };
  };
  const untilReady = async (code: number): Promise<Record<string, unknown>> => {
    let last: Record<string, unknown> = {};
    let seen = 0;
    const ask = setInterval(() => {
      void get('/readyz').then((answer) => {
        seen = answer.code;
        last = answer.body;
      });
    }, 50);
    try {
      await eventually(`readyz to say ${code}`, () => seen === code);
    } finally {
      clearInterval(ask);
    }
    return last;
  };

  test('is ready while the events of the interlock are fresh, and finds it again', async () => {
    await appliance.run(appliance.config({ steps: steps() }));
    await untilReady(200);
    expect(await get('/healthz')).toEqual({ code: 200, body: { ok: true } });
    appliance.interlock.answers = false;
    expect(await untilReady(503)).toMatchObject({ ready: false, code: 'INTERLOCK_SILENT' });
    expect((await get('/healthz')).code).toBe(200);
    appliance.interlock.answers = true;
    await untilReady(200);
    await appliance.interlock.stop();
    expect(await untilReady(503)).toMatchObject({ hint: expect.stringContaining('interlock') as string });
    await appliance.interlock.start();
    await untilReady(200);
    const { body } = await get('/api/v1/state');
    expect(body).toMatchObject({ links: [{ link: 'vault' }], interlock: { problem: null }, running: [] });
    expect((await get('/api/v1/reports')).body).toEqual({ reports: [], next: null });
  });

  test('shows what runs and what ran, also after a restart', async () => {
    const flag = join(appliance.directory, 'go');
    const wait = ['/bin/sh', '-c', `while [ ! -e ${flag} ]; do sleep 0.05; done`];
    const config = appliance.config({ prepare: [{ command: wait }], steps: steps() });
    await appliance.run(config);
    appliance.interlock.openWindow('nightly', 'one', 60_000);
    await eventually('the hook', () => appliance.progress.length > 0);
    expect((await get('/api/v1/state')).body['running']).toMatchObject([
      { window: 'nightly', phase: 'prepare' },
    ]);
    writeFileSync(flag, '');
    const report = await appliance.report('one');
    expect((await get('/api/v1/state')).body).toMatchObject({ running: [] });
    const path = `/api/v1/reports/${report.window}/${report.occurrence}`;
    expect((await get(path)).body).toEqual(JSON.parse(JSON.stringify(report)));
    await appliance.controller?.stop();
    await appliance.run(config);
    expect((await get('/api/v1/reports')).body).toMatchObject({ reports: [{ occurrence: 'one' }] });
    expect((await get(path)).body).toEqual(JSON.parse(JSON.stringify(report)));
  });

  test('journal entries wait for the interlock, in order', async () => {
    appliance.interlock.takesJournal = false;
    await appliance.run(appliance.config({ steps: steps() }));
    await appliance.window('one');
    await eventually('the complaint', () =>
      appliance.notes.some((note) => note.text.includes('journal entry waits')),
    );
    expect(appliance.interlock.journal).toEqual([]);
    appliance.interlock.takesJournal = true;
    await appliance.interlock.stop();
    await appliance.interlock.start();
    await eventually('the journal', () => appliance.interlock.journal.length === 3);
    expect(appliance.interlock.journal.map((entry) => entry.type)).toEqual([
      'controller.window-started',
      'controller.step',
      'controller.window-finished',
    ]);
  });

  test('what the drill of a killed controller restored does not stay', async () => {
    const left = join(appliance.state, 'restored', 'portcullis-drill-main-aB3dE9');
    mkdirSync(join(left, 'srv'), { recursive: true });
    await appliance.run(appliance.config({ steps: [{ restore_drill: { repository: 'main' } }] }));
    await eventually('it to be gone', () => !existsSync(left));
  });

  test('an unknown window is not run', async () => {
    await appliance.run(appliance.config({ steps: steps() }));
    appliance.interlock.openWindow('weekly', 'one', 60_000);
    await eventually('the complaint', () =>
      appliance.notes.find((note) => note.text.includes('not in this configuration')),
    );
    expect(appliance.interlock.leaseRequests).toBe(0);
  });

  test('a second one cannot start beside it, and kills nothing of the first', async () => {
    const controller = await appliance.run(appliance.config({ steps: steps() }));
    const listen = controller.url.replace('http://', '');
    const second = appliance.config({ steps: steps() }, { controller: { listen } });
    const beside = startController(second, { serve: serveApi() });
    await expect(beside).rejects.toMatchObject({ code: 'LISTEN_FAILED' });
  });

  test('a ledger that cannot be read stops the start', async () => {
    await appliance.run(appliance.config({ steps: steps() }));
    await appliance.controller?.stop();
    writeFileSync(join(appliance.state, 'ledger.json'), '{');
    await expect(startController(appliance.config({ steps: steps() }), {})).rejects.toMatchObject({
      code: 'LEDGER_UNREADABLE',
    });
  });

  test('the reports are files of their own', async () => {
    await appliance.run(appliance.config({ steps: steps() }));
    await appliance.window('../2026-11-21T02:30');
    const file = join(appliance.state, 'reports', 'nightly-.._2026-11-21T02_30.json');
    expect(existsSync(file)).toBe(true);
    expect(JSON.parse(readFileSync(file, 'utf8'))).toMatchObject({ format: REPORT_FORMAT, outcome: 'done' });
  });

  test('the steps of the configuration become tasks', () => {
    const config = appliance.config({
      steps: [
        { forget: { repository: 'main', keep_last: 3, keep_within_daily: '14d', prune: true } },
        { check: { repository: 'main', read_data_subset: 'rotate/30' } },
      ],
    });
    const job = jobOf(config, { window: 'nightly', occurrence: 'o', endsInMs: 1, byHand: null }, false);
    expect(job?.steps).toMatchObject([
      {
        kind: 'forget',
        repository: 'main',
        task: { settings: { keep_last: 3, keep_within_daily: '14d', minimum_snapshots: 3, prune: true } },
      },
      { kind: 'check', repository: 'main', task: { settings: { read_data_subset: 'rotate/30' } } },
    ]);
    expect(jobOf(config, { window: 'weekly', occurrence: 'o', endsInMs: 1, byHand: null }, false)).toBeNull();
  });

  test('environment files', async () => {
    const file = join(appliance.directory, 'environment');
    writeFileSync(file, '# comment\n\nA=1\nexport B="two words"\nC=a=b\n');
    expect(await readEnvironmentFile(file)).toEqual({ A: '1', B: 'two words', C: 'a=b' });
    writeFileSync(file, 'A=1\nsecret without a name\n');
    await expect(readEnvironmentFile(file)).rejects.toMatchObject({
      code: 'SECRET_FILE',
      message: expect.not.stringContaining('secret') as string,
    });
    for (const name of [
      'RESTIC_REPOSITORY',
      'RESTIC_PASSWORD_COMMAND',
      'RESTIC_HOST',
      'PORTCULLIS_CONTROLLER',
    ]) {
      writeFileSync(file, `A=1\n${name}=x\n`);
      // oxlint-disable-next-line no-await-in-loop
      await expect(readEnvironmentFile(file)).rejects.toMatchObject({
        code: 'SECRET_FILE',
        message: `${file}, line 2: ${name} may not be set here`,
      });
    }
    writeFileSync(file, 'RESTIC_REST_PASSWORD=x\nRESTIC_READ_CONCURRENCY=1\n');
    expect(Object.keys(await readEnvironmentFile(file))).toHaveLength(2);
    await expect(readEnvironmentFile('/nonexistent')).rejects.toMatchObject({ code: 'SECRET_FILE' });
  });
});

test('a feed waits for what fits, and no longer than it was told', async () => {
  const feed = linkFeed();
  expect(await feed.until('vault', () => true, 10)).toBe(false);
  expect(await feed.until('vault', () => true, 60_000, AbortSignal.abort())).toBe(false);
});

const progress: WindowProgress = {
  window: 'nightly',
  link: 'vault',
  occurrence: 'one',
  phase: 'work',
  step: { number: 1, of: 2, name: 'backup', repository: 'main' },
  files_done: 1,
  current_files: [],
  files_total: 2,
  bytes_done: 512,
  bytes_total: 2_048,
};

describe('voices', () => {
  test('on a terminal one line is drawn over, notes stay, and nothing from outside moves the cursor', () => {
    const written: string[] = [];
    const terminal = Object.assign(new PassThrough(), { columns: 200 });
    terminal.write = (text: unknown) => written.push(String(text)) > 0;
    const voice = terminalVoice(terminal as unknown as NodeJS.WriteStream);
    voice.progress(progress);
    voice.note('warn', 'careful', { why: 'a\u001b[2Jb' });
    voice.progress(null);
    const clear = '\r\u001b[K';
    const line = `${clear}window nightly, step 1 of 2, backup main: 25 %, 512 B of 2.0 KiB, 1 of 2 files`;
    expect(written).toEqual([line, `${clear}warn: careful  (why=a\\u{1b}[2Jb)\n`, line, clear]);
  });
  test('in a log only phases and steps are told, not every tick', () => {
    const lines: string[] = [];
    const voice = logVoice(
      pino({ base: null, timestamp: false }, { write: (line) => void lines.push(line) }),
    );
    for (const bytes_done of [1, 2, 3]) voice.progress({ ...progress, bytes_done });
    voice.progress(null);
    expect(lines).toHaveLength(1);
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({ window: 'nightly', phase: 'work', step: 'backup' });
  });
  test('bytes for people', () =>
    expect([0, 1_023, 1_024, 5e9].map(formatBytes)).toEqual(['0 B', '1023 B', '1.0 KiB', '4.7 GiB']));
});
