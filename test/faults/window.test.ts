/** The end of a window and the clock: nothing is connected longer than was granted, whatever hangs or steps. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { eventually, LINK, missingTools, Scenario } from './rig.ts';

let scenario: Scenario;
afterEach(() => scenario.end());

const DAY_MS = 24 * 60 * 60 * 1_000;
/** What the absolute end may come late by, for a machine with much to do, ms. */
const LATE_MS = 5_000;

/** `Date.now()` of the interlock, steered by a file: SIGUSR2 makes it read the offset anew. */
const steered = (file: string): string => `
import { readFileSync } from 'node:fs';
const real = Date.now.bind(Date);
let offset = 0;
Date.now = () => real() + offset;
process.on('SIGUSR2', () => { offset = Number(readFileSync(${JSON.stringify(file)}, 'utf8')); });`;

describe('the clock', { timeout: 120_000 }, () => {
  test('stepped a day forward and back during a window: opens nothing, lengthens nothing, and is recorded', async () => {
    scenario = await Scenario.begin({ lasts: '15s' });
    // The minute that the step leads to is one for which a window of the same link is scheduled.
    const there = new Date(Date.now() + DAY_MS);
    const minute = `${there.getUTCMinutes()} ${there.getUTCHours()} ${there.getUTCDate()} ${there.getUTCMonth() + 1} *`;
    const next = new Date(there.getTime() + 60_000);
    const nextMinute = `${next.getUTCMinutes()} ${next.getUTCHours()} ${next.getUTCDate()} ${next.getUTCMonth() + 1} *`;
    const tempting = (name: string, opens: string): string =>
      `  ${name}: { link: ${LINK}, opens: "${opens}", timezone: UTC, lasts: 1h, steps: [ { check: { repository: main } } ] }\n`;
    scenario.configure({ windows: tempting('tempting', minute) + tempting('tempting-too', nextMinute) });
    const file = join(scenario.directory, 'offset');
    const interlock = await scenario.interlock(steered(file));
    const lease = await scenario.connected();
    const mark = scenario.board.mark();
    const grantedAtMs = lease.grantedAtMs;
    const granted = lease.endsInMs();
    const step = async (ms: number, steps: number): Promise<void> => {
      writeFileSync(file, String(ms));
      interlock.signal('SIGUSR2');
      await eventually('the step in the journal', () => scenario.journal('clock.stepped').length === steps);
    };
    await step(DAY_MS, 1);
    const missed = await eventually('the refused window', () =>
      scenario
        .journal('window.missed')
        .find(({ data }) => JSON.stringify(data['window']).startsWith('"tempting')),
    );
    expect(missed.data['why']).toBe('the clock had just been stepped');
    expect((await scenario.link())?.state).toBe('connected');
    await step(0, 2);
    const steps = scenario
      .journal('clock.stepped')
      .map(({ data }) => Math.round(Number(data['by_ms']) / DAY_MS));
    expect(steps).toEqual([1, -1]);
    expect((await scenario.link())?.lease?.ends_in_ms).toBeLessThan(granted);

    // Renewed all the while; it ends when it was to end, on the clock that nobody steps.
    const move = await scenario.board.move('isolated', mark);
    const end = await lease.lost;
    const lastedMs = performance.now() - grantedAtMs;
    expect(['lease-ended', 'permissive-failed', 'outside-window']).toContain(end.code);
    expect(lastedMs).toBeGreaterThan(granted - 1_000);
    expect(lastedMs).toBeLessThan(granted + LATE_MS);
    expect(move.cause).toBe('frame');
    expect(scenario.journal('window.opened').map(({ data }) => data['window'])).toEqual(['nightly']);
    await scenario.journalVerifies();
  });
});

describe('the end of a window', { timeout: 120_000 }, () => {
  test('a holder that renews for ever is isolated at the absolute end, and refused from then on', async () => {
    scenario = await Scenario.begin({ lasts: '4s' });
    await scenario.interlock();
    const lease = await scenario.connected();
    const mark = scenario.board.mark();
    const granted = lease.endsInMs() + performance.now() - lease.grantedAtMs;
    expect(granted).toBeLessThanOrEqual(4_000);
    const end = await lease.lost;
    expect(['lease-ended', 'permissive-failed', 'outside-window']).toContain(end.code);
    expect((await scenario.board.move('isolated', mark)).cause).toBe('frame');
    await scenario.entry('window.closed');
    await scenario.until('isolation to be proven', (link) => link.state === 'isolated');
    await expect(scenario.askLease()).rejects.toMatchObject({ refusals: [{ code: 'outside-window' }] });
    await scenario.journalVerifies();
  });
});

describe.skipIf(missingTools() !== null)(
  'the end of a window in which restic works',
  { timeout: 120_000 },
  () => {
    const work = async (): Promise<{ occurrence: string; restic: number }> => {
      scenario = await Scenario.begin({ vault: true, limitUpload: 300, lasts: '16s', grace: '6s' });
      scenario.makeRepository();
      scenario.fill(12, 1_000_000);
      await scenario.interlock();
      await scenario.controller();
      const occurrence = await scenario.openWindow();
      return { occurrence, restic: await scenario.untilWriting() };
    };

    test('restic is asked to stop (SIGINT) a grace before the end, and the lease is given back, not taken', async () => {
      const { occurrence } = await work();
      const report = await scenario.report(occurrence);
      expect(report).toMatchObject({
        outcome: 'cut-short',
        why: { code: 'window-ending' },
        isolation_proven: true,
      });
      await scenario.workersGone();
      await scenario.entry('link.proving', (data) => data['given_back'] === 'released');
      expect(scenario.board.stands()).toBe('isolated');
      await scenario.journalVerifies();
    });

    test('a restic that hangs is killed, and the link is isolated at the absolute end', async () => {
      const { occurrence, restic } = await work();
      const mark = scenario.board.mark();
      // Stopped, it hears no SIGINT: like a restic on a dead path.
      process.kill(restic, 'SIGSTOP');
      await scenario.board.move('isolated', mark);
      await scenario.workersGone();
      const report = await scenario.report(occurrence);
      expect(report).toMatchObject({ outcome: 'cut-short', isolation_proven: true });
      expect(report.exposure_seconds).toBeLessThan(16 + LATE_MS / 1_000);
      const opened = scenario.journal('window.opened')[0]?.mono ?? 0;
      const isolating = await scenario.entry('link.isolating');
      expect(isolating.mono - opened).toBeLessThan(16_000 + LATE_MS);
      await scenario.journalVerifies();
    });
  },
);
