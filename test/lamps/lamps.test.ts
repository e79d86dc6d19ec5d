/** The lamps at the real interlock, on outputs that do what a test says: when they show what, and that nothing waits for them. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { LampOutput } from '../../src/contacts/lamp-output.ts';
import type { CommandOutcome } from '../../src/contacts/port.ts';
import { LAMP_NAMES, type LampName } from '../../src/core/lamps.ts';
import { millis } from '../../src/core/time.ts';
import { Lamps } from '../../src/interlock/lamps/lamps.ts';
import { statusOf } from '../../src/interlock/socket/status.ts';
import { status as statusShape } from '../../src/protocol/messages.ts';
import { type Box, box, HandClock, opened } from '../interlock/review-box.ts';

const DONE: CommandOutcome = { kind: 'done', at: millis(0) };
const LOST: CommandOutcome = { kind: 'unknown', why: 'no \u001b[31manswer' };

/** An output that obeys at once unless told otherwise. */
class HandLamp implements LampOutput {
  readonly lamp: LampName;
  leaseMs: number | null = null;
  readonly orders: boolean[] = [];
  lit = true;
  answer: () => Promise<CommandOutcome> = async () => DONE;

  constructor(lamp: LampName) {
    this.lamp = lamp;
  }

  show(lit: boolean): Promise<CommandOutcome> {
    this.orders.push(lit);
    this.lit = lit;
    return this.answer();
  }

  async close(): Promise<void> {}
}

let clock: HandClock;
let rig: Box<HandClock>;
let outputs: Record<LampName, HandLamp>;
let lamps: Lamps;

async function begin(steady = false): Promise<void> {
  clock = new HandClock();
  outputs = {
    isolated: new HandLamp('isolated'),
    connected: new HandLamp('connected'),
    tripped: new HandLamp('tripped'),
    fault: new HandLamp('fault'),
  };
  lamps = new Lamps({ clock, outputs: Object.values(outputs), steady });
  rig = await box(clock, { links: ['vault', 'attic'], beside: { lamps } });
}

beforeEach(() => begin());
afterEach(async () => {
  const stopped = rig.interlock.stop();
  await clock.pass(20_000);
  await stopped;
});

const lit = (): string => LAMP_NAMES.filter((name) => outputs[name].lit).join(' ');
const shown = (): string =>
  LAMP_NAMES.map((name) => lamps.status(false).lamps.find(({ lamp }) => lamp === name)?.shows ?? '').join(
    ' ',
  );
const types = (): readonly string[] => rig.journal.types().filter((type) => type.startsWith('lamps.'));

async function started(): Promise<void> {
  rig.interlock.start();
  await clock.pass(3_000);
}

describe('lamps', () => {
  test('are all lit for two seconds at the start, said in status and journal, and then isolated', async () => {
    rig.interlock.start();
    await clock.pass(1_900);
    expect(lit()).toBe('isolated connected tripped fault');
    expect(lamps.status(false).test_ends_in_ms).toBe(100);
    expect(lamps.status(false).lamps[0]?.says).toBe('lamp test: says nothing');
    await clock.pass(600);
    expect(lit()).toBe('isolated');
    expect(types()).toEqual(['lamps.tested']);
    const told = statusShape.parse(statusOf(rig.interlock));
    expect(told.lamps).toMatchObject({ simulated: true, test_ends_in_ms: null });
    expect(told.lamps?.lamps.map(({ shows }) => shows)).toEqual(['lit', 'dark', 'dark', 'dark']);
  });

  test('follow a lease and its end', async () => {
    await started();
    const asked = rig.interlock.askLease(opened(rig, 'vault'), { tell: () => undefined });
    await clock.pass(1_500);
    const lease = await asked;
    expect(lit()).toBe('connected');
    if ('refusals' in lease) throw new Error('no lease');
    void rig.interlock.endLease(lease.id, 'released');
    await clock.pass(3_000);
    expect(lit()).toBe('isolated');
  });

  test('show a trip within one look, isolated and latched', async () => {
    await started();
    void rig.interlock.trip(['attic'], { by: 'person:ops', reason: 'x' });
    await clock.pass(2_000);
    expect(lit()).toBe('isolated tripped');
  });

  test('a trip ends a lamp test, and what was latched before does not', async () => {
    await started();
    await clock.pass(10_000);
    void rig.interlock.trip(['attic'], { by: 'person:ops', reason: 'x' });
    await clock.pass(2_000);
    expect(lamps.test('person:ops')).toBeNull();
    await clock.pass(1_500);
    expect(lit()).toBe('isolated connected tripped fault');
    void rig.interlock.trip(['vault'], { by: 'person:ops', reason: 'x' });
    await clock.pass(260);
    expect(lamps.status(false).test_ends_in_ms).toBeNull();
    expect(outputs.fault.lit).toBe(false);
  });

  test('are not tested again and again', async () => {
    await started();
    expect(lamps.test('person:ops')?.code).toBe('lamps-tested-just-now');
    await clock.pass(9_000);
    expect(lamps.test('person:ops')).toBeNull();
    expect(lamps.test('person:ops')?.code).toBe('lamps-tested-just-now');
    await clock.pass(3_000);
    expect(types()).toEqual(['lamps.tested', 'lamps.tested']);
  });

  test('blink in time, and are lit instead where they are steady', async () => {
    await started();
    rig.journal.why = 'full';
    const orders = async (): Promise<string> => {
      await clock.pass(1_000);
      outputs.fault.orders.length = 0;
      await clock.pass(4_000);
      return outputs.fault.orders.join(' ');
    };
    expect(await orders()).toMatch(/^(true false true false|false true false true)$/);
    await rig.interlock.stop();
    await begin(true);
    await started();
    rig.journal.why = 'full';
    await orders();
    expect(outputs.fault.lit).toBe(true);
    expect(outputs.fault.orders).not.toContain(false);
  });

  test('are told again what they were told, and those with a timer in time', async () => {
    outputs.connected.leaseMs = 2_000;
    await started();
    for (const output of Object.values(outputs)) output.orders.length = 0;
    await clock.pass(10_000);
    expect(outputs.isolated.orders).toEqual([true, true]);
    expect(outputs.connected.orders.length).toBeGreaterThanOrEqual(10_000 / 2_000);
  });

  test('go dark when the interlock stops, and are not waited for when they do not', async () => {
    await started();
    for (const output of Object.values(outputs)) output.answer = () => new Promise(() => undefined);
    const stopped = rig.interlock.stop();
    await clock.pass(700);
    await stopped;
    expect(lit()).toBe('');
  });
});

