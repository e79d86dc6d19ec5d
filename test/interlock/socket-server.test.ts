/** The two Unix sockets: who may ask what, the event stream, and leases that live as long as their stream. */
import { mkdtemp, rm } from 'node:fs/promises';
import { type IncomingMessage, request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FastifyInstance } from 'fastify';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Clock, machineClock } from '../../src/interlock/clock.ts';
import { commission } from '../../src/interlock/rights/commissioning-session.ts';
import { createSocketServer } from '../../src/interlock/socket/socket-server.ts';
import {
  BUILD_HEADER,
  eventLine,
  type EventLine,
  leaseLine,
  type LeaseLine,
  refused,
  renewed,
  status as statusShape,
} from '../../src/protocol/messages.ts';
import { causeNow } from '../button/cause.ts';
import type { LinkAtWork } from '../../src/interlock/link-at-work.ts';
import { type Box, box, opened } from './review-box.ts';

const WITHIN_MS = 15_000;
const BUILD = { [BUILD_HEADER]: 'build' };
const SOMEBODY = { by: 'somebody', reason: 'a test' };

let directory: string;
let rig: Box<Clock>;
let servers: FastifyInstance[];
let streams: (IncomingMessage | Socket)[];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'sockets-'));
  rig = await box(machineClock, { links: ['vault', 'attic'] });
  servers = [createSocketServer(rig.interlock, false), createSocketServer(rig.interlock, true)];
  streams = [];
  await servers[0]?.listen({ path: join(directory, 'plain') });
  await servers[1]?.listen({ path: join(directory, 'presence') });
  rig.interlock.start();
  await until(() => at('vault') === 'isolated' && at('attic') === 'isolated');
});

afterEach(async () => {
  for (const stream of streams) stream.destroy();
  await rig.interlock.stop();
  await Promise.all(servers.map((server) => server.close()));
  await rm(directory, { recursive: true });
});

const at = (link: string): string => rig.interlock.links.get(link)?.shell.state.at ?? '';

