/** A lease and whoever asked for it, over the real socket. */
import { mkdtemp, rm } from 'node:fs/promises';
import { type ClientRequest, request } from 'node:http';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FastifyInstance } from 'fastify';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Clock, machineClock } from '../../src/interlock/clock.ts';
import { createSocketServer } from '../../src/interlock/socket/socket-server.ts';
import { BUILD_HEADER } from '../../src/protocol/messages.ts';
import { type Box, box, opened } from './review-box.ts';

const WITHIN_MS = 15_000;

let directory: string;
let rig: Box<Clock>;
let app: FastifyInstance;
let sockets: Socket[];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'review-lease-'));
  rig = await box(machineClock);
  app = createSocketServer(rig.interlock, true);
  sockets = [];
  app.server.on('connection', (socket: Socket) => sockets.push(socket));
  await app.listen({ path: join(directory, 'socket') });
  rig.interlock.start();
  await until(() => rig.interlock.links.get('vault')?.shell.state.at === 'isolated');
});

afterEach(async () => {
  await rig.interlock.stop();
  await app.close();
  await rm(directory, { recursive: true });
});

const until = async (what: () => boolean): Promise<void> => {
  for (const end = Date.now() + WITHIN_MS; !what();) {
    if (Date.now() > end) throw new Error('it did not come to pass');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
};

const askLease = (): ClientRequest => {
  const asked = request({
    socketPath: join(directory, 'socket'),
    agent: false,
    method: 'POST',
    path: '/v1/leases',
    headers: { [BUILD_HEADER]: 'build', 'content-type': 'application/json' },
  });
  asked.on('error', () => undefined);
  asked.end(JSON.stringify(opened(rig, 'vault')));
  return asked;
};

const state = (): string => rig.interlock.links.get('vault')?.shell.state.at ?? '';

test('nothing is connected for a holder that went away while the grant was being recorded', async () => {
  const disk = Promise.withResolvers<void>();
  rig.journal.disk = disk.promise;
  const asked = askLease();
  await until(() => state() === 'connecting');
  asked.destroy();
  // Long before the lease would lapse by itself.
  await until(() => state() !== 'connecting');
  disk.resolve();
  await until(() => rig.journal.entries.some(({ data }) => data['why'] === 'holder-gone'));
  expect(rig.contacts['vault']?.frames).not.toContain('connect');
});

test('no lease is granted to a holder that went away while the boards were asked for their settings', async () => {
  const settings = Promise.withResolvers<readonly string[]>();
  const contact = rig.contacts['vault'];
  if (contact === undefined) throw new TypeError('no contact');
  contact.settings = settings.promise;
  const asked = askLease();
  await until(() => contact.settingsAsked === 1);
  asked.destroy();
  await until(() => sockets.every((socket) => socket.destroyed));
  settings.resolve([]);
  await until(() => rig.journal.types().includes('lease.refused'));
  expect(contact.frames).not.toContain('connect');
});
