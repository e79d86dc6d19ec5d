/** Every state and every view, at the sizes that people have, in both themes, looked at by axe-core. */
import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { violationsOf } from './accessibility.ts';
import { missingBrowser, SIZES, startBrowser, visit, type Visit } from './browser.ts';
import { builtDashboard } from './built.ts';
import { STATES, type StateName } from './documents.ts';
import { ADA, FakeBox, problem } from './fake-box.ts';

const VIEWS = ['windows', 'timeline', 'proof', 'sources', 'journal', 'configuration', 'people'] as const;
const WORDS: Record<StateName, string> = {
  isolated: 'Isolated',
  connected: 'Connected',
  tripped: 'Tripped',
  stuck: 'Stuck',
  unknown: 'Unknown',
  simulated: 'Isolated',
  anomaly: '2 anomalies',
  'silent-interlock': 'No news',
  empty: 'No link is configured',
  several: 'Tripped',
};

const CONTRAST = 'color-contrast';
/** Of this machine: a Raspberry Pi 4 has about a sixth of it. */
const SLOWER = 6;
/** Folded parts of a view that are unfolded for axe. */
const FOLDED_TRIED = 6;

/** What does not fit: wider than the page, or a state word that leaves its panel. */
const UNFIT = `(() => {
  const unfit = [];
  if (document.documentElement.scrollWidth > innerWidth) {
    unfit.push('the page is wider than the screen');
    for (const each of document.querySelectorAll('body *'))
      if (each.getBoundingClientRect().right > innerWidth + 1 && each.closest('.scroll, nav, pre') === null)
        unfit.push('wider than the screen: ' + each.tagName + '.' + each.className + ' ' + each.textContent.slice(0, 30));
  }
  for (const word of document.querySelectorAll('.word')) {
    const { right } = word.lastElementChild?.getBoundingClientRect() ?? word.getBoundingClientRect();
    if (right > word.getBoundingClientRect().right + 1) unfit.push('the word leaves its room: ' + word.textContent);
  }
  const cut = document.querySelector('.cut.main').getBoundingClientRect();
  if (cut.top < 0 || cut.bottom > innerHeight || cut.left < 0 || cut.right > innerWidth || cut.height < 40)
    unfit.push('the cut is not in sight');
  return unfit;
})()`;

