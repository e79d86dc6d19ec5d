/** Reports and months over the API: the same documents as JSON and as pages, and pages that a browser only shows. */
import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { reportName } from '../../src/controller/report.ts';
import { monthDocument } from '../../src/controller/reports/month-document.ts';
import { ApiBench } from './bench.ts';

const AT = '2026-11-03T02:30:00.000Z';
const REPORT = {
  format: 1,
  window: 'nightly',
  link: 'vault',
  occurrence: AT,
  by_hand: null,
  resumed: false,
  planned: { began_at: AT, ends_at: AT },
  actual: { started_at: AT, granted_at: AT, isolated_at: AT, finished_at: AT },
  exposure_seconds: 60,
  isolation_proven: true,
  outcome: 'done',
  why: null,
  trip: null,
  steps: [],
  hooks: [],
  journal_head: null,
  survey: { removed_share: 0.02, why: '<b>bold</b>' },
};

let bench: ApiBench;
let headers: Record<string, string>;
beforeEach(async () => {
  bench = new ApiBench();
  await bench.start();
  headers = await bench.tokenOf(['read']);
}, 60_000);
afterEach(() => bench.stop());

const ask = (path: string) => bench.ask('GET', `/api/v1${path}`, { headers });

/** Fails unless the page may run nothing and its one style sheet is the one that its policy names. */
function expectInert(page: string, policy: unknown): void {
  const [, style = ''] = /<style>([\s\S]*?)<\/style>/.exec(page) ?? [];
  const digest = createHash('sha256').update(style).digest('base64');
  expect(policy).toContain(`style-src 'sha256-${digest}'`);
  expect(policy).toContain("default-src 'none'");
  expect(policy).not.toContain('script-src');
  expect(page).not.toContain('<script');
}

test('a report, and its page', async () => {
  writeFileSync(join(bench.directory, reportName('nightly', AT)), JSON.stringify(REPORT));
  expect((await ask(`/reports/nightly/${AT}`)).json()).toEqual(REPORT);
  const page = await ask(`/reports/nightly/${encodeURIComponent(AT)}.html`);
  expect(page.statusCode).toBe(200);
  expect(page.headers['content-type']).toBe('text/html; charset=utf-8');
  expectInert(page.body, page.headers['content-security-policy']);
  expect(page.body).toContain('&lt;b&gt;bold&lt;/b&gt;');
  expect(page.body).toContain(`<title>Window nightly, ${AT}</title>`);
  expect((await ask('/reports/nightly/never.html')).json()).toMatchObject({
    status: 404,
    code: 'report-unknown',
  });
  expect((await bench.ask('GET', `/api/v1/reports/nightly/${AT}.html`)).statusCode).toBe(401);
});

test('a month, proven over the socket, and its page', { timeout: 60_000 }, async () => {
  const month = AT.slice(0, 7);
  const at = (day: number) => ({ at: new Date(Date.UTC(2026, 10, day, 12)).toISOString() });
  bench.interlock.write('link.connecting', { link: 'vault' }, at(2));
  bench.interlock.write('link.isolated', { link: 'vault' }, at(2));
  const [first, again] = await Promise.all([ask(`/months/${month}`), ask(`/months/${month}`)]);
  const made = monthDocument.parse(first.json());
  expect(monthDocument.parse(again.json())).toMatchObject({ journal: made.journal });
  expect(made.journal).toMatchObject({ state: 'verified', read_from: 'socket', entries: 2, first_seq: 1 });
  expect(made.links).toMatchObject([{ link: 'vault', connections: 1, exposure_ms: 1_000 }]);
  const changed = bench.interlock.entries[0];
  if (changed !== undefined) bench.interlock.entries[0] = { ...changed, actor: 'nobody' };
  const page = await ask(`/months/${month}.html`);
  expectInert(page.body, page.headers['content-security-policy']);
  expect(page.body).toContain('THE JOURNAL DOES NOT VERIFY');
  expect((await ask('/months/2026-13')).statusCode).toBe(400);
  expect((await ask('/months/nightly')).statusCode).toBe(400);
});
