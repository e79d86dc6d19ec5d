/** Exposure is never accounted short, whatever the disk and the clocks do. */
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Moment } from '../../src/core/exposure.ts';
import { millis } from '../../src/core/time.ts';
import { Ledger } from '../../src/interlock/records/ledger.ts';
import { LOSSES, sweep, SyscallDisk } from './syscall-disk.ts';

const STATE = '/state';
const PATH = join(STATE, 'ledger.json');
const HOUR_MS = 3_600_000;
const CALENDAR_MS = Date.UTC(2026, 10, 21, 3);

/** `now` of a boot; the calendar goes with it unless it is set. */
const at = (now: number, boot = 'first', calendarMs = CALENDAR_MS + now): Moment => ({
  boot,
  now: millis(now),
  calendarMs,
});

const loaded = async (disk: SyscallDisk): Promise<Ledger> => {
  const ledger = new Ledger(disk, STATE);
  await ledger.load();
  return ledger;
};

const succeeded = (work: Promise<void>): Promise<boolean> =>
  work.then(
    () => true,
    () => false,
  );

describe('one life', () => {
  test('counts a stretch while it lasts and after it has ended, for one day', async () => {
    const ledger = await loaded(new SyscallDisk());
    expect(ledger.exposedMs('vault', at(0))).toBe(0);
    await ledger.begin('vault', HOUR_MS, at(1_000));
    expect(ledger.exposedMs('vault', at(61_000))).toBe(60_000);
    expect(ledger.exposedMs('attic', at(61_000))).toBe(0);
    await ledger.end('vault', at(91_000));
    expect(ledger.exposedMs('vault', at(500_000))).toBe(90_000);
    expect(ledger.exposedMs('vault', at(91_000 + 24 * HOUR_MS - 1))).toBe(90_000);
    expect(ledger.exposedMs('vault', at(91_000 + 24 * HOUR_MS))).toBe(0);
  });

  test('a stretch begun twice began the first time; ending what never began is nothing', async () => {
    const ledger = await loaded(new SyscallDisk());
    await ledger.end('vault', at(500));
    await ledger.begin('vault', HOUR_MS, at(1_000));
    await ledger.begin('vault', HOUR_MS, at(51_000));
    expect(ledger.exposedMs('vault', at(61_000))).toBe(60_000);
  });

  test('setting the calendar changes nothing', async () => {
    const ledger = await loaded(new SyscallDisk());
    await ledger.begin('vault', HOUR_MS, at(1_000));
    expect(ledger.exposedMs('vault', at(61_000, 'first', 0))).toBe(60_000);
    await ledger.end('vault', at(61_000, 'first', CALENDAR_MS + 100 * HOUR_MS));
    expect(ledger.exposedMs('vault', at(70_000))).toBe(60_000);
  });
});

describe('the next life', () => {
  const after = async (disk: SyscallDisk, moment: Moment): Promise<readonly (number | 'unreadable')[]> =>
    Promise.all(
      LOSSES.map(async (loss) => {
        const ledger = await loaded(disk.afterPowerLoss(loss));
        return ledger.unreadable === null ? ledger.exposedMs('vault', moment) : 'unreadable';
      }),
    );

  test('in the same boot a stretch in progress goes on', async () => {
    const disk = new SyscallDisk();
    await (await loaded(disk)).begin('vault', 10_000, at(1_000));
    expect(await after(disk, at(61_000))).toEqual(LOSSES.map(() => 60_000));
  });

  test.each([
    ['on time', CALENDAR_MS + 5_000],
    ['in the past', 0],
    ['in the future', CALENDAR_MS + 1_000 * HOUR_MS],
  ])('after a loss of power it counts in full; the clock wakes up %s', async (_what, calendarMs) => {
    const disk = new SyscallDisk();
    await (await loaded(disk)).begin('vault', HOUR_MS, at(1_000));
    const ledger = await loaded(disk.afterPowerLoss({ names: false, contents: false }));
    expect(ledger.exposedMs('vault', at(50, 'second', calendarMs))).toBe(HOUR_MS);
    await ledger.end('vault', at(60, 'second', calendarMs));
    expect(ledger.exposedMs('vault', at(70, 'second', calendarMs))).toBe(HOUR_MS);
  });

  test('a stretch that was begun is there, whichever call fails', async () => {
    let begun = 0;
    await sweep(
      async (disk, how) => {
        const ledger = await loaded(disk);
        if (!(await succeeded(ledger.begin('vault', HOUR_MS, at(1_000))))) return;
        begun += 1;
        for (const exposed of await after(disk, at(61_000))) expect(exposed, how).toBe(60_000);
      },
      async () => {
        const disk = new SyscallDisk();
        await (await loaded(disk)).begun({ nightly: CALENDAR_MS });
        return disk;
      },
    );
    expect(begun).toBeGreaterThan(0);
  });

  test('the end of a stretch never makes it shorter than it was, whichever call fails', async () => {
    await sweep(
      async (disk, how) => {
        const ledger = await loaded(disk);
        await succeeded(ledger.end('vault', at(31_000)));
        if (ledger.unreadable === null) expect(ledger.exposedMs('vault', at(40_000)), how).toBe(30_000);
        for (const exposed of await after(disk, at(61_000)))
          if (exposed !== 'unreadable') expect(exposed, how).toBeGreaterThanOrEqual(30_000);
      },
      async () => {
        const disk = new SyscallDisk();
        await (await loaded(disk)).begin('vault', HOUR_MS, at(1_000));
        return disk;
      },
    );
  });

  test('windows begun are remembered', async () => {
    const disk = new SyscallDisk();
    await (await loaded(disk)).begun({ nightly: CALENDAR_MS });
    expect((await loaded(disk)).lastBegun).toEqual({ nightly: CALENDAR_MS });
  });
});

describe('a ledger that cannot be read', () => {
  test.each(['', '{', '[]', '{"past":{},"since":{}}', '{"past":{},"since":{},"lastBegun":{},"more":1}'])(
    '%j says so, and is written over by nothing',
    async (text) => {
      const disk = new SyscallDisk();
      disk.put(PATH, Buffer.from(text));
      const ledger = await loaded(disk);
      expect(ledger.unreadable).not.toBeNull();
      expect(await succeeded(ledger.begin('vault', HOUR_MS, at(0)))).toBe(false);
      expect(await succeeded(ledger.begun({ nightly: 1 }))).toBe(false);
      expect(await succeeded(ledger.end('vault', at(5)))).toBe(false);
      expect(Buffer.from((await disk.read(PATH)) ?? []).toString()).toBe(text);
    },
  );

  test('every truncation of one is unreadable', async () => {
    const disk = new SyscallDisk();
    const ledger = await loaded(disk);
    await ledger.begin('vault', HOUR_MS, at(0));
    await ledger.end('vault', at(5_000));
    const whole = (await disk.read(PATH)) ?? new Uint8Array();
    for (let length = 0; length < whole.length; length += 1) {
      const torn = new SyscallDisk();
      torn.put(PATH, whole.subarray(0, length));
      expect((await loaded(torn)).unreadable, `${length} bytes`).not.toBeNull();
    }
  });

  test('a disk that does not answer is not a clean ledger', async () => {
    const disk = new SyscallDisk();
    disk.failFrom = 1;
    expect((await loaded(disk)).unreadable).toContain('EIO');
  });
});
