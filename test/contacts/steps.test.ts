/** Exchanges of several frames, and boards that never answer, on a fake wire in virtual time. */
import { describe, expect, test } from 'vitest';
import { Bus } from '../../src/contacts/bus.ts';
import { REPEAT_MS } from '../../src/contacts/seats.ts';
import { SerialBoard } from '../../src/contacts/serial/board.ts';
import { BoardContact } from '../../src/contacts/board-contact.ts';
import { spelled } from '../../src/contacts/serial/frame.ts';
import type { Transport, WireEvents } from '../../src/contacts/transport.ts';
import { current } from './contract.ts';
import { VirtualTimers } from './fake-world.ts';
import { serialProfileNamed } from './serial-bench.ts';

/** A wire whose other end is the test: what is written is kept, and answers come after a delay. */
class ScriptedWire implements Transport {
  readonly where = 'script';
  readonly byteMs = 0;
  readonly quietMs = 0;
  readonly written: { readonly at: number; readonly frame: string }[] = [];
  answers: (frame: string) => { readonly afterMs: number; readonly bytes: string } | null = () => null;
  takes = true;
  opened = 0;
  readonly #timers: VirtualTimers;
  #present: WireEvents | null = null;

  constructor(timers: VirtualTimers) {
    this.#timers = timers;
  }

