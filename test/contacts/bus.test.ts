/** Single behaviours of the bus worker that random schedules may pass by, on a fake wire in virtual time. */
import { describe, expect, test } from 'vitest';
import { Bus } from '../../src/contacts/bus.ts';
import { HEARD_MS } from '../../src/contacts/tempo.ts';
import { ModbusBoard } from '../../src/contacts/modbus/board.ts';
import { BoardContact } from '../../src/contacts/board-contact.ts';
import { ModbusWire } from '../../src/contacts/modbus/exchange.ts';
import type { Framing } from '../../src/contacts/modbus/frame.ts';
import { MAX_WAITING } from '../../src/contacts/waiting.ts';
import { current } from './contract.ts';
import { FakeCable, settled, VirtualTimers } from './fake-world.ts';
import { testProfile } from './profiles.ts';

const lease = {
  function: 5,
  address: 0x200,
  unit_ms: 100,
  min: 1,
  max: 0x7fff,
  default_ms: 10_000,
  evidence: { renewal: 'unproven', isolate_cancels: 'unproven', connect_makes_permanent: 'unproven' },
} as const;
const profile = testProfile({ hardware_lease: lease });

function bench(framing: Framing = 'modbus-tcp', hardwareLeaseMs: number | null = null) {
  const timers = new VirtualTimers();
  const cable = new FakeCable(framing, timers);
  const wire = new ModbusWire(framing);
  const bus = new Bus({ transport: cable, timers, framesHaveIds: framing === 'modbus-tcp' });
  const board = new ModbusBoard(profile, { wire, unit: 1 });
  const contact = new BoardContact({ name: 'relay', bus, board, channel: 1, hardwareLeaseMs, timers });
  const other = new BoardContact({ name: 'other', bus, board, channel: 2, hardwareLeaseMs: null, timers });
  return { timers, cable, bus, contact, other };
}

