/** The emulated board on TCP: an independent master (modbus-serial), and every delivery fault as bytes on the wire. */
import ModbusRTU from 'modbus-serial';
import { connect } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import type { Framing } from '../../src/contacts/modbus/profile.ts';
import { processTimers } from '../../src/contacts/timers.ts';
import { startEmulation, type Emulation, type EmulationPlan } from '../../src/emulator/emulation.ts';
import { boardD, bytes, connected, fault, quiet, until, watched, type Client } from './bench.ts';

const LOOPBACK = { host: '127.0.0.1', port: 0 } as const;
const ends: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end();
});

async function emulate(
  framing: Framing,
  plan: Partial<EmulationPlan> = {},
): Promise<Emulation & { port: number }> {
  const emulation = await startEmulation(
    { profile: boardD, tcp: { ...LOOPBACK, framing }, ...plan },
    processTimers,
  );
  ends.push(() => emulation.close());
  if (emulation.tcp === null) throw new Error('no TCP');
  return { ...emulation, port: emulation.tcp.port };
}

async function client(port: number): Promise<Client> {
  const one = await connected(port);
  ends.push(() => void one.socket.destroy());
  return one;
}

const CONNECT_1 = {
  rtu: '01 05 00 00 FF 00 8C 3A',
  'modbus-tcp': '00 09 00 00 00 06 01 05 00 00 FF 00',
} as const;
const ISOLATE_1 = {
  rtu: '01 05 00 00 00 00 CD CA',
  'modbus-tcp': '00 0A 00 00 00 06 01 05 00 00 00 00',
} as const;

describe.each(['modbus-tcp', 'rtu'] as const)('modbus-serial as master, %s', (framing) => {
  test('moves contacts, reads them, reads inputs and registers', async () => {
    const { board, port } = await emulate(framing, { mirrors: [{ channel: 2, input: 5 }] });
    const master = new ModbusRTU.default();
    ends.push(() => new Promise((resolve) => master.close(() => resolve())));
    // connectTcpRTUBuffered speaks MBAP in spite of its name (8.0.25); bare RTU frames over TCP are its "telnet".
    if (framing === 'rtu') await master.connectTelnet('127.0.0.1', { port });
    else await master.connectTCP('127.0.0.1', { port });
    master.setID(1);
    master.setTimeout(10_000);

    expect(await master.writeCoil(1, true)).toMatchObject({ address: 1, state: true });
    expect(board.state().contacts[1]).toBe('connected');
    expect((await master.readCoils(0, 8)).data).toEqual([
      false,
      true,
      false,
      false,
      false,
      false,
      false,
      false,
    ]);
    expect((await master.readDiscreteInputs(0, 8)).data[4]).toBe(false);
    expect(await master.writeCoil(1, false)).toMatchObject({ address: 1, state: false });
    expect(board.state().contacts[1]).toBe('isolated');
    expect((await master.readDiscreteInputs(0, 8)).data[4]).toBe(true);
    await master.writeCoils(0, [true, false, true, false, false, false, false, true]);
    expect((await master.readCoils(0, 8)).data).toEqual([
      true,
      false,
      true,
      false,
      false,
      false,
      false,
      true,
    ]);
    await master.writeCoil(0xff, false);
    expect(board.state().contacts).not.toContain('connected');
    expect((await master.readHoldingRegisters(0x1000, 8)).data).toEqual([0, 0, 0, 0, 0, 0, 0, 0]);
    await master.writeRegister(0x1003, 1);
    expect((await master.readHoldingRegisters(0x1000, 8)).data).toEqual([0, 0, 0, 1, 0, 0, 0, 0]);
    await expect(master.writeCoil(8, true)).rejects.toMatchObject({ modbusCode: 2 });
    await expect(master.readHoldingRegisters(0x2000, 1)).rejects.toMatchObject({ modbusCode: 2 });
  });
});

