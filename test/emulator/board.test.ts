/** The emulated board by itself, in virtual time. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ModbusProfile } from '../../src/contacts/modbus/profile.ts';
import { requestFor, type Ask } from '../../src/contacts/modbus/requests.ts';
import { createBoard, type Answer, type Board, type BoardEvent } from '../../src/emulator/board.ts';
import { FAULTS, faultWords, parseFault } from '../../src/emulator/faults.ts';
import { boardD, fault, generic } from './bench.ts';
import { virtualTimers, type VirtualTimers } from './virtual-timers.ts';

interface Rig {
  readonly board: Board;
  readonly timers: VirtualTimers;
  readonly events: BoardEvent[];
  readonly ask: (ask: Ask) => Answer | null;
  /** Channels whose contact is connected. */
  readonly contacts: () => number[];
  /** Channels that read back as connected. */
  readonly readBack: () => number[];
}

function rig(profile: ModbusProfile = boardD): Rig {
  const timers = virtualTimers();
  const board = createBoard(profile, timers);
  const events: BoardEvent[] = [];
  board.watch((event) => events.push(event));
  const numbers = (list: readonly boolean[]): number[] =>
    list.flatMap((yes, index) => (yes ? [index + 1] : []));
  const ask = (what: Ask): Answer | null => board.hear(requestFor(profile, what), what.ask);
  return {
    board,
    timers,
    events,
    ask,
    contacts: () => numbers(board.state().contacts.map((position) => position === 'connected')),
    readBack: () => {
      const reply = ask({ ask: 'read' })?.reply;
      if (reply?.kind !== 'bits') throw new Error('no bits');
      return numbers(reply.bits);
    },
  };
}

const connect = (channel: number): Ask => ({ ask: 'connect', channel });
const isolate = (channel: number): Ask => ({ ask: 'isolate', channel });
const lease = (channel: number, ms: number): Ask => ({ ask: 'lease', channel, lease_ms: ms });

test('begins isolated, and moves one contact at a time', () => {
  const { ask, contacts, readBack } = rig();
  expect(contacts()).toEqual([]);
  ask(connect(3));
  ask(connect(8));
  expect(contacts()).toEqual([3, 8]);
  expect(readBack()).toEqual([3, 8]);
  ask(isolate(3));
  expect(contacts()).toEqual([8]);
  ask({ ask: 'isolate-all' });
  expect(contacts()).toEqual([]);
});

test('tells every movement with the frame that did it', () => {
  const { ask, events, timers } = rig();
  ask(connect(2));
  timers.advance(5);
  ask(connect(2));
  ask(isolate(2));
  const moves = events.filter(({ event }) => event === 'contact');
  expect(moves).toEqual([
    { event: 'contact', at: 1000, channel: 2, position: 'connected', cause: 'frame', frame: 'connect' },
    { event: 'contact', at: 1005, channel: 2, position: 'isolated', cause: 'frame', frame: 'isolate' },
  ]);
  expect(events.filter(({ event }) => event === 'frame')).toHaveLength(3);
});

