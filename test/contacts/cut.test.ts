/** Cutting many contacts together, on a fake wire in virtual time. */
import { describe, expect, test } from 'vitest';
import { cut } from '../../src/contacts/cut.ts';
import { createHardware, realSurroundings } from '../../src/contacts/drivers.ts';
import type { HardwareSettings } from '../../src/contacts/hardware-settings.ts';
import type { Contact } from '../../src/contacts/port.ts';
import { ALL, FakeCable, settled, VirtualTimers } from './fake-world.ts';
import { current } from './contract.ts';
import { byId, testProfile } from './profiles.ts';

const BOARDS = 8;
const CHANNELS = 8;
const withAll = testProfile({ isolate_all: { function: 5, address: ALL, value: 0 } });
const withoutAll = testProfile();

/** `boards` buses with one fully configured board each. */
async function plant(profile: typeof withAll, boards: number) {
  const timers = new VirtualTimers();
  const cables = Array.from({ length: boards }, () => new FakeCable('modbus-tcp', timers));
  const names = cables.map((_, index) => `bus${index}`);
  const settings: HardwareSettings = {
    buses: Object.fromEntries(
      names.map((name, index) => [name, { transport: 'modbus-tcp', host: `board${index}`, port: 502 }]),
    ),
    links: Object.fromEntries(
      names.flatMap((bus) =>
        Array.from({ length: CHANNELS }, (_, index) => [
          `${bus}-link${index}`,
          {
            contacts: [{ name: 'relay', profile: profile.id, bus, unit: 1, channel: index + 1 }],
            witnesses: [],
          },
        ]),
      ),
    ),
  };
  let made = 0;
  const hardware = await createHardware(settings, byId(profile), {
    ...realSurroundings,
    timers,
    modbusTransport: () => {
      const cable = cables[made++];
      if (cable === undefined) throw new Error('a transport too many');
      return cable;
    },
  });
  return { timers, cables, hardware };
}

const written = (cables: readonly FakeCable[]): string[][] =>
  cables.map((cable) => cable.written.map((frame) => `${frame.function}:${frame.address}=${frame.value}`));

/** Brings every contact to connected and forgets what that took. */
async function allConnected(world: Awaited<ReturnType<typeof plant>>): Promise<void> {
  const connecting = Promise.all(world.hardware.contacts.map((contact) => contact.connect(current)));
  await world.timers.advance(2000);
  expect(new Set((await connecting).map((outcome) => outcome.kind))).toEqual(new Set(['done']));
  for (const cable of world.cables) cable.written.length = 0;
}

describe('cut', () => {
  test('64 links on 8 boards: one frame per board, all in the tick of the call', async () => {
    const world = await plant(withAll, BOARDS);
    await allConnected(world);
    const receipts = cut(world.hardware.contacts);
    expect(receipts).toHaveLength(BOARDS * CHANNELS);
    expect(written(world.cables)).toEqual(world.cables.map(() => [`5:${ALL}=0`]));
    await world.timers.advance(1000);
    const outcomes = await Promise.all(receipts.map((receipt) => receipt.acknowledged));
    expect(outcomes.every((outcome) => outcome.kind === 'done')).toBe(true);
    const times = await Promise.all(receipts.map((receipt) => receipt.written));
    expect(new Set(times).size).toBe(1);
    expect(written(world.cables)).toEqual(world.cables.map(() => [`5:${ALL}=0`]));
    await world.hardware.close();
  });

  test('a board without isolate-all is cut channel by channel, without rest in between', async () => {
    const world = await plant(withoutAll, 2);
    await allConnected(world);
    cut(world.hardware.contacts);
    expect(written(world.cables)).toEqual([['5:0=0'], ['5:0=0']]);
    await world.timers.advance(CHANNELS * 1 + 1);
    expect(written(world.cables)).toEqual(
      world.cables.map(() => Array.from({ length: CHANNELS }, (_, index) => `5:${index}=0`)),
    );
    await world.hardware.close();
  });

  test('channels of a board that nobody cut are left alone', async () => {
    const world = await plant(withAll, 1);
    await allConnected(world);
    const chosen = world.hardware.contacts.slice(0, 3);
    cut(chosen);
    await world.timers.advance(1000);
    expect(written(world.cables)).toEqual([['5:0=0', '5:1=0', '5:2=0']]);
    await world.hardware.close();
  });

  test('a board that is silent delays no other', async () => {
    const world = await plant(withAll, 3);
    await allConnected(world);
    const [silent] = world.cables;
    if (silent === undefined) throw new Error('no cable');
    silent.manner = () => ({ kind: 'deaf' });
    const reading = world.hardware.contacts[0]?.read();
    await settled();
    // The first board is busy with a question that nobody answers; the others are cut in the tick of the call.
    cut(world.hardware.contacts);
    expect(written(world.cables.slice(1))).toEqual([[`5:${ALL}=0`], [`5:${ALL}=0`]]);
    await world.timers.advance(withAll.timings.reply_timeout_ms + 200);
    expect(written([silent]).flat()).toContain(`5:${ALL}=0`);
    expect(await reading).toMatchObject({ position: 'unknown' });
    await world.hardware.close();
  });

  test('the same contact twice gets one frame, and a contact of another kind is isolated too', async () => {
    const world = await plant(withoutAll, 1);
    await allConnected(world);
    const [relay] = world.hardware.contacts;
    if (relay === undefined) throw new Error('no contact');
    let isolated = 0;
    const receipt = {
      written: Promise.resolve(null),
      acknowledged: Promise.resolve({ kind: 'fenced' } as const),
    };
    const other: Contact = {
      name: 'other',
      kind: 'holding',
      hardwareLeaseMs: null,
      connect: () => Promise.resolve({ kind: 'fenced' }),
      isolate: () => {
        isolated += 1;
        return receipt;
      },
      read: () => Promise.reject(new Error('not asked')),
      settingsProblems: () => Promise.resolve([]),
      close: () => Promise.resolve(),
    };
    const receipts = cut([relay, other, relay]);
    expect(receipts[1]).toBe(receipt);
    expect(receipts[0]).toBe(receipts[2]);
    expect(isolated).toBe(1);
    expect(written(world.cables)).toEqual([['5:0=0']]);
    await world.hardware.close();
  });
});
