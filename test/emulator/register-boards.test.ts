/** Emulated boards that are commanded by register writes, keep settings, or isolate when nobody talks to them. */
import { describe, expect, test } from 'vitest';
import type { ModbusProfile } from '../../src/contacts/modbus/profile.ts';
import { type Ask, meaningOf, requestFor } from '../../src/contacts/modbus/requests.ts';
import { loadProfiles } from '../../src/contacts/profile-store.ts';
import { type Board, type BoardEvent, createBoard } from '../../src/emulator/board.ts';
import { testProfile } from '../contacts/profiles.ts';
import { fault } from './bench.ts';
import { virtualTimers, type VirtualTimers } from './virtual-timers.ts';

const { profiles } = await loadProfiles();
function modbus(id: string): ModbusProfile {
  const profile = profiles.get(id);
  if (profile?.driver !== 'modbus') throw new Error(`no Modbus profile ${id}`);
  return profile;
}

interface Rig {
  readonly board: Board;
  readonly timers: VirtualTimers;
  readonly events: BoardEvent[];
  readonly ask: (ask: Ask) => unknown;
  readonly write: (address: number, value: number) => unknown;
  /** Channels whose contact is connected. */
  readonly contacts: () => number[];
}

function rig(profile: ModbusProfile): Rig {
  const timers = virtualTimers();
  const board = createBoard(profile, timers);
  const events: BoardEvent[] = [];
  board.watch((event) => events.push(event));
  return {
    board,
    timers,
    events,
    ask: (what) => {
      const answer = board.hear(requestFor(profile, what), what.ask);
      return answer === null ? null : meaningOf(profile, what, [answer.reply]);
    },
    write: (address, value) => board.hear({ function: 6, address, value }, 'write')?.reply,
    contacts: () =>
      board.state().contacts.flatMap((position, index) => (position === 'connected' ? [index + 1] : [])),
  };
}

const connect = (channel: number): Ask => ({ ask: 'connect', channel });
const isolate = (channel: number): Ask => ({ ask: 'isolate', channel });
const lease = (channel: number, ms: number): Ask => ({ ask: 'lease', channel, lease_ms: ms });
const READ: Ask = { ask: 'read' };

describe('commands in registers', () => {
  const r4d8 = modbus('eletechsup/r4d8a08');

  test('connect, isolate, and a read code that is not the write code', () => {
    const { ask, contacts } = rig(r4d8);
    expect(ask(connect(3))).toBe('accepted');
    expect(contacts()).toEqual([3]);
    expect(ask(READ)).toEqual({ connected: [3] });
    ask(isolate(3));
    expect(contacts()).toEqual([]);
    expect(ask(READ)).toEqual({ connected: [] });
  });

  test('while a delay runs plain off is echoed and does nothing; 06 00 ends it', () => {
    const { ask, write, contacts, timers } = rig(r4d8);
    ask(lease(2, 30_000));
    expect(write(2, 0x0200)).toEqual({ kind: 'echo' });
    expect(contacts()).toEqual([2]);
    expect(write(2, 0x0600)).toEqual({ kind: 'echo' });
    expect(contacts()).toEqual([]);
    expect(timers.running()).toBe(0);
    ask(connect(2));
    write(2, 0x0200);
    expect(contacts(), 'without a delay plain off is enough').toEqual([]);
  });

  test('a delay ends by itself, and starts anew when it is repeated', () => {
    const { ask, contacts, timers, events } = rig(r4d8);
    ask(lease(1, 10_000));
    timers.advance(9_000);
    ask(lease(1, 10_000));
    timers.advance(9_999);
    expect(contacts()).toEqual([1]);
    timers.advance(1);
    expect(contacts()).toEqual([]);
    expect(events.at(-1)).toMatchObject({ event: 'contact', cause: 'lease-ran-out' });
  });

  test.each([0x0300, 0x0400, 0x0000, 0xffff])('the command %i is not in the profile: exception', (value) => {
    const { write, contacts } = rig(r4d8);
    expect(write(1, value)).toEqual({ kind: 'exception', code: 3 });
    expect(contacts()).toEqual([]);
  });

  test('a coil write, and a register beyond the channels, are for nobody', () => {
    const { board, write } = rig(r4d8);
    expect(board.hear({ function: 5, address: 1, value: 0xff00 }, '')?.reply).toMatchObject({
      kind: 'exception',
    });
    expect(write(9, 0x0100)).toEqual({ kind: 'exception', code: 2 });
  });

  test('the faults of a read-back hold for registers, too', () => {
    const { ask, board, contacts } = rig(r4d8);
    board.addFault(fault('lying-read-back'));
    ask(connect(1));
    expect(contacts()).toEqual([1]);
    expect(ask(READ)).toEqual({ connected: [] });
  });

  test('a bitmap has channel 17 in the second register', () => {
    const profile = testProfile({
      channels: 20,
      read: {
        function: 3,
        address: 0x80,
        quantity: 2,
        layout: 'bitmap',
        connected_when: 1,
        isolated_when: 0,
        reports: 'commanded',
      },
    });
    const { ask, board } = rig(profile);
    for (const channel of [1, 16, 17, 20]) ask(connect(channel));
    expect(board.hear(requestFor(profile, READ), '')?.reply).toEqual({
      kind: 'registers',
      values: [0x8001, 0x0009],
    });
    expect(ask(READ)).toEqual({ connected: [1, 16, 17, 20] });
  });

  test('a register that says neither is unknown, not isolated', () => {
    expect(meaningOf(r4d8, READ, [{ kind: 'registers', values: [1, 0, 2, 0x0100, 0, 0, 0, 0] }])).toEqual({
      connected: [1],
      unknown: [3, 4],
    });
    expect(meaningOf(r4d8, READ, [{ kind: 'registers', values: [1, 0] }])).toEqual({
      connected: [1],
      unknown: [3, 4, 5, 6, 7, 8],
    });
  });
});

