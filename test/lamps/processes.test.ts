/** The lamps of a real interlock on an emulated board: what its relays really do. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { PlayedBoard } from '../faults/board.ts';
import type { Child } from '../faults/child.ts';
import { codesOf, eventually, LINK, Scenario } from '../faults/rig.ts';
import { allWereLit, lit, litOn, panelOf } from './panel.ts';

describe('lamps on a board', { timeout: 120_000 }, () => {
  let scenario: Scenario;
  let panel: PlayedBoard;
  let interlock: Child;

  beforeEach(async () => {
    scenario = await Scenario.begin({ isolateTimeout: '2s' });
    panel = await panelOf(scenario);
    interlock = await scenario.interlock();
  }, 120_000);
  afterEach(() => scenario.end());

  test('a life: the test at the start, a lease, a trip, a test by hand, and dark with the end', async () => {
    await allWereLit(panel, 0);
    await lit(panel, 'isolated');
    const lease = await scenario.connected();
    await lit(panel, 'connected');
    const mark = scenario.board.mark();
    expect(await scenario.trip()).toMatchObject({ status: 200 });
    await lease.lost;
    await lit(panel, 'isolated tripped');
    expect(scenario.board.frames('isolate', mark).length).toBeGreaterThan(0);
    const { lamps } = await scenario.client().status();
    expect(lamps).toMatchObject({ simulated: true, lamps: [{ shows: 'lit' }, {}, { shows: 'lit' }, {}] });
    const words = await scenario.command('status');
    expect(words.stdout).toContain(
      'lamp isolated: lit, every link is isolated, and that is proven (simulated board: proves nothing about hardware)',
    );
    const before = panel.mark();
    // Not sooner than ten seconds after the test at the start, and one at a time.
    const refused = await eventually('another lamp test', async () => {
      const asked = (): Promise<readonly string[]> =>
        scenario
          .client()
          .testLamps({ by: 'ops' })
          .then(
            () => [],
            (error: unknown) => codesOf(error),
          );
      const answers = await Promise.all([asked(), asked()]);
      return answers.some((codes) => codes.length === 0) ? answers.flat() : null;
    });
    expect(refused).toEqual(['lamps-tested-just-now']);
    await allWereLit(panel, before);
    await lit(panel, 'isolated tripped');
    const tested = scenario.journal('lamps.tested').map(({ actor }) => actor);
    expect(tested).toEqual(['interlock', 'person:ops']);
    const said = await scenario.command('lamps', 'test');
    // Whether it is too soon is up to the machine.
    expect(said.code === 0 ? said.stdout : said.stderr).toMatch(
      /^all lamps are lit for 2\.0 s|the lamps were tested just now/,
    );
    interlock.signal('SIGTERM');
    await interlock.exited;
    expect(await litOn(panel)).toBe('');
  });

  test('kill -9: a board with a timer darkens them by itself, and so does `isolate --all`', async () => {
    await lit(panel, 'isolated');
    await scenario.killed(interlock);
    await lit(panel, '');
    await panel.fault('silence');
    const { code } = await scenario.command('isolate', '--all');
    // A panel that is dead costs the isolation of the link nothing.
    expect(code).toBe(0);
  });

  test('a panel that is silent is said once, and a cut is none the later', async () => {
    await lit(panel, 'isolated');
    await panel.fault('silence');
    await scenario.entry('lamps.failed', ({ lamp }) => lamp === 'isolated');
    expect((await scenario.client().status()).lamps?.lamps[0]).toMatchObject({
      lamp: 'isolated',
      problem: expect.any(String) as string,
    });
    const lease = await scenario.connected();
    const mark = scenario.board.mark();
    expect(await scenario.trip()).toMatchObject({ status: 200 });
    expect((await scenario.board.move('isolated', mark)).cause).toBe('frame');
    await lease.lost;
    await scenario.until('the latch', ({ state, link }) => state === 'tripped' && link === LINK);
    await panel.clear();
    await lit(panel, 'isolated tripped fault');
    const failed = scenario.journal('lamps.failed').map(({ data }) => data['lamp']);
    expect(failed.length).toBe(new Set(failed).size);
  });
});
