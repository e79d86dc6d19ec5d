/** Which reports are kept, and how few of them are held while they are read. */
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { reportsOf } from '../../src/api/documents/report-reading.ts';
import { thisMachine } from '../../src/controller/machine.ts';
import { dropOldReports, recentReports, type WindowReport } from '../../src/controller/report.ts';
import { nodeDisk } from '../../src/journal/disk.ts';

const HOUR_MS = 3_600_000;
let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'portcullis-reports-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

function keep(count: number): void {
  for (let i = 0; i < count; i += 1) {
    const at = new Date(Date.UTC(2026, 0, 1) + i * HOUR_MS).toISOString();
    const report = {
      format: 2,
      window: 'nightly',
      link: 'vault',
      occurrence: at,
      by_hand: null,
      resumed: false,
      planned: { began_at: at, ends_at: at },
      actual: { started_at: at, granted_at: null, isolated_at: null, finished_at: at },
      exposure_seconds: 0,
      isolation_proven: true,
      outcome: 'done',
      why: null,
      trip: null,
      steps: [],
      hooks: [],
      journal_head: null,
    };
    // Names in no order of time.
    const path = join(directory, `nightly-${(i * 7919) % 10_007}.json`);
    writeFileSync(path, JSON.stringify(report));
    utimesSync(path, new Date(at), new Date(at));
  }
}
const startsOf = (reports: readonly WindowReport[]): string[] =>
  reports.map((each) => each.actual.started_at);
const { ageOf } = thisMachine;

const NOBODYS = { window: 'nightly', occurrence: String((59 * 7919) % 10_007) };

test('links and directories of others are not counted, not followed, and no fault', async () => {
  keep(60);
  mkdirSync(join(directory, 'mine.json'));
  symlinkSync('nowhere', join(directory, 'dangling.json'));
  await dropOldReports(nodeDisk, directory, 25, ageOf, NOBODYS);
  expect(readdirSync(directory)).toHaveLength(27);
});

test('the one that was just written stays, also when the clock was ahead while all others were', async () => {
  keep(30);
  const just = { window: 'nightly', occurrence: String((7 * 7919) % 10_007) };
  const path = join(directory, `nightly-${just.occurrence}.json`);
  utimesSync(path, 0, 0);
  await dropOldReports(nodeDisk, directory, 10, ageOf, just);
  expect(readdirSync(directory)).toHaveLength(10);
  expect(readdirSync(directory)).toContain(`nightly-${just.occurrence}.json`);
});

test('beyond the limit the oldest go, by their time and not by their name', async () => {
  keep(60);
  await dropOldReports(nodeDisk, directory, 25, ageOf, NOBODYS);
  expect(readdirSync(directory)).toHaveLength(25);
  const left = startsOf(await recentReports(nodeDisk, directory, Number.POSITIVE_INFINITY));
  expect(left.at(-1)).toBe(new Date(Date.UTC(2026, 0, 1) + 35 * HOUR_MS).toISOString());
});

test('the newest are the newest, in whatever order the files are read', async () => {
  keep(60);
  const all = startsOf(await recentReports(nodeDisk, directory, Number.POSITIVE_INFINITY));
  expect(all).toEqual(all.toSorted().toReversed());
  for (const most of [1, 5, 20, 60])
    expect(startsOf(await recentReports(nodeDisk, directory, most))).toEqual(all.slice(0, most));
  const wanted = await recentReports(nodeDisk, directory, 3, (each) => each.actual.started_at < '2026-01-02');
  expect(startsOf(wanted)).toEqual(all.filter((at) => at < '2026-01-02').slice(0, 3));
});

test('the list of reports shows what is there, also after some were removed', async () => {
  keep(30);
  expect((await reportsOf(directory, { limit: 50 })).reports).toHaveLength(30);
  const last = { window: 'nightly', occurrence: String((29 * 7919) % 10_007) };
  await dropOldReports(nodeDisk, directory, 12, ageOf, last);
  expect((await reportsOf(directory, { limit: 50 })).reports).toHaveLength(12);
});