describe('lease (our assumptions, unproven on hardware)', () => {
  test('isolates by itself', () => {
    const { ask, contacts, readBack, timers, board, events } = rig();
    ask(lease(1, 10_000));
    expect(board.state().leases[0]).toBe(10_000);
    timers.advance(9_999);
    expect(contacts()).toEqual([1]);
    timers.advance(1);
    expect(contacts()).toEqual([]);
    expect(readBack()).toEqual([]);
    expect(events.at(-2)).toMatchObject({
      event: 'contact',
      cause: 'lease-ran-out',
      frame: null,
      at: 11_000,
    });
  });

  test('a repeated lease starts the time anew', () => {
    const { ask, contacts, timers } = rig();
    ask(lease(1, 10_000));
    timers.advance(9_000);
    ask(lease(1, 10_000));
    timers.advance(9_999);
    expect(contacts()).toEqual([1]);
    timers.advance(1);
    expect(contacts()).toEqual([]);
    expect(timers.running()).toBe(0);
  });

  test('fault lease-not-renewable: the first one runs on', () => {
    const { ask, contacts, timers, board } = rig();
    board.addFault(fault('lease-not-renewable'));
    ask(lease(1, 10_000));
    timers.advance(9_000);
    expect(ask(lease(1, 10_000))?.reply).toEqual({ kind: 'echo' });
    timers.advance(1_000);
    expect(contacts()).toEqual([]);
  });

  test.each([isolate(1), { ask: 'isolate-all' } as const])('$ask ends it at once', (cut) => {
    const { ask, contacts, timers } = rig();
    ask(lease(1, 10_000));
    ask(cut);
    expect(contacts()).toEqual([]);
    expect(timers.running()).toBe(0);
  });

  test('fault isolate-ignored-during-lease: echoed, and connected to the end', () => {
    const { ask, contacts, timers, board } = rig();
    board.addFault(fault('isolate-ignored-during-lease'));
    ask(lease(1, 10_000));
    expect(ask(isolate(1))?.reply).toEqual({ kind: 'echo' });
    ask({ ask: 'isolate-all' });
    expect(contacts()).toEqual([1]);
    timers.advance(10_000);
    expect(contacts()).toEqual([]);
    ask(connect(1));
    ask(isolate(1));
    expect(contacts(), 'without a lease it obeys').toEqual([]);
  });

  test('a plain connect makes it permanent', () => {
    const { ask, contacts, timers } = rig();
    ask(lease(1, 10_000));
    ask(connect(1));
    timers.advance(100_000);
    expect(contacts()).toEqual([1]);
  });

  test('values outside the range of the profile are refused', () => {
    const { board, contacts } = rig();
    for (const value of [0, 0x8000, 0xffff]) {
      expect(board.hear({ function: 5, address: 0x0200, value }, '')?.reply).toEqual({
        kind: 'exception',
        code: 3,
      });
    }
    expect(contacts()).toEqual([]);
  });
});

describe('what Modbus refuses', () => {
  test.each([
    ['toggle', { function: 5, address: 0, value: 0x5500 }, 3],
    ['coil beyond', { function: 5, address: 8, value: 0xff00 }, 2],
    ['read beyond', { function: 1, address: 4, quantity: 5 }, 2],
    ['inputs beyond', { function: 2, address: 0, quantity: 9 }, 2],
    ['unknown register', { function: 3, address: 0x2000, quantity: 1 }, 2],
    ['register beyond', { function: 3, address: 0x1007, quantity: 2 }, 2],
    ['unknown register write', { function: 6, address: 0x4000, value: 1 }, 2],
    ['input registers', { function: 4, address: 0, quantity: 1 }, 1],
    ['coils beyond', { function: 15, address: 6, bits: [true, true, true] }, 2],
  ] as const)('%s', (_, request, code) => {
    const { board, contacts } = rig();
    expect(board.hear(request, '')?.reply).toEqual({ kind: 'exception', code });
    expect(contacts()).toEqual([]);
  });

  test('a board without inputs or lease refuses both', () => {
    const { board } = rig(generic);
    expect(board.hear({ function: 2, address: 0, quantity: 8 }, '')?.reply).toEqual({
      kind: 'exception',
      code: 1,
    });
    expect(board.hear({ function: 5, address: 0x0200, value: 100 }, '')?.reply).toEqual({
      kind: 'exception',
      code: 2,
    });
    expect(board.hear({ function: 5, address: 0x00ff, value: 0 }, '')?.reply).toEqual({
      kind: 'exception',
      code: 2,
    });
  });
});