describe('communication watchdog', () => {
  const wirenboard = modbus('wirenboard/wb-mr6c-v3');

  test('isolates everything after the time that its register says, and says so', () => {
    const { ask, contacts, timers, events } = rig(wirenboard);
    ask(connect(1));
    ask(connect(6));
    timers.advance(9_999);
    expect(contacts()).toEqual([1, 6]);
    timers.advance(1);
    expect(contacts()).toEqual([]);
    expect(events.at(-1)).toMatchObject({ channel: 6, position: 'isolated', cause: 'watchdog', frame: null });
    ask(connect(1));
    expect(contacts(), 'a new command is obeyed').toEqual([1]);
  });

  test('readings feed it: that is why it is no lease', () => {
    const { ask, contacts, timers } = rig(wirenboard);
    ask(connect(1));
    for (let second = 0; second < 60; second += 1) {
      timers.advance(1_000);
      ask(READ);
    }
    expect(contacts()).toEqual([1]);
  });

  test('a request that the board does not hear feeds nothing', () => {
    const { ask, board, contacts, timers } = rig(wirenboard);
    ask(connect(1));
    board.addFault(fault('silence'));
    timers.advance(6_000);
    ask(READ);
    timers.advance(4_000);
    expect(contacts()).toEqual([]);
  });

  test('its register changes its time', () => {
    const { ask, board, contacts, timers } = rig(wirenboard);
    board.setRegister(8, 30);
    ask(connect(1));
    timers.advance(29_999);
    expect(contacts()).toEqual([1]);
    timers.advance(1);
    expect(contacts()).toEqual([]);
  });

  test.each([
    ['behaviour 0, as it leaves the factory', 938, 0],
    ['trigger by bus power only', 19, 1],
  ] as const)('%s: silence moves nothing', (_, address, value) => {
    const { ask, board, contacts, timers } = rig(wirenboard);
    board.setRegister(address, value);
    ask(connect(1));
    timers.advance(1_000_000);
    expect(contacts()).toEqual([1]);
  });

  test('a coupler that waits for a person echoes commands and does not follow them, until it is restarted', () => {
    const { ask, board, contacts, timers } = rig(modbus('beckhoff/ek9000'));
    ask(connect(1));
    timers.advance(10_000);
    expect(contacts()).toEqual([]);
    expect(ask(connect(1))).toBe('accepted');
    expect(contacts()).toEqual([]);
    board.addFault(fault('reboot:0'));
    timers.advance(1);
    ask(connect(1));
    expect(contacts()).toEqual([1]);
  });

  test('a device whose watchdog cannot be read is played with the watchdog not armed', () => {
    const { ask, contacts, timers } = rig(modbus('moxa/iologik-e1214'));
    ask(connect(1));
    timers.advance(1_000_000);
    expect(contacts()).toEqual([1]);
  });
});

describe('fault wrong-setting', () => {
  const cases = [
    'wirenboard/wb-mr6c-v3',
    'ebyte/me31-axax4040',
    'moxa/iologik-e1214',
    'wago/750-352',
  ].flatMap((id) =>
    modbus(id).startup_checks.map((check, index) => ({ id, name: check.name, number: index + 1 })),
  );

  test.each(cases)('$id: only $name fails', ({ id, name, number }) => {
    const { ask, board } = rig(modbus(id));
    board.addFault(fault(`wrong-setting:${number}`));
    const failed = modbus(id).startup_checks.filter(
      (check) => ask({ ask: 'startup-check', check: check.name }) === 'failed',
    );
    expect(failed.map((check) => check.name)).toEqual([name]);
    board.clearFaults();
    expect(ask({ ask: 'startup-check', check: name })).toBe('passed');
  });
});