describe.each(['modbus-tcp', 'rtu'] as const)('on the wire, %s', (framing) => {
  const answer = async (one: Client, request: string, length: number): Promise<string> => {
    const before = one.received().length;
    one.socket.write(bytes(request));
    await until(() => one.received().length >= before + length, `${length} bytes of reply`);
    return one.received().subarray(before).toString('hex');
  };
  const plain = (request: string): string => bytes(request).toString('hex');

  test('a request in pieces, and several at once', async () => {
    const { port, board } = await emulate(framing);
    const one = await client(port);
    const request = bytes(CONNECT_1[framing]);
    one.socket.setNoDelay(true);
    one.socket.write(request.subarray(0, 3));
    await new Promise((resolve) => setImmediate(resolve));
    one.socket.write(Buffer.concat([request.subarray(3), bytes(ISOLATE_1[framing]), request]));
    const wanted = Buffer.concat([request, bytes(ISOLATE_1[framing]), request]);
    await until(() => one.received().length >= wanted.length, 'three replies');
    expect(one.received().toString('hex')).toBe(wanted.toString('hex'));
    expect(board.isConnected(1)).toBe(true);
  });

  test('another unit is not answered', async () => {
    const { port, board } = await emulate(framing);
    const one = await client(port);
    const other = framing === 'rtu' ? '02 05 00 00 FF 00 8C 09' : '00 01 00 00 00 06 02 05 00 00 FF 00';
    one.socket.write(bytes(other));
    if (framing === 'rtu') await quiet();
    expect(await answer(one, ISOLATE_1[framing], 8)).toBe(plain(ISOLATE_1[framing]));
    expect(board.isConnected(1)).toBe(false);
  });

  test('wrong-echo, duplicate-reply, garbled-reply', async () => {
    const { port, board } = await emulate(framing);
    const one = await client(port);
    const request = CONNECT_1[framing];
    board.addFault(fault('wrong-echo', { times: 1 }));
    const wrong = framing === 'rtu' ? '01 05 00 00 00 00 CD CA' : '00 09 00 00 00 06 01 05 00 00 00 00';
    expect(await answer(one, request, 8)).toBe(plain(wrong));
    expect(board.isConnected(1)).toBe(true);
    board.addFault(fault('duplicate-reply', { times: 1 }));
    expect(await answer(one, request, 2 * bytes(request).length)).toBe(plain(request) + plain(request));
    board.addFault(fault('garbled-reply', { times: 1 }));
    const garbled = await answer(one, request, 8);
    expect(garbled).toBe(
      framing === 'rtu'
        ? plain('01 05 41 00 FF 00 8C 3A')
        : Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n').toString('hex'),
    );
    expect(await answer(one, request, 8)).toBe(plain(request));
  });

  test('late-reply: done at once, answered later, after the answer to the next request', async () => {
    const { port, board } = await emulate(framing);
    const one = await client(port);
    board.addFault(fault('late-reply:300', { times: 1 }));
    one.socket.write(bytes(CONNECT_1[framing]));
    await until(() => board.isConnected(1), 'the contact moved');
    expect(one.received()).toHaveLength(0);
    one.socket.write(bytes(ISOLATE_1[framing]));
    const wanted = plain(ISOLATE_1[framing]) + plain(CONNECT_1[framing]);
    await until(() => one.received().length >= wanted.length / 2, 'both replies');
    expect(one.received().toString('hex')).toBe(wanted);
  });

  test('silence and mute leave the connection as it is', async () => {
    const { port, board } = await emulate(framing);
    const one = await client(port);
    board.addFault(fault('mute', { times: 1 }));
    one.socket.write(bytes(CONNECT_1[framing]));
    await until(() => board.isConnected(1), 'the contact moved');
    board.addFault(fault('silence', { times: 1 }));
    one.socket.write(bytes(ISOLATE_1[framing]));
    await until(() => board.state().faults.length === 0, 'the request was heard');
    expect(board.isConnected(1)).toBe(true);
    expect(await answer(one, ISOLATE_1[framing], 8)).toBe(plain(ISOLATE_1[framing]));
    expect(one.happened).toEqual(['connect']);
  });

  test('reboot resets connections; the board is deaf, then answers again', async () => {
    const { port, board } = await emulate(framing);
    const one = await client(port);
    await answer(one, CONNECT_1[framing], 8);
    board.addFault(fault('reboot:1'));
    expect(board.isConnected(1)).toBe(false);
    await until(() => one.happened.includes('close'), 'the connection is gone');
    expect(one.happened).toEqual(['connect', 'ECONNRESET', 'close']);
    const two = await client(port);
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(await answer(two, CONNECT_1[framing], 8)).toBe(plain(CONNECT_1[framing]));
  });

  test('refuse-connections refuses new ones, keeps the old, and ends', async () => {
    const { port, board } = await emulate(framing);
    const one = await client(port);
    board.addFault(fault('refuse-connections'));
    const refused = watched(connect({ port, host: '127.0.0.1' }));
    await until(() => refused.happened.includes('close'), 'refused');
    expect(refused.happened).toEqual(['ECONNREFUSED', 'close']);
    expect(await answer(one, CONNECT_1[framing], 8)).toBe(plain(CONNECT_1[framing]));
    board.clearFaults();
    const deadline = performance.now() + 20_000;
    for (;;) {
      const again = watched(connect({ port, host: '127.0.0.1' }));
      ends.push(() => void again.socket.destroy());
      await until(() => again.happened.length > 0, 'some outcome');
      if (again.happened[0] === 'connect') break;
      if (performance.now() > deadline) throw new Error('still refused');
    }
  });
});

