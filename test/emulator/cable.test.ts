/** Cables through contacts: alive they carry everything; cut they pass nothing and say nothing to the ends that stand. */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { requestFor } from '../../src/contacts/modbus/requests.ts';
import { createBoard, type Board } from '../../src/emulator/board.ts';
import { layCable, type Cable, type CableTarget } from '../../src/emulator/cable.ts';
import { ATTEMPTS_BEFORE_WORDS, RETRY_MS } from '../../src/emulator/switched-port.ts';
import { boardD, connected, quiet, until, watched, type Client } from './bench.ts';
import { virtualTimers, type VirtualTimers } from './virtual-timers.ts';

const LOOPBACK = { host: '127.0.0.1', port: 0 } as const;
const ends: (() => Promise<unknown> | void)[] = [];
let directory = '';
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'cable-'));
});
afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end();
  await rm(directory, { recursive: true, force: true });
});

interface Rig {
  readonly timers: VirtualTimers;
  readonly board: Board;
  readonly cable: Cable;
  /** The connections that reached the vault. */
  readonly arrived: Client[];
  readonly join: (...channels: number[]) => void;
  readonly cut: (channel: number) => void;
  readonly client: () => Promise<Client>;
}

type Kind = 'tcp' | 'unix';

async function rig(kind: Kind = 'tcp', channels: readonly number[] = [1], paused = false): Promise<Rig> {
  const arrived: Client[] = [];
  const vault: Server = createServer({ allowHalfOpen: true, pauseOnConnect: paused }, (socket) => {
    const one = watched(socket);
    if (paused) socket.pause();
    arrived.push(one);
    ends.push(() => void socket.destroy());
  });
  const path = join(directory, 'vault.sock');
  vault.listen(kind === 'unix' ? { path } : LOOPBACK);
  await once(vault, 'listening');
  ends.push(() => new Promise((resolve) => vault.close(resolve)));
  const address = vault.address();
  const target: CableTarget =
    address === null || typeof address === 'string'
      ? { unix: path }
      : { tcp: { host: '127.0.0.1', port: address.port } };
  const timers = virtualTimers();
  const board = createBoard(boardD, timers);
  const cable = await layCable(board, { channels, listen: LOOPBACK, target });
  ends.push(() => cable.close());
  const command = (ask: 'connect' | 'isolate', channel: number): void => {
    board.hear(requestFor(boardD, { ask, channel }), '');
  };
  return {
    timers,
    board,
    cable,
    arrived,
    join: (...list) => {
      for (const channel of list) command('connect', channel);
    },
    cut: (channel) => command('isolate', channel),
    client: async () => {
      const one = await connected(cable.port);
      ends.push(() => void one.socket.destroy());
      return one;
    },
  };
}

/** A connection through the cable, both ends of it. */
async function pair({ client, arrived }: Rig): Promise<[Client, Client]> {
  const before = arrived.length;
  const near = await client();
  await until(() => arrived.length > before, 'the vault was reached');
  const far = arrived[before];
  if (far === undefined) throw new Error('nobody arrived');
  return [near, far];
}

/** Nobody listens: an attempt to connect fails at once, and the vault hears nothing of it. */
async function refused({ cable, arrived }: Rig): Promise<void> {
  const before = arrived.length;
  const attempt = watched(connect({ port: cable.port, host: '127.0.0.1' }));
  ends.push(() => void attempt.socket.destroy());
  await until(() => attempt.happened.includes('close'), 'an answer');
  expect(attempt.happened).toEqual(['ECONNREFUSED', 'close']);
  expect(arrived).toHaveLength(before);
}

const text = (one: Client): string => one.received().toString();

