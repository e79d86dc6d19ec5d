/**
 * What a person comes for, done in a browser against the real processes: is it isolated, watch a window, cut it, reset it, find
 * the failure, prove the journal; and the controller started again under the open page.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { missingTools } from '../faults/rig.ts';
import { Appliance } from './appliance.ts';
import { Follower } from './follower.ts';
import { missingBrowser, SIZES, startBrowser, visit, type Visit } from './browser.ts';

const PASSWORD = 'correct horse battery staple';
/** Where the pictures of the README are put; nowhere unless asked for. */
const PICTURES = process.env['SCREENSHOTS'];
const LONG_MS = 60_000;
/** Dashboards at once: streams, and whole pages among them. */
const FOLLOWERS = 47;
const OTHER_PAGES = 2;

const missing = missingBrowser() ?? missingTools();

describe.skipIf(missing !== null)('a person at the dashboard of a real appliance', () => {
  let browser: Browser;
  let appliance: Appliance;
  let open: Visit;
  let page: Page;

  beforeAll(async () => {
    [browser, appliance] = await Promise.all([
      startBrowser(),
      Appliance.begin(PICTURES === undefined ? 16 : 700),
    ]);
    open = await visit(browser, appliance.url);
    page = open.page;
  }, 120_000);
  afterAll(async () => {
    await browser?.close();
    await appliance?.scenario.end();
  }, LONG_MS);

  const word = (text: string) => page.locator('.word', { hasText: text });
  const picture = async (name: string): Promise<void> => {
    if (PICTURES === undefined) return;
    mkdirSync(PICTURES, { recursive: true });
    await page.screenshot({ path: join(PICTURES, `${name}.png`) });
  };

  test('the first account is made with the code from the console', async () => {
    await page.getByLabel('Setup code').fill('not-the-code');
    await page.getByLabel('Name').fill('ada');
    await page.getByLabel(/^Password/).fill(PASSWORD);
    await page.getByRole('button', { name: 'Make the account' }).click();
    await page.getByRole('alert').waitFor();
    await page.getByLabel('Setup code').fill(appliance.setupCode);
    await page.getByRole('button', { name: 'Make the account' }).click();
    await word('Isolated').waitFor();
  });

  test('is it isolated, since when, and how is that known?', async () => {
    await word('Isolated').waitFor();
    const drawing = page.getByRole('list', { name: /from production to the vault/ });
    await expect.poll(() => drawing.innerText()).toMatch(/contact relay\s+isolated \d/);
    expect(await drawing.innerText()).toMatch(/witness mirror\s+isolated \d/);
    expect(await page.locator('.since').innerText()).toMatch(/since (today|yesterday) .* for \d\d:\d\d:\d\d/);
    expect(await page.locator('.apart').innerText()).toMatch(/Commanded\s+isolate[\s\S]*Observed\s+isolated/);
    // Nothing simulated is shown as proven.
    expect(await page.locator('.link .badge.simulated').count()).toBeGreaterThan(0);
    expect(await page.locator('.apart').innerText()).toContain('proves nothing about hardware');
    await expect.poll(() => page.title()).toBe('ISOLATED vault · Portcullis');
    await picture('isolated');
  });

  test('a window is watched while restic works', async () => {
    await appliance.scenario.openWindow();
    await word('Connected').waitFor();
    const panel = page.getByRole('region', { name: 'Window nightly at work' });
    await expect
      .poll(() => panel.innerText(), { timeout: 20_000 })
      .toMatch(/step 1 of 1: backup main[\s\S]*\d MB of/);
    expect(await page.locator('.apart').innerText()).toMatch(
      /Commanded\s+connect\s+lease of nightly, ends in/,
    );
    await picture('connected');
  });

  test('one click cuts it: the board isolates, commanded and observed are told apart, fifty pages hear of it', async () => {
    const [cookie] = await page.context().cookies();
    const followers = Array.from({ length: FOLLOWERS }, () => new Follower(appliance.url, cookie));
    const others = await Promise.all(
      Array.from({ length: OTHER_PAGES }, async () => {
        const other = await page.context().newPage();
        await other.goto(appliance.url);
        return other;
      }),
    );
    await expect.poll(() => followers.filter(({ last }) => last === 'connected').length).toBe(FOLLOWERS);
    for (const other of others) await other.locator('.word', { hasText: 'Connected' }).waitFor();
    await page.bringToFront();
    await page.getByRole('button', { name: 'Cut link' }).click();
    await appliance.scenario.board.standing('isolated');
    await word('Tripped').waitFor();
    const record = page.locator('.cut-record');
    await expect
      .poll(() => record.innerText())
      .toMatch(/commanded at[\s\S]*Latched\.[\s\S]*Observed: vault isolated/);
    const latched = await page.locator('.latched').innerText();
    expect(latched).toMatch(/Tripped by\s+ada/);
    expect(latched).toMatch(/last isolate command on its wire after (less than 1|[\d.]+) ms/);
    expect(latched).toContain('be at the box');
    await expect.poll(() => appliance.scenario.latchOnDisk()?.by).toBe('person:ada');
    await expect.poll(() => followers.filter(({ last }) => last === 'tripped').length).toBe(FOLLOWERS);
    for (const other of others) {
      await other.locator('.word', { hasText: 'Tripped' }).waitFor();
      await other.close();
    }
    for (const follower of followers) follower.leave();
    await page.getByRole('button', { name: 'Put aside' }).click();
    await picture('tripped');
    await page.setViewportSize(SIZES.phone);
    await picture('phone');
    await page.setViewportSize(SIZES.desktop);
  });

  test('a reset is refused without two people, and done with them', async () => {
    await page.getByRole('button', { name: 'Reset vault' }).click();
    const dialog = page.getByRole('dialog', { name: 'Reset vault' });
    expect(await dialog.innerText()).toContain('You acknowledge: tripped by ada');
    await dialog.getByLabel('Reason').fill('it was a test');
    await dialog.getByLabel('First name').fill('ada');
    await dialog.getByLabel('First code').fill('000000');
    await dialog.getByRole('button', { name: 'Reset vault' }).click();
    await dialog.getByRole('alert').waitFor();
    expect(await page.locator('.word').innerText()).toMatch(/tripped/i);
    await dialog.getByLabel('First code').fill(appliance.codeOf('ada'));
    await dialog.getByLabel('Second name').fill('grace');
    await dialog.getByLabel('Second code').fill(appliance.codeOf('grace'));
    await dialog.getByRole('button', { name: 'Reset vault' }).click();
    await word('Isolated').waitFor();
    await expect.poll(() => dialog.count()).toBe(0);
    await expect.poll(() => appliance.scenario.latchOnDisk()).toBeNull();
  });

  test('last night’s failure is found: which step, and why', async () => {
    await page.getByRole('link', { name: 'Windows' }).click();
    const table = page.getByRole('region', { name: 'Reports' });
    await expect.poll(() => table.innerText(), { timeout: 20_000 }).toContain('cut short');
    await table.getByRole('link').first().click();
    const report = page.getByRole('article', { name: 'Report' });
    await expect.poll(() => report.innerText()).toMatch(/backup main[\s\S]*cut short/);
    expect(await report.innerText()).toMatch(/tripped\s+ada: cut from the dashboard; cut in .* ms/);
    expect(await report.locator('.badge.simulated').count()).toBe(1);
  });

  test('the journal is proven whole, and says who cut', async () => {
    await page.getByRole('link', { name: 'Journal' }).click();
    await page.getByRole('button', { name: 'Verify the whole chain' }).click();
    await page.getByText('The chain is whole').waitFor();
    await page.getByLabel('Text in type').fill('tripped');
    await page.getByRole('button', { name: 'Filter' }).click();
    const entries = page.getByRole('list', { name: 'Entries, newest first' });
    await expect.poll(() => entries.innerText()).toMatch(/link\.tripped[\s\S]*person:ada|ada/);
    await appliance.scenario.journalVerifies();
  });

  test.each(['Timeline', 'Proof', 'Sources', 'Configuration', 'People'])(
    '%s shows what there is',
    async (name) => {
      await page.getByRole('link', { name, exact: true }).click();
      await page.getByRole('heading', { level: 1, name }).waitFor();
      await page.locator('main .panel').first().waitFor();
      await expect.poll(() => page.getByText(/^Fetching/).count()).toBe(0);
      expect(await page.getByRole('alert').count()).toBe(0);
    },
  );

  test(
    'the controller dies and comes back under the open page',
    async () => {
      await page.getByRole('link', { name: 'State' }).click();
      await word('Isolated').waitFor();
      await appliance.controller.kill();
      await word('No news').waitFor();
      expect(await page.locator('.freshness').innerText()).toMatch(/silent/);
      await appliance.restartController();
      await word('Isolated').waitFor({ timeout: LONG_MS });
      expect(await page.locator('.freshness').innerText()).toBe('live');
    },
    LONG_MS,
  );

  test('all of this went to the box and to nobody else, without an error of the page', () => {
    expect([...open.hosts]).toEqual([new URL(appliance.url).host]);
    // What a browser says of answers that are no: the wrong setup code, the refused reset, the controller that was gone.
    expect(open.errors.filter((each) => !each.startsWith('Failed to load resource'))).toEqual([]);
  });
});
