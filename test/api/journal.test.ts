/** Pages of the journal, newest first, its filters, its export, and what the chronicle makes of it. */
import { writeFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createVerifier } from '../../src/journal/chain.ts';
import { Chronicle } from '../../src/controller/chronicle/chronicle.ts';
import { byDay } from '../../src/controller/chronicle/days.ts';
import { nodeDisk } from '../../src/journal/disk.ts';
import { ApiBench } from './bench.ts';

interface Page {
  readonly entries: { readonly seq: number; readonly type: string }[];
  readonly next: string | null;
}

describe('the journal', { timeout: 60_000 }, () => {
  let bench: ApiBench;
  let headers: Record<string, string>;
  beforeEach(async () => {
    bench = new ApiBench();
    await bench.start();
    headers = await bench.tokenOf(['read']);
  });
  afterEach(() => bench.stop());

  const page = async (query: string): Promise<Page> =>
    (await bench.ask('GET', `/api/v1/journal?${query}`, { headers })).json<Page>();
  const walk = async (query: string): Promise<number[]> => {
    const seqs: number[] = [];
    for (let cursor = ''; ;) {
      const { entries, next } = await page(`${query}${cursor === '' ? '' : `&cursor=${cursor}`}`);
      seqs.push(...entries.map(({ seq }) => seq));
      if (next === null) return seqs;
      cursor = next;
    }
  };
  const down = (from: number, to: number, step = 1): number[] =>
    Array.from({ length: Math.floor((from - to) / step) + 1 }, (_, i) => from - i * step);

  test('pages join without a gap or a repetition, with and without filters', async () => {
    for (let i = 1; i <= 1_234; i += 1)
      bench.interlock.write(i % 100 === 0 ? 'link.tripped' : 'window.opened', {
        link: i % 2 === 0 ? 'vault' : 'other',
        text: `Number ${i}`,
      });
    bench.hear();
    expect(await walk('limit=7')).toEqual(down(1_234, 1));
    expect(await walk('limit=500')).toEqual(down(1_234, 1));
    expect(await walk('limit=5&type=link.')).toEqual(down(1_200, 100, 100));
    expect(await walk('limit=300&link=vault')).toEqual(down(1_234, 2, 2));
    expect(await walk('limit=9&text=NUMBER%20777')).toEqual([777]);
    const at = bench.interlock.entries[599]?.at ?? '';
    expect((await page(`limit=2&to=${encodeURIComponent(at)}`)).entries.map(({ seq }) => seq)).toEqual([
      600, 599,
    ]);
    expect(await walk(`limit=500&from=${encodeURIComponent(at)}`)).toEqual(down(1_234, 600));
  });

  test('an export is the very lines, and they verify', async () => {
    for (let i = 1; i <= 250; i += 1)
      bench.interlock.write('link.isolated', { link: 'vault', text: 'ümlaut, "quoted"\n' });
    bench.hear();
    const { body } = await bench.ask('GET', '/api/v1/journal/export', { headers });
    const verifier = createVerifier(null);
    const lines = body.trimEnd().split('\n');
    expect(lines).toHaveLength(250);
    for (const line of lines) expect(verifier.feed(line).broken).toBeUndefined();
    const some = await bench.ask('GET', '/api/v1/journal/export?format=csv&from_seq=100&to_seq=101', {
      headers,
    });
    expect(some.body.split('\r\n').map((line) => line.split(',', 1)[0])).toEqual(['seq', '100', '101', '']);
  });

  test('exposure, trips with cut times, proofs, faults and runs follow from it', async () => {
    const { interlock } = bench;
    const at = (ms: number) => new Date(Date.now() - 600_000 + ms).toISOString();
    interlock.write(
      'window.opened',
      { window: 'nightly', link: 'vault', occurrence: 'o1' },
      { mono: 1_000, at: at(0) },
    );
    interlock.write(
      'link.connecting',
      { link: 'vault', from: 'isolated', to: 'connecting' },
      { mono: 2_000, at: at(1_000) },
    );
    interlock.write(
      'link.connected',
      { link: 'vault', from: 'connecting', to: 'connected' },
      { mono: 3_000, at: at(2_000) },
    );
    interlock.write(
      'link.tripped',
      {
        link: 'vault',
        reason: 'ransom note',
        from: 'connected',
        to: 'tripped',
        cut: { why: 'tripped', written_ms: { relay: 0.4, port: 1.5 } },
      },
      { mono: 10_000, at: at(9_000), actor: 'source:canary' },
    );
    interlock.write('link.trip-proven', { link: 'vault', proven_ms: 212 }, { mono: 12_000, at: at(11_000) });
    interlock.write('link.isolating', {
      link: 'vault',
      proof: { contact: 'relay', outcome: 'passed', basis: 'witness', took_ms: 97 },
    });
    interlock.write('link.alarm', { link: 'vault', alarms: ['evidence-lost'] });
    interlock.write('controller.step', { repository: 'main', step: 'check', outcome: { kind: 'done' } });
    interlock.write('controller.window-finished', {
      window: 'nightly',
      link: 'vault',
      occurrence: 'o1',
      outcome: 'cut-short',
      exposure_seconds: 10,
      why: { why: 'tripped' },
    });
    bench.hear();
    await expect.poll(() => bench.face.chronicle.isComplete, { timeout: 10_000 }).toBe(true);
    const history = (await bench.ask('GET', '/api/v1/history?days=2', { headers })).json<
      Record<string, unknown[]>
    >();
    expect(history).toMatchObject({
      complete: true,
      trips: [
        {
          by: 'source:canary',
          reason: 'ransom note',
          cut_ms: 1.5,
          contacts_ms: { relay: 0.4, port: 1.5 },
          proven_ms: 212,
          seq: 4,
        },
      ],
      proofs: [{ contact: 'relay', outcome: 'passed', took_ms: 97, by: 'window' }],
      faults: [{ code: 'evidence-lost' }],
      windows: [{ occurrence: 'o1', outcome: 'cut-short', exposure_ms: 10_000 }],
    });
    expect(bench.face.chronicle.exposureOf('vault')?.days7Ms).toBe(10_000);
    const state = (await bench.ask('GET', '/api/v1/state', { headers })).json<{
      links: unknown[];
      repositories: unknown[];
    }>();
    expect(state.links[0]).toMatchObject({
      exposure: { days_7_ms: 10_000 },
      last_trip: { by: 'source:canary', cut_ms: 1.5 },
    });
    expect(bench.face.chronicle.lastStepOf('main', 'check')).toMatchObject({ outcome: 'done' });
  });

  test('a restart reads on from its checkpoint; another journal is read anew', async () => {
    for (let i = 1; i <= 300; i += 1) bench.interlock.write('link.connecting', { link: 'vault' });
    bench.hear();
    await expect.poll(() => bench.face.chronicle.through, { timeout: 10_000 }).toBe(300);
    await bench.face.chronicle.stop();
    const asked: number[] = [];
    const client = {
      entries: (after: number, limit: number) => {
        asked.push(after);
        return bench.interlock.client.entries(after, limit);
      },
    };
    const notes: string[] = [];
    const parts = {
      client,
      disk: nodeDisk,
      directory: bench.directory,
      voice: { note: (_level: string, text: string) => void notes.push(text) },
    };
    bench.interlock.write('link.isolated', { link: 'vault' });
    const next = new Chronicle(parts);
    await next.load();
    next.told(301);
    await expect.poll(() => next.isComplete, { timeout: 10_000 }).toBe(true);
    expect(asked).toEqual([100, 200, 300]);
    expect(next.recent(150, 1_000)).toMatchObject({ gap: false, entries: { length: 151 } });
    expect(next.book.counters).toEqual(
      bench.face.chronicle.book.counters === undefined
        ? {}
        : { ...bench.face.chronicle.book.counters, 'exposure vault': expect.any(Number) as number },
    );
    await next.stop();

    bench.interlock.entries.splice(0);
    for (let i = 1; i <= 400; i += 1) bench.interlock.write('link.connected', { link: 'vault' });
    const other = new Chronicle(parts);
    await other.load();
    other.told(400);
    await expect.poll(() => other.isComplete, { timeout: 10_000 }).toBe(true);
    expect(notes).toEqual(['the journal is another one than before: its history is read anew']);
    expect(other.book.counters).toEqual({});
    await other.stop();

    writeFileSync(
      join(bench.directory, 'chronicle.json'),
      readFileSync(join(bench.directory, 'chronicle.json')).subarray(0, 50),
    );
    const torn = new Chronicle(parts);
    await torn.load();
    expect(torn.through).toBe(0);
  });

  test('files that were replaced under a running controller are read anew; a broken chain is not', async () => {
    const { interlock, face } = bench;
    const write = (link: string): unknown => interlock.write('link.connecting', { link });
    for (let i = 0; i < 5; i += 1) write('vault');
    bench.hear();
    await expect.poll(() => face.chronicle.isComplete).toBe(true);
    interlock.entries.splice(0);
    for (let i = 0; i < 8; i += 1) write('other');
    bench.hear();
    await expect.poll(() => Object.keys(face.chronicle.book.since)).toEqual(['other']);
    const next = write('third') as { prev: string };
    next.prev = 'a'.repeat(64);
    bench.hear();
    await expect.poll(() => face.chronicle.through).toBe(9);
    expect(Object.keys(face.chronicle.book.since)).toEqual(['other', 'third']);
    expect(face.chronicle.wasComplete).toBe(true);
  });

  test('a day of a clock that was ahead is none of the last days', async () => {
    const at = (year: number, minute: number) => ({
      at: new Date(Date.UTC(year, 0, 1, 0, minute)).toISOString(),
    });
    const year = new Date().getUTCFullYear() + 5;
    bench.interlock.write('link.connecting', { link: 'vault' }, at(year, 0));
    bench.interlock.write('link.isolated', { link: 'vault' }, at(year, 1));
    bench.hear();
    await expect.poll(() => bench.face.chronicle.wasComplete).toBe(true);
    expect(bench.face.chronicle.exposureOf('vault')).toEqual({ todayMs: 0, days7Ms: 0, days30Ms: 0 });
  });

  test('a stretch is split at midnights, whatever their distance', () => {
    const began = new Date(2026, 2, 28, 23, 0).getTime();
    const parts = byDay(began, 26 * 3_600_000);
    expect([...parts.keys()]).toEqual(['2026-03-28', '2026-03-29', '2026-03-30']);
    expect([...parts.values()].reduce((sum, ms) => sum + ms, 0)).toBe(26 * 3_600_000);
  });

  test('what is kept is bounded', async () => {
    for (let i = 1; i <= 3_000; i += 1) {
      bench.interlock.write('link.tripped', { link: 'vault', to: 'tripped', reason: 'again' });
      bench.interlock.write('link.trip-proven', { link: 'vault', proven_ms: 1 });
    }
    bench.hear();
    await expect.poll(() => bench.face.chronicle.isComplete, { timeout: 30_000 }).toBe(true);
    expect(bench.face.chronicle.book.trips).toHaveLength(1_000);
    expect(bench.face.chronicle.recent(0, 10_000)).toMatchObject({ gap: true, entries: { length: 1_000 } });
  });
});
