/** A session for a restore, held by the real command against a real interlock and an emulated board. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { codeOf, secretOf, stepAt } from '../../src/interlock/rights/totp.ts';
import type { Child } from './child.ts';
import { eventually, LINK, Scenario } from './rig.ts';

const PEOPLE = ['alice', 'bob'];

let scenario: Scenario;

beforeEach(async () => {
  scenario = await Scenario.begin();
  const approvers = PEOPLE.map(
    (name) => `  ${name}: { secret_file: ${scenario.directory}/${name}.secret }\n`,
  );
  scenario.configure({ sources: `approvers:\n${approvers.join('')}` });
  await scenario.interlock();
}, 180_000);
afterEach(() => scenario.end(), 60_000);

/** `portcullis attend` at work; the link is connected. */
async function attending(forHow: string, ...more: string[]): Promise<Child> {
  const args = ['attend', LINK, '--for', forHow, '--reason', 'restore', ...more, '--config', scenario.config];
  const child = scenario.run('attend', args);
  await eventually(
    () => `the command to say connected; ${child.words()}`,
    () => {
      if (child.ended !== null) throw new Error(child.words());
      return child.stdout.includes('connected');
    },
  );
  await scenario.board.standing('connected');
  return child;
}

const ended = (why: string): Promise<unknown> =>
  scenario.entry('session.ended', (data) => data['why'] === why);

/** Enrols somebody and returns what his telephone would show. */
async function enrolled(name: string): Promise<() => string> {
  const { stdout, stderr, code } = await scenario.command('approver', 'add', name);
  const secret = secretOf(/secret=([A-Z2-7]+)/.exec(stdout)?.[1] ?? '');
  if (code !== 0 || secret === null) throw new Error(`${stdout}${stderr}`);
  return () => `${name}:${codeOf(secret, stepAt(Date.now()))}`;
}

test('is over with the process that holds it, killed or told to end', async () => {
  const child = await attending('10m');
  expect((await scenario.link())?.session).toMatchObject({ authority: 'box', reason: 'restore' });
  await child.kill();
  await scenario.board.standing('isolated');
  await ended('holder-gone');
  await scenario.until('isolation to be proven', ({ state }) => state === 'isolated');
  const next = await attending('10m', '--json');
  next.signal('SIGINT');
  expect((await next.exited).code).toBe(0);
  const told = next.stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { event: string; isolated?: boolean });
  expect(told.map(({ event }) => event)).toEqual(['begun', 'connected', 'over']);
  expect(told.at(-1)?.isolated).toBe(true);
  await scenario.board.standing('isolated');
}, 180_000);

test('is over at its end, when somebody ends it, and by a trip', async () => {
  const short = await attending('2s');
  expect((await short.exited).code).toBe(0);
  await ended('time-over');
  const other = await attending('10m');
  expect(await scenario.command('attend', LINK, '--end')).toMatchObject({ code: 0 });
  expect((await other.exited).code).toBe(0);
  await ended('ended');
  const third = await attending('10m');
  expect((await scenario.trip()).status).toBe(200);
  const { code } = await third.exited;
  expect(code).toBe(1);
  expect(third.stderr).toContain('cut short');
  await ended('tripped');
  await scenario.board.standing('isolated');
}, 90_000);

test('from afar needs the codes of two people, which count once', async () => {
  const [alice, bob] = [await enrolled('alice'), await enrolled('bob')];
  const codes = ['--approve', alice(), bob()];
  const ask = ['attend', LINK, '--for', '1m', '--reason', 'restore'];
  const alone = await scenario.command(...ask, '--approve', alice());
  expect(alone).toMatchObject({ code: 1 });
  expect(alone.stderr).toContain('two different people');
  const child = await attending('10m', ...codes);
  expect((await scenario.link())?.session).toMatchObject({ authority: 'approvers', approvers: PEOPLE });
  child.signal('SIGTERM');
  expect((await child.exited).code).toBe(0);
  await scenario.until('isolation to be proven', ({ state }) => state === 'isolated');
  const again = await scenario.command(...ask, ...codes);
  expect(again.code).toBe(1);
  expect(again.stderr).toMatch(/was used before|is wrong/);
  expect((await scenario.link())?.session).toBeNull();
}, 90_000);
