/** When things go wrong: silence, a cut that gets no answer, hostile text, keys alone, sessions that end. */
import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { missingBrowser, SIZES, startBrowser, visit, type Visit } from './browser.ts';
import { builtDashboard } from './built.ts';
import { STATES } from './documents.ts';
import { ADA, FakeBox, problem } from './fake-box.ts';
import { entryOf } from './past.ts';

const LONG_MS = 60_000;

describe.skipIf(missingBrowser() !== null)('trouble', () => {
  let browser: Browser;
  let box: FakeBox;
  let open: Visit;
  beforeAll(async () => {
    browser = await startBrowser();
  }, LONG_MS);
  afterAll(() => browser?.close());
  beforeEach(async () => {
    box = new FakeBox(builtDashboard());
    await box.start();
  }, LONG_MS);
  afterEach(async () => {
    await open.close();
    await box.stop();
  });

  const look = async (view = 'state'): Promise<Visit> => {
    open = await visit(browser, `${box.url}#/${view}`);
    await open.page.locator('h1').first().waitFor({ state: 'attached' });
    await expect.poll(() => box.streams.size).toBe(1);
    return open;
  };
  const trips = (): unknown[] =>
    box.asked.filter(({ what }) => what === 'POST /trip').map(({ body }) => body);

  test(
    'silence is said, nothing old is vouched for, the cut still goes out, and the news come back',
    async () => {
      const { page } = await look();
      await page.locator('.word', { hasText: 'Isolated' }).waitFor();
      box.speaks = false;
      await page.locator('.word', { hasText: 'No news' }).waitFor();
      expect(await page.locator('.stale-note').innerText()).toContain('Stale');
      expect(await page.locator('.since').innerText()).toMatch(/last known: isolated, \d+ s ago/);
      expect(await page.locator('.apart').innerText()).toMatch(/Observed\s+unknown/);
      expect(await page.title()).toBe('NO NEWS · Portcullis');
      await page.getByRole('button', { name: 'Cut link' }).click();
      await expect
        .poll(() => page.locator('.cut-record').innerText())
        .toMatch(/commanded at[\s\S]*Observed: not known/);
      expect(trips()).toEqual([{ links: [], reason: 'cut from the dashboard' }]);
      const begun = box.streamsBegun;
      // A connection that only looks alive is made anew.
      await expect.poll(() => box.streamsBegun, { timeout: 20_000 }).toBeGreaterThan(begun);
      box.speaks = true;
      box.become(STATES.tripped());
      await page.locator('.word', { hasText: 'Tripped' }).waitFor();
      expect(await page.locator('.freshness').innerText()).toBe('live');
    },
    LONG_MS,
  );

  test('a cut that gets no answer is asked again until there is one, and says so', async () => {
    const { page } = await look();
    box.answers.set('POST /trip', 'none');
    await page.keyboard.press('Shift+C');
    const record = page.locator('.cut-record');
    await expect.poll(() => record.innerText()).toMatch(/NOT delivered: use the button on the box/);
    await expect.poll(() => trips().length).toBeGreaterThan(1);
    box.answers.set('POST /trip', {
      status: 503,
      body: problem(503, 'interlock-silent', 'the interlock does not answer'),
    });
    await expect.poll(() => record.innerText()).toContain('the interlock does not answer');
    box.answers.delete('POST /trip');
    await expect.poll(() => record.innerText()).toContain('commanded at');
    const asked = trips().length;
    await page.waitForTimeout(1_500);
    expect(trips().length).toBe(asked);
  });

  test('two cuts that get no answer are both asked again; one of everything takes over', async () => {
    box.state = STATES.several();
    const { page } = await look();
    box.answers.set('POST /trip', 'none');
    await page.getByRole('button', { name: 'Cut disks' }).click();
    await page.locator('summary', { hasText: 'north' }).click();
    await page.getByRole('button', { name: 'Cut north' }).click();
    const asked = (): string[] => trips().map((body) => (body as { links: string[] }).links.join(' '));
    await expect.poll(() => asked().filter((links) => links === 'disks').length).toBeGreaterThan(1);
    await expect.poll(() => asked().filter((links) => links === 'north').length).toBeGreaterThan(1);
    expect(await page.locator('.cut-record').count()).toBe(2);
    await page.getByRole('button', { name: 'Cut all links' }).click();
    expect(await page.locator('.cut-record').count()).toBe(1);
    box.answers.delete('POST /trip');
    await expect.poll(() => page.locator('.cut-record').innerText()).toMatch(/every link commanded at/);
  });

  test('a cut that is refused says why, and is not asked again', async () => {
    const { page } = await look();
    box.answers.set('POST /trip', {
      status: 403,
      body: problem(403, 'scope-missing', 'this token has not the scope trip'),
    });
    await page.getByRole('button', { name: 'Cut link' }).click();
    await page.getByText('this token has not the scope trip').waitFor();
    await page.waitForTimeout(1_500);
    expect(trips().length).toBe(1);
  });

  test('a latch that could not be saved is said', async () => {
    const { page } = await look();
    box.answers.set('POST /trip', {
      status: 200,
      body: { latched: false, links: [{ link: 'vault', written_ms: null }] },
    });
    await page.getByRole('button', { name: 'Cut link' }).click();
    await page.getByText('could NOT be saved').waitFor();
    expect(await page.locator('.cut-record').innerText()).toContain(
      'not every isolate command could be written yet',
    );
  });

  test('a login that only cuts still cuts; one that ended asks to sign in', async () => {
    const { page } = await look();
    box.me = 'login-idle';
    box.say('over', { why: 'login-ended' });
    await page.getByText('this login now only cuts').waitFor();
    expect(await page.locator('.word').count()).toBe(0);
    await page.getByRole('button', { name: 'Cut link' }).click();
    await expect.poll(() => page.locator('.cut-record').innerText()).toContain('commanded at');
    await page.getByLabel('Name').fill('ada');
    await page.getByLabel('Password').fill('something long enough');
    await page.getByRole('button', { name: 'Sign in', exact: true }).click();
    await page.locator('.word', { hasText: 'Isolated' }).waitFor();
  });

  test('text of others is shown as text, on one line, and no longer than it may be', async () => {
    const state = STATES.tripped();
    const reason = `<img src=x onerror="document.title='owned'">\u202Egnol\n${'very '.repeat(3_000)}`;
    const [link] = state.links;
    const latch = link?.latch ?? null;
    if (link === undefined || latch === null) throw new Error('the document has no latch');
    box.state = {
      ...state,
      links: [{ ...link, latch: { ...latch, reason, by: `source:${'x'.repeat(5_000)}` } }],
    };
    const { page, errors, hosts } = await look();
    const latched = await page.locator('.latched dl').innerText();
    expect(latched).toContain('<img src=x onerror=');
    expect(latched).not.toContain('\u202E');
    expect(latched.length).toBeLessThan(800);
    expect(await page.locator('main img').count()).toBe(0);
    expect(await page.title()).toMatch(/^TRIPPED/);
    expect(errors).toEqual([]);
    expect([...hosts]).toEqual([new URL(box.url).host]);
  });

  test('keys alone: to the content, to the cut, through the views, out of a dialog', async () => {
    box.state = STATES.tripped();
    const { page } = await look();
    await page.locator('.word').waitFor();
    const focused = (): Promise<string> =>
      page.evaluate('document.activeElement.innerText') as Promise<string>;
    await page.keyboard.press('Tab');
    expect(await focused()).toBe('To the content');
    await page.keyboard.press('Enter');
    expect(await page.evaluate('document.activeElement.id')).toBe('main');
    await page.keyboard.press('6');
    await page.getByRole('heading', { level: 1, name: 'Journal' }).waitFor();
    await page.keyboard.press('1');
    await page.locator('.word').waitFor();
    const reset = page.getByRole('button', { name: 'Reset vault' });
    for (let tabs = 0; tabs < 40 && !(await focused()).startsWith('Reset vault'); tabs += 1)
      await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await page.getByRole('dialog').waitFor();
    await page.getByLabel('Reason').focus();
    await page.keyboard.press('Shift+C');
    expect(await page.getByLabel('Reason').inputValue()).toBe('C');
    await page.keyboard.press('Escape');
    await expect.poll(() => page.getByRole('dialog').count()).toBe(0);
    expect(await reset.evaluate('document.activeElement.innerText')).toMatch(/^Reset vault/);
    expect(trips()).toEqual([]);
    for (let tabs = 0; tabs < 40 && (await focused()) !== 'Cut link'; tabs += 1)
      await page.keyboard.press('Shift+Tab');
    await page.keyboard.press('Enter');
    await expect.poll(trips).toHaveLength(1);
    await page.keyboard.press('Shift+C');
    await expect.poll(trips).toHaveLength(2);
    await page.keyboard.press('?');
    await page.getByLabel('Single keys act').uncheck();
    await page.keyboard.press('Escape');
    await page.keyboard.press('Shift+C');
    await page.keyboard.press('6');
    expect(await page.locator('.word').count()).toBe(1);
    expect(trips()).toHaveLength(2);
  });

  test('a screen reader hears of a change, not of every second', async () => {
    const { page } = await look();
    const line = page.locator('#announcer');
    await expect.poll(() => line.innerText()).toBe('vault: isolated');
    await page.evaluate(`window.said = []; new MutationObserver(() => said.push(document.querySelector('#announcer').textContent))
      .observe(document.querySelector('#announcer'), { childList: true, characterData: true, subtree: true })`);
    for (let times = 0; times < 5; times += 1) box.become(STATES.isolated());
    const timer = (): Promise<string> => page.getByRole('timer').innerText();
    const before = await timer();
    await expect.poll(timer).not.toBe(before);
    box.become(STATES.tripped());
    await expect.poll(() => line.innerText()).toBe('vault: tripped, by source:alertmanager');
    expect(await page.evaluate('said')).toEqual(['vault: tripped, by source:alertmanager']);
  });

  test('who may only look is offered the cut and nothing that would be refused', async () => {
    box.me = { ...ADA, name: 'visitor', role: 'viewer', approver: false, may: ['read', 'metrics', 'trip'] };
    box.state = STATES.tripped();
    const { page } = await look();
    await page.getByText('Resetting takes an operator or approver').waitFor();
    expect(await page.getByRole('button', { name: /Reset/ }).count()).toBe(0);
    await page.keyboard.press('2');
    await page.getByText('It takes an operator or approver.').waitFor();
    expect(await page.getByRole('button', { name: /Run now|session/ }).count()).toBe(0);
    expect(await page.getByRole('button', { name: 'Cut link' }).count()).toBe(1);
    await page.setViewportSize(SIZES.phone);
    await page.getByRole('button', { name: 'Cut link' }).click();
    await expect.poll(trips).toHaveLength(1);
  });

  test('the journal is followed, also through a filter, and without a hole where entries were left out', async () => {
    const { page } = await look('journal');
    const seen = (): Promise<string[]> =>
      page.evaluate("[...document.querySelectorAll('.entries .seq')].map((each) => each.textContent)");
    await expect.poll(async () => (await seen())[0]).toBe('48213');
    box.record(entryOf(48_214));
    await expect.poll(async () => (await seen())[0]).toBe('48214');
    // Three that this page was never told of, and one that it was.
    box.entries = [48_218, 48_217, 48_216, 48_215].map((seq) => entryOf(seq)).concat(box.entries);
    box.say('journal', { entries: [entryOf(48_218)], gap: true }, 48_218);
    await expect
      .poll(async () => (await seen()).slice(0, 5))
      .toEqual(['48218', '48217', '48216', '48215', '48214']);
    await page.getByLabel('Kind').selectOption({ label: 'links' });
    await page.getByLabel('Text in type').fill('tripped');
    await page.getByRole('button', { name: 'Filter' }).click();
    await expect.poll(seen).toEqual(['48210']);
    box.record(entryOf(48_219));
    box.record(entryOf(48_220, 'link.tripped'));
    await expect.poll(seen).toEqual(['48220', '48210']);
    await page.getByLabel('Follow').uncheck();
    box.record(entryOf(48_221, 'link.tripped'));
    box.become(STATES.tripped());
    await expect.poll(() => page.title()).toMatch(/^TRIPPED/);
    expect(await seen()).toEqual(['48220', '48210']);
  });

  test('a tab that nobody looks at gives its stream back, and takes it again when somebody does', async () => {
    const { page } = await look('journal');
    await page.clock.install();
    await page.reload();
    await expect.poll(() => box.streams.size).toBe(1);
    const hide = (isHidden: boolean): Promise<unknown> =>
      page.evaluate(`Object.defineProperty(document, 'hidden', { value: ${isHidden}, configurable: true });
        document.dispatchEvent(new Event('visibilitychange'));`);
    await hide(true);
    await page.clock.fastForward(30_000);
    await hide(false);
    await page.clock.fastForward(5_000);
    await expect.poll(() => box.streams.size).toBe(1);
    await hide(true);
    await page.clock.fastForward(61_000);
    await expect.poll(() => box.streams.size).toBe(0);
    expect(await page.title()).toBe('paused · Portcullis');
    await hide(false);
    await expect.poll(() => box.streams.size).toBe(1);
    box.become(STATES.tripped());
    await expect.poll(() => page.title()).toMatch(/^TRIPPED/);
  });

  test('a wire is drawn parted only where the evidence as a whole says so', async () => {
    const { page } = await look();
    await page.locator('.drawing').waitFor();
    const classes = (): Promise<string[]> =>
      page.evaluate("[...document.querySelectorAll('.drawing .wire')].map((each) => each.className)");
    expect((await classes()).join(' ')).toContain('after-parted');
    for (const [state, wanted] of [
      ['stuck', 'unsure'],
      ['unknown', 'unsure'],
      ['connected', 'reaching'],
    ] as const) {
      box.become(STATES[state]());
      await expect.poll(async () => (await classes()).join(' ')).not.toContain('parted');
      expect(await classes()).toContain(`wire before-${wanted}`);
    }
  });
});
