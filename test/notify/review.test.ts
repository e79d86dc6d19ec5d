/** Defects that a reviewer found: each test failed before its fix. */
import { describe, expect, test } from 'vitest';
import { linkLines } from '../../src/command/ask.ts';
import { notify } from '../../src/config/schema/notify.ts';
import { News } from '../../src/controller/notify/news.ts';
import type { Draft } from '../../src/controller/notify/notice.ts';
import { openStore } from '../../src/controller/notify/store.ts';
import { startNotifications } from '../../src/controller/notify/notifications.ts';
import { DIRECTORY, MemoryDisk } from '../journal/memory-disk.ts';
import { AT, draft, eventually, link, notice } from './parts.ts';

const types = (drafts: readonly Draft[]): string[] =>
  drafts.map(({ type }) => type.replace('portcullis.', ''));
const UNKNOWN = { observed: 'unknown', proof: 'none' } as const;

describe('a heartbeat that falls silent', () => {
  const beat = (heartbeat: string, state: 'fresh' | 'stale', age_ms: number | null = 121_000) => ({
    heartbeat,
    state,
    age_ms,
    max_age_ms: 120_000,
    latch: false,
  });

  test('is told by its own name, also beside another of the same link', () => {
    const news = new News({});
    const [first] = news.look(link({ heartbeats: [beat('watchdog', 'stale'), beat('agent', 'fresh')] }), 0);
    const [second] = news.look(
      link({ heartbeats: [beat('watchdog', 'stale'), beat('agent', 'stale')] }),
      1_000,
    );
    expect(types([first, second].filter((each) => each !== undefined))).toEqual([
      'heartbeat.lost',
      'heartbeat.lost',
    ]);
    expect([first?.text, second?.text]).toEqual([
      expect.stringContaining('watchdog'),
      expect.stringContaining('agent'),
    ]);
  });

  test('while nobody listens here is told later, once; and what comes and goes is counted for a while', () => {
    const stale = link({ heartbeats: [beat('watchdog', 'stale', null)] });
    const news = new News({});
    expect(types(news.look(stale, 0))).toEqual(['heartbeat.lost']);
    expect(new News(news.told).look(stale, 0)).toEqual([]);
    news.look(link({ heartbeats: [beat('watchdog', 'fresh')] }), 5_000);
    expect(news.look(stale, 10_000)).toEqual([]);
    expect(news.tick(600_000)[0]?.data).toMatchObject({ more: 1 });
  });
});

describe('a trip that was reset before it could be told', () => {
  const trip = { by: 'source:alarm', reason: 'mass deletion', at: AT };
  const last_trip = { ...trip, cut_ms: 0.4, proven_ms: 90, proof: 'witness' } as const;

  test('is told all the same, once, also over a restart', () => {
    const news = new News({});
    const drafts = news.look(link({ last_trip }), 0);
    expect(types(drafts)).toEqual(['link.tripped']);
    expect(drafts[0]?.data).toMatchObject({ by: trip.by, cut_ms: 0.4, proven_ms: 90 });
    expect(drafts[0]?.text).toContain('was reset before');
    expect(drafts[0]?.hint).not.toContain('portcullis reset');
    expect(news.look(link({ last_trip }), 1)).toEqual([]);
    expect(new News(news.told).look(link({ last_trip }), 0)).toEqual([]);
  });

  test('and one that was told is not told again when it is reset', () => {
    const news = new News({});
    const latch = { ...trip, cause: 'c-1' };
    expect(types(news.look(link({ state: 'tripped', latch, last_trip }), 0))).toEqual(['link.tripped']);
    expect(types(news.look(link({ last_trip }), 1))).toEqual(['link.reset']);
    expect(new News(news.told).look(link({ last_trip }), 0)).toEqual([]);
  });
});

test('a link that somebody commissions at the box is no alarm that its isolation is not proven', () => {
  const news = new News({});
  news.look(link({ state: 'commissioning', ...UNKNOWN }), 0);
  expect(news.tick(120_000)).toEqual([]);
  news.look(link({ state: 'isolating', ...UNKNOWN }), 120_000);
  expect(types(news.tick(150_000))).toEqual(['link.isolation-unproven']);
});

test('what is critical does not wait until a destination that was away would be asked again', async () => {
  const sent: string[] = [];
  let away = true;
  const running = await startNotifications({
    destinations: notify.parse([{ type: 'slack', url_file: '/none' }]),
    disk: new MemoryDisk(),
    directory: DIRECTORY,
    voice: { note: () => undefined },
    journal: () => undefined,
    status: () => Promise.reject(new Error('not asked')),
    // An hour: nothing here is sent again by itself.
    pace: { firstMs: 3_600_000, mostMs: 3_600_000 },
    senders:
      () =>
      async ({ title }) => {
        await Promise.resolve();
        if (away) return { kind: 'later', why: 'it answered 503', afterMs: null };
        sent.push(title);
        return { kind: 'taken', answer: 'ok' };
      },
  });
  running.tell(draft({ title: 'one' }));
  await eventually('the first failure', () => running.show()[0]?.failures === 1);
  away = false;
  running.tell(draft({ title: 'two' }));
  running.tell(draft({ title: 'tripped', severity: 'critical' }));
  await eventually('the trip', () => sent.includes('tripped'));
  expect(sent).toEqual(['one', 'two', 'tripped']);
  await running.stop();
});

test('status says how fast the last trip was, and how its isolation was proven', () => {
  const trip = {
    by: 'button',
    reason: 'pressed',
    at: AT,
    cut_ms: 0.431,
    proven_ms: 118,
    proof: 'witness',
  } as const;
  expect(linkLines(link({ last_trip: trip })).join('\n')).toContain(
    `last trip at ${AT}: cut within 0.431 ms, isolation proven 118 ms later by a witness`,
  );
  const dead = { ...trip, cut_ms: null, proven_ms: null, proof: 'none' } as const;
  expect(linkLines(link({ last_trip: dead })).join('\n')).toContain('isolation NOT PROVEN since');
});

test('a file of a version that remembered less keeps its notices', async () => {
  const disk = new MemoryDisk();
  const remembered = { latch: null, unproven: 0, stuck: false, budget: 'within', overdue: false };
  const queues = { slack: { waiting: [notice('one')], lost: { repeats: 0, others: 0 } } };
  disk.put('notices.json', JSON.stringify({ format: 1, told: { vault: remembered }, queues }));
  const said: string[] = [];
  const store = await openStore(disk, DIRECTORY, ['slack'], (text) => void said.push(text));
  expect(said).toEqual([]);
  expect(store.queueOf('slack').waiting.map(({ id }) => id)).toEqual(['one']);
  expect(store.told['vault']).toMatchObject({ trip: null, silent: [] });
});
