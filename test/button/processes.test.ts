/** The button of a real interlock on an emulated board, and what lifts its latch: the hold, or two people with their codes. */
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { codeOf, secretOf, stepAt } from '../../src/interlock/rights/totp.ts';
import { codesOf, eventually, LINK, Scenario } from '../faults/rig.ts';

/** Input 2 of the board; its contact is normally closed. */
const INPUT = 2;
const RELEASED = 1;
const PRESSED = 0;

describe('the button of a box', { timeout: 120_000 }, () => {
  let scenario: Scenario;
  beforeEach(async () => {
    scenario = await Scenario.begin({ isolateTimeout: '2s' });
    const secret = (name: string): string => join(scenario.directory, 'secrets', `${name}.totp`);
    const button = `button: { input: { type: modbus-discrete-input, bus: board, unit: 1, input: ${INPUT - 1} }, trips: all, hold: 1s }\n`;
    const people = `approvers:\n  ada: { secret_file: ${secret('ada')} }\n  bob: { secret_file: ${secret('bob')} }\n`;
    writeFileSync(scenario.config, readFileSync(scenario.config, 'utf8') + button + people);
    await scenario.board.input(INPUT, RELEASED);
  }, 120_000);
  afterEach(() => scenario.end());

  const button = async (): Promise<string | undefined> => (await scenario.client().status()).button?.state;
  const state = (wanted: string): Promise<unknown> =>
    eventually(`the button to be ${wanted}`, async () => (await button()) === wanted);
  const cause = async (): Promise<string> => (await scenario.link())?.latch?.cause ?? 'none';
  const enrol = async (name: string): Promise<Uint8Array> => {
    const { code, stdout, stderr } = await scenario.command('approver', 'add', name);
    expect(code, stderr).toBe(0);
    const [, shown = ''] = /secret=([A-Z2-7]+)/.exec(stdout) ?? [];
    const file = join(scenario.directory, 'secrets', `${name}.totp`);
    expect(readFileSync(file, 'utf8').trim()).toBe(shown);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    return secretOf(shown) ?? new Uint8Array();
  };
  const now = (name: string, secret: Uint8Array): { name: string; code: string } => ({
    name,
    code: codeOf(secret, stepAt(Date.now())),
  });
  /** The codes of everything that refused it. */
  const refused = async (approvals: readonly { name: string; code: string }[]): Promise<readonly string[]> =>
    scenario
      .client()
      .reset({ link: LINK, cause: await cause(), by: 'ops', reason: 'why', approvals: [...approvals] })
      .then(
        () => [],
        (error: unknown) => codesOf(error),
      );

  test('cuts; left in, it refuses every reset; then two people with their codes lift the latch', async () => {
    const [ada, bob] = [await enrol('ada'), await enrol('bob')];
    expect((await scenario.command('approver', 'add', 'ada')).stderr).toContain('is enrolled already');
    await scenario.interlock();
    await state('released');
    const lease = await scenario.connected();
    const mark = scenario.board.mark();
    await scenario.board.input(INPUT, PRESSED);
    await scenario.board.move('isolated', mark);
    await lease.lost;
    await scenario.until('the latch', ({ latch, proof }) => latch?.by === 'button' && proof === 'witness');
    // A latching mushroom that is still in: neither presence nor codes help, and no code is used up.
    const args = ['reset', LINK, '--reason', 'looked into it', '--cause', await cause()];
    const left = await scenario.command(...args);
    expect([left.code, left.stderr]).toEqual([1, expect.stringContaining('the button is pressed')]);
    expect(await refused([now('ada', ada), now('bob', bob)])).toEqual(['button-pressed']);
    await scenario.board.input(INPUT, RELEASED);
    await state('released');
    expect(await refused([now('ada', ada)])).not.toEqual([]);
    expect(await refused([now('ada', ada), now('ada', ada)])).not.toEqual([]);
    const approvals = [now('ada', ada), now('bob', bob)].flatMap(({ name, code }) => [
      '--approve',
      `${name}:${code}`,
    ]);
    const done = await scenario.command(...args, ...approvals);
    expect(done.stderr).toBe('');
    await scenario.until('the latch to be lifted', ({ state: at }) => at === 'isolated');
    const asked = scenario.journal('link.reset-asked').at(-1);
    expect(asked?.data).toMatchObject({ authority: 'approvers', approvers: ['ada', 'bob'] });
    // The same codes lift no second latch.
    await scenario.trip();
    await scenario.until('another latch', ({ state: at, proof }) => at === 'tripped' && proof === 'witness');
    expect(await refused([now('ada', ada), now('bob', bob)])).not.toEqual([]);
  });

  test('whose wire breaks, and whose board falls silent, cuts', async () => {
    await scenario.interlock();
    await state('released');
    await scenario.connected();
    const mark = scenario.board.mark();
    await scenario.board.fault('silence');
    await state('dead');
    await scenario.board.clear();
    await scenario.board.move('isolated', mark);
    await scenario.until('the latch', ({ latch }) => latch !== null);
    await state('released');
  });

  test('held after everything is latched, it is presence for somebody who is not root', async () => {
    await scenario.interlock();
    await state('released');
    await scenario.board.input(INPUT, PRESSED);
    await state('pressed');
    await scenario.until('the latch', ({ latch, proof }) => latch?.by === 'button' && proof === 'witness');
    await scenario.board.input(INPUT, RELEASED);
    await state('released');
    // Over the socket of the controller, as anybody of its group.
    const asReset = async (): Promise<unknown> =>
      scenario.client().reset({ link: LINK, cause: await cause(), by: 'somebody', reason: 'held it' });
    await expect(asReset()).rejects.toMatchObject({ refusals: [{ code: 'presence-missing' }] });
    await scenario.board.input(INPUT, PRESSED);
    await state('pressed');
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    await scenario.board.input(INPUT, RELEASED);
    await eventually('presence', async () => (await scenario.client().status()).button?.present);
    await asReset();
    await scenario.until('the latch to be lifted', ({ state: at }) => at === 'isolated');
  });
});
