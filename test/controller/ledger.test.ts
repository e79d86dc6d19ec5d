import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openLedger } from '../../src/controller/ledger.ts';
import { nodeDisk } from '../../src/journal/disk.ts';
import type { Disk } from '../../src/journal/disk.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'portcullis-ledger-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const AT = '2026-11-21T00:00:00.000Z';

test('an opening is run once; one that was not finished is resumed once', async () => {
  const first = await openLedger(nodeDisk, directory);
  expect(first.turnOf('nightly', 'one')).toBe('run');
  await first.started('nightly', 'one', AT);
  const second = await openLedger(nodeDisk, directory);
  expect(second.turnOf('nightly', 'one')).toBe('resume');
  expect(second.turnOf('weekly', 'one')).toBe('run');
  await second.started('nightly', 'one', AT);
  expect((await openLedger(nodeDisk, directory)).turnOf('nightly', 'one')).toBe('given-up');
  await second.finished('nightly', 'one', 'cut-short');
  expect((await openLedger(nodeDisk, directory)).turnOf('nightly', 'one')).toBe('run-before');
});

test('an opening that ended is not run again, however it ended', async () => {
  const ledger = await openLedger(nodeDisk, directory);
  await ledger.started('nightly', 'one', AT);
  await ledger.finished('nightly', 'one', 'failed');
  expect((await openLedger(nodeDisk, directory)).turnOf('nightly', 'one')).toBe('run-before');
});

test('marks survive, and so do facts beside them', async () => {
  const ledger = await openLedger(nodeDisk, directory);
  expect(ledger.repository('constructor')).toEqual({
    id: null,
    mark: null,
    last_good_backup: null,
    parts_checked: 0,
    positions: {},
    last_check: null,
    last_restore_drill: null,
    frozen: null,
    snapshots: [],
  });
  const mark = { kind: 'cut' as const, why: 'test', at: AT };
  await Promise.all([
    ledger.note({ main: { mark } }),
    ledger.note({ main: { id: 'ab' }, other: { parts_checked: 2 } }),
  ]);
  const again = await openLedger(nodeDisk, directory);
  expect(again.repository('main')).toMatchObject({ id: 'ab', mark });
  expect(again.repository('other')).toMatchObject({ parts_checked: 2 });
});

test('a ledger from before drills and freezing is read', async () => {
  const old = { id: 'ab', mark: null, last_good_backup: null, parts_checked: 3 };
  writeFileSync(
    join(directory, 'ledger.json'),
    JSON.stringify({ format: 1, occurrences: [], repositories: { main: old } }),
  );
  const ledger = await openLedger(nodeDisk, directory);
  expect(ledger.repository('main')).toMatchObject({ id: 'ab', parts_checked: 3, snapshots: [] });
  expect(ledger.frozen('main')).toBeNull();
  await ledger.note({ main: { frozen: { why: 'half of it is gone', at: AT } } });
  expect((await openLedger(nodeDisk, directory)).frozen('main')).toBe('half of it is gone');
  expect(ledger.frozen('other')).toBeNull();
});

test('a failed write is told, changes nothing, and does not stop the next', async () => {
  let fails = true;
  const disk: Disk = {
    ...nodeDisk,
    replace: (path, bytes) =>
      fails ? Promise.reject(new Error('disk full')) : nodeDisk.replace(path, bytes),
  };
  const ledger = await openLedger(disk, directory);
  await expect(ledger.started('nightly', 'one', AT)).rejects.toThrow('disk full');
  expect(ledger.turnOf('nightly', 'one')).toBe('run');
  fails = false;
  await ledger.started('nightly', 'one', AT);
  expect(ledger.turnOf('nightly', 'one')).toBe('resume');
});

test.each(['', '{', '{"format":2}', '{"format":1,"occurrences":[],"repositories":{},"more":1}'])(
  'a ledger that cannot be read is not guessed at: %s',
  async (content) => {
    writeFileSync(join(directory, 'ledger.json'), content);
    await expect(openLedger(nodeDisk, directory)).rejects.toMatchObject({ code: 'LEDGER_UNREADABLE' });
    expect(readFileSync(join(directory, 'ledger.json'), 'utf8')).toBe(content);
  },
);

test('it does not grow for ever', async () => {
  const ledger = await openLedger(nodeDisk, directory);
  for (let index = 0; index < 205; index += 1) await ledger.started('nightly', String(index), AT);
  const file = JSON.parse(readFileSync(join(directory, 'ledger.json'), 'utf8')) as { occurrences: unknown[] };
  expect(file.occurrences).toHaveLength(200);
  expect(ledger.turnOf('nightly', '204')).toBe('resume');
});