describe('faults', () => {
  test('welded: the contact stays although coil and read-back say isolated', () => {
    const { board, ask, contacts, readBack } = rig();
    ask(connect(1));
    board.addFault(fault('welded:1'));
    expect(ask(isolate(1))?.reply).toEqual({ kind: 'echo' });
    expect(contacts()).toEqual([1]);
    expect(readBack()).toEqual([]);
    board.clearFaults('welded');
    expect(contacts()).toEqual([]);
  });

  test('stuck-isolated: the contact does not come although the read-back says so', () => {
    const { board, ask, contacts, readBack } = rig();
    board.addFault(fault('stuck-isolated:2'));
    ask(connect(2));
    expect(contacts()).toEqual([]);
    expect(readBack()).toEqual([2]);
  });

  test('lying-read-back: isolated, whatever was commanded', () => {
    const { board, ask, contacts, readBack } = rig();
    board.addFault(fault('lying-read-back'));
    ask(connect(1));
    expect(contacts()).toEqual([1]);
    expect(readBack()).toEqual([]);
  });

  test('echo-only: everything is echoed, nothing moves', () => {
    const { board, ask, contacts } = rig();
    ask(connect(1));
    board.addFault(fault('echo-only'));
    for (const what of [isolate(1), { ask: 'isolate-all' } as const, lease(2, 1000), connect(3)]) {
      expect(ask(what)?.reply).toEqual({ kind: 'echo' });
    }
    expect(contacts()).toEqual([1]);
  });

  test('silence does nothing, mute does it, neither answers', () => {
    const { board, ask, contacts } = rig();
    board.addFault(fault('silence', { times: 1 }));
    expect(ask(connect(1))).toBeNull();
    expect(contacts()).toEqual([]);
    board.addFault(fault('mute', { times: 1 }));
    expect(ask(connect(1))).toBeNull();
    expect(contacts()).toEqual([1]);
    expect(ask(isolate(1))?.reply).toEqual({ kind: 'echo' });
  });

  test('a fault for one kind of request leaves the others alone', () => {
    const { board, ask, readBack, contacts } = rig();
    board.addFault(fault('silence', { on: 'isolate', times: 2 }));
    ask(connect(1));
    expect(readBack()).toEqual([1]);
    expect(ask(isolate(1))).toBeNull();
    expect(ask({ ask: 'isolate-all' })).toBeNull();
    expect(contacts()).toEqual([1]);
    expect(ask(isolate(1))).not.toBeNull();
    expect(board.state().faults).toEqual([]);
  });

  test('exception does nothing', () => {
    const { board, ask, contacts } = rig();
    board.addFault(fault('exception:6'));
    expect(ask(connect(1))?.reply).toEqual({ kind: 'exception', code: 6 });
    expect(contacts()).toEqual([]);
  });

  test('reboot drops contacts, ends leases, and is deaf for a while', () => {
    const { board, ask, contacts, timers, events } = rig();
    let dropped = 0;
    board.onDrop(() => (dropped += 1));
    ask(connect(1));
    ask(lease(2, 60_000));
    board.addFault(fault('reboot:300'));
    expect(contacts()).toEqual([]);
    expect(dropped).toBe(1);
    expect(events.filter((event) => event.event === 'contact' && event.cause === 'reboot')).toHaveLength(2);
    expect(ask(connect(1))).toBeNull();
    timers.advance(300);
    expect(ask(connect(1))).not.toBeNull();
    expect(timers.running()).toBe(0);
  });

  test('a reboot does not heal a welded contact', () => {
    const { board, ask, contacts } = rig();
    ask(connect(1));
    board.addFault(fault('welded:1'));
    board.addFault(fault('reboot'));
    expect(contacts()).toEqual([1]);
  });

  test('names and numbers are checked', () => {
    const problem = (text: string): string => {
      const reading = parseFault(text, 8);
      return reading.kind === 'problem' ? reading.what : 'none';
    };
    expect(problem('weldet')).toMatch(/unknown fault "weldet"; known: silence/);
    expect(problem('welded:9')).toMatch(/channels are 1 to 8/);
    expect(problem('welded:0')).toMatch(/channels are 1 to 8/);
    expect(problem('silence:3')).toMatch(/takes no number/);
    expect(problem('late-reply:x')).toMatch(/late-reply:NUMBER/);
    expect(problem('late-reply:999999')).toMatch(/at most/);
    expect(problem('exception:256')).toMatch(/codes/);
    expect(problem('toString')).toMatch(/unknown fault/);
    expect(faultWords().trimEnd().split('\n')).toHaveLength(Object.keys(FAULTS).length);
  });
});