describe('the bus worker', () => {
  test('on an idle wire the isolate frame is written before the call returns', async () => {
    const { timers, cable, contact } = bench();
    void contact.read();
    await timers.advance(100);
    const before = cable.written.length;
    contact.isolate();
    expect(cable.written.length).toBe(before + 1);
    expect(cable.written.at(-1)).toMatchObject({ function: 5, address: 0, value: 0 });
  });

  test('a cut waits for the exchange in flight and for nothing else', async () => {
    const { timers, cable, contact, other } = bench();
    void contact.read();
    await timers.advance(100);
    cable.manner = () => ({ kind: 'answers', delayMs: 50 });
    void contact.read();
    void other.connect(current);
    void other.settingsProblems();
    await settled();
    const before = cable.written.length;
    contact.isolate();
    await timers.advance(49);
    expect(cable.written.length).toBe(before);
    await timers.advance(1);
    expect(cable.written.at(-1)).toMatchObject({ function: 5, address: 0, value: 0 });
    expect(cable.written.length).toBe(before + 1);
  });

  test('queued connects end as fenced in the tick of the cut, even while the bus is busy', async () => {
    const { timers, cable, contact } = bench();
    cable.manner = () => ({ kind: 'silent' });
    void contact.read();
    await timers.advance(10);
    let outcome = '';
    void contact.connect(current).then((ended) => (outcome = ended.kind));
    await settled();
    expect(outcome).toBe('');
    contact.isolate();
    await settled();
    expect(outcome).toBe('fenced');
  });

  test('a cut during the probe of a connect fences it, though its own fence says nothing', async () => {
    const { timers, cable, contact } = bench();
    cable.manner = () => ({ kind: 'answers', delayMs: 20 });
    let outcome = '';
    void contact.connect(current).then((ended) => (outcome = ended.kind));
    await timers.advance(10);
    expect(cable.written.at(-1)).toMatchObject({ function: 1 });
    contact.isolate();
    await timers.advance(2000);
    expect(outcome).toBe('fenced');
    expect(cable.written.filter((frame) => frame.value === 0xff00)).toEqual([]);
  });

  test('a contact that is closed during the probe of its connect is not connected any more', async () => {
    const { timers, cable, contact } = bench();
    cable.manner = () => ({ kind: 'answers', delayMs: 20 });
    const connecting = contact.connect(current);
    await timers.advance(10);
    expect(cable.written.at(-1)).toMatchObject({ function: 1 });
    await contact.close();
    await timers.advance(2000);
    expect(await connecting).toMatchObject({ kind: 'unknown' });
    expect(cable.written.filter((frame) => frame.value === 0xff00)).toEqual([]);
  });

  test('a connect is written only to a board that was heard just now', async () => {
    const { timers, cable, contact } = bench();
    void contact.read();
    await timers.advance(100 + HEARD_MS + profile.timings.gap_ms + 10);
    cable.plugged = false;
    const connecting = contact.connect(current);
    await timers.advance(3000);
    expect(await connecting).toMatchObject({ kind: 'unknown', why: expect.stringContaining('not written') });
    expect(cable.written.filter((frame) => frame.value === 0xff00)).toEqual([]);
  });

  test('the first connect that nobody confirmed is followed by an isolate; a renewal is not', async () => {
    const { timers, cable, contact } = bench();
    void contact.read();
    await timers.advance(50);
    cable.manner = () => ({ kind: 'silent' });
    const connecting = contact.connect(current);
    await timers.advance(profile.timings.reply_timeout_ms + 1);
    cable.manner = () => ({ kind: 'answers', delayMs: 1 });
    await timers.advance(500);
    expect(await connecting).toMatchObject({ kind: 'unknown' });
    expect(cable.coils.get('1/0')).toBe(false);

    const again = contact.connect(current);
    await timers.advance(100);
    expect(await again).toMatchObject({ kind: 'done' });
    cable.manner = (frame) => (frame.value === 0xff00 ? { kind: 'silent' } : { kind: 'answers', delayMs: 1 });
    const renewal = contact.connect(current);
    await timers.advance(3000);
    expect(await renewal).toMatchObject({ kind: 'unknown' });
    expect(cable.coils.get('1/0')).toBe(true);
  });

  test('with a hardware lease the permanent connect is never written', async () => {
    const { timers, cable, contact } = bench('modbus-tcp', 12_300);
    const connecting = contact.connect(current);
    await timers.advance(1000);
    expect(await connecting).toMatchObject({ kind: 'done' });
    const writes = cable.written.filter((frame) => frame.function === 5);
    expect(writes).toMatchObject([{ address: 0x200, value: 123 }]);
    expect(contact.hardwareLeaseMs).toBe(12_300);
  });

  test('readings of one board that wait together share one question', async () => {
    const { timers, cable, contact, other } = bench();
    const readings = Promise.all([contact.read(), other.read(), contact.read()]);
    await timers.advance(100);
    expect((await readings).map((reading) => reading.position)).toEqual(['isolated', 'isolated', 'isolated']);
    expect(cable.written).toHaveLength(1);
  });

  test('more than can wait is refused at once instead of queued', async () => {
    const { timers, cable, contact } = bench();
    cable.manner = () => ({ kind: 'silent' });
    const outcomes = Array.from({ length: MAX_WAITING + 5 }, () => contact.connect(current));
    await settled();
    const refused = await Promise.race([outcomes.at(-1), settled().then(() => null)]);
    expect(refused).toMatchObject({ kind: 'unknown', why: expect.stringContaining('already wait') });
    await timers.advance(5000);
    await Promise.all(outcomes);
  });

  test('a fresh RTU wire is listened to, and a late answer counts for nothing', async () => {
    const { timers, cable, contact } = bench('rtu');
    const first = contact.read();
    await timers.advance(3000);
    expect(await first).toMatchObject({ position: 'isolated' });
    const { reply_timeout_ms: timeout, worst_reply_delay_ms: worst } = profile.timings;
    // An isolate whose answer comes after its time-out, then boards that hear nothing any more.
    let turn = 0;
    cable.manner = () =>
      turn++ === 0 ? { kind: 'answers', delayMs: timeout + worst / 2 } : { kind: 'deaf' };
    const receipt = contact.isolate();
    await timers.advance(timeout / 2);
    const second = contact.isolate();
    await timers.advance(timeout);
    expect(await receipt.acknowledged).toMatchObject({ kind: 'unknown' });
    await timers.advance(worst * 6);
    expect(await second.acknowledged).toMatchObject({ kind: 'unknown' });
  });

  test('after bytes that nobody asked for on RTU, only isolates are written until silence is certain', async () => {
    const { timers, cable, contact, other } = bench('rtu');
    const first = contact.read();
    await timers.advance(3000);
    expect(await first).toMatchObject({ position: 'isolated' });
    cable.manner = () => ({ kind: 'repeats', delayMs: 1, againMs: 1 });
    void contact.read();
    await timers.advance(20);
    const before = cable.written.length;
    cable.manner = () => ({ kind: 'answers', delayMs: 1 });
    void contact.read();
    await timers.advance(100);
    expect(cable.written.length).toBe(before);
    other.isolate();
    expect(cable.written.slice(before)).toMatchObject([{ function: 5, address: 1, value: 0 }]);
    await timers.advance(5000);
    expect(cable.written.slice(before).map((frame) => frame.function)).toEqual([5, 5, 1]);
  });

  test('news of a cut ends the pause between two attempts to reach the board', async () => {
    const { timers, cable, contact } = bench();
    cable.plugged = false;
    void contact.read();
    await timers.advance(1001);
    cable.plugged = true;
    const receipt = contact.isolate();
    await timers.advance(10);
    expect(await Promise.race([receipt.written, settled().then(() => 'not yet')])).toEqual(
      expect.any(Number),
    );
  });

  test('a board that never answers keeps the others on its bus neither from being cut nor from being read', async () => {
    const timers = new VirtualTimers();
    const cable = new FakeCable('rtu', timers);
    const wire = new ModbusWire('rtu');
    const bus = new Bus({ transport: cable, timers, framesHaveIds: false });
    const [dead, alive] = [1, 2].map((unit) => {
      const board = new ModbusBoard(profile, { wire, unit });
      return new BoardContact({ name: `${unit}`, bus, board, channel: 1, hardwareLeaseMs: null, timers });
    });
    if (dead === undefined || alive === undefined) throw new Error('no contacts');
    cable.manner = (frame) => (frame.unit === 1 ? { kind: 'deaf' } : { kind: 'answers', delayMs: 5 });
    dead.isolate();
    await timers.advance(5000);
    const reading = alive.read();
    await timers.advance(5000);
    expect(await reading).toMatchObject({ position: 'isolated' });
    const connecting = alive.connect(current);
    await timers.advance(8000);
    expect(await connecting).toMatchObject({ kind: 'done' });
    const receipt = alive.isolate();
    await timers.advance(8000);
    expect(await receipt.acknowledged).toMatchObject({ kind: 'done' });
  });
});
