/** What somebody tries who means harm, or is in a hurry: each of these once worked, or did not. */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { CodeTries, FIRST_WAIT_MS, FREE_TRIES, LONGEST_WAIT_MS } from '../../src/api/people/code-tries.ts';
import { MOST_WRONG_CODES, WRONG_CODES_MS } from '../../src/interlock/rights/approvers.ts';
import { IDLE_MS, LONGEST_MS, Logins } from '../../src/api/people/logins.ts';
import { Turns } from '../../src/api/journal/turns.ts';
import { InterlockError } from '../../src/protocol/interlock-error.ts';
import { ApiBench, PASSWORD } from './bench.ts';

const HOUR_MS = 3_600_000;
const CODES = {
  approvals: [
    { name: 'ada', code: '000000' },
    { name: 'bob', code: '000000' },
  ],
};

describe('attacks on the API', { timeout: 60_000 }, () => {
  let bench: ApiBench;
  beforeEach(async () => {
    bench = new ApiBench();
    await bench.start();
  });
  afterEach(() => bench.stop());

  test.each(['/api/v1/people/%zz', '/api/v1/people/%ff', `/api/v1/reports/nightly/${'a'.repeat(400)}`])(
    'an address that no router can read (%.30s) is a problem like any other',
    async (path) => {
      const answer = await bench.ask('GET', path);
      expect(answer.headers['content-type']).toContain('application/problem+json');
      expect(answer.headers['content-security-policy']).toContain("default-src 'none'");
      expect(answer.json()).toMatchObject({ code: 'bad-request', refusals: [] });
    },
  );

  test('whoever cuts in a hurry needs no body', async () => {
    const headers = await bench.tokenOf(['trip']);
    expect((await bench.ask('POST', '/api/v1/trip', { headers })).json()).toMatchObject({ latched: true });
    expect(bench.interlock.asked.at(-1)?.request).toMatchObject({ links: [], reason: 'cut by hand' });
  });

  test('one login cannot lock approvers out, nor guess for long: it is the sender who waits', async () => {
    const thief = await bench.personOf('operator', 'thief');
    const reset = (headers: Record<string, string>, more: object = CODES) =>
      bench.ask('POST', '/api/v1/links/vault/reset', { headers, body: { cause: 'x', reason: 'y', ...more } });
    bench.interlock.refusals = [{ code: 'code-wrong', why: 'the code of ada is wrong', hint: 'x' }];
    for (let i = 0; i < FREE_TRIES; i += 1)
      expect((await reset(thief)).json()).toMatchObject({ code: 'code-wrong' });
    const asked = bench.interlock.asked.length;
    expect((await reset(thief)).json()).toMatchObject({ status: 429, code: 'codes-wait' });
    const run = await bench.ask('POST', '/api/v1/windows/nightly/run', {
      headers: thief,
      body: { reason: 'y', ...CODES },
    });
    expect(run.statusCode).toBe(429);
    const session = await bench.ask('POST', '/api/v1/links/vault/sessions', {
      headers: thief,
      body: { reason: 'y', for_ms: 60_000, ...CODES },
    });
    expect(session.statusCode).toBe(429);
    expect(bench.interlock.asked).toHaveLength(asked);
    // Without codes (a button that is held) and for everybody else nothing has changed.
    expect((await reset(thief, {})).statusCode).toBe(409);
    bench.interlock.refusals = [];
    expect((await reset(await bench.personOf('operator', 'true'))).statusCode).toBe(200);
    expect(JSON.stringify(bench.journal)).not.toContain('000000');
  });

  test('two people who send what wrong codes they can lock no approver', () => {
    const tries = new CodeTries();
    const sent: number[] = [];
    for (let now = 0; now < 4 * LONGEST_WAIT_MS; now += 1_000)
      for (const person of ['mallory', 'eve'])
        while (tries.waitMs(person, now) === 0) {
          tries.wrong(person, now);
          sent.push(now);
        }
    const within = sent.map((at) => sent.filter((each) => each <= at && at - each < WRONG_CODES_MS).length);
    expect(Math.max(...within)).toBeLessThan(MOST_WRONG_CODES);
  });

  test('codes: many requests at once count as one after the other; the waits double up to a day', async () => {
    const tries = new CodeTries();
    let answer = (): void => undefined;
    const first = tries.take(
      'eve',
      () => new Promise<void>((resolve) => (answer = resolve)),
      () => false,
    );
    await expect(
      tries.take(
        'eve',
        () => Promise.resolve(),
        () => false,
      ),
    ).rejects.toThrow(/looked at/);
    answer();
    await first;
    const waits: number[] = [];
    for (let i = 0; i < 16; i += 1) {
      tries.wrong('eve', 0);
      waits.push(tries.waitMs('eve', 0));
    }
    expect(waits.slice(0, 5)).toEqual([0, 0, FIRST_WAIT_MS, 2 * FIRST_WAIT_MS, 4 * FIRST_WAIT_MS]);
    expect(waits.at(-1)).toBe(LONGEST_WAIT_MS);
    expect(tries.waitMs('ada', 0)).toBe(0);
  });

  test('a clock that is set back lengthens no login, also over a restart', async () => {
    await bench.people.add({ name: 'ada', role: 'viewer', password: PASSWORD });
    const ada = await bench.people.person('ada');
    if (ada === null) throw new Error('nobody');
    let now = Date.now();
    let monotonic = 0;
    const clock = vi.spyOn(performance, 'now').mockImplementation(() => monotonic);
    try {
      const logins = new Logins(bench.people, bench.directory, () => now);
      const cookie = await logins.begin(ada);
      now -= 11 * HOUR_MS;
      monotonic += LONGEST_MS - 1_000;
      expect((await logins.callerOf(cookie, true)).kind).toBe('person');
      monotonic += 2_000;
      expect((await logins.callerOf(cookie, true)).kind).toBe('nobody');
      const second = await logins.begin(ada);
      monotonic += IDLE_MS / 2;
      expect(await logins.callerOf(second, true)).toMatchObject({
        session: { endsInMs: LONGEST_MS - IDLE_MS / 2 },
      });
      await logins.settled();
      const after = new Logins(bench.people, bench.directory, () => now);
      await after.load();
      const caller = await after.callerOf(second, false);
      expect(caller).toMatchObject({
        kind: 'person',
        session: { endsInMs: LONGEST_MS - IDLE_MS / 2, idleEndsInMs: IDLE_MS },
      });
    } finally {
      clock.mockRestore();
    }
  });

  test('whoever logs in again and again ends his own logins and nobody else’s', async () => {
    const display = await bench.people.addToken({ label: 'wall', scopes: ['read'], days: 1, by: 'test' });
    const { logins } = bench.desk;
    const ada = await bench.personOf('viewer', 'ada');
    const first = await logins.beginDisplay(display.token);
    let last = '';
    for (let i = 0; i < 100; i += 1) last = await logins.beginDisplay(display.token);
    expect((await logins.callerOf(first, true)).kind).toBe('nobody');
    expect((await logins.callerOf(last, true)).kind).toBe('token');
    expect((await bench.ask('GET', '/api/v1/me', { headers: ada })).json()).toMatchObject({ name: 'ada' });
  });

  test('strangers who say wrong setup codes from everywhere keep nobody from saying the right one', async () => {
    for (let i = 0; i < 20; i += 1) bench.backOff.failed(null, `10.1.1.${i}`);
    const body = { name: 'ada', password: PASSWORD, code: bench.setup.text };
    expect((await bench.ask('POST', '/api/v1/setup', { body })).statusCode).toBe(200);
  });

  test('two who say the right setup code at once: one account', async () => {
    const both = await Promise.all(
      ['ada', 'eve'].map((name) =>
        bench.ask('POST', '/api/v1/setup', { body: { name, password: PASSWORD, code: bench.setup.text } }),
      ),
    );
    expect(both.map(({ statusCode }) => statusCode).toSorted()).toEqual([200, 409]);
    expect(await bench.people.people()).toHaveLength(1);
  });

  test('who ended a session stands in the journal', async () => {
    const headers = await bench.tokenOf(['trip']);
    await bench.ask('DELETE', '/api/v1/sessions/s1', { headers });
    expect(bench.journal).toContainEqual({
      type: 'controller.session-ended',
      data: { by: 'token:trip', session: 's1' },
    });
  });

  test('the lamp test is asked for by name', async () => {
    const headers = await bench.personOf('operator', 'ada');
    expect((await bench.ask('POST', '/api/v1/lamps/test', { headers })).json()).toEqual({
      ends_in_ms: 2_000,
    });
    expect(bench.interlock.asked).toContainEqual({ what: 'lamps', request: { by: 'ada' } });
  });

  test('a people file that cannot be read lets nobody in, and keeps nobody who was known from cutting', async () => {
    const ada = await bench.personOf('viewer', 'ada');
    const pager = await bench.tokenOf(['trip']);
    const file = join(bench.directory, 'people.json');
    const whole = readFileSync(file, 'utf8');
    writeFileSync(file, whole.slice(0, 100));
    await new Promise((resolve) => setTimeout(resolve, 600));
    for (const headers of [ada, pager])
      expect((await bench.ask('POST', '/api/v1/trip', { headers, body: {} })).statusCode).toBe(200);
    const answer = await bench.ask('GET', '/api/v1/state', { headers: ada });
    expect(answer.json()).toMatchObject({ status: 503, code: 'people-unreadable' });
    expect(
      (await bench.ask('POST', '/api/v1/trip', { headers: { cookie: 'portcullis=x' }, body: {} })).statusCode,
    ).toBe(401);
    rmSync(file);
    writeFileSync(file, whole);
    await new Promise((resolve) => setTimeout(resolve, 600));
    expect((await bench.ask('GET', '/api/v1/state', { headers: ada })).statusCode).toBe(200);
  });

  test('summaries of the same month are made once, and few wait', async () => {
    const headers = await bench.tokenOf(['read']);
    const months = Array.from({ length: 20 }, (_, i) => `20${String(30 + i)}-01`);
    const answers = await Promise.all(
      months.map((month) => bench.ask('GET', `/api/v1/months/${month}`, { headers })),
    );
    expect(answers.filter(({ statusCode }) => statusCode === 503).length).toBeGreaterThan(10);
    expect(answers.filter(({ statusCode }) => statusCode === 200).length).toBeGreaterThan(2);
    const same = await Promise.all(
      Array.from({ length: 40 }, () => bench.ask('GET', '/api/v1/months/2031-01', { headers })),
    );
    expect(new Set(same.map(({ statusCode }) => statusCode))).toEqual(new Set([200]));
  });

  test('exports: few at once, and each that is over makes room', async () => {
    const headers = await bench.tokenOf(['read']);
    for (let i = 0; i < 6; i += 1) bench.interlock.write('link.isolated', { link: 'vault' });
    for (let round = 0; round < 3; round += 1) {
      const answers = await Promise.all(
        Array.from({ length: 8 }, () => bench.ask('GET', '/api/v1/journal/export', { headers })),
      );
      expect(answers.filter(({ statusCode }) => statusCode === 200).length).toBeGreaterThanOrEqual(4);
    }
  });

  test('turns: so many together, so many wait, each passes on, also when the work fails', async () => {
    const turns = new Turns(1, 1);
    let end = (): void => undefined;
    const first = turns.take(() => new Promise<void>((resolve) => (end = resolve)));
    const second = turns.take(() => Promise.reject(new Error('failed')));
    await expect(turns.take(() => Promise.resolve())).rejects.toMatchObject({ status: 503 });
    expect(() => turns.claim()).toThrow(/at once/);
    end();
    await first;
    await expect(second).rejects.toThrow('failed');
    const leave = turns.claim();
    leave();
    leave();
    expect(await turns.take(() => Promise.resolve(1))).toBe(1);
  });

  test('a box that began without a clock hides nothing of what was before it', async () => {
    const { interlock } = bench;
    const at = (minute: number): string => new Date(Date.UTC(2026, 10, 21, 9, minute)).toISOString();
    interlock.write('link.tripped', { link: 'vault' }, { at: at(10) });
    interlock.write('interlock.started', {}, { at: '2020-01-01T00:00:00.000Z', clock: 'unsynchronised' });
    interlock.write('link.isolated', { link: 'vault' }, { at: at(30) });
    bench.hear();
    const headers = await bench.tokenOf(['read']);
    const pageOf = async (query: string): Promise<number[]> => {
      const page = await bench.ask('GET', `/api/v1/journal?${query}`, { headers });
      const { entries } = page.json<{ entries: { seq: number }[] }>();
      return entries.map(({ seq }) => seq);
    };
    expect(await pageOf(`from=${at(5)}`)).toEqual([3, 1]);
    expect(await pageOf(`to=${at(5)}`)).toEqual([2]);
  });

  test('what the interlock could not do is a problem with its own words', async () => {
    bench.interlock.failure = new InterlockError('INTERLOCK_SILENT', 'it says nothing', 'look');
    const headers = await bench.tokenOf(['trip']);
    expect((await bench.ask('POST', '/api/v1/trip', { headers, body: {} })).json()).toMatchObject({
      status: 503,
      code: 'interlock-silent',
    });
  });
});