describe('inputs', () => {
  test('a mirror contact follows the contact, not the coil', () => {
    const { board, ask } = rig();
    const input = (): boolean | undefined => board.state().inputs[3];
    board.mirror(1, 4);
    expect(input()).toBe(true);
    ask(connect(1));
    expect(input()).toBe(false);
    board.addFault(fault('welded:1'));
    ask(isolate(1));
    expect(input()).toBe(false);
    board.clearFaults();
    expect(input()).toBe(true);
    expect(ask({ ask: 'inputs' })?.reply).toMatchObject({
      kind: 'bits',
      bits: [false, false, false, true, false, false, false, false],
    });
  });

  test('what is not there cannot be set', () => {
    const { board } = rig();
    expect(() => board.setInput(9, true)).toThrow(RangeError);
    expect(() => board.mirror(9, 1)).toThrow(RangeError);
    expect(() => board.mirror(1, 0)).toThrow(RangeError);
    expect(() => board.setRegister(0x2000, 1)).toThrow(RangeError);
    expect(() => rig(generic).board.setInput(1, true)).toThrow(/no inputs/);
  });
});

test('registers of the start-up check can be read and written', () => {
  const { board, ask } = rig();
  board.setRegister(0x1002, 1);
  const values = (): unknown => ask({ ask: 'startup-check', check: 'control-modes' })?.reply;
  expect(values()).toEqual({ kind: 'registers', values: [0, 0, 1, 0, 0, 0, 0, 0] });
  board.hear({ function: 16, address: 0x1000, values: [0, 0, 0, 0, 0, 0, 0, 0] }, '');
  expect(values()).toEqual({ kind: 'registers', values: [0, 0, 0, 0, 0, 0, 0, 0] });
});

test('FC15 moves exactly the channels it names', () => {
  const { board, contacts } = rig(generic);
  board.hear({ function: 15, address: 2, bits: [true, false, true] }, '');
  expect(contacts()).toEqual([3, 5]);
  board.hear({ function: 15, address: 0, bits: Array.from({ length: 8 }, () => false) }, '');
  expect(contacts()).toEqual([]);
});

test('property: whatever is asked in whatever order, the contacts are those of a plain model', () => {
  const step = fc.oneof(
    fc.record({ kind: fc.constant('connect' as const), channel: fc.integer({ min: 1, max: 8 }) }),
    fc.record({ kind: fc.constant('isolate' as const), channel: fc.integer({ min: 1, max: 8 }) }),
    fc.record({
      kind: fc.constant('lease' as const),
      channel: fc.integer({ min: 1, max: 8 }),
      ms: fc.integer({ min: 1, max: 50 }).map((n) => n * 100),
    }),
    fc.record({ kind: fc.constant('isolate-all' as const) }),
    fc.record({ kind: fc.constant('wait' as const), ms: fc.integer({ min: 0, max: 3000 }) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const { ask, contacts, readBack, timers } = rig();
      /** End of each channel's connection; Infinity without a lease. */
      const ends = new Map<number, number>();
      let now = 0;
      for (const one of steps) {
        if (one.kind === 'wait') {
          timers.advance(one.ms);
          now += one.ms;
        } else if (one.kind === 'connect') {
          ask(connect(one.channel));
          ends.set(one.channel, Infinity);
        } else if (one.kind === 'lease') {
          ask(lease(one.channel, one.ms));
          ends.set(one.channel, now + one.ms);
        } else if (one.kind === 'isolate') {
          ask(isolate(one.channel));
          ends.delete(one.channel);
        } else {
          ask({ ask: 'isolate-all' });
          ends.clear();
        }
        const expected = [...ends].filter(([, end]) => end > now).map(([channel]) => channel);
        expect(contacts()).toEqual(expected.toSorted((a, b) => a - b));
        expect(readBack()).toEqual(contacts());
      }
    }),
    { numRuns: 200 },
  );
});
