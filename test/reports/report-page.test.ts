/** The page of a report is what is kept here, whatever the report carries; older files are read, foreign ones are not. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { reportDocument, reportIn } from '../../src/controller/reports/document.ts';
import { reportPage } from '../../src/controller/reports/report-page.ts';
import { headKeyFromPem, signHead, verifyHead } from '../../src/journal/heads.ts';

const GOLDEN = join(import.meta.dirname, 'golden');
/** RFC 8410, the key of its example: signatures of Ed25519 are the same every time. */
const KEY = headKeyFromPem(
  '-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n-----END PRIVATE KEY-----\n',
);
const HEAD = { size: 4_711, hash: 'ab'.repeat(32) };

const reading = (name: string, kind: string, position: string) => ({
  name,
  kind,
  type: kind === 'contact' ? 'waveshare/modbus-rtu-relay-8ch' : 'carrier',
  position,
  age_ms: 120,
  detail: `read ${position}`,
  ...(kind === 'contact' ? { rating: 'fail-safe-independent' } : {}),
});
const EVIDENCE = (['connected', 'isolated'] as const).map((when) => ({
  when,
  at: `2026-11-03T02:${when === 'connected' ? '31' : '49'}:02.000Z`,
  observed: when,
  proof: 'witness',
  readings: [reading('relay', 'contact', when), reading('mirror', 'witness', when)],
}));
const REPORT = {
  format: 2,
  window: 'nightly',
  link: 'vault',
  occurrence: '2026-11-03T02:30:00.000Z',
  by_hand: null,
  resumed: false,
  planned: { began_at: '2026-11-03T02:31:00.000Z', ends_at: '2026-11-03T05:31:00.000Z' },
  actual: {
    started_at: '2026-11-03T02:31:00.000Z',
    granted_at: '2026-11-03T02:31:01.500Z',
    isolated_at: '2026-11-03T02:49:02.000Z',
    finished_at: '2026-11-03T02:49:30.000Z',
  },
  exposure_seconds: 1_080.5,
  isolation_proven: true,
  outcome: 'cut-short',
  why: { code: 'tripped', why: 'tripped by source:alarms: <script>alert(1)</script>', hint: 'see & reset' },
  trip: {
    by: 'source:alarms',
    reason: '<script>alert(1)</script> "quoted" \u202etxt',
    at: '2026-11-03T02:49:01.000Z',
    cut_ms: 1.25,
    proven_ms: 42,
  },
  steps: [
    {
      step: 'backup',
      repository: 'main',
      outcome: { kind: 'done' },
      took_ms: 720_000,
      snapshot: '0123abcd',
      files: 1_234,
      bytes: 9_876_543_210,
      bytes_added: 123_456,
      notes: ['a file vanished & came back'],
    },
    {
      step: 'restore_drill',
      repository: 'main',
      outcome: { kind: 'failed', code: 'differs', why: 'one file differs', hint: 'look' },
      took_ms: 95_000,
      drill: { snapshot: '0123abcd', files: 20, bytes: 2_048, as_source: 19 },
    },
    {
      step: 'command',
      repository: null,
      outcome: { kind: 'cut-short', code: 'tripped', why: 'tripped' },
      took_ms: 400,
      output: 'first line\nsecond <line>',
    },
  ],
  hooks: [{ phase: 'prepare', command: '/usr/local/bin/dump', outcome: 'done', took_ms: 2_000 }],
  journal_head: signHead(HEAD, KEY),
  build: '0.1.0+0123456789abcdef',
  evidence_grade: 'simulated',
  evidence: EVIDENCE,
  proof_tests: [
    { contact: 'relay', outcome: 'passed', basis: 'witness', took_ms: 81, at: '2026-11-03T02:49:01.900Z' },
  ],
  // What other versions add is shown by the names of its keys.
  guards: [
    { guard: 'canaries', outcome: 'held', files: 12, took_ms: 31 },
    {
      guard: 'survey',
      outcome: 'warned',
      removed_share: 0.02,
      changed_share: 0.31,
      entropy: { mean: 7.9, sampled_bytes: 65_536 },
    },
  ],
  anomalies: [],
};

/** Replaces the kept file when `REWRITE=1`. */
function golden(name: string, page: string): void {
  const path = join(GOLDEN, name);
  if (process.env['REWRITE'] === '1') writeFileSync(path, page);
  expect(page).toBe(readFileSync(path, 'utf8'));
}

test('the page is the one that is kept', () => {
  golden('report.html', reportPage(reportDocument.parse(REPORT)));
});

test('a report of format 1 is read and shown, without what it does not have', () => {
  const {
    build: _build,
    evidence_grade: _grade,
    evidence: _evidence,
    proof_tests: _proofs,
    guards: _guards,
    anomalies: _anomalies,
    ...rest
  } = REPORT;
  const old = {
    ...rest,
    format: 1,
    trip: { by: 'button', reason: 'pressed', at: REPORT.trip.at },
    journal_head: null,
  };
  const read = reportIn(JSON.stringify(old));
  if (read === null) throw new Error('not read');
  expect(read).toEqual(old);
  golden('report-1.html', reportPage(read));
});

test('text from outside is text, and nothing is loaded or run', () => {
  const page = reportPage(reportDocument.parse(REPORT));
  expect(page).toContain('&lt;script&gt;alert(1)&lt;/script&gt; &quot;quoted&quot; \\u{202e}txt');
  expect(page).toContain('second &lt;line&gt;');
  expect(page).not.toMatch(/<script|<link|<img|https?:|url\(|\son\w+=|\u202e/i);
});

test('everything that a report carries is on the page', () => {
  const page = reportPage(reportDocument.parse(REPORT));
  for (const text of [
    'canaries',
    'survey',
    '0.31',
    'sampled',
    '64.0 KiB',
    '20',
    '1.25 ms',
    '42 ms',
    '81 ms',
    '18 min 1 s',
    '0123abcd',
    'SIMULATED',
  ])
    expect(page).toContain(text);
});

test('the head on the page verifies as it is printed', () => {
  const page = reportPage(reportDocument.parse(REPORT));
  const printed = page.slice(page.lastIndexOf('<pre>') + '<pre>'.length, page.lastIndexOf('</pre>'));
  expect(verifyHead(`${printed}\n`, KEY.vkey)).toMatchObject({ ok: true, head: HEAD });
});

test.each([
  '',
  '{',
  '[]',
  'null',
  '{"format":3}',
  JSON.stringify({ ...REPORT, format: 3 }),
  JSON.stringify({ ...REPORT, steps: 'x' }),
])('what is no report is none: %.30s', (text) => {
  expect(reportIn(text)).toBeNull();
});
