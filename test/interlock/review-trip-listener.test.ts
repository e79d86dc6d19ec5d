/** What strangers and clumsy senders put on the trip listener's wire. */
import { connect, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { machineClock } from '../../src/interlock/clock.ts';
import { MAX_CONNECTIONS_PER_ADDRESS } from '../../src/listener/crowd.ts';
import { RefusalTally } from '../../src/interlock/trips/refusal-tally.ts';
import type { Listener } from '../../src/listener/listener.ts';
import { createTripListener } from '../../src/interlock/trips/trip-listener.ts';
import { type Box, box, HandClock } from './review-box.ts';
import type { Clock } from '../../src/interlock/clock.ts';

const WITHIN_MS = 15_000;
const BEARER = 'Authorization: Bearer token\r\n';

let app: Listener;
let port: number;
let rig: Box<Clock>;
let sockets: Socket[];

beforeEach(async () => {
  sockets = [];
  rig = await box(machineClock);
  const sources = {
    bearer: {
      verify: { type: 'bearer' },
      secrets: [Buffer.from('token')],
      trips: 'all',
      on_unrecognised: 'trip',
    },
    path: {
      verify: { type: 'path-secret' },
      secrets: [Buffer.from('hush')],
      trips: 'all',
      on_unrecognised: 'trip',
    },
  } as const;
  app = await createTripListener(
    rig.interlock,
    sources,
    new RefusalTally(machineClock, (entry) => rig.interlock.note(entry)),
  );
  [{ port } = { port: 0 }] = await app.listen([{ host: '127.0.0.1', port: 0, secure: false }]);
});

afterEach(async () => {
  for (const socket of sockets) socket.destroy();
  await app.close();
});

const dial = (): Socket => {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => undefined);
  sockets.push(socket);
  return socket;
};

/** The status line that answers these bytes. */
const statusOf = (bytes: string): Promise<number> =>
  new Promise((resolve, reject) => {
    const socket = dial();
    const late = setTimeout(() => reject(new Error('no answer in time')), WITHIN_MS);
    let text = '';
    socket.setEncoding('utf8').on('data', (piece: string) => {
      text += piece;
      const status = /^HTTP\/1\.1 (\d{3})/.exec(text)?.[1];
      if (status === undefined) return;
      clearTimeout(late);
      resolve(Number(status));
    });
    socket.write(bytes);
  });

const post = (path: string, headers: string, body = '{}'): string =>
  `POST ${path} HTTP/1.1\r\nHost: box\r\nContent-Length: ${body.length}\r\n${headers}\r\n${body}`;

const until = async (what: () => boolean): Promise<void> => {
  for (const end = Date.now() + WITHIN_MS; !what();) {
    if (Date.now() > end) throw new Error('it did not come to pass');
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
};

describe('an authenticated alarm trips whatever its sender calls the type of its body', () => {
  test.each([
    '',
    'Content-Type: \r\n',
    'Content-Type: text\r\n',
    'Content-Type: ;;;\r\n',
    'Content-Type: a/b\r\n',
  ])('%j', async (type) => {
    expect(await statusOf(post('/trip/bearer', BEARER + type))).toBe(200);
    expect(rig.interlock.links.get('vault')?.shell.state.at).toBe('tripped');
  });
  test('and without a Host', async () => {
    expect(await statusOf(post('/trip/bearer', BEARER).replace('Host: box\r\n', ''))).toBe(200);
  });
});

describe('every refusal is in the journal', () => {
  test.each([
    ['a name of characters that need escaping', post(`/trip/${'%E2%80%8B'.repeat(40)}`, BEARER), 401],
    ['an address that cannot be decoded', post('/trip/path/%zz', ''), 400],
    ['no HTTP at all', '\x16\x03\x01\x02\x00\x01\x00\r\n\r\n', 400],
    ['too many headers', post('/trip/bearer', `${BEARER}X: ${'a'.repeat(20_000)}\r\n`), 431],
    ['the wrong method', post('/trip/bearer', BEARER).replace('POST', 'PATCH'), 404],
  ])('%s', async (_what, bytes, status) => {
    expect(await statusOf(bytes)).toBe(status);
    await until(() => rig.journal.types().includes('trip.refused'));
    expect(rig.journal.entries.find(({ type }) => type === 'trip.refused')?.data['status']).toBe(status);
  });
});

test.each([
  'GET /trip/path/hush',
  'POST /trip/path/hush/more',
  'POST /trip/path/hush%zz',
  'POST /x?token=hush',
])('a secret in the address does not reach the journal: %s', async (line) => {
  await statusOf(`${line} HTTP/1.1\r\nHost: box\r\nContent-Length: 0\r\n\r\n`);
  await until(() => rig.journal.types().includes('trip.refused'));
  expect(JSON.stringify(rig.journal.entries)).not.toContain('hush');
});

test('connections that say nothing give way: a good request is heard beside any number of them', async () => {
  const silent = Array.from({ length: MAX_CONNECTIONS_PER_ADDRESS + 60 }, dial);
  const left = (): number => silent.filter((socket) => socket.destroyed || socket.readableEnded).length;
  await until(() => left() >= 60);
  expect(await statusOf(post('/trip/bearer', BEARER))).toBe(200);
  expect(silent.length - left()).toBeGreaterThan(0);
  expect(silent.length - left()).toBeLessThanOrEqual(MAX_CONNECTIONS_PER_ADDRESS);
});

test('a flood under ever new names costs the journal a handful of entries an hour', async () => {
  const clock = new HandClock();
  const entries: unknown[] = [];
  const tally = new RefusalTally(clock, (entry) => entries.push(entry));
  for (let second = 0; second < 3_600; second++) {
    for (const name of ['a', 'b'])
      tally.refused('trip.refused', 'source:unknown', { status: 401 }, () => ({ name: `${name}${second}` }));
    await clock.pass(1_000);
  }
  expect(entries.length).toBeLessThan(16);
  await clock.pass(3_600_000);
  const sums = entries.map((entry) => (entry as { data: { more?: number } }).data.more ?? 1);
  expect(sums.reduce((a, b) => a + b)).toBe(7_200);
});
