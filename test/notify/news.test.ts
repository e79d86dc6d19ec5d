/** What becomes of events, golden; and that each thing is told once, again where it must be. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { News, REPEAT_AFTER_MS } from '../../src/controller/notify/news.ts';
import type { Draft } from '../../src/controller/notify/notice.ts';
import { noticesLost, testNotice, windowEnded, windowMissed } from '../../src/controller/notify/texts.ts';
import type { WindowReport } from '../../src/controller/report.ts';
import type { EventLine } from '../../src/protocol/messages.ts';
import { AT, link } from './parts.ts';

const TRIP = { by: 'source:alertmanager', reason: 'rm -rf on production', at: AT, cause: 'c-1' };
const tripped: EventLine = { event: 'tripped', link: 'vault', trip: TRIP, cut_ms: 0.431 };
/** As the interlock tells of the trip once it is proven. */
const LAST = { ...TRIP, cut_ms: 0.431, proven_ms: 118, proof: 'witness' } as const;
const alarm = (code: string): EventLine => ({
  event: 'alarm',
  link: 'vault',
  code,
  why: `why of ${code}`,
  hint: `hint of ${code}`,
});
const UNKNOWN = { observed: 'unknown', proof: 'none' } as const;

const report = (change: Partial<WindowReport> = {}): WindowReport => ({
  format: 1,
  window: 'nightly',
  link: 'vault',
  occurrence: '2026-11-21T02:30',
  by_hand: null,
  resumed: false,
  planned: { began_at: AT, ends_at: AT },
  actual: { started_at: AT, granted_at: AT, isolated_at: AT, finished_at: AT },
  exposure_seconds: 61.25,
  isolation_proven: true,
  outcome: 'done',
  why: null,
  trip: null,
  steps: [{ step: 'backup', repository: 'main', outcome: { kind: 'done' }, took_ms: 5 }],
  hooks: [],
  journal_head: null,
  ...change,
});

const unusual = {
  id: 'a20261121-0a1b2c',
  rule: 'random-data',
  repository: 'main',
  action: 'isolate',
  why: '50 of the last 60 files cannot be compressed any more',
  numbers: { files_seen: 60 },
  snapshot: null,
} as const;

/** Everything that is worth telling, once each. */
function everything(): readonly Draft[] {
  const calm = new News({});
  calm.look(link(), 0);
  const latched = link({ state: 'tripped', latch: TRIP, last_trip: LAST });
  const failed = {
    kind: 'failed',
    code: 'locked',
    why: 'the repository is locked',
    hint: 'see who works in it',
  } as const;
  const overdue = {
    code: 'proof-overdue',
    why: 'contact relay was last proven 41 days ago',
    hint: 'commission it',
  };
  const bad = new News({});
  bad.look(link({ state: 'tripped', latch: TRIP, ...UNKNOWN }), 0);
  return [
    ...calm.hear(tripped, 1_000),
    ...calm.look(latched, 1_120),
    ...calm.look(link({ evidence_grade: 'simulated', proof: 'read-back' }), 60_000),
    ...bad.tick(3_000),
    ...bad.hear(alarm('isolation-unproven'), 3_100),
    ...bad.tick(63_100),
    ...bad.look(link({ state: 'stuck', latch: TRIP, observed: 'connected', proof: 'none' }), 70_000),
    ...bad.look(link({ state: 'stuck', latch: TRIP }), 90_000),
    ...calm.hear(alarm('proof-failed'), 0),
    ...calm.look(
      link({
        heartbeats: [
          { heartbeat: 'watchdog', state: 'stale', age_ms: 130_000, max_age_ms: 120_000, latch: false },
        ],
      }),
      0,
    ),
    ...calm.hear(alarm('connection-lost'), 0),
    ...calm.look(link({ exposure: { last_24h_ms: 12_000_000, budget_ms: 14_400_000 } }), 0),
    ...calm.look(link({ exposure: { last_24h_ms: 14_400_000, budget_ms: 14_400_000 } }), 0),
    ...calm.look(link({ refusals: [overdue] }), 0),
    ...calm.hear(
      {
        event: 'window-opened',
        window: 'nightly',
        link: 'vault',
        occurrence: 'one',
        ends_in_ms: 1,
        by_hand: null,
      },
      0,
    ),
    ...calm.ended(report()),
    ...calm.ended(
      report({
        outcome: 'failed',
        steps: [{ step: 'backup', repository: 'main', outcome: failed, took_ms: 5 }],
      }),
    ),
    ...calm.ended(
      report({
        outcome: 'skipped',
        steps: [],
        why: { code: 'budget-spent', why: 'the budget is spent', hint: 'wait' },
      }),
    ),
    ...calm.ended(report({ isolation_proven: false })),
    ...calm.ended(report({ anomalies: [unusual, { ...unusual, id: null, action: 'warn' }] })).slice(1),
    windowMissed('nightly', 'two', 'this opening ended the controller twice'),
    noticesLost(7, 1),
    testNotice('slack'),
  ];
}

