/**
 * A year of windows through the real processes: what they hold stays flat, and what they leave on the disk is what docs/storage.md says. The
 * short form runs a dozen windows; `PORTCULLIS_LONG=1` runs 365. Judged by the trend only.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Child } from '../faults/child.ts';
import { missingTools } from '../faults/rig.ts';
import { Gauge, type Reading } from './gauge.ts';
import { insideOf, type Planted } from './inside.ts';
import {
  leaksOf,
  OVER_A_DOZEN,
  OVER_A_DOZEN_OF_CONTROLLER,
  OVER_A_YEAR,
  OVER_A_YEAR_OF_CONTROLLER,
  summaryOf,
  unstated,
} from './judgement.ts';
import { stated } from './stated.ts';
import { growing, slopeOf } from './trend.ts';
import { liveThrough, type YearFigures } from './year.ts';

const LONG = process.env['PORTCULLIS_LONG'] === '1';
const HOUR_MS = 3_600_000;
const WINDOWS = LONG ? 365 : 12;
const REPORTS_KEPT = LONG ? 100 : 10;
const ALLOWED = LONG ? OVER_A_YEAR : OVER_A_DOZEN;
const ALLOWED_CONTROLLER = LONG ? OVER_A_YEAR_OF_CONTROLLER : OVER_A_DOZEN_OF_CONTROLLER;
/** The controller lives five times, and then to the end. */
const RESTARTS = LONG ? [2, 4, 6, 8, 10] : [2];
const PLANTED_WINDOWS = 14;
/** The long form says how it does. */
const SAID_EVERY = 25;

const missing = missingTools();
if (!LONG) console.log(`SHORT FORM: ${WINDOWS} windows of 365 (PORTCULLIS_LONG=1 runs them all)`);

describe.skipIf(missing !== null)(`${WINDOWS} windows`, () => {
  let year: YearFigures;
  beforeAll(async () => {
    year = await liveThrough({
      windows: WINDOWS,
      restartsAfter: RESTARTS,
      reportsKept: REPORTS_KEPT,
      onWindow(day, interlock, controller) {
        if (LONG && day % SAID_EVERY === 0) console.log(JSON.stringify({ day, interlock, controller }));
      },
    });
    if (LONG) console.log(JSON.stringify(summaryOf(year), null, 1));
  }, 2 * HOUR_MS);

  test('no process holds more and more', () => {
    const leaks = [
      ...leaksOf('interlock', year.interlock, ALLOWED),
      ...leaksOf('controller', year.controller, ALLOWED_CONTROLLER),
    ];
    expect(leaks).toEqual([]);
  });

  test('every file grows as the page on storage says, and no file is missing there', () => {
    expect(unstated(stated(), year)).toEqual([]);
  });

  test('it was a life: windows did their work, trips cut some, floods were refused, people were told', () => {
    const { outcomes, entryTypes, trips } = year;
    const unlucky = Math.floor(WINDOWS / 20);
    expect((outcomes['done'] ?? 0) + (outcomes['partly-done'] ?? 0)).toBeGreaterThanOrEqual(
      WINDOWS - unlucky,
    );
    expect(outcomes['failed']).toBeUndefined();
    expect(trips).toBe(Math.floor(WINDOWS / 10));
    expect(entryTypes['link.tripped']).toBe(trips);
    expect(entryTypes['link.reset']).toBe(trips);
    expect(entryTypes['trip.refused']).toBeGreaterThan(0);
    expect(entryTypes['controller.refused']).toBeGreaterThan(0);
    expect(year.delivered).toBeGreaterThan(WINDOWS);
  });

  test('what has a bound keeps it: reports, and notices for somebody who is never there', () => {
    expect(year.reports).toBe(REPORTS_KEPT);
    expect(year.waiting).toBeGreaterThan(0);
    expect(year.waiting).toBeLessThanOrEqual(200);
  });
});

