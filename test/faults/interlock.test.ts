/** The interlock dies or hangs while the link is connected: something outside of it isolates. */
import { afterEach, describe, expect, test } from 'vitest';
import { isAlive } from './child.ts';
import { eventually, LINK, missingTools, Scenario } from './rig.ts';

let scenario: Scenario;
afterEach(() => scenario.end());

describe('an interlock that dies while connected', { timeout: 120_000 }, () => {
  test('by hand: `isolate --all` isolates without interlock, latch or journal, and says what the board answered', async () => {
    scenario = await Scenario.begin();
    const interlock = await scenario.interlock();
    const lease = await scenario.connected();
    const before = scenario.board.mark();
    await interlock.kill();
    expect(['stream-closed', 'renewal-failed']).toContain((await lease.lost).code);
    // No hardware lease here: without the command nothing would isolate.
    expect(scenario.board.stands()).toBe('connected');
    const { code, stdout } = await scenario.command('isolate', '--all');
    expect({ code, stdout }).toMatchObject({
      code: 0,
      stdout: expect.stringContaining(`isolated`) as string,
    });
    expect(stdout).not.toContain('NOT PROVEN');
    expect((await scenario.board.move('isolated', before)).cause).toBe('frame');
    await scenario.journalVerifies();
  });

  test('by hand: `isolate --all` beside an interlock that lives goes through it, and past one that hangs', async () => {
    scenario = await Scenario.begin();
    const interlock = await scenario.interlock();
    const lease = await scenario.connected();
    const { code, stdout, stderr } = await scenario.command('isolate', '--all', '--json');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(JSON.parse(stdout)).toMatchObject({ contact: 'relay', isolated: true, through: 'interlock' });
    expect((await lease.lost).code).toBe('tripped');
    expect((await scenario.link())?.latch?.reason).toBe('portcullis isolate --all');
    await scenario.board.standing('isolated');
    interlock.signal('SIGSTOP');
    const past = await scenario.command('isolate', '--all');
    interlock.signal('SIGCONT');
    expect(past.code).toBe(0);
    expect(past.stderr).toContain('was not to be moved: it did not answer');
    expect(past.stdout).toContain('relay: isolated');
  });

  test('by hand: `isolate --all` says that a silent board is not proven isolated, with exit code 1', async () => {
    scenario = await Scenario.begin();
    await scenario.board.fault('silence');
    const { code, stdout, stderr } = await scenario.command('isolate', '--all');
    expect(code).toBe(1);
    expect(stdout).toContain('NOT PROVEN ISOLATED');
    expect(stderr).toContain('1 of 1 contacts are not proven isolated');
  });

  test('nobody does anything: the hardware lease of the (simulated) board isolates', async () => {
    scenario = await Scenario.begin({ hardwareLease: '2s' });
    const interlock = await scenario.interlock();
    await scenario.connected();
    // Renewed for longer than it lasts, so that what ends it is the death and not its first end.
    const renewals = scenario.board.mark();
    await eventually('some renewals', () => scenario.board.frames('connect', renewals).length >= 8);
    const before = scenario.board.mark();
    await interlock.kill();
    const move = await scenario.board.move('isolated', before);
    expect(move).toMatchObject({ cause: 'lease-ran-out', frame: null });
    expect(scenario.board.frames('isolate', before)).toEqual([]);
    // Simulated evidence is called that wherever it is shown.
    await scenario.interlock();
    expect(await scenario.link()).toMatchObject({ state: 'isolated', evidence_grade: 'simulated' });
  });

  test('SIGSTOP: the hardware lease isolates; awake again it isolates too and reconnects nothing', async () => {
    scenario = await Scenario.begin({ hardwareLease: '2s' });
    const interlock = await scenario.interlock();
    const lease = await scenario.connected();
    const before = scenario.board.mark();
    interlock.signal('SIGSTOP');
    expect(await scenario.board.move('isolated', before)).toMatchObject({ cause: 'lease-ran-out' });
    const asleep = scenario.board.mark();
    interlock.signal('SIGCONT');
    await scenario.until('isolation to be proven', (link) => link.state === 'isolated');
    await lease.lost;
    await eventually(
      'the isolate of the woken interlock',
      () => scenario.board.frames('isolate', asleep).length > 0,
    );
    expect(scenario.board.moves(asleep)).toEqual([]);
    expect(scenario.board.frames('connect', asleep)).toEqual([]);
    const entry = await scenario.entry('link.isolating');
    expect(['lease-lapsed', 'evidence-lost', 'connection-lost', 'holder-gone']).toContain(entry.data['why']);
    await scenario.journalVerifies();
  });

  test('a second interlock on the same state directory refuses to start; the first goes on', async () => {
    scenario = await Scenario.begin();
    const first = await scenario.interlock();
    const second = await scenario.command('interlock');
    expect(second.code).toBe(1);
    expect(second.stderr).toContain(
      `is held by process ${first.pid}: only one interlock may write a journal`,
    );
    expect(second.stderr).not.toMatch(/^\s+at /m);
    expect(first.ended).toBeNull();
    await scenario.connected();
    expect(scenario.journal('interlock.started')).toHaveLength(1);
  });
});

describe.skipIf(missingTools() !== null)(
  'an interlock that dies under `up` while restic works',
  { timeout: 120_000 },
  () => {
    test('`up` isolates, starts it again, the controller kills restic and reports', async () => {
      scenario = await Scenario.begin({ vault: true, limitUpload: 600 });
      scenario.fill(12, 1_000_000);
      await scenario.commission();
      const up = scenario.run('up', ['up', '--config', scenario.config]);
      await scenario.until('isolation to be proven', (link) => link.state === 'isolated');
      await scenario.controllerReady(up);
      const occurrence = await scenario.openWindow();
      const restic = await scenario.untilWriting();
      const [started] = scenario.journal('interlock.started');
      const pid = Number(started?.data['pid']);
      const before = scenario.board.mark();
      process.kill(pid, 'SIGKILL');
      const move = await scenario.board.move('isolated', before);
      expect(move.cause).toBe('frame');
      await eventually('restic to die', () => !isAlive(restic));
      await scenario.workersGone();
      const again = await eventually(
        'the interlock to be started again',
        () => scenario.journal('interlock.started')[1],
      );
      // Isolated by `up` itself, over a connection of its own, and not by the start of the next interlock.
      const events = scenario.board.events.slice(before);
      const isolated = events.findIndex((each) => each.event === 'contact');
      const accepted = events.flatMap((each, i) =>
        each.event === 'connection' && each.state === 'accepted' ? [i] : [],
      );
      expect(accepted.length).toBeGreaterThan(1);
      expect(isolated).toBeGreaterThan(accepted[0] ?? 0);
      expect(isolated).toBeLessThan(accepted[1] ?? 0);
      expect(again.data['pid']).not.toBe(pid);
      expect(up.stderr).toContain('the interlock died; every contact was isolated');
      const report = await scenario.report(occurrence);
      expect(report).toMatchObject({ link: LINK, outcome: 'cut-short' });
      await scenario.until('isolation to be proven', (link) => link.state === 'isolated');
      expect(scenario.board.moves(before).map(({ position }) => position)).toEqual(['isolated']);
      up.signal('SIGTERM');
      expect(await up.exited).toEqual({ code: 0, signal: null });
      expect(scenario.journal('interlock.stopped')).toHaveLength(1);
      await scenario.journalVerifies();
    });
  },
);
