/** Ends of processes that left the link connected: real processes, seen from the board's wire. */
import { appendFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { Scenario } from '../faults/rig.ts';

let scenario: Scenario;
afterEach(() => scenario.end());

const pidOfInterlock = async (): Promise<number> =>
  Number((await scenario.entry('interlock.started')).data['pid']);

describe('nobody leaves a link connected', { timeout: 120_000 }, () => {
  test('an interlock that is told that its terminal is gone', async () => {
    scenario = await Scenario.begin();
    const interlock = await scenario.interlock();
    await scenario.connected();
    const before = scenario.board.mark();
    interlock.signal('SIGHUP');
    expect((await scenario.board.move('isolated', before)).cause).toBe('frame');
    expect((await interlock.exited).code).toBe(0);
  });

  test('an interlock that cannot listen isolates what the last one left connected', async () => {
    scenario = await Scenario.begin();
    const first = await scenario.interlock();
    await scenario.connected();
    await first.kill();
    expect(scenario.board.stands()).toBe('connected');
    const squatter = createServer();
    await new Promise<void>((resolve) => squatter.listen(scenario.tripPort, '127.0.0.1', resolve));
    const before = scenario.board.mark();
    const { code } = await scenario.command('interlock');
    squatter.close();
    expect(code).not.toBe(0);
    await scenario.board.move('isolated', before);
    // It has let go of everything: the next one starts, and finds in the journal that there was one.
    await scenario.interlock();
    expect(scenario.journal().map(({ type }) => type)).toContain('interlock.stopped');
  });

  test('`isolate --all` goes on until a board answers again, and says what a welded contact reads', async () => {
    scenario = await Scenario.begin();
    const first = await scenario.interlock();
    await scenario.connected();
    await first.kill();
    await scenario.board.fault('silence');
    const before = scenario.board.mark();
    const isolating = scenario.command('isolate', '--all');
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    expect(scenario.board.stands()).toBe('connected');
    await scenario.board.clear();
    expect((await isolating).code).toBe(0);
    await scenario.board.move('isolated', before);
  });

  test('an interlock that is stopped while its board is silent for a moment', async () => {
    scenario = await Scenario.begin();
    const interlock = await scenario.interlock();
    await scenario.connected();
    await scenario.board.fault('silence');
    const before = scenario.board.mark();
    interlock.signal('SIGTERM');
    await new Promise((resolve) => setTimeout(resolve, 1_800));
    expect(scenario.board.stands()).toBe('connected');
    await scenario.board.clear();
    await interlock.exited;
    expect(scenario.board.moves(before).map(({ position }) => position)).toEqual(['isolated']);
  });

  test('`up` whose interlock hangs when it is told to stop', async () => {
    scenario = await Scenario.begin();
    await scenario.commission();
    const up = scenario.run('up', ['up', '--config', scenario.config]);
    await scenario.controllerReady(up);
    await scenario.until('isolation to be proven', (link) => link.state === 'isolated');
    const interlock = await pidOfInterlock();
    await scenario.openWindow();
    await scenario.board.standing('connected');
    const before = scenario.board.mark();
    process.kill(interlock, 'SIGSTOP');
    up.signal('SIGTERM');
    await up.exited;
    expect(scenario.board.moves(before).at(-1)).toMatchObject({ position: 'isolated', cause: 'frame' });
  });

  test('`up` whose configuration was broken meanwhile', async () => {
    scenario = await Scenario.begin();
    await scenario.commission();
    const up = scenario.run('up', ['up', '--config', scenario.config]);
    await scenario.controllerReady(up);
    await scenario.until('isolation to be proven', (link) => link.state === 'isolated');
    const interlock = await pidOfInterlock();
    await scenario.openWindow();
    await scenario.board.standing('connected');
    appendFileSync(scenario.config, 'no_such_key: 1\n');
    const before = scenario.board.mark();
    process.kill(interlock, 'SIGKILL');
    expect((await scenario.board.move('isolated', before)).cause).toBe('frame');
    // Its controller waits for an interlock that will not come, and is killed; longer than the end of a test has.
    up.signal('SIGTERM');
    await up.exited;
  });
});