describe.each(['tcp', 'unix'] as const)('to a %s target', (kind) => {
  test('connected: bytes pass both ways, and so does the end of each way', async () => {
    const bench = await rig(kind);
    bench.join(1);
    const [near, far] = await pair(bench);
    near.socket.end('question');
    await until(() => text(far) === 'question' && far.happened.includes('end'), 'the question and its end');
    far.socket.end('answer');
    await until(() => text(near) === 'answer' && near.happened.includes('close'), 'the answer and its end');
    await until(() => far.happened.includes('close'), 'the far end is gone');
    expect([near.happened, far.happened]).toEqual([
      ['connect', 'end', 'close'],
      ['end', 'close'],
    ]);
  });

  test('cut: neither end sees byte, end or reset; connected again: both are reset', async () => {
    const bench = await rig(kind);
    bench.join(1);
    const [near, far] = await pair(bench);
    near.socket.write('before');
    far.socket.write('before');
    await until(() => text(near) === 'before' && text(far) === 'before', 'alive');
    bench.cut(1);
    near.socket.write('during');
    far.socket.write('during');
    near.socket.end();
    await quiet();
    expect([text(near), text(far)]).toEqual(['before', 'before']);
    expect([near.happened, far.happened]).toEqual([['connect'], []]);
    bench.join(1);
    await until(() => near.happened.includes('close') && far.happened.length > 0, 'both ends hear of it');
    expect([text(near), text(far)]).toEqual(['before', 'before']);
    expect(near.happened).toEqual(['connect', 'ECONNRESET', 'close']);
    // A Unix socket knows no reset: its far end sees an end.
    expect(far.happened[0]).toBe(kind === 'tcp' ? 'ECONNRESET' : 'end');
  });

  test('cut: a new connection is refused; connected again: the same port takes it', async () => {
    const bench = await rig(kind);
    await refused(bench);
    bench.join(1);
    const [near, far] = await pair(bench);
    near.socket.write('early');
    await until(() => text(far) === 'early', 'its bytes passed');
    bench.cut(1);
    await refused(bench);
    bench.join(1);
    const [again, other] = await pair(bench);
    again.socket.write('late');
    await until(() => text(other) === 'late', 'its bytes passed');
    expect(bench.arrived).toHaveLength(2);
  });

  test('an end that dies while the cable is cut is not noticed by the other', async () => {
    const bench = await rig(kind);
    bench.join(1);
    const [near, far] = await pair(bench);
    bench.cut(1);
    near.socket.resetAndDestroy();
    await quiet();
    expect(far.happened).toEqual([]);
    bench.join(1);
    await until(() => far.happened.length > 0, 'the far end hears of it');
  });

  test('64 MiB pass unharmed', async () => {
    const bench = await rig(kind, [1], true);
    bench.join(1);
    const [near, far] = await pair(bench);
    const chunk = Buffer.alloc(1 << 20);
    for (let index = 0; index < chunk.length; index += 4)
      chunk.writeUInt32LE((index * 2_654_435_761) >>> 0, index);
    const sent = createHash('sha256');
    const got = createHash('sha256');
    far.socket.removeAllListeners('data');
    let length = 0;
    far.socket.on('data', (piece: Buffer) => {
      got.update(piece);
      length += piece.length;
    });
    far.socket.resume();
    for (let count = 0; count < 64; count += 1) {
      chunk.writeUInt32LE(count, 0);
      sent.update(chunk);
      if (!near.socket.write(Buffer.from(chunk))) await once(near.socket, 'drain');
    }
    near.socket.end();
    await until(() => far.happened.includes('end'), 'everything arrived');
    expect(length).toBe(64 << 20);
    expect(got.digest('hex')).toBe(sent.digest('hex'));
  });

  test('an end that comes while the last pieces wait for a slow reader waits behind them', async () => {
    const bench = await rig(kind, [1], true);
    bench.join(1);
    const [near, far] = await pair(bench);
    const whole = 4 << 20;
    near.socket.end(Buffer.alloc(whole, 7));
    far.socket.removeAllListeners('data');
    let length = 0;
    // Slower than the writer, so that the last pieces wait in the cable while its end is known there already.
    far.socket.on('data', (piece: Buffer) => {
      length += piece.length;
      far.socket.pause();
      setTimeout(() => far.socket.resume(), 1);
    });
    far.socket.resume();
    await until(() => far.happened.includes('end'), 'the end');
    expect(length).toBe(whole);
  });

  test('a vault that does not read holds its writer back', async () => {
    const bench = await rig(kind, [1], true);
    bench.join(1);
    const [near, far] = await pair(bench);
    const chunk = Buffer.alloc(1 << 16, 7);
    let taken = 0;
    let stalled = false;
    while (!stalled) {
      const flowing = near.socket.write(chunk);
      taken += chunk.length;
      if (flowing) continue;
      stalled = !(await Promise.race([
        once(near.socket, 'drain').then(() => true),
        quiet().then(() => false),
      ]));
      expect(taken, 'kernel buffers of this machine, not the memory of the emulator').toBeLessThan(256 << 20);
    }
    far.socket.resume();
    await until(() => far.received().length === taken, 'everything arrived after all');
  });
});

