/** What a restore drill froze is lifted by a person who has seen it, and by nothing else. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { configSchema } from '../../src/config/schema.ts';
import { anomaliesIn, AnomalyBook, releaseFile, releaseText } from '../../src/controller/anomalies/book.ts';
import { openLedger } from '../../src/controller/ledger.ts';
import { Sentries } from '../../src/controller/sentries.ts';
import { nodeDisk } from '../../src/journal/disk.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'portcullis-drill-finding-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

test('releasing something else does not release what a drill found', async () => {
  const config = configSchema.parse({
    state_directory: directory,
    runtime_directory: directory,
    controller: { listen: '127.0.0.1:0', state_directory: directory },
    links: { vault: { contacts: [], settle: '10ms', connect_timeout: '1s' } },
    repositories: { main: { url: '/srv/vault', password_file: '/p' } },
    windows: {
      nightly: {
        link: 'vault',
        opens: '* * * * *',
        timezone: 'UTC',
        lasts: '1h',
        steps: [{ restore_drill: { repository: 'main' } }],
      },
    },
  });
  const ledger = await openLedger(nodeDisk, directory);
  const book = new AnomalyBook(nodeDisk, directory);
  const sentries = new Sentries({
    config,
    client: { trip: () => Promise.reject(new Error('nothing trips here')) },
    ledger,
    disk: nodeDisk,
    voice: { note: () => undefined },
    now: () => new Date(),
    journal: () => undefined,
  });
  const post = { window: 'nightly', occurrence: 'one', link: 'vault' };
  const numbers = {};
  const found = {
    ...post,
    repository: 'main',
    action: 'hold',
    why: 'half is gone',
    numbers,
    snapshot: null,
  } as const;
  const { id } = await book.add({ ...found, rule: 'removed' }, '2026-11-21T02:40:00.000Z');
  const why = '/srv/x is restored with another content';
  await ledger.note({ main: { frozen: { why: 'half is gone', at: '2026-11-21T02:40:00.000Z' } } });
  const outcome = { kind: 'failed', code: 'drill-differs', why, hint: 'look' } as const;
  const steps = [{ step: 'restore_drill', repository: 'main', outcome, took_ms: 1 }] as const;
  const told = await sentries.conclude(post, { guards: [], steps });
  expect(told).toMatchObject([{ rule: 'restore-drill', why: `a restore drill found: ${why}` }]);

  const release = (which: string): void => {
    const said = { at: new Date().toISOString(), by: 'tester', reason: 'seen', expected: false };
    writeFileSync(releaseFile(anomaliesIn(directory), which), releaseText(said));
  };
  release(id);
  await sentries.settle();
  expect(ledger.frozen('main')).toContain(why);
  release(told[0]?.id ?? '');
  await sentries.settle();
  expect(ledger.frozen('main')).toBeNull();
});
