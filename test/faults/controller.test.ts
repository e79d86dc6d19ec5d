/** The controller dies, stops or hangs while the link is connected and restic works: somebody else isolates. */
import { existsSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Child, isAlive } from './child.ts';
import { eventually, LINK, missingTools, Scenario } from './rig.ts';

/** Installs a signal that blocks the event loop for ever, as a runaway computation does. */
const BLOCKABLE = `process.on('SIGUSR2', () => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0));`;

describe.skipIf(missingTools() !== null)(
  'while the controller works in the vault',
  { timeout: 120_000 },
  () => {
    let scenario: Scenario;
    let controller: Child;
    let occurrence = '';
    let restic = 0;

    beforeEach(async () => {
      scenario = await Scenario.begin({ vault: true, limitUpload: 600 });
      scenario.fill(12, 1_000_000);
      await scenario.interlock();
      controller = await scenario.controller(BLOCKABLE);
      occurrence = await scenario.openWindow();
      restic = await scenario.untilWriting();
      await scenario.board.standing('connected');
    }, 60_000);
    afterEach(() => scenario.end());

    test('SIGKILL isolates at once and kills restic with it; the next controller resumes the window once and finishes', async () => {
      const before = scenario.board.mark();
      await controller.kill();
      const move = await scenario.board.move('isolated', before);
      expect(move.cause).toBe('frame');
      await scenario.workersGone();
      await scenario.until('isolation to be proven', (link) => link.state === 'isolated');
      const entry = await scenario.entry('link.isolating', (data) => data['why'] === 'holder-gone');
      expect(entry).toMatchObject({
        actor: 'controller',
        data: { from: 'connected', given_back: 'holder-gone' },
      });
      expect(scenario.board.moves(before).map(({ position }) => position)).toEqual(['isolated']);

      // An init that reaps late keeps its number alive for a while, and restic takes the lock of a zombie for a live one.
      await eventually('init to reap restic', () => !existsSync(`/proc/${restic}`));

      // And it comes back while the window is still in progress.
      // Without the limit, so that the second half does not take as long as the first.
      scenario.configure({ limitUpload: 1_000_000 });
      await scenario.controller();
      const report = await scenario.report(occurrence);
      expect(report).toMatchObject({ outcome: 'done', resumed: true, isolation_proven: true, why: null });
      expect(report.steps.map(({ step, outcome }) => [step, outcome.kind])).toEqual([
        ['recover', 'done'],
        ['backup', 'done'],
      ]);
      await scenario.entry('controller.window-finished', (data) => data['outcome'] === 'done');
      expect(scenario.journal('controller.window-started').map(({ data }) => data['resumed'])).toEqual([
        false,
        true,
      ]);
      expect(scenario.board.stands()).toBe('isolated');
      expect(scenario.reports()).toHaveLength(1);
      await scenario.journalVerifies();
    });

    test('SIGSTOP of the controller: the lease lapses, the link is isolated, restic is killed when it wakes', async () => {
      const before = scenario.board.mark();
      controller.signal('SIGSTOP');
      const move = await scenario.board.move('isolated', before);
      expect(move.cause).toBe('frame');
      const entry = await scenario.entry('link.isolating', (data) => data['why'] === 'lease-lapsed');
      expect(entry).toMatchObject({ actor: 'interlock', data: { link: LINK, from: 'connected' } });
      await scenario.until('isolation to be proven', (link) => link.state === 'isolated');
      // Nobody can kill it meanwhile, and it can write nothing: its path is gone.
      expect(isAlive(restic)).toBe(true);
      controller.signal('SIGCONT');
      await scenario.workersGone();
      const report = await scenario.report(occurrence);
      expect(report).toMatchObject({ outcome: 'cut-short', isolation_proven: true });
      expect(report.why?.code).toMatch(/^(lease-lapsed|lease-over|stream-closed|renewal-failed)$/);
      expect(scenario.board.moves(before).map(({ position }) => position)).toEqual(['isolated']);
      await scenario.journalVerifies();
    });

    test('a controller whose event loop is blocked loses its lease; killed at last, its restic dies with it', async () => {
      const before = scenario.board.mark();
      controller.signal('SIGUSR2');
      expect((await scenario.board.move('isolated', before)).cause).toBe('frame');
      await scenario.entry('link.isolating', (data) => data['why'] === 'lease-lapsed');
      await scenario.until('isolation to be proven', (link) => link.state === 'isolated');
      // It hears nothing any more, not even that it should end; systemd and `up` then kill.
      controller.signal('SIGTERM');
      expect(isAlive(restic)).toBe(true);
      expect(controller.ended).toBeNull();
      // Like one that waits for a dead disk: it writes nothing, so nothing but the kernel tells it that nobody listens.
      process.kill(restic, 'SIGSTOP');
      await controller.kill();
      await eventually('restic to die', () => !isAlive(restic));
      await scenario.workersGone();
      expect(scenario.board.stands()).toBe('isolated');
      await scenario.journalVerifies();
    });
  },
);