/** Lets the client write until nothing is taken any more. */
async function stall({ socket }: Client): Promise<void> {
  const chunk = Buffer.alloc(1 << 16, 7);
  for (;;) {
    if (socket.write(chunk)) continue;
    if (!(await Promise.race([once(socket, 'drain').then(() => true), quiet().then(() => false)]))) return;
  }
}

test('cut to a Unix socket: what its end writes is not taken', async () => {
  const bench = await rig('unix');
  bench.join(1);
  const [, far] = await pair(bench);
  bench.cut(1);
  far.socket.write(Buffer.alloc(16 << 20));
  await quiet();
  expect(far.socket.writableLength).toBeGreaterThan(0);
});

/** A Unix socket holds about 200 KiB; the queue of the client's side is far larger. */
const MOST_A_UNIX_SOCKET_HOLDS = 1 << 20;

describe('a stalled stream that is cut', () => {
  async function stalled(): Promise<{ bench: Rig; near: Client; far: Client }> {
    const bench = await rig('unix');
    bench.join(1);
    const [near, far] = await pair(bench);
    const pour = (): void => {
      while (near.socket.write(Buffer.alloc(1 << 16, 7))) continue;
    };
    near.socket.on('drain', pour);
    pour();
    // The kernel widens its queues only while it is being read.
    await until(() => far.received().length > 32 << 20, 'the stream flows');
    near.socket.off('drain', pour);
    far.socket.pause();
    await stall(near);
    return { bench, near, far };
  }

  test('does not run on when the vault reads again', async () => {
    const { bench, far } = await stalled();
    const before = far.received().length;
    bench.cut(1);
    far.socket.resume();
    await quiet();
    expect(far.received().length - before).toBeLessThan(MOST_A_UNIX_SOCKET_HOLDS);
  });

  test('does not tell the client that the vault went away', async () => {
    const { bench, near, far } = await stalled();
    bench.cut(1);
    far.socket.destroy();
    await quiet();
    expect(near.happened).toEqual(['connect']);
  });
});

test('cut in the middle of a stream: at most what the kernel had taken still arrives', async () => {
  const bench = await rig('tcp');
  bench.join(1);
  const [near, far] = await pair(bench);
  const chunk = Buffer.alloc(1 << 16, 7);
  const pour = (): void => {
    while (near.socket.write(chunk)) continue;
  };
  near.socket.on('drain', pour);
  pour();
  await until(() => far.received().length > 8 << 20, 'the stream flows');
  bench.cut(1);
  await quiet();
  const after = far.received().length;
  await quiet();
  expect(far.received()).toHaveLength(after);
  expect([near.happened, far.happened]).toEqual([['connect'], []]);
});

test('contacts in series: any one of them cuts', async () => {
  const bench = await rig('tcp', [1, 2]);
  bench.join(1);
  await refused(bench);
  bench.join(2);
  const [near, far] = await pair(bench);
  bench.cut(1);
  near.socket.write('x');
  await quiet();
  expect(text(far)).toBe('');
  bench.cut(2);
  bench.join(1);
  await quiet();
  expect(near.happened).toEqual(['connect']);
  bench.join(2);
  await until(() => near.happened.includes('close'), 'reset when both are connected again');
});

