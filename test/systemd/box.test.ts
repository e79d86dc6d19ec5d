/**
 * The units under a systemd that really runs, in a container. Each test leaves the appliance at rest. Times are printed
 * and decide nothing; that isolation comes before the next start does.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { monotonicNow } from '../../src/contacts/clock.ts';
import type { Millis } from '../../src/core/time.ts';
import { skipLoudly } from '../contacts/bench.ts';
import { eventually } from '../faults/child.ts';
import { Room } from '../faults/room.ts';
import { Appliance } from './appliance.ts';
import { containerMissing } from './machine.ts';

const SETUP_MS = 150_000;
const INTERLOCK = 'portcullis-interlock';
const CONTROLLER = 'portcullis-controller';
const IS_LONG = process.env['PORTCULLIS_LONG'] === '1';
const POWER_CUTS = IS_LONG ? 20 : 1;
const STORM_KILLS = 4;
const MOMENTS = ['tripped', 'connected', 'connecting', 'tripping', 'at rest'] as const;
const FIRST_MOMENT = IS_LONG ? 0 : Math.floor(Math.random() * MOMENTS.length);

const missing = containerMissing();
skipLoudly('the units under a real systemd', missing);

describe.skipIf(missing !== null)('under a real systemd', { timeout: SETUP_MS }, () => {
  let box: Appliance;
  let state: Room | null = null;
  beforeAll(async () => {
    box = await Appliance.make((path) => {
      state = Room.small(path);
    });
    await box.container.boot();
    await box.atRest();
    if (!IS_LONG) console.log('short form: one power cut; PORTCULLIS_LONG=1 makes twenty, in every state');
  }, SETUP_MS);
  afterAll(async () => {
    await box.end(() => state?.leave());
  }, SETUP_MS);

  /** Ends the interlock somehow while connected; isolation must come before its next start. */
  const endedBy = async (how: (pid: number) => void | Promise<void>): Promise<number> => {
    await box.atRest();
    await box.connected();
    const pid = await box.container.machine.mainPid(INTERLOCK);
    const since = monotonicNow();
    await how(pid);
    const { ms, at } = await box.isolatedAfter(since);
    const startedAt = await nextStart(since);
    expect(at, 'isolated before the next interlock was started').toBeLessThan(startedAt);
    await box.atRest();
    return ms;
  };
  /** When systemd started the interlock after `since`, ms of the same clock. */
  const nextStart = (since: Millis): Promise<number> =>
    eventually('the next start', async () => {
      const at =
        Number((await box.container.machine.show(INTERLOCK))['ExecMainStartTimestampMonotonic']) / 1_000;
      return at > since ? at : null;
    });

  test('both are ready, watched, and say how things stand; a secret comes by LoadCredential', async () => {
    const shown = await box.container.machine.show(INTERLOCK);
    expect(shown).toMatchObject({ Type: 'notify', WatchdogUSec: '10s', StatusText: 'vault: isolated' });
    expect(await box.container.machine.show(CONTROLLER)).toMatchObject({
      ActiveState: 'active',
      Type: 'notify',
    });
    // As docs/install.md and docs/systemd.md have people look.
    const status = await box.container.machine.in('systemctl', 'status', INTERLOCK, CONTROLLER);
    expect(status).toContain('Status: "vault: isolated"');
    expect(await box.trip()).toBe(200);
    await box.reset();
  });

  test('kill -9 of the interlock: ExecStopPost isolates, before the next interlock starts', async () => {
    const ms = await endedBy((pid) => void process.kill(pid, 'SIGKILL'));
    console.log(`interlock killed -> first isolate frame: ${ms} ms`);
  });

  test('SIGSTOP: the watchdog ends it, ExecStopPost isolates', async () => {
    const ms = await endedBy((pid) => void process.kill(pid, 'SIGSTOP'));
    console.log(`interlock stopped -> first isolate frame: ${ms} ms (WatchdogSec=10)`);
    expect(await box.container.machine.log(INTERLOCK)).toContain('Watchdog timeout');
  });

  test('a full disk: after a kill it is isolated all the same, and comes back', async (context) => {
    if (state === null) return context.skip('no tmpfs can be mounted here');
    const room: Room = state;
    let makeRoom = (): void => undefined;
    const ms = await endedBy((pid) => {
      makeRoom = room.fill();
      process.kill(pid, 'SIGKILL');
    }).finally(() => makeRoom());
    console.log(`interlock killed with a full disk -> first isolate frame: ${ms} ms`);
  });

  test('kill -9 of the controller: the interlock isolates by itself', async () => {
    await box.atRest();
    await box.connected();
    const pid = await box.container.machine.mainPid(CONTROLLER);
    const since = monotonicNow();
    process.kill(pid, 'SIGKILL');
    const { ms } = await box.isolatedAfter(since);
    console.log(`controller killed -> first isolate frame: ${ms} ms`);
    await box.container.machine.active(CONTROLLER);
    // It may come back and finish in the same window, which a new interlock knows nothing of.
    await box.container.machine.in('systemctl', 'restart', INTERLOCK);
    await box.atRest();
  });

  test('killed again and again as soon as it runs: systemd never gives up, and it isolates each time', async () => {
    await box.atRest();
    await box.connected();
    const before = Number((await box.container.machine.show(INTERLOCK))['NRestarts']);
    let last = 0;
    for (let kills = 0; kills < STORM_KILLS; kills += 1) {
      // oxlint-disable-next-line no-await-in-loop -- one death after the other
      last = await eventually('another main process', async () => {
        const pid = await box.container.machine.mainPid(INTERLOCK).catch(() => null);
        // Never 0: that would be this very process and its group.
        return pid !== last && pid;
      });
      process.kill(last, 'SIGKILL');
    }
    await box.board.standing('isolated');
    await box.atRest();
    const shown = await box.container.machine.show(INTERLOCK);
    expect(Number(shown['NRestarts'])).toBeGreaterThanOrEqual(before + STORM_KILLS);
    await box.journalVerifies();
  });

  test(
    `power cuts (${POWER_CUTS}): latched if the trip was answered, isolated before anything else, the journal verifies`,
    async () => {
      for (let cut = 0; cut < POWER_CUTS; cut += 1) {
        const moment = MOMENTS[(cut + FIRST_MOMENT) % MOMENTS.length] ?? 'tripped';
        // oxlint-disable-next-line no-await-in-loop -- one box
        await powerCut(moment, Math.random() * 300);
      }
    },
    SETUP_MS * POWER_CUTS,
  );

  /** `delayMs` after what the moment is named for has begun, every process is gone; then the box starts again. */
  async function powerCut(moment: (typeof MOMENTS)[number], delayMs: number): Promise<void> {
    await box.reset();
    const answer: { status: number | null } = { status: null };
    const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, delayMs));
    if (moment === 'connecting') await box.ask().catch(() => null);
    else if (moment !== 'at rest') await box.connected();
    const tripped = moment.startsWith('tripp') ? box.trip().then((status) => (answer.status = status)) : null;
    if (moment === 'tripped') await tripped;
    await pause();
    const heard = answer.status;
    await box.container.machine.cutPower();
    const mark = box.board.mark();
    const stood = box.board.stands();
    await box.container.boot();
    const [first] = box.board.events.slice(mark).filter((each) => each.event === 'frame');
    expect(first, 'the first frame on the wire').toMatchObject({ kind: 'isolate' });
    await box.board.standing('isolated');
    const link = await box.until('isolation to be proven', ({ proof }) => proof !== 'none');
    if (heard === 200) expect(link.latch, 'a trip that was answered').not.toBeNull();
    await box.journalVerifies();
    const latch = link.latch === null ? 'clear' : 'latched';
    console.log(`power cut while ${moment}: contact was ${stood}, isolated first, ${latch}, journal whole`);
    await box.reset();
  }
});
