/** People: the first account, logins, their ends, back-off that keeps nobody from cutting. */
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ACCOUNT_CAP_MS, ADDRESS_CAP_MS, BackOff } from '../../src/api/people/back-off.ts';
import { IDLE_MS, LONGEST_MS, Logins } from '../../src/api/people/logins.ts';
import { hashPassword, isPassword } from '../../src/api/people/password.ts';
import { PeopleFile } from '../../src/api/people/people-file.ts';
import { People } from '../../src/api/people/people.ts';
import { ApiBench, PASSWORD } from './bench.ts';

const TRIP = { body: { reason: 'smoke' } };

describe('people', { timeout: 60_000 }, () => {
  let bench: ApiBench;
  beforeEach(async () => {
    bench = new ApiBench();
    await bench.start();
  });
  afterEach(() => bench.stop());

  const login = (name: string, password: string) =>
    bench.ask('POST', '/api/v1/login', { body: { name, password } });

  test('the first account needs the code from the console, and only the first', async () => {
    expect((await bench.ask('GET', '/api/v1/me')).json()).toMatchObject({
      status: 401,
      code: 'setup-needed',
    });
    const asked = { name: 'ada', password: PASSWORD };
    const wrong = await bench.ask('POST', '/api/v1/setup', {
      body: { ...asked, code: 'AAAAA-AAAAA-AAAAA-AAAAA' },
    });
    expect(wrong.json()).toMatchObject({ status: 403, code: 'setup-code-wrong' });
    const code = bench.setup.text.toLowerCase().replaceAll('-', ' ');
    const right = await bench.ask('POST', '/api/v1/setup', { body: { ...asked, code } });
    expect(right.json()).toMatchObject({ name: 'ada', role: 'approver', approver: true });
    const again = await bench.ask('POST', '/api/v1/setup', { body: { ...asked, name: 'eve', code } });
    expect(again.json()).toMatchObject({ status: 409, code: 'set-up' });
    expect((await bench.ask('GET', '/api/v1/me')).json()).toMatchObject({ code: 'login-needed' });
  });

  test('the cookie is for this host, for no script and for no other site; what is kept is a digest', async () => {
    await bench.people.add({ name: 'ada', role: 'viewer', password: PASSWORD });
    const cookie = String((await login('ada', PASSWORD)).headers['set-cookie']);
    expect(cookie).toMatch(/^portcullis=[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict; Max-Age=43200$/);
    await bench.desk.logins.settled();
    const secret = /=([\w-]{43});/.exec(cookie)?.[1] ?? '';
    expect(readFileSync(join(bench.directory, 'logins.json'), 'utf8')).not.toContain(secret);
    for (const file of ['logins.json', 'people.json'])
      expect(statSync(join(bench.directory, file)).mode & 0o777).toBe(0o600);
    expect(readFileSync(join(bench.directory, 'people.json'), 'utf8')).not.toContain(PASSWORD);
  });

  test('a login that nobody uses only cuts, and is over at its end', async () => {
    const browser = await bench.personOf('operator');
    bench.aheadMs = IDLE_MS + 1_000;
    expect((await bench.ask('GET', '/api/v1/state', { headers: browser })).json()).toMatchObject({
      status: 401,
      code: 'login-idle',
    });
    const reset = { headers: browser, body: { cause: 'x', reason: 'y' } };
    expect((await bench.ask('POST', '/api/v1/links/vault/reset', reset)).statusCode).toBe(401);
    expect((await bench.ask('POST', '/api/v1/trip', { headers: browser, ...TRIP })).statusCode).toBe(200);
    expect((await bench.ask('GET', '/api/v1/me', { headers: browser })).json()).toMatchObject({
      may: ['trip'],
      session: { idle_ends_in_ms: 0 },
    });
    bench.aheadMs = LONGEST_MS + 1_000;
    expect((await bench.ask('POST', '/api/v1/trip', { headers: browser, ...TRIP })).statusCode).toBe(401);
  });

  test('whoever asks stays logged in; following the stream is no sign of life', async () => {
    const browser = await bench.personOf('viewer');
    for (const minutes of [20, 40, 60]) {
      bench.aheadMs = minutes * 60_000;
      expect((await bench.ask('GET', '/api/v1/state', { headers: browser })).statusCode).toBe(200);
    }
    const caller = await bench.desk.logins.callerOf(browser['cookie']?.split('=')[1] ?? '', false);
    expect(caller).toMatchObject({ kind: 'person' });
    bench.aheadMs += IDLE_MS + 1_000;
    expect((await bench.ask('GET', '/api/v1/state', { headers: browser })).statusCode).toBe(401);
  });

  test('logins outlive a restart, and end with a new password, role or the account', async () => {
    const browser = await bench.personOf('viewer', 'ada');
    const value = browser['cookie']?.split('=')[1] ?? '';
    await bench.desk.logins.settled();
    const later = new Logins(bench.people, bench.directory);
    await later.load();
    expect(await later.callerOf(value, true)).toMatchObject({ kind: 'person', name: 'ada' });
    await bench.people.change('ada', { role: 'operator' });
    expect(await later.callerOf(value, true)).toEqual({ kind: 'nobody' });
  });

  test('logging out ends the login on the server', async () => {
    const browser = await bench.personOf('viewer');
    const out = await bench.ask('DELETE', '/api/v1/login', { headers: browser });
    expect(String(out.headers['set-cookie'])).toContain('Max-Age=0');
    expect((await bench.ask('GET', '/api/v1/me', { headers: browser })).statusCode).toBe(401);
  });

  test('guessing is slowed down, and keeps nobody from cutting', async () => {
    const held = await bench.personOf('viewer', 'ada');
    const token = await bench.tokenOf(['trip']);
    for (let tries = 0; tries < 5; tries += 1) expect((await login('ada', 'wrong')).statusCode).toBe(401);
    // More of the same, so that no slow machine waits it out.
    for (let more = 0; more < 5; more += 1) bench.backOff.failed('ada', '127.0.0.1');
    const slowed = await login('ada', PASSWORD);
    expect(slowed.json()).toMatchObject({ status: 429, code: 'slow-down' });
    expect(Number(slowed.headers['retry-after'])).toBeGreaterThan(1);
    for (const headers of [held, token])
      expect((await bench.ask('POST', '/api/v1/trip', { headers, ...TRIP })).statusCode).toBe(200);
    expect(bench.interlock.asked.filter(({ what }) => what === 'trip').map(({ request }) => request)).toEqual(
      [
        { links: [], reason: 'smoke', by: 'ada' },
        { links: [], reason: 'smoke', by: 'token trip' },
      ],
    );
  });

  test('a person without an account takes the same way as a wrong password', async () => {
    await bench.people.add({ name: 'ada', role: 'viewer', password: PASSWORD });
    const [nobody, wrong] = [await login('nobody', 'wrong'), await login('ada', 'wrong')];
    expect(nobody.body).toBe(wrong.body);
  });

  test('what the command on the box changes is seen by a running controller', async () => {
    const browser = await bench.personOf('viewer', 'ada');
    const besides = new People(new PeopleFile(bench.directory));
    await besides.add({ name: 'eve', role: 'operator', password: PASSWORD });
    await besides.remove('ada');
    await expect
      .poll(async () => (await bench.ask('GET', '/api/v1/me', { headers: browser })).statusCode, {
        timeout: 10_000,
      })
      .toBe(401);
    expect((await login('eve', PASSWORD)).statusCode).toBe(200);
  });

  test('changes at the same time are all kept', async () => {
    const [one, other] = [
      new People(new PeopleFile(bench.directory)),
      new People(new PeopleFile(bench.directory)),
    ];
    await Promise.all(
      Array.from({ length: 8 }, (_, i) =>
        (i % 2 === 0 ? one : other).addToken({ label: `t${i}`, scopes: ['read'], days: 1, by: 'test' }),
      ),
    );
    expect(await new People(new PeopleFile(bench.directory)).tokens()).toHaveLength(8);
  });

  test('a file of people that cannot be read lets nobody in and stays as it is', async () => {
    const browser = await bench.personOf('approver');
    writeFileSync(join(bench.directory, 'people.json'), '{"format":1');
    const broken = new People(new PeopleFile(bench.directory));
    await expect(broken.people()).rejects.toMatchObject({ code: 'people-unreadable' });
    await expect(broken.add({ name: 'x', role: 'viewer', password: PASSWORD })).rejects.toMatchObject({
      code: 'people-unreadable',
    });
    expect(readFileSync(join(bench.directory, 'people.json'), 'utf8')).toBe('{"format":1');
    void browser;
  });

  test('the last approver stays', async () => {
    const approver = await bench.personOf('approver', 'ada');
    await bench.people.add({ name: 'eve', role: 'viewer', password: PASSWORD });
    const demoted = await bench.ask('PATCH', '/api/v1/people/ada', {
      headers: approver,
      body: { role: 'viewer' },
    });
    expect(demoted.json()).toMatchObject({ status: 409, code: 'last-approver' });
    const removed = await bench.ask('DELETE', '/api/v1/people/ada', { headers: approver });
    expect(removed.json()).toMatchObject({ code: 'last-approver' });
  });

  test('tokens are shown once, kept as digests, revoked, expire, and are noted', async () => {
    const approver = await bench.personOf('approver');
    const asked = { label: 'grafana', scopes: ['metrics'] };
    const made = (await bench.ask('POST', '/api/v1/tokens', { headers: approver, body: asked })).json<{
      secret: string;
      token: { id: string };
    }>();
    expect(made.secret).toMatch(/^pct_[\w-]{43}$/);
    const headers = { authorization: `Bearer ${made.secret}` };
    expect((await bench.ask('GET', '/metrics', { headers })).statusCode).toBe(200);
    const listed = await bench.ask('GET', '/api/v1/tokens', { headers: approver });
    expect(listed.body).not.toContain(made.secret);
    expect(listed.json()).toMatchObject({
      tokens: [{ label: 'grafana', last_used_at: expect.any(String) as string }],
    });
    expect(readFileSync(join(bench.directory, 'people.json'), 'utf8')).not.toContain(made.secret);
    await bench.ask('DELETE', `/api/v1/tokens/${made.token.id}`, { headers: approver });
    expect((await bench.ask('GET', '/metrics', { headers })).json()).toMatchObject({
      status: 401,
      code: 'token-unknown',
    });
    const old = await bench.tokenOf(['metrics'], -1);
    expect((await bench.ask('GET', '/metrics', { headers: old })).statusCode).toBe(401);
    expect(bench.journal.map(({ type }) => type)).toEqual(
      expect.arrayContaining(['controller.token-created', 'controller.token-revoked', 'refused']),
    );
  });

  test('a wall display logs in with a token, has no idle end, and dies with it', async () => {
    const { secret, token } = await bench.people.addToken({
      label: 'wall',
      scopes: ['read'],
      days: 30,
      by: 'test',
    });
    const answer = await bench.ask('POST', '/api/v1/login', { body: { token: secret } });
    expect(answer.json()).toMatchObject({ kind: 'token', may: ['read'], session: { idle_ends_in_ms: null } });
    const headers = { cookie: String(answer.headers['set-cookie']).split(';', 1)[0] ?? '' };
    expect((await bench.ask('GET', '/api/v1/me', { headers })).json()).toMatchObject({ name: 'wall' });
    bench.aheadMs = 24 * 3_600_000;
    expect((await bench.ask('GET', '/api/v1/state', { headers })).statusCode).toBe(200);
    expect((await bench.ask('POST', '/api/v1/trip', { headers, ...TRIP })).statusCode).toBe(403);
    await bench.people.revokeToken(token.id);
    expect((await bench.ask('GET', '/api/v1/state', { headers })).statusCode).toBe(401);
  });

  test("one's own password: the old one is needed, and every other login is over", async () => {
    const [here, there] = [await bench.personOf('viewer', 'ada'), await bench.personOf('viewer', 'ada')];
    const change = (old: string) =>
      bench.ask('POST', '/api/v1/me/password', {
        headers: here,
        body: { old, new: 'another long password' },
      });
    expect((await change('wrong')).json()).toMatchObject({ status: 403, code: 'password-wrong' });
    const changed = await change(PASSWORD);
    expect(changed.statusCode).toBe(200);
    expect((await bench.ask('GET', '/api/v1/me', { headers: there })).statusCode).toBe(401);
    const fresh = { cookie: String(changed.headers['set-cookie']).split(';', 1)[0] ?? '' };
    expect((await bench.ask('GET', '/api/v1/me', { headers: fresh })).statusCode).toBe(200);
  });

  test('passwords are Argon2id with the costs kept beside them, and blank-insensitive to composition', async () => {
    const kept = await hashPassword('pässwörd with umlauts');
    expect(kept).toMatchObject({ algorithm: 'argon2id', memory_kib: 19_456, passes: 2, lanes: 1 });
    expect(await isPassword('pässwörd with umlauts'.normalize('NFD'), kept)).toBe(true);
    expect(await isPassword('passwort', kept)).toBe(false);
    expect(await isPassword('', null)).toBe(false);
  });
});

describe('back-off', () => {
  test('grows, is capped, and is forgotten', () => {
    const backOff = new BackOff();
    let now = 0;
    const waits: number[] = [];
    for (let i = 0; i < 20; i += 1) {
      backOff.failed('ada', '10.0.0.9', now);
      waits.push(backOff.waitMs('ada', '10.0.0.9', now));
      now += 1;
    }
    expect(waits.slice(0, 7)).toEqual([0, 0, 0, 0, 1_000, 2_000, 4_000]);
    expect(Math.max(...waits)).toBe(ADDRESS_CAP_MS);
    expect(backOff.waitMs('ada', '10.0.0.9', now + 900_001)).toBe(0);
  });

  test('strangers who guess from everywhere lock the true user out neither for ever nor where he is known', () => {
    const backOff = new BackOff();
    backOff.passed('ada', '10.0.0.1', 0);
    for (let i = 0; i < 1_000; i += 1) backOff.failed('ada', `10.1.${i >> 8}.${i & 255}`, i);
    expect(backOff.waitMs('ada', '10.0.0.1', 1_000)).toBe(0);
    const elsewhere = backOff.waitMs('ada', '10.0.0.2', 1_000);
    expect(elsewhere).toBeGreaterThan(0);
    expect(elsewhere).toBeLessThanOrEqual(ACCOUNT_CAP_MS);
  });

  test('an address may not try hundreds at once, and a neighbour in its network is the same address', () => {
    const backOff = new BackOff();
    const leaves = [1, 2, 3].map((n) => backOff.enter(`2001:db8::${n}`));
    expect(leaves).not.toContain(null);
    expect(backOff.enter('2001:db8::4')).toBeNull();
    expect(backOff.enter('2001:db8:1::1')).not.toBeNull();
    leaves[0]?.();
    expect(backOff.enter('2001:db8::4')).not.toBeNull();
    for (let i = 0; i < 10; i += 1) backOff.failed(`n${i}`, `2001:db8::${i}`, i);
    expect(backOff.waitMs('nobody', '2001:db8::77', 10)).toBeGreaterThan(0);
  });

  test('what is remembered is bounded', () => {
    const backOff = new BackOff();
    const before = process.memoryUsage().heapUsed;
    for (let i = 0; i < 100_000; i += 1) backOff.failed(`name-${i}`, `address-${i}`, i);
    expect(backOff.waitMs('name-1', 'address-1', 100_000)).toBe(0);
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(64 * 1024 * 1024);
  });
});