test('what is no Modbus TCP ends that connection only', async () => {
  const { port } = await emulate('modbus-tcp');
  const good = await client(port);
  const bad = await client(port);
  bad.socket.write('GET / HTTP/1.1\r\n\r\n');
  await until(() => bad.happened.includes('end'), 'the connection is gone');
  good.socket.write(bytes(CONNECT_1['modbus-tcp']));
  await until(() => good.received().length === 12, 'a reply');
});

test('RTU: a bad checksum and half a frame are forgotten after silence', async () => {
  const { port, board } = await emulate('rtu');
  const one = await client(port);
  one.socket.write(bytes('01 05 00 00 FF 00 8C 3B'));
  await quiet();
  one.socket.write(bytes('01 05 00 00 FF'));
  await quiet();
  expect(one.received()).toHaveLength(0);
  expect(board.isConnected(1)).toBe(false);
  one.socket.write(bytes(CONNECT_1.rtu));
  await until(() => one.received().length === 8, 'a reply');
});

test('RTU: a broadcast is done and not answered', async () => {
  const { port, board } = await emulate('rtu');
  const one = await client(port);
  one.socket.write(bytes('00 05 00 00 FF 00 8D EB'));
  await until(() => board.isConnected(1), 'the contact moved');
  one.socket.write(bytes(ISOLATE_1.rtu));
  await until(() => one.received().length >= 8, 'a reply');
  expect(one.received().toString('hex')).toBe(bytes(ISOLATE_1.rtu).toString('hex'));
});

test('a function the board does not know is refused in Modbus TCP', async () => {
  const { port } = await emulate('modbus-tcp');
  const one = await client(port);
  one.socket.write(bytes('00 01 00 00 00 02 01 07'));
  await until(() => one.received().length === 9, 'a reply');
  expect(one.received().toString('hex')).toBe('000100000003018701');
});

test('closing resets connections and frees the port', async () => {
  const { port, close } = await emulate('rtu');
  const one = await client(port);
  await close();
  await until(() => one.happened.includes('close'), 'the connection is gone');
  const next = watched(connect({ port, host: '127.0.0.1' }));
  await until(() => next.happened.includes('close'), 'refused');
  expect(next.happened[0]).toBe('ECONNREFUSED');
});