const until = async (what: () => boolean): Promise<void> => {
  for (const end = Date.now() + WITHIN_MS; !what();) {
    if (Date.now() > end) throw new Error('it did not come to pass');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
};

interface Question {
  readonly socket?: 'plain' | 'presence';
  readonly method?: string;
  readonly path: string;
  readonly headers?: Record<string, string>;
  readonly body?: object;
}

/** The beginning of an answer. */
const begun = ({
  socket = 'plain',
  method,
  path,
  headers = BUILD,
  body,
}: Question): Promise<IncomingMessage> =>
  new Promise((resolve, reject) => {
    const asked = request({
      socketPath: join(directory, socket),
      agent: false,
      method: method ?? (body === undefined ? 'GET' : 'POST'),
      path,
      headers: body === undefined ? headers : { ...headers, 'content-type': 'application/json' },
    });
    asked.on('response', resolve).on('error', reject);
    asked.end(body === undefined ? undefined : JSON.stringify(body));
  });

/** A whole answer. */
async function answer(question: Question): Promise<{ readonly status: number; readonly json: unknown }> {
  const response = await begun(question);
  let text = '';
  for await (const piece of response.setEncoding('utf8')) text += String(piece);
  return { status: response.statusCode ?? 0, json: text === '' ? null : (JSON.parse(text) as unknown) };
}

/** Lines of a stream as they come. */
async function lines<L>(
  question: Question,
  parse: (json: unknown) => L,
): Promise<{ got: L[]; ended: () => boolean; stream: IncomingMessage }> {
  const stream = await begun(question);
  streams.push(stream);
  const got: L[] = [];
  let rest = '';
  let over = false;
  stream.setEncoding('utf8').on('data', (piece: string) => {
    const parts = (rest + piece).split('\n');
    rest = parts.pop() ?? '';
    for (const line of parts) got.push(parse(JSON.parse(line)));
  });
  stream.on('close', () => {
    over = true;
  });
  stream.on('error', () => undefined);
  return { got, ended: () => over, stream };
}
const events = (): ReturnType<typeof lines<EventLine>> =>
  lines({ path: '/v1/events' }, (json) => eventLine.parse(json));
const lease = (claim: object): ReturnType<typeof lines<LeaseLine>> =>
  lines({ path: '/v1/leases', body: claim }, (json) => leaseLine.parse(json));
const codesOf = (json: unknown): readonly string[] => refused.parse(json).refusals.map(({ code }) => code);

describe('who may ask', () => {
  test.each(['/v1/status', '/v1/events', '/v1/leases'])('another build is told so: %s', async (path) => {
    const { status, json } = await answer({ path, headers: { [BUILD_HEADER]: 'older' } });
    expect(status).toBe(409);
    expect(codesOf(json)).toEqual(['build-mismatch']);
  });

  test('a person with curl needs no build, but gets no lease', async () => {
    expect((await answer({ path: '/v1/status', headers: {} })).status).toBe(200);
    const { status, json } = await answer({ path: '/v1/leases', headers: {}, body: opened(rig, 'vault') });
    expect(status).toBe(409);
    expect(codesOf(json)).toEqual(['build-missing']);
    expect(at('vault')).toBe('isolated');
  });

  test('every answer carries the build', async () => {
    const { headers } = await begun({ path: '/v1/status', headers: {} });
    expect(headers[BUILD_HEADER]).toBe('build');
  });

  test('a commissioning is kept alive over the socket of presence only, and ended over both', async () => {
    const link = rig.interlock.links.get('vault');
    if (link === undefined) throw new TypeError('there is a vault');
    const asked = { presence: true, by: 'person:test', reason: 'new relay' };
    const session = await commission(rig.interlock, link, asked, { tell: () => undefined });
    if ('refusals' in session) throw new TypeError('refused');
    const path = `/v1/leases/${session.id}/renewal`;
    const plain = await answer({ path, method: 'POST' });
    expect([plain.status, codesOf(plain.json)]).toEqual([409, ['lease-over']]);
    expect((await answer({ socket: 'presence', path, method: 'POST' })).status).toBe(200);
    expect((await answer({ path: `/v1/leases/${session.id}`, method: 'DELETE' })).status).toBe(200);
    expect(session.hands.live()).toBe(false);
  });

  test('reset and windows by hand need the socket of presence, or another right', async () => {
    await answer({ path: '/v1/trip', body: { links: ['vault'], ...SOMEBODY } });
    await until(() => rig.interlock.links.get('vault')?.shell.state.at === 'tripped');
    const vault = rig.interlock.links.get('vault') as LinkAtWork;
    await until(() => vault.latch !== null);
    const reset = { path: '/v1/reset', body: { link: 'vault', cause: causeNow(vault), ...SOMEBODY } };
    const run = { path: '/v1/windows/w-vault/run', body: SOMEBODY };
    expect((await answer(reset)).status).toBe(409);
    expect((await answer(run)).status).toBe(409);
    expect(at('vault')).toBe('tripped');
    expect(rig.interlock.parts.windows.calendar.open).toEqual([]);
    await until(() => 'provenAt' in (rig.interlock.links.get('vault')?.shell.state ?? {}));
    await expect
      .poll(async () => (await answer({ ...reset, socket: 'presence' })).status, { timeout: WITHIN_MS })
      .toBe(200);
    expect(at('vault')).toBe('isolated');
    expect(await answer({ ...run, socket: 'presence' })).toMatchObject({
      status: 200,
      json: { occurrence: expect.stringMatching(/^by-hand-/) },
    });
  });

  test('anybody may cut, over either socket', async () => {
    for (const socket of ['plain', 'presence'] as const) {
      const { status, json } = await answer({ socket, path: '/v1/trip', headers: {}, body: SOMEBODY });
      expect(status).toBe(200);
      expect(json).toMatchObject({ cut: true });
    }
    expect([at('vault'), at('attic')]).toEqual(['tripped', 'tripped']);
  });

  test('a trip whose latch cannot be saved is not acknowledged', async () => {
    rig.disk.before = () => {
      throw new Error('EROFS');
    };
    expect((await answer({ path: '/v1/trip', body: SOMEBODY })).status).toBe(503);
    expect(at('vault')).toBe('tripped');
  });

  test('only the entries of the controller are taken for the journal', async () => {
    const entry = (type: string): Question => ({ path: '/v1/journal', body: { type, data: { a: 1 } } });
    expect((await answer(entry('controller.window'))).status).toBe(200);
    expect((await answer(entry('link.tripped'))).status).toBe(400);
    expect(rig.journal.entries.at(-1)?.type).not.toBe('link.tripped');
    rig.journal.why = 'ENOSPC';
    expect((await answer(entry('controller.window'))).status).toBe(503);
  });

  test('the status is what the protocol says it is', async () => {
    const { json } = await answer({ path: '/v1/status' });
    expect(statusShape.parse(json)).toMatchObject({
      build: 'build',
      links: [
        { link: 'vault', state: 'isolated', commanded: 'isolated', observed: 'isolated', proof: 'read-back' },
        {},
      ],
    });
  });
});

describe('the event stream', () => {
  test('begins with how things stand and says that it is alive', async () => {
    const { got } = await events();
    await until(() => got.filter(({ event }) => event === 'alive').length >= 2);
    expect(got[0]).toMatchObject({ event: 'hello', status: { build: 'build' } });
  });

  test('tells of trips, links and windows', async () => {
    const { got } = await events();
    await until(() => got.length > 0);
    opened(rig, 'vault');
    await answer({ path: '/v1/trip', body: { links: ['vault'], ...SOMEBODY } });
    const told = (event: EventLine['event']): boolean => got.some((line) => line.event === event);
    await until(() => told('window-opened') && told('tripped') && told('link'));
    expect(got.find(({ event }) => event === 'tripped')).toMatchObject({
      link: 'vault',
      trip: { by: 'person:somebody', reason: 'a test' },
    });
  });

  test('drops a reader that does not read, and the others go on', async () => {
    const { got } = await events();
    await until(() => got.length > 0);
    const deaf = connect(join(directory, 'plain'));
    streams.push(deaf);
    deaf.on('error', () => undefined);
    deaf.write('GET /v1/events HTTP/1.1\r\nHost: x\r\n\r\n');
    deaf.pause();
    const server = servers[0]?.server;
    const count = (): Promise<number> =>
      new Promise((resolve) => server?.getConnections((_error, connections) => resolve(connections)));
    await expect.poll(count, { timeout: WITHIN_MS }).toBe(2);
    const why = 'x'.repeat(10_000);
    await expect
      .poll(
        async () => {
          for (let i = 0; i < 20; i += 1)
            rig.interlock.announcer.announce({ event: 'alarm', link: 'vault', code: 'test', why, hint: '' });
          return count();
        },
        { timeout: WITHIN_MS },
      )
      .toBe(1);
    const before = got.length;
    await until(() => got.length > before);
  });

  test('a reader that has gone is forgotten', async () => {
    const { got, stream } = await events();
    await until(() => got.length > 0);
    stream.destroy();
    const lively = await events();
    await until(() => lively.got.filter(({ event }) => event === 'alive').length >= 2);
  });
});

describe('a lease', () => {
  test('is granted, connects, is renewed and ends with its release', async () => {
    const { got, ended } = await lease(opened(rig, 'vault'));
    await until(() => got.length === 2);
    expect(got.map(({ event }) => event)).toEqual(['granted', 'connected']);
    expect(at('vault')).toBe('connected');
    const [granted] = got;
    if (granted?.event !== 'granted') throw new Error('not granted');
    const renewal = await answer({ path: `/v1/leases/${granted.lease}/renewal`, body: {} });
    expect(renewal.status).toBe(200);
    expect(renewed.parse(renewal.json).ends_in_ms).toBeGreaterThan(0);
    expect((await answer({ method: 'DELETE', path: `/v1/leases/${granted.lease}` })).status).toBe(200);
    await until(ended);
    expect(got.at(-1)).toEqual({ event: 'over', why: 'released' });
    await until(() => at('vault') === 'isolated');
    const late = await answer({ path: `/v1/leases/${granted.lease}/renewal`, body: {} });
    expect(late.status).toBe(409);
    expect(codesOf(late.json)).toEqual(['lease-over']);
  });

  test('ends when its stream is closed, at once', async () => {
    const { got, stream } = await lease(opened(rig, 'vault'));
    await until(() => got.length === 2);
    const cuts = rig.contacts['vault']?.frames.filter((frame) => frame === 'isolate').length ?? 0;
    stream.destroy();
    await until(() => at('vault') === 'isolated');
    expect(rig.contacts['vault']?.frames.filter((frame) => frame === 'isolate').length).toBeGreaterThan(cuts);
    expect(JSON.stringify(rig.journal.entries)).toContain('holder-gone');
  });

  test('lapses when nobody renews it, with the stream held', async () => {
    const { got, ended } = await lease(opened(rig, 'vault'));
    await until(ended);
    expect(got.at(-1)).toEqual({ event: 'over', why: 'lease-lapsed' });
    expect(rig.contacts['vault']?.position).toBe('isolated');
  });

  test('is over with a trip, and its holder is told so', async () => {
    const { got, ended } = await lease(opened(rig, 'vault'));
    await until(() => got.length === 2);
    await answer({ path: '/v1/trip', body: { links: ['vault'], ...SOMEBODY } });
    await until(ended);
    expect(got.at(-1)).toEqual({ event: 'over', why: 'tripped' });
  });

  test.each([
    ['nobody opened a window', { link: 'vault', window: 'w-vault', occurrence: 'never' }, 'outside-window'],
    ['there is no such link', { link: 'cellar', window: 'w-vault', occurrence: 'never' }, 'link-unknown'],
  ])('is refused when %s', async (_what, body, code) => {
    const { status, json } = await answer({ path: '/v1/leases', body });
    expect(status).toBe(409);
    expect(codesOf(json)).toContain(code);
  });

  test('is held by one', async () => {
    const claim = opened(rig, 'vault');
    const { got } = await lease(claim);
    await until(() => got.length === 2);
    const second = await answer({ path: '/v1/leases', body: claim });
    expect(codesOf(second.json)).toEqual(['lease-held']);
    expect(at('vault')).toBe('connected');
  });

  test('of another link is none of this one', async () => {
    const claim = opened(rig, 'vault');
    const { json } = await answer({ path: '/v1/leases', body: { ...claim, link: 'attic' } });
    expect(codesOf(json)).toEqual(['outside-window']);
  });

  test('is not granted while the interlock stops', async () => {
    const claim = opened(rig, 'vault');
    const stopped = rig.interlock.stop();
    const { json } = await answer({ path: '/v1/leases', body: claim });
    expect(codesOf(json)).toEqual(['stopping']);
    await stopped;
    expect(rig.contacts['vault']?.position).toBe('isolated');
  });
});