describe('golden', () => {
  const path = join(import.meta.dirname, 'golden', 'messages.txt');
  test('every message, in words and data', () => {
    const text = everything()
      .map(
        ({ type, severity, title, text: known, hint, data, repeats }) =>
          `${type} [${severity}]${repeats === null ? '' : ` repeats ${repeats}`}\n  ${title}\n  ${known}\n  ${hint}\n  ${JSON.stringify(data)}\n`,
      )
      .join('\n');
    if (process.env['REWRITE'] === '1') writeFileSync(path, text);
    expect(text).toBe(readFileSync(path, 'utf8'));
  });
});

const types = (drafts: readonly Draft[]): string[] =>
  drafts.map(({ type }) => type.replace('portcullis.', ''));

const latched = link({ state: 'tripped', latch: TRIP, last_trip: LAST });

describe('a trip', () => {
  test('is told once, with the proof when that comes soon', () => {
    const news = new News({});
    news.look(link(), 0);
    // The interlock shows the latch before it says so, with a time of its own.
    const early = link({ state: 'tripped', ...UNKNOWN, latch: { ...TRIP, at: '2026-11-21T03:04:04.900Z' } });
    expect(news.look(early, 5)).toEqual([]);
    expect(news.hear(tripped, 10)).toEqual([]);
    const held = link({ state: 'tripped', latch: TRIP });
    // The proof of what came before is none of the trip, and without the figures of its cut it is not told either.
    expect(news.look({ ...held, last_trip: { ...LAST, proven_ms: null, proof: 'none' } }, 190)).toEqual([]);
    expect(news.look(held, 195)).toEqual([]);
    const told = news.look(latched, 205);
    expect(types(told)).toEqual(['link.tripped']);
    expect(told[0]?.data).toMatchObject({ proven: true, cut_ms: 0.431, proven_ms: 118, by: TRIP.by });
    expect(told[0]?.hint).toContain('portcullis reset vault --cause c-1 --reason TEXT');
    expect(news.hear(tripped, 300)).toEqual([]);
    expect(news.look(latched, 400)).toEqual([]);
    expect(news.tick(10_000)).toEqual([]);
  });

  test('is told without proof after a short wait, and never with a proof from before it', () => {
    const news = new News({});
    news.look(link(), 0);
    expect(news.hear(tripped, 0)).toEqual([]);
    expect(news.tick(2_999)).toEqual([]);
    const [told] = news.tick(3_000);
    expect(told?.data).toMatchObject({ proven: false, proven_ms: null });
    expect(told?.text).toContain('NOT proven');
  });

  test('that happened while nobody listened is told; one that was told before a restart is not', () => {
    const first = new News({});
    expect(types(first.look(latched, 0))).toEqual(['link.tripped']);
    const second = new News(first.told);
    expect(second.look(latched, 0)).toEqual([]);
    const another = link({ state: 'tripped', latch: { ...TRIP, at: '2026-11-22T00:00:00.000Z' } });
    // The interlock was restarted since: it does not know how fast it cut.
    expect([...second.look(another, 5), ...second.tick(3_004)]).toEqual([]);
    const [told] = second.tick(3_005);
    expect(told?.data).toMatchObject({ proven: true, cut_ms: null });
    expect(told?.text).toContain('How fast is not known');
    expect(types(new News(first.told).look(link(), 0))).toEqual(['link.reset']);
  });
});