describe.skipIf(missingBrowser() !== null)('pages', () => {
  let browser: Browser;
  let box: FakeBox;
  let seen: Visit | undefined;
  beforeAll(async () => {
    box = new FakeBox(builtDashboard());
    await box.start();
    browser = await startBrowser();
  }, 60_000);
  afterAll(async () => {
    await browser?.close();
    await box?.stop();
  });
  afterEach(async () => {
    await seen?.close();
    box.me = ADA;
  });

  const look = async (view: string, options: Parameters<typeof visit>[2] = {}): Promise<Visit> => {
    seen = await visit(browser, `${box.url}#/${view}`, options);
    return seen;
  };

  /** In sight at every size. */
  const fits = async ({ page }: Visit): Promise<void> => {
    for (const [size, viewport] of Object.entries(SIZES)) {
      await page.setViewportSize(viewport);
      // Charts follow a moment later.
      await expect
        .poll(async () => ({ size, unfit: await page.evaluate(UNFIT) }))
        .toEqual({ size, unfit: [] });
    }
  };

  test('every state is said in a word, fits everywhere, and axe finds nothing', async () => {
    const open = await look('state');
    const { page, errors } = open;
    for (const name of Object.keys(STATES) as StateName[]) {
      await page.emulateMedia({ colorScheme: 'light' });
      box.become(STATES[name]());
      await page.locator('main').getByText(WORDS[name]).first().waitFor();
      await fits(open);
      expect({ name, found: await violationsOf(page) }).toEqual({ name, found: [] });
      await page.emulateMedia({ colorScheme: 'dark' });
      expect({ name, found: await violationsOf(page, CONTRAST) }).toEqual({ name, found: [] });
    }
    expect(errors).toEqual([]);
  }, 90_000);

  test('every view fits everywhere, and axe finds nothing', async () => {
    box.state = STATES.isolated();
    const open = await look('windows');
    const { page, errors } = open;
    for (const view of VIEWS) {
      await page.emulateMedia({ colorScheme: 'dark' });
      await page.goto(`${box.url}#/${view}`);
      await page.locator('main .panel').first().waitFor();
      await expect.poll(() => page.getByText(/^Fetching/).count()).toBe(0);
      const folded = await page.locator('main details:not([open]) > summary').all();
      for (const summary of folded.slice(0, FOLDED_TRIED).toReversed()) await summary.click();
      expect({ view, found: await violationsOf(page) }).toEqual({ view, found: [] });
      await fits(open);
      await page.emulateMedia({ colorScheme: 'light' });
      expect({ view, found: await violationsOf(page, CONTRAST) }).toEqual({ view, found: [] });
    }
    expect(errors).toEqual([]);
  }, 90_000);

  test.each([
    ['setup-needed', 'First account'],
    ['login-needed', 'Sign in'],
    ['login-idle', 'Sign in'],
  ] as const)('%s: the door', async (me, heading) => {
    box.me = me;
    const { page } = await look('state', { viewport: SIZES.phone });
    await page.getByRole('heading', { name: heading }).waitFor();
    expect(await violationsOf(page)).toEqual([]);
  });

  test.each([
    ['tripped', 'state', 'Reset vault'],
    ['isolated', 'windows', 'Run now'],
    ['isolated', 'windows', 'Attended session'],
    ['isolated', 'state', 'Help'],
  ] as const)(
    'the dialog of %s, %s, %s fits a phone, has the cut in it, and axe finds nothing',
    async (name, view, button) => {
      box.state = STATES[name]();
      const { page } = await look(view, { viewport: SIZES.phone });
      await page.getByRole('button', { name: button }).first().click();
      const dialog = page.getByRole('dialog');
      await dialog.waitFor();
      expect(await violationsOf(page)).toEqual([]);
      await dialog.getByRole('button', { name: 'Cut link' }).click();
      await expect.poll(() => box.wasAsked('POST /trip')).toBe(true);
      box.asked.length = 0;
    },
  );

  test('an anomaly is released with a reason, and stays when the box says no', async () => {
    box.state = STATES.anomaly();
    const release = 'POST /anomalies/a20261121-0a1b2c/release';
    const { page } = await look('state', { viewport: SIZES.phone });
    await page.getByRole('button', { name: 'see below' }).click();
    await page.getByRole('button', { name: 'Release…' }).first().click();
    const dialog = page.getByRole('dialog');
    await dialog.waitFor();
    expect(await violationsOf(page)).toEqual([]);
    box.answers.set(release, {
      status: 409,
      body: problem(409, 'anomaly-released', 'it was released already, by grace'),
    });
    await dialog.getByLabel('Reason').fill('the archive was re-encoded');
    await dialog.getByLabel('It was meant to be').check();
    await dialog.getByRole('button', { name: 'Release' }).click();
    await dialog.getByText('released already, by grace').waitFor();
    box.answers.set(release, { status: 200, body: {} });
    await dialog.getByRole('button', { name: 'Release' }).click();
    await dialog.waitFor({ state: 'detached' });
    // Nothing is drawn as done because it was asked for.
    await page.getByText('2 anomalies').first().waitFor();
    expect(box.asked.findLast(({ what }) => what === release)?.body).toEqual({
      expected: true,
      reason: 'the archive was re-encoded',
    });
    box.become({ ...STATES.anomaly(), anomalies: null });
    await page.getByText('Anomalies not known').first().waitFor();
  });

  test('paints the state with one fetch of scripts and one of styles, also on a slow machine', async () => {
    const { page } = await look('state');
    await page.locator('.word').waitFor();
    const protocol = await page.context().newCDPSession(page);
    await protocol.send('Emulation.setCPUThrottlingRate', { rate: SLOWER });
    await page.reload();
    await page.locator('.word').waitFor();
    const paint = await page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime");
    const word = await page.evaluate('performance.now()');
    // Printed, not judged: it is the number of this machine and this minute.
    console.log(
      `dashboard: first paint after ${Math.round(Number(paint))} ms, the state after ${Math.round(Number(word))} ms at most, ${SLOWER} times slowed down`,
    );
    const fetched = (await page.evaluate(
      "performance.getEntriesByType('resource').map((each) => new URL(each.name).pathname)",
    )) as string[];
    expect(fetched.filter((path) => path.endsWith('.js'))).toHaveLength(1);
    expect(fetched.filter((path) => path.endsWith('.css'))).toHaveLength(1);
  });

  test('the theme of the person goes before that of the system, and stays', async () => {
    const { page } = await look('state', { colorScheme: 'light' });
    const ground = (): Promise<string> =>
      page.evaluate('getComputedStyle(document.body).backgroundColor') as Promise<string>;
    await page.locator('.word').waitFor();
    const light = await ground();
    await page.getByRole('button', { name: 'Theme' }).click();
    await page.getByRole('button', { name: 'Theme' }).click();
    const dark = await ground();
    expect(dark).not.toBe(light);
    await page.reload();
    await page.locator('.word').waitFor();
    expect(await ground()).toBe(dark);
  });
});
