/** A page that stays for months: thousands of events, and no more memory than before. */
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { missingBrowser, startBrowser, visit } from './browser.ts';
import { builtDashboard } from './built.ts';
import { STATES } from './documents.ts';
import { FakeBox } from './fake-box.ts';
import { entryOf } from './past.ts';

const LONG = process.env['PORTCULLIS_LONG'] === '1';
/** Events of each kind before and after the first weighing. */
const WARMING = 300;
const MEASURED = LONG ? 50_000 : 600;
const BATCH = 60;
/** What a collected heap may differ by, bytes. */
const SLACK_BYTES = 1_500_000;
/** Entries that the page keeps. */
const KEPT = 500;

/** The number of the newest entry, as either view shows it. */
const newestOn = (page: Page): Promise<string> =>
  page.evaluate(
    `(document.querySelector('.entries .seq')?.textContent ?? document.querySelector('.box-line')?.textContent.match(/([\\d,]+) entries/)?.[1])`,
  );

describe.skipIf(missingBrowser() !== null)('a long stream', () => {
  let browser: Browser;
  let box: FakeBox;
  let seq = 50_000;
  beforeAll(async () => {
    box = new FakeBox(builtDashboard());
    await box.start();
    browser = await startBrowser();
  }, 60_000);
  afterAll(async () => {
    await browser?.close();
    await box?.stop();
  });

  test.each(['state', 'journal'])(
    'leaves no memory behind on the view %s',
    async (view) => {
      if (!LONG) console.warn(`short form: ${MEASURED} events of each kind; PORTCULLIS_LONG=1 for 50,000`);
      const open = await visit(browser, `${box.url}#/${view}`);
      const { page, errors } = open;
      const protocol = await page.context().newCDPSession(page);
      await protocol.send('Performance.enable');
      await expect.poll(() => box.streams.size).toBe(1);
      const send = async (events: number): Promise<void> => {
        for (let sent = 0; sent < events; sent += BATCH) {
          for (let each = 0; each < BATCH; each += 1) {
            seq += 1;
            box.record(entryOf(seq, each % 9 === 0 ? 'link.tripped' : 'link.isolated'));
            const state = each % 2 === 0 ? STATES.connected() : STATES.tripped();
            box.become({ ...state, journal: { size: seq, head: String(seq).repeat(4), writable: true } });
          }
          const newest = view === 'journal' ? String(seq) : seq.toLocaleString('en-GB');
          await expect.poll(() => newestOn(page)).toBe(newest);
        }
      };
      const weigh = async (): Promise<Record<string, number>> => {
        await protocol.send('HeapProfiler.collectGarbage');
        const { metrics } = await protocol.send('Performance.getMetrics');
        return Object.fromEntries(metrics.map(({ name, value }) => [name, value]));
      };
      await send(view === 'journal' ? Math.max(WARMING, KEPT + BATCH) : WARMING);
      const before = await weigh();
      await send(MEASURED);
      const after = await weigh();
      expect((after['JSHeapUsedSize'] ?? 0) - (before['JSHeapUsedSize'] ?? 0)).toBeLessThan(SLACK_BYTES);
      expect((after['Nodes'] ?? 0) / (before['Nodes'] ?? 1)).toBeLessThan(1.3);
      expect((after['JSEventListeners'] ?? 0) / (before['JSEventListeners'] ?? 1)).toBeLessThan(1.3);
      expect(errors).toEqual([]);
      await open.close();
    },
    LONG ? 600_000 : 60_000,
  );
});