describe('a lamp that does not obey', () => {
  test('is said once, shown by the fault lamp, told again, and mended after a minute', async () => {
    await started();
    outputs.isolated.answer = async () => LOST;
    await clock.pass(120_000);
    expect(types()).toEqual(['lamps.tested', 'lamps.failed']);
    const [problem] = lamps.status(false).lamps;
    expect(problem?.problem).toBe(String.raw`no \u{1b}[31manswer`);
    expect(shown()).toBe('lit dark dark lit');
    outputs.isolated.orders.length = 0;
    await clock.pass(10_000);
    expect(outputs.isolated.orders.length).toBeGreaterThan(5);
    expect(outputs.isolated.orders.length).toBeLessThan(15);
    outputs.isolated.answer = async () => DONE;
    await clock.pass(50_000);
    expect(types()).toEqual(['lamps.tested', 'lamps.failed']);
    await clock.pass(20_000);
    expect(types()).toEqual(['lamps.tested', 'lamps.failed', 'lamps.mended']);
    expect(lit()).toBe('isolated');
  });

  test('that loses an order now and then is not worth a line', async () => {
    await started();
    let asked = 0;
    outputs.isolated.answer = async () => ((asked += 1) % 3 === 0 ? DONE : LOST);
    await clock.pass(60_000);
    expect(types()).toEqual(['lamps.tested']);
  });

  test('and should blink is told to be lit no more often than it is tried again', async () => {
    await started();
    const vault = rig.contacts['vault'];
    if (vault === undefined) throw new Error('no contact');
    vault.read = async () => ({ position: 'connected', takenAt: clock.now(), detail: '' });
    await clock.pass(20_000);
    expect(shown()).toBe('dark fast-blink fast-blink fast-blink');
    outputs.fault.answer = async () => LOST;
    outputs.fault.orders.length = 0;
    await clock.pass(10_000);
    expect(outputs.fault.orders.filter((order) => order).length).toBeLessThanOrEqual(10);
  });

  test('keeps no other from its orders, and no cut', async () => {
    await started();
    for (const name of ['isolated', 'fault'] as const)
      outputs[name].answer = () => new Promise(() => undefined);
    const before = rig.contacts['vault']?.frames.length ?? 0;
    void rig.interlock.trip([], { by: 'person:ops', reason: 'x' });
    expect(rig.contacts['vault']?.frames.slice(before)).toEqual(['isolate']);
    await clock.pass(1_000);
    expect(outputs.tripped.lit).toBe(true);
  });

  test('is told to be dark although it still owes an answer to being lit', async () => {
    const answer = Promise.withResolvers<CommandOutcome>();
    outputs.isolated.answer = () => {
      outputs.isolated.answer = async () => DONE;
      return answer.promise;
    };
    rig.interlock.start();
    await clock.pass(3_000);
    expect(outputs.isolated.orders).toEqual([true]);
    const asked = rig.interlock.askLease(opened(rig, 'vault'), { tell: () => undefined });
    await clock.pass(1_500);
    await asked;
    expect(outputs.isolated.orders).toEqual([true, false]);
    // The answer to the order before says nothing of this one.
    answer.resolve(LOST);
    // Not until the lease lapses.
    await clock.pass(1_250);
    expect(outputs.isolated.orders).toEqual([true, false]);
  });
});