  open(events: WireEvents): ReturnType<Transport['open']> {
    this.opened += 1;
    this.#present = events;
    return Promise.resolve({
      write: (bytes) => {
        const frame = spelled(bytes);
        this.written.push({ at: this.#timers.now(), frame });
        const answer = this.answers(frame);
        if (answer !== null) this.#timers.after(answer.afterMs, () => this.say(answer.bytes));
        return this.takes;
      },
      drain: () => 0,
      discard: () => {
        if (this.#present === events) this.#present = null;
      },
    });
  }

  say(bytes: string): void {
    this.#present?.onBytes(Buffer.from(bytes.replaceAll(' ', ''), 'hex'));
  }

  frames(): readonly string[] {
    return this.written.map(({ frame }) => frame);
  }
}

function bench(id: string, channels: readonly number[] = [1]) {
  const timers = new VirtualTimers();
  const wire = new ScriptedWire(timers);
  const bus = new Bus({ transport: wire, timers, framesHaveIds: false });
  const board = new SerialBoard(serialProfileNamed(id, false), { address: 1 });
  const contacts = channels.map(
    (channel) =>
      new BoardContact({ name: `relay ${channel}`, bus, board, channel, hardwareLeaseMs: null, timers }),
  );
  const [contact] = contacts;
  if (contact === undefined) throw new Error('no contact');
  return { timers, wire, bus, contact, contacts };
}

/** The LCUS-4: 50 ms between frames, 300 ms for an answer, 500 ms until silence is certain. */
const lcus = (isConnected: () => boolean) => (frame: string) =>
  frame === 'A0 01 05 A6' ? { afterMs: 5, bytes: isConnected() ? 'A0 01 01 A2' : 'A0 01 00 A1' } : null;

describe('a command that is confirmed by a read-back', () => {
  test('is done when the state says so, and reads after the gap', async () => {
    const { timers, wire, contact } = bench('lc-technology/lcus-4');
    wire.answers = lcus(() => false);
    void contact.read();
    await timers.advance(1000);
    const began = timers.now();
    wire.written.length = 0;
    const receipt = contact.isolate();
    expect(wire.frames()).toEqual(['A0 01 00 A1']);
    let outcome = '';
    void receipt.acknowledged.then(({ kind }) => (outcome = kind));
    await timers.advance(49);
    expect(wire.frames()).toEqual(['A0 01 00 A1']);
    await timers.advance(6);
    expect(wire.written.at(-1)).toEqual({ at: began + 50, frame: 'A0 01 05 A6' });
    expect(outcome).toBe('done');
    expect(await receipt.written).toBe(began);
  });

  test('is refused when the state says otherwise, and tried for ever', async () => {
    const { timers, wire, contact } = bench('lc-technology/lcus-4');
    wire.answers = lcus(() => true);
    void contact.read();
    await timers.advance(1000);
    wire.written.length = 0;
    let why = '';
    void contact.isolate().acknowledged.then((outcome) => (why = 'why' in outcome ? outcome.why : ''));
    await timers.advance(3000);
    expect(why).toBe('told to isolate, but channel 1 reads connected');
    const attempts = wire.frames().filter((frame) => frame === 'A0 01 00 A1').length;
    expect(attempts).toBeGreaterThan(10);
    expect(attempts).toBeLessThan(30);
    expect(wire.opened).toBe(1);
  });

  test('bytes in the gap are nobody’s: the wire is given up, and isolated anew', async () => {
    const { timers, wire, contact } = bench('lc-technology/lcus-4');
    wire.answers = lcus(() => false);
    void contact.read();
    await timers.advance(1000);
    const receipt = contact.isolate();
    await timers.advance(10);
    wire.say('A0 01 00 A1');
    expect(await receipt.acknowledged).toMatchObject({ kind: 'unknown' });
    await timers.advance(2000);
    expect(wire.opened).toBe(2);
    expect(wire.frames().slice(-2)).toEqual(['A0 01 00 A1', 'A0 01 05 A6']);
  });

  test('a cut waits for the exchange in flight and goes before everything else', async () => {
    const { timers, wire, contacts } = bench('lc-technology/lcus-4', [1, 2]);
    const [first, second] = contacts;
    wire.answers = lcus(() => true);
    void first?.read();
    await timers.advance(1000);
    void first?.read();
    await timers.advance(10);
    wire.written.length = 0;
    void first?.connect(current);
    void second?.read();
    await timers.advance(60);
    second?.isolate();
    await timers.advance(120);
    expect(wire.frames().slice(0, 3)).toEqual(['A0 01 01 A2', 'A0 01 05 A6', 'A0 02 00 A2']);
  });

  test('a cut that comes between a connect and its read-back is the last word', async () => {
    const { timers, wire, contact } = bench('lc-technology/lcus-4');
    let connected = false;
    wire.answers = (frame) => {
      if (frame === 'A0 01 01 A2') connected = true;
      if (frame === 'A0 01 00 A1') connected = false;
      return lcus(() => connected)(frame);
    };
    void contact.read();
    await timers.advance(1000);
    void contact.connect(current);
    await timers.advance(10);
    const receipt = contact.isolate();
    await timers.advance(1000);
    expect(await receipt.acknowledged).toMatchObject({ kind: 'done' });
    expect(connected).toBe(false);
  });
});

/** Denkovi: 50 ms between a reply and the next command. */
const OFF_1 = '30 31 2D 2F 2F';
const ON_1 = '30 31 2B 2F 2F';
const ASK = '61 73 6B 2F 2F';

describe('a command that has a reply and is read back', () => {
  test('is read back after the gap, counted from its reply', async () => {
    const { timers, wire, contact } = bench('denkovi/usb-16');
    wire.answers = (frame) => ({ afterMs: 5, bytes: frame === ASK ? '00 00' : frame });
    void contact.read();
    await timers.advance(2000);
    const began = timers.now();
    wire.written.length = 0;
    const receipt = contact.isolate();
    await timers.advance(200);
    expect(wire.written).toEqual([
      { at: began, frame: OFF_1 },
      { at: began + 55, frame: ASK },
    ]);
    expect(await receipt.acknowledged).toMatchObject({ kind: 'done' });
  });

  test('is not done when something else is said after its reply', async () => {
    const { timers, wire, contact } = bench('denkovi/usb-16');
    wire.answers = (frame) => ({ afterMs: 5, bytes: frame === ASK ? '00 00' : frame });
    void contact.read();
    await timers.advance(2000);
    const receipt = contact.isolate();
    await timers.advance(20);
    wire.say('00 00');
    expect(await receipt.acknowledged).toMatchObject({
      kind: 'unknown',
      why: expect.stringContaining('between an answer and the next frame'),
    });
  });

  test('a connect that reads isolated is refused, and isolated again', async () => {
    const { timers, wire, contact } = bench('denkovi/usb-16');
    wire.answers = (frame) => ({ afterMs: 5, bytes: frame === ASK ? '00 00' : frame });
    void contact.read();
    await timers.advance(2000);
    wire.written.length = 0;
    let outcome: unknown = null;
    void contact.connect(current).then((ended) => (outcome = ended));
    await timers.advance(1000);
    expect(outcome).toEqual({ kind: 'refused', why: 'told to connect, but channel 1 reads isolated' });
    expect(wire.frames().slice(0, 5)).toEqual([ASK, ON_1, ASK, OFF_1, ASK]);
  });

  test('a reading is about its own channel', async () => {
    const { timers, wire, contacts } = bench('denkovi/usb-16', [1, 2]);
    wire.answers = () => ({ afterMs: 5, bytes: '40 00' });
    const readings = Promise.all(contacts.map((each) => each.read()));
    await timers.advance(2000);
    expect((await readings).map(({ position }) => position)).toEqual(['isolated', 'connected']);
  });
});

describe('a board that never answers', () => {
  const OFF = 'A0 01 00 A1';
  const ON = 'A0 01 01 A2';

  test('is isolated on a fresh wire before anything else, and then again and again at a bounded rate', async () => {
    const { timers, wire, contact } = bench('lc-technology/lcus-1');
    const receipt = contact.isolate();
    await timers.advance(1000);
    expect(await receipt.acknowledged).toMatchObject({ kind: 'unknown' });
    wire.written.length = 0;
    await timers.advance(20 * REPEAT_MS);
    expect(wire.frames().every((frame) => frame === OFF)).toBe(true);
    expect(wire.frames().length).toBeGreaterThanOrEqual(18);
    expect(wire.frames().length).toBeLessThanOrEqual(20);
    expect(wire.opened).toBe(1);
  });

  test('a connect is possible, ends the repetition and is itself not repeated', async () => {
    const { timers, wire, contact } = bench('lc-technology/lcus-1');
    contact.isolate();
    await timers.advance(2000);
    wire.written.length = 0;
    let outcome = '';
    void contact.connect(current).then(({ kind }) => (outcome = kind));
    await timers.advance(10 * REPEAT_MS);
    expect(outcome).toBe('unknown');
    expect(wire.frames()).toEqual([ON]);
  });

  test('a connect on a fresh wire waits until the isolate has been written there', async () => {
    const { timers, wire, contact } = bench('lc-technology/lcus-1');
    contact.isolate();
    await timers.advance(2000);
    wire.takes = false;
    await timers.advance(2 * REPEAT_MS);
    wire.takes = true;
    wire.written.length = 0;
    void contact.connect(current);
    await timers.advance(5000);
    expect(wire.frames()[0]).toBe(OFF);
  });

  test('a cut while connected is written at once', async () => {
    const { timers, wire, contact } = bench('lc-technology/lcus-1');
    contact.isolate();
    await timers.advance(2000);
    void contact.connect(current);
    await timers.advance(1000);
    const receipt = contact.isolate();
    expect(wire.frames().at(-1)).toBe(OFF);
    expect(await receipt.written).toBe(timers.now());
  });
});

describe('a board that must be initialised', () => {
  test('is told to isolate first, then initialised when it is silent, then told again', async () => {
    const { timers, wire, contact } = bench('conrad/197720');
    let awake = false;
    wire.answers = (frame) => {
      if (frame === '01 01 00 00') awake = true;
      if (frame === '07 01 01 07' && awake) return { afterMs: 5, bytes: 'F8 01 00 F9' };
      if (frame === '02 01 00 03' && awake) return { afterMs: 5, bytes: 'FD 01 00 FC' };
      return null;
    };
    const receipt = contact.isolate();
    await timers.advance(5000);
    expect(await receipt.acknowledged).toMatchObject({ kind: 'done' });
    expect(wire.opened).toBe(1);
    const [blind, ...rest] = wire.frames();
    expect(blind).toBe('07 01 01 07');
    expect(rest).toEqual([
      '07 01 01 07',
      '00',
      '00',
      '00',
      '00',
      '01 01 00 00',
      '07 01 01 07',
      '02 01 00 03',
    ]);
  });

  test('a connect is never preceded by an initialisation in its own exchange', async () => {
    const { timers, wire, contact } = bench('conrad/197720');
    wire.answers = (frame) => (frame === '02 01 00 03' ? { afterMs: 5, bytes: 'FD 01 00 FC' } : null);
    void contact.read();
    await timers.advance(1000);
    wire.written.length = 0;
    let outcome = '';
    void contact.connect(current).then(({ kind }) => (outcome = kind));
    await timers.advance(300);
    expect(wire.frames()).toEqual(['02 01 00 03', '06 01 01 06']);
    await timers.advance(2000);
    expect(outcome).toBe('unknown');
    expect(wire.frames().slice(2, 3)).toEqual(['07 01 01 07']);
  });

  test('what connects is the first frame and the last, whatever the board says', () => {
    const board = new SerialBoard(serialProfileNamed('conrad/197720', false), { address: 1 });
    const { connect, isolate } = board.channel('relay', 1, null);
    expect(isolate.begin().silence).toBeDefined();
    expect(connect.begin().silence).toBeUndefined();
  });

  test('a frame that was cut short is ended with as few bytes as it takes', async () => {
    const { timers, wire, contact } = bench('conrad/197720');
    wire.answers = (frame) => {
      if (frame === '00') return { afterMs: 5, bytes: 'FF 00 00 FF' };
      if (!wire.frames().includes('01 01 00 00')) return null;
      return frame === '02 01 00 03' ? { afterMs: 5, bytes: 'FD 01 00 FC' } : null;
    };
    const reading = contact.read();
    await timers.advance(5000);
    expect(await reading).toMatchObject({ position: 'isolated' });
    expect(wire.frames()).toEqual(['02 01 00 03', '00', '01 01 00 00', '02 01 00 03']);
  });
});