test('other channels do not touch the cable', async () => {
  const bench = await rig();
  bench.join(1);
  const [near, far] = await pair(bench);
  bench.join(3);
  bench.cut(3);
  near.socket.write('still there');
  await until(() => text(far) === 'still there', 'bytes pass');
});

test('a vault that refuses is a reset for the client, not silence', async () => {
  const board = createBoard(boardD, virtualTimers());
  const gone = createServer().listen(LOOPBACK);
  await once(gone, 'listening');
  const address = gone.address();
  if (address === null || typeof address === 'string') throw new Error('no address');
  await new Promise((resolve) => gone.close(resolve));
  const cable = await layCable(board, {
    channels: [1],
    listen: LOOPBACK,
    target: { tcp: { host: '127.0.0.1', port: address.port } },
  });
  ends.push(() => cable.close());
  board.hear(requestFor(boardD, { ask: 'connect', channel: 1 }), '');
  const one = await connected(cable.port);
  await until(() => one.happened.includes('close'), 'the client is told');
  expect(one.happened).toEqual(['connect', 'ECONNRESET', 'close']);
});

test.each(['connected', 'isolated'] as const)(
  'a cable taken up while %s leaves nothing',
  async (position) => {
    const bench = await rig();
    bench.join(1);
    const [near, far] = await pair(bench);
    if (position === 'isolated') bench.cut(1);
    await bench.cable.close();
    await until(() => near.happened.includes('close') && far.happened.includes('close'), 'reset');
    expect([near.happened, far.happened]).toEqual([
      ['connect', 'ECONNRESET', 'close'],
      ['ECONNRESET', 'close'],
    ]);
    bench.join(1);
    await refused(bench);
  },
);

test('what waits in the memory of the emulator at the cut never arrives', async () => {
  const bench = await rig('unix', [1], true);
  bench.join(1);
  const [near, far] = await pair(bench);
  await stall(near);
  bench.cut(1);
  near.socket.destroy();
  far.socket.resume();
  await quiet();
  // A Unix socket holds little; the client's kernel, this process and the emulator held megabytes.
  const arrived = far.received().length;
  expect(arrived).toBeGreaterThan(0);
  expect(arrived).toBeLessThan(MOST_A_UNIX_SOCKET_HOLDS);
  bench.join(1);
  await until(() => far.happened.includes('end'), 'its end');
  expect(far.received()).toHaveLength(arrived);
});

test('contacts that chatter leave the cable as they stand', async () => {
  const bench = await rig();
  for (let count = 0; count < 5; count += 1) {
    bench.join(1);
    bench.cut(1);
  }
  // Node looks the address up before it listens; a port that is not wanted any more is given up in the turn after.
  await new Promise((resolve) => setImmediate(resolve));
  await refused(bench);
  for (let count = 0; count < 5; count += 1) {
    bench.cut(1);
    bench.join(1);
  }
  const [near, far] = await pair(bench);
  near.socket.write('x');
  await until(() => text(far) === 'x', 'bytes pass');
});

test('a port that somebody else took is said, and had again when it is free', async () => {
  const bench = await rig();
  const said: string[] = [];
  bench.board.watch((event) => {
    if (event.event === 'cable') said.push(`${event.port}: ${event.why}`);
  });
  const squatter = createServer().listen({ port: bench.cable.port, host: '127.0.0.1' });
  await once(squatter, 'listening');
  bench.join(1);
  // Every attempt is answered by the kernel in a later turn, and begins the wait for the next.
  for (let count = 0; count < ATTEMPTS_BEFORE_WORDS * 2; count += 1) {
    await until(() => bench.timers.running() > 0, 'the attempt failed');
    bench.timers.advance(RETRY_MS);
  }
  expect(said).toEqual([expect.stringMatching(new RegExp(`^${bench.cable.port}: .*EADDRINUSE`))]);
  await until(() => bench.timers.running() > 0, 'the last attempt failed');
  await new Promise((resolve) => squatter.close(resolve));
  bench.timers.advance(RETRY_MS);
  const [near, far] = await pair(bench);
  near.socket.write('x');
  await until(() => text(far) === 'x', 'bytes pass');
});