describe.skipIf(missing !== null || !LONG)('a leak in the real processes', () => {
  test.each([
    { of: 'interlock', what: 'descriptor', shown: 'interlock descriptors' },
    { of: 'interlock', what: 'memory', shown: 'interlock heap' },
    { of: 'controller', what: 'memory', shown: 'controller heap' },
  ] as const)(
    'a $what leak in the $of is seen',
    async ({ of, what, shown }) => {
      const plan = {
        windows: PLANTED_WINDOWS,
        restartsAfter: [],
        reportsKept: 100,
        planted: { in: of, what },
      };
      const figures = await liveThrough(plan);
      const leaks = [
        ...leaksOf('interlock', figures.interlock, OVER_A_DOZEN),
        ...leaksOf('controller', figures.controller, OVER_A_DOZEN_OF_CONTROLLER),
      ];
      expect(leaks).toHaveLength(1);
      expect(leaks[0]).toContain(shown);
    },
    HOUR_MS,
  );
});

describe('the judge', () => {
  let directory: string;
  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'portcullis-endurance-'));
  });
  afterAll(() => rmSync(directory, { recursive: true, force: true }));

  /** Readings of a process that does nothing, but for what is planted. */
  async function idle(planted: Planted | null): Promise<readonly Reading[]> {
    const file = join(directory, `told-${planted ?? 'nothing'}.json`);
    const inside = `data:text/javascript,${encodeURIComponent(insideOf(file, 0, planted))}`;
    const args = ['--import', inside, '--eval', "setInterval(() => undefined, 1_000); console.log('ready')"];
    const child = new Child('idle', process.execPath, args, process.env);
    try {
      await new Promise<void>((resolve) => {
        child.onLine(() => resolve());
        void child.exited.then(() => resolve());
      });
      const gauge = new Gauge(child, file);
      const readings: Reading[] = [];
      for (let i = 0; i < PLANTED_WINDOWS; i += 1) readings.push(await gauge.read());
      return readings;
    } finally {
      await child.kill();
    }
  }

  test('sees 100 kB that are kept a window, and one descriptor; and nothing where nothing is', async () => {
    expect(leaksOf('idle', await idle(null), OVER_A_DOZEN)).toEqual([]);
    expect(leaksOf('idle', await idle('memory'), OVER_A_DOZEN).join()).toMatch(/^idle heap grows/);
    expect(leaksOf('idle', await idle('descriptor'), OVER_A_DOZEN).join()).toMatch(/^idle descriptors grows/);
  });

  test('sees through noise, through what fills at the beginning, and through single bursts', () => {
    const noise = (i: number): number => ((i * 7_919) % 1_009) - 504;
    const flat = Array.from({ length: 365 }, (_, i) => 20_000_000 + 500 * noise(i));
    const filling = flat.map((bytes, i) => bytes - Math.max(0, 60 - i) * 50_000);
    const bursts = flat.map((bytes, i) => (i % 5 === 0 ? bytes * 2 : bytes));
    for (const readings of [flat, filling, bursts]) expect(Math.abs(slopeOf(readings))).toBeLessThan(300);
    const leaking = flat.map((bytes, i) => bytes + 3_500 * i);
    expect(growing({ leaking, flat }, { leaking: 3_000, flat: 3_000 })).toHaveLength(1);
    const counts = flat.map((_, i) => 40 + (i % 3));
    expect(slopeOf(counts)).toBe(0);
    expect(slopeOf(counts.map((count, i) => count + Math.floor(i / 30)))).toBeGreaterThan(0.02);
  });

  test('reads the page: a file of which nothing is said, and one that grows more than is said, are named', () => {
    const page = stated('| `journal/` | x | 7 kB a window | – |\n| `latch.json` | x | – | 1 kB |\n');
    expect(page.get('journal/')).toEqual({ perWindow: 7_000, atMost: null });
    expect(page.get('latch.json')).toEqual({ perWindow: null, atMost: 1_000 });
    const disk = Array.from({ length: 6 }, (_, i) => ({
      'interlock/journal/': 8_000 * i,
      'interlock/latch.json': 2_000,
      'controller/new.json': 1,
    }));
    const log = { interlock: 0, controller: 0 };
    const said = unstated(page, { disk, log } as unknown as YearFigures).join('\n');
    expect(said).toMatch(/journal\/ grows by 8000/);
    expect(said).toMatch(/latch.json has 2000/);
    expect(said).toMatch(/says nothing of controller\/new.json/);
  });
});
