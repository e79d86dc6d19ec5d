/** What people ask for through the API, of a real controller, a real interlock and an emulated board. */
import { writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { base32, codeOf, stepAt } from '../../src/interlock/rights/totp.ts';
import type { Child } from './child.ts';
import { eventually, LINK, Scenario } from './rig.ts';

const SECRETS = {
  ada: Buffer.from('12345678901234567890'),
  bob: Buffer.from('09876543210987654321'),
} as const;
const PASSWORD = 'correct horse battery staple';

interface Answer {
  readonly status: number;
  readonly body: Record<string, unknown>;
}

let scenario: Scenario;
let controller: Child;
let url: string;
let cookie: string;

beforeEach(async () => {
  scenario = await Scenario.begin();
  const people = Object.entries(SECRETS).map(([name, secret]) => {
    const file = join(scenario.directory, `${name}.secret`);
    writeFileSync(file, `${base32(secret)}\n`, { mode: 0o600 });
    return `  ${name}: { secret_file: ${file} }\n`;
  });
  scenario.configure({ sources: `approvers:\n${people.join('')}` });
  await scenario.interlock();
  controller = await scenario.controller();
  const said = await eventually('a setup code', () =>
    /open (\S+) and make the first one with the setup code (\S+)/.exec(controller.stdout),
  );
  url = said[1] ?? '';
  cookie = '';
  const made = await ask('POST', '/setup', { code: said[2], name: 'ada', password: PASSWORD });
  if (made.status !== 200 || made.body['approver'] !== true)
    throw new Error(`the first account was not made an approver: ${JSON.stringify(made)}`);
}, 180_000);
afterEach(() => scenario.end(), 60_000);

/** `who`: another cookie than that of the first account. */
function ask(method: string, path: string, body?: object, who = cookie): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const headers = { cookie: who, ...(body === undefined ? {} : { 'content-type': 'application/json' }) };
    const sent = request(`${url}/api/v1${path}`, { method, headers, agent: false }, (answer) => {
      let text = '';
      answer.setEncoding('utf8').on('data', (piece: string) => (text += piece));
      answer.on('end', () => {
        const set = answer.headers['set-cookie']?.[0]?.split(';', 1)[0];
        if (set !== undefined && who === cookie) cookie = set;
        resolve({ status: answer.statusCode ?? 0, body: JSON.parse(text) as Record<string, unknown> });
      });
    });
    sent.on('error', reject);
    sent.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

/** The codes of two people, of the step behind `off` others: a code counts once. */
const codes = (off = 0) =>
  Object.entries(SECRETS).map(([name, secret]) => ({ name, code: codeOf(secret, stepAt(Date.now()) + off) }));
const causeNow = async (): Promise<string> => (await scenario.link())?.latch?.cause ?? 'none';

/** Somebody who may ask, and has no code. */
async function thief(): Promise<string> {
  await ask('POST', '/people', { name: 'eve', role: 'operator', password: PASSWORD });
  const login = await fetch(`${url}/api/v1/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ name: 'eve', password: PASSWORD }),
  });
  return login.headers.get('set-cookie')?.split(';', 1)[0] ?? '';
}

test('any login cuts, none connects; two people reset and attend from afar, whatever a thief does; the death of the controller ends it', async () => {
  expect(await ask('POST', '/trip')).toMatchObject({ status: 200, body: { latched: true } });
  await scenario.until('isolation to be proven', ({ proof }) => proof !== 'none');
  const reset = { cause: await causeNow(), reason: 'understood' };
  const path = `/links/${LINK}/reset`;
  expect(await ask('POST', path, reset)).toMatchObject({ status: 409, body: { code: 'presence-missing' } });

  // Wrong codes make their sender wait before they lock those whose codes they are said to be.
  const eve = await thief();
  const wrong = Object.keys(SECRETS).map((name) => ({ name, code: '12345x' }));
  const answers: Answer[] = [];
  for (let i = 0; i < 6; i += 1) answers.push(await ask('POST', path, { ...reset, approvals: wrong }, eve));
  expect(answers.map(({ status }) => status)).toEqual([409, 409, 409, 429, 429, 429]);

  const approvals = codes();
  const [ada] = approvals;
  expect(await ask('POST', path, { ...reset, approvals: [ada, ada] })).toMatchObject({
    body: { code: 'approvals-missing' },
  });
  expect(await ask('POST', path, { ...reset, cause: 'another', approvals })).toMatchObject({
    body: { code: 'cause-unacknowledged' },
  });
  // None of that has used up a code.
  expect(await ask('POST', path, { ...reset, approvals })).toEqual({ status: 200, body: {} });
  await scenario.until('the latch to be lifted', ({ latch }) => latch === null);

  const wish = { reason: 'restore', for_ms: 600_000 };
  const sessions = `/links/${LINK}/sessions`;
  const replayed = await ask('POST', sessions, { ...wish, approvals });
  expect(replayed.status).toBe(409);
  expect(JSON.stringify(replayed.body)).toMatch(/code-used|code-wrong/);
  const next = codes(1);
  const begun = await ask('POST', sessions, { ...wish, approvals: next });
  expect(begun).toMatchObject({
    status: 200,
    body: { authority: 'approvers', approvers: ['ada', 'bob'] },
  });
  await scenario.board.standing('connected');
  expect(await ask('POST', sessions, { ...wish, approvals })).toMatchObject({
    body: { code: 'session-open' },
  });
  await controller.kill();
  await scenario.board.standing('isolated');
  await scenario.entry('session.ended', ({ why }) => why === 'holder-gone');
  const said = controller.stdout + controller.stderr;
  controller = await scenario.controller();
  expect((await ask('GET', '/state')).body['sessions']).toEqual([]);
  // What nobody who reads the journal or the logs may learn.
  const written = JSON.stringify(scenario.journal()) + said;
  for (const { code } of [...approvals, ...next]) expect(written).not.toContain(`"${code}"`);
}, 120_000);
