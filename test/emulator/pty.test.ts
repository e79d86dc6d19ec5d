/** The emulated board on a pseudo-terminal, asked by modbus-serial (serialport) and by mbpoll (libmodbus). Needs Debian's socat and mbpoll. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import ModbusRTU from 'modbus-serial';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { processTimers } from '../../src/contacts/timers.ts';
import { createBoard } from '../../src/emulator/board.ts';
import { startEmulation, type Emulation } from '../../src/emulator/emulation.ts';
import { servePty } from '../../src/emulator/pty.ts';
import { boardD, fault } from './bench.ts';
import { hasTool } from './bench.ts';
import { virtualTimers } from './virtual-timers.ts';

const run = promisify(execFile);
const haveSocat = hasTool('socat', '-V');
const haveMbpoll = hasTool('mbpoll', '-V');

let directory = '';
let path = '';
const ends: (() => Promise<void>)[] = [];
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'emulator-'));
  path = join(directory, 'board');
});
afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end();
  await rm(directory, { recursive: true, force: true });
});

async function emulate(): Promise<Emulation> {
  const emulation = await startEmulation({ profile: boardD, pty: path }, processTimers);
  ends.push(() => emulation.close());
  return emulation;
}

async function master(): Promise<ModbusRTU.default> {
  const one = new ModbusRTU.default();
  await one.connectRTUBuffered(path, { baudRate: 9600 });
  one.setID(1);
  one.setTimeout(10_000);
  return one;
}

const closed = (one: ModbusRTU.default): Promise<void> =>
  new Promise((resolve) => one.close(() => resolve()));

describe.skipIf(!haveSocat)('a pseudo-terminal', () => {
  test('modbus-serial moves contacts and reads, and may come again', async () => {
    const { board } = await emulate();
    for (const state of [true, false]) {
      const one = await master();
      ends.push(() => (one.isOpen ? closed(one) : Promise.resolve()));
      expect(await one.writeCoil(2, state)).toMatchObject({ state });
      expect(board.isConnected(3)).toBe(state);
      expect((await one.readCoils(0, 8)).data[2]).toBe(state);
      expect((await one.readHoldingRegisters(0x1000, 8)).data).toEqual([0, 0, 0, 0, 0, 0, 0, 0]);
      await closed(one);
    }
  });

  test('faults reach the line', async () => {
    const { board } = await emulate();
    const one = await master();
    ends.push(() => closed(one));
    board.addFault(fault('exception:4', { times: 1 }));
    await expect(one.writeCoil(0, true)).rejects.toMatchObject({ modbusCode: 4 });
    board.addFault(fault('garbled-reply', { times: 1 }));
    await expect(one.readCoils(0, 8)).rejects.toThrow(/CRC error/);
  });

  test.skipIf(!haveMbpoll)('mbpoll writes, reads, and is refused', async () => {
    const { board } = await emulate();
    const poll = (...args: string[]): Promise<{ stdout: string }> =>
      run('mbpoll', ['-m', 'rtu', '-b', '9600', '-P', 'none', '-a', '1', '-o', '5', '-r', '1', ...args]);
    const written = await poll('-t', '0', path, '1', '0', '0', '0', '0', '0', '0', '1');
    expect(written.stdout).toContain('Written 8 references.');
    expect(board.state().contacts).toEqual([
      'connected',
      ...Array.from({ length: 6 }, () => 'isolated'),
      'connected',
    ]);
    const read = await poll('-t', '0', '-c', '8', '-1', path);
    expect([...read.stdout.matchAll(/\[\d\]:\s+(\d)/g)].map(([, bit]) => bit).join('')).toBe('10000001');
    const refused = await poll('-t', '4:hex', '-c', '1', '-1', path).catch((error: unknown) => error);
    expect(JSON.stringify(refused)).toContain('Illegal data address');
  });

  test('the terminal is gone after the end, and an existing file is not taken', async () => {
    const { close } = await emulate();
    expect(existsSync(path)).toBe(true);
    await close();
    expect(existsSync(path)).toBe(false);
    await writeFile(path, '');
    await expect(emulate()).rejects.toThrow(/exists already/);
  });

  test('a directory that is not there is told in words', async () => {
    const board = createBoard(boardD, virtualTimers());
    await expect(servePty(board, join(directory, 'none', 'board'))).rejects.toThrow(
      /socat ended at once: .*No such file/s,
    );
  });
});

test('a path that socat would take for its own syntax is refused', async () => {
  const board = createBoard(boardD, virtualTimers());
  await expect(servePty(board, '/tmp/a,exec=sh')).rejects.toThrow(/only letters/);
});

test('without socat the message says what to do', async () => {
  const before = process.env['PATH'];
  process.env['PATH'] = directory;
  try {
    await expect(emulate()).rejects.toThrow(/socat is not installed.*apt-get install socat/);
  } finally {
    process.env['PATH'] = before;
  }
});
