/** The board is silent, lies, or its contact is welded: isolation is never reported, and never given up. */
import { afterEach, describe, expect, test } from 'vitest';
import { ask } from './http.ts';
import { codesOf, eventually, LINK, Scenario } from './rig.ts';
import { resetLink } from './reset.ts';

let scenario: Scenario;
afterEach(() => scenario.end());

/** Isolate frames that must come while nothing is proven before it counts as "keeps trying". */
const SEVERAL = 6;

describe('isolation that is not proven', { timeout: 120_000 }, () => {
  test('board silent during isolate: never reported done, alarm, keeps trying, recovers when it returns', async () => {
    scenario = await Scenario.begin();
    await scenario.interlock();
    const lease = await scenario.connected();
    const ear = scenario.listen();
    await scenario.board.fault('silence');
    const before = scenario.board.mark();
    await lease.release();
    await scenario.entry('link.unproven', (data) =>
      JSON.stringify(data['alarms'] ?? '').includes('isolation-unproven'),
    );
    await eventually('the alarm', () => ear.alarms.includes('isolation-unproven'));
    const tries = scenario.board.frames('isolate', before).length;
    await eventually(
      'more attempts',
      () => scenario.board.frames('isolate', before).length >= tries + SEVERAL,
    );

    expect(scenario.board.stands()).toBe('connected');
    expect(await scenario.link()).toMatchObject({ state: 'unproven', commanded: 'isolated', proof: 'none' });
    expect(scenario.journal('link.isolated').length).toBe(1);
    const refused = await scenario.lease().catch((error: unknown) => error);
    expect(codesOf(refused)).toContain('isolation-unproven');

    await scenario.board.clear();
    expect((await scenario.board.move('isolated', before)).cause).toBe('frame');
    await scenario.until('isolation to be proven', (link) => link.state === 'isolated');
    await eventually('the proof in the journal', () => scenario.journal('link.isolated').length === 2);
    await ear.stop();
    await scenario.journalVerifies();
  });

  /** Told to isolate, reads isolated, and is connected: only the witness knows. */
  test.each([
    { what: 'a board that lies', faults: ['echo-only', 'lying-read-back'] },
    { what: 'a welded contact', faults: ['welded:1'] },
  ])('$what: stuck and latched, reset refused until proven', async ({ faults }) => {
    scenario = await Scenario.begin();
    const interlock = await scenario.interlock();
    const lease = await scenario.connected();
    for (const fault of faults) await scenario.board.fault(fault);
    const before = scenario.board.mark();
    await lease.release();
    const stuck = await scenario.until('the link to be stuck', (link) => link.state === 'stuck');
    expect(stuck).toMatchObject({ observed: 'connected', proof: 'none', latch: { by: 'fault:stuck' } });
    const said = Object.fromEntries(stuck.indicators.map(({ name, position }) => [name, position]));
    expect(said).toEqual({ relay: 'isolated', mirror: 'connected' });
    await scenario.entry('link.stuck', (data) => JSON.stringify(data['alarms'] ?? '').includes('stuck'));
    await eventually('the latch on disk', () => scenario.latchOnDisk()?.by === 'fault:stuck');
    const tries = scenario.board.frames('isolate', before).length;
    await eventually(
      'more attempts',
      () => scenario.board.frames('isolate', before).length >= tries + SEVERAL,
    );
    expect(scenario.board.stands()).toBe('connected');

    const refusal = await resetLink(scenario, 'a try');
    expect(refusal.code).toBe(1);
    expect(refusal.stderr).toContain('isolation is not proven, so the latch stays');
    expect((await scenario.link())?.state).toBe('stuck');

    // Latched means latched: also for the next interlock, which finds the contact as it is.
    await interlock.kill();
    const next = scenario.run('interlock', ['interlock', '--config', scenario.config]);
    await eventually(
      () => `the next interlock; ${next.words()}`,
      () => next.stdout.includes('trips at'),
    );
    await scenario.until('the link to be stuck again', (link) => link.state === 'stuck');

    await scenario.board.clear();
    await scenario.board.move('isolated', before);
    await scenario.until('isolation to be proven', (link) => link.proof === 'witness');
    expect((await scenario.link())?.state).toBe('stuck');
    const reset = await resetLink(scenario, 'the contact was replaced');
    expect(reset).toMatchObject({ code: 0 });
    expect(await scenario.link()).toMatchObject({ state: 'isolated', latch: null });
    expect(scenario.latchOnDisk()).toBeNull();
    expect(scenario.journal('link.reset-refused')).toHaveLength(1);
    expect(scenario.journal('link.reset')).toHaveLength(1);
    await scenario.journalVerifies();
  });

  test('a reset over the socket of the controller needs more than asking', async () => {
    scenario = await Scenario.begin();
    await scenario.interlock();
    expect((await scenario.trip()).status).toBe(200);
    await scenario.until('isolation to be proven', (link) => link.proof === 'witness');
    const cause = (await scenario.link())?.latch?.cause;
    const body = JSON.stringify({ link: LINK, by: 'root', reason: 'a try', cause });
    const headers = { 'content-type': 'application/json' };
    const refused = await ask(
      { socketPath: scenario.socket(), path: '/v1/reset', method: 'POST', headers },
      body,
    );
    expect(refused.status).toBe(409);
    expect(refused.text).toContain('presence-missing');
    const window = await ask(
      { socketPath: scenario.socket(), path: '/v1/windows/nightly/run', method: 'POST', headers },
      JSON.stringify({ by: 'root', reason: 'a try' }),
    );
    expect(window.status).toBe(409);
    expect(window.text).toContain('presence-missing');
    expect((await scenario.link())?.state).toBe('tripped');
    await scenario.until('isolation to be proven', (link) => link.proof === 'witness');
    const allowed = await ask(
      { socketPath: scenario.socket(true), path: '/v1/reset', method: 'POST', headers },
      body,
    );
    expect(allowed.status).toBe(200);
    expect(await scenario.link()).toMatchObject({ state: 'isolated', latch: null });
  });
});