describe('isolation that is not proven', () => {
  test('is told at once on alarm, then again and again at growing intervals, then that it is proven', () => {
    const news = new News({});
    news.look(link({ state: 'isolating', ...UNKNOWN }), 0);
    expect(types(news.hear(alarm('isolation-unproven'), 2_000))).toEqual(['link.isolation-unproven']);
    const at: number[] = [];
    for (let now = 2_000; now < 2_000 + 6 * 3_600_000; now += 1_000)
      for (const { type } of news.tick(now)) if (type === 'portcullis.link.isolation-unproven') at.push(now);
    const gaps = at.map((now, index) => now - (at[index - 1] ?? 2_000));
    expect(gaps.slice(0, 5)).toEqual([...REPEAT_AFTER_MS]);
    expect(new Set(gaps.slice(5))).toEqual(new Set([REPEAT_AFTER_MS.at(-1)]));
    expect(types(news.look(link(), 30_000_000))).toEqual(['link.isolation-proven']);
    expect(news.tick(90_000_000)).toEqual([]);
  });

  test('is no news for a while after a start, nor while a lease connects', () => {
    const news = new News({});
    expect(news.look(link({ state: 'unproven', ...UNKNOWN }), 0)).toEqual([]);
    expect(news.tick(29_000)).toEqual([]);
    const connecting = link({ state: 'connecting', commanded: 'connected', ...UNKNOWN });
    expect(news.look(connecting, 29_500)).toEqual([]);
    expect(news.tick(90_000)).toEqual([]);
    news.look(link({ state: 'unproven', ...UNKNOWN }), 100_000);
    expect(types(news.tick(130_000))).toEqual(['link.isolation-unproven']);
  });

  test('a link that gets stuck is told at once, though unproven was told before', () => {
    const news = new News({});
    news.look(link({ state: 'tripped', latch: TRIP, ...UNKNOWN }), 0);
    news.hear(alarm('isolation-unproven'), 10);
    const stuck = link({ state: 'stuck', latch: TRIP, observed: 'connected', proof: 'none' });
    const told = news.look(stuck, 20);
    expect(types(told)).toContain('link.stuck');
    expect(told.every(({ repeats }) => repeats === null)).toBe(true);
    expect(types(news.look(stuck, 30))).toEqual([]);
  });
});

test('the same alarm is counted for a while, and the count is told', () => {
  const news = new News({});
  expect(types(news.hear(alarm('connection-lost'), 0))).toEqual(['link.alarm']);
  for (let now = 1_000; now < 5_000; now += 1_000)
    expect(news.hear(alarm('connection-lost'), now)).toEqual([]);
  const [more] = news.tick(600_000);
  expect(more?.data).toMatchObject({ more: 4 });
  expect(news.tick(1_300_000)).toEqual([]);
  expect(types(news.hear(alarm('connection-lost'), 1_300_001))).toEqual(['link.alarm']);
});

test('the budget is told on its way up only', () => {
  const news = new News({});
  const used = (share: number) =>
    types(news.look(link({ exposure: { last_24h_ms: share * 1_000, budget_ms: 1_000 } }), 0));
  expect([used(0.5), used(0.8), used(0.9), used(1), used(0.9), used(0.1), used(0.85)]).toEqual([
    [],
    ['link.budget-nearly-spent'],
    [],
    ['link.budget-spent'],
    [],
    [],
    ['link.budget-nearly-spent'],
  ]);
});

test('text from outside is escaped and bounded', () => {
  const news = new News({});
  const evil = { by: 'source:x', reason: `\u202E\u001B[2J${'a'.repeat(5_000)}`, at: AT, cause: 'c-1' };
  const last_trip = { ...LAST, ...evil };
  const [told] = news.look(link({ state: 'tripped', latch: evil, last_trip }), 0);
  expect(told?.title).not.toMatch(/\p{Cc}|\p{Cf}/u);
  expect(told?.title.length).toBeLessThan(500);
});

test('a step without a repository and a hook afterwards are told in words', () => {
  const failure = {
    kind: 'failed' as const,
    code: 'command-failed',
    why: '/bin/dump ended with code 4',
    hint: 'h',
  };
  const { text } = windowEnded(
    report({
      outcome: 'failed',
      steps: [{ step: 'command', repository: null, outcome: failure, took_ms: 5 }],
      hooks: [
        { phase: 'after', command: '/bin/tell', outcome: 'failed', why: '/bin/tell was killed', took_ms: 5 },
      ],
    }),
  );
  expect(text).toContain(
    'command failed: /bin/dump ended with code 4. The hook afterwards: /bin/tell was killed.',
  );
});
