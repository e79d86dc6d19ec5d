/** The kill switch on the network: who is believed, what is cut, what 200 means, and what the journal keeps of it. */
import { createHmac } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { machineClock, type Clock } from '../../src/interlock/clock.ts';
import { RefusalTally } from '../../src/interlock/trips/refusal-tally.ts';
import type { TripSource } from '../../src/interlock/trips/trip-sources.ts';
import type { Listener } from '../../src/listener/listener.ts';
import { createTripListener } from '../../src/interlock/trips/trip-listener.ts';
import { MAX_BODY_BYTES } from '../../src/sources/json-body.ts';
import { type Box, box } from './review-box.ts';

const WITHIN_MS = 15_000;
const TOKEN = 'correct-horse-battery-staple';
const SECRET = 'hush-hush';

const sources: Readonly<Record<string, TripSource>> = {
  bearer: {
    verify: { type: 'bearer' },
    secrets: [Buffer.from(TOKEN)],
    trips: 'all',
    on_unrecognised: 'trip',
  },
  vaultonly: {
    verify: { type: 'bearer' },
    secrets: [Buffer.from(TOKEN)],
    trips: ['vault'],
    on_unrecognised: 'refuse',
  },
  path: {
    verify: { type: 'path-secret' },
    secrets: [Buffer.from(SECRET)],
    trips: 'all',
    on_unrecognised: 'trip',
  },
  signed: {
    verify: { type: 'hmac-sha256', header: 'x-signature', prefix: 'sha256=', encoding: 'hex' },
    secrets: [Buffer.from(SECRET)],
    trips: 'all',
    on_unrecognised: 'trip',
  },
};

let rig: Box<Clock>;
let app: Listener;
let port: number;
let sockets: Socket[];

beforeEach(async () => {
  rig = await box(machineClock, { links: ['vault', 'attic'] });
  rig.interlock.start();
  await until(() => at('vault') === 'isolated' && at('attic') === 'isolated');
  for (const contact of Object.values(rig.contacts)) contact.frames.length = 0;
  app = await createTripListener(
    rig.interlock,
    sources,
    new RefusalTally(machineClock, (entry) => rig.interlock.note(entry)),
  );
  [{ port } = { port: 0 }] = await app.listen([{ host: '127.0.0.1', port: 0, secure: false }]);
  sockets = [];
});

afterEach(async () => {
  for (const socket of sockets) socket.destroy();
  await app.close();
  await rig.interlock.stop();
});

const at = (link: string): string => rig.interlock.links.get(link)?.shell.state.at ?? '';
const cuts = (link: string): number =>
  rig.contacts[link]?.frames.filter((frame) => frame === 'isolate').length ?? 0;

const until = async (what: () => boolean): Promise<void> => {
  for (const end = Date.now() + WITHIN_MS; !what();) {
    if (Date.now() > end) throw new Error('it did not come to pass');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
};

const bearer = { authorization: `Bearer ${TOKEN}` };
interface Sent {
  readonly method: string;
  readonly url: string;
  readonly headers?: Record<string, string>;
  readonly payload?: string | object;
}
const post = (url: string, headers: Record<string, string>, payload: string | object = {}): Sent => ({
  method: 'POST',
  url,
  headers,
  payload,
});

interface Answer {
  readonly statusCode: number;
  readonly body: string;
}
/** Over a real socket: what Fastify injects has no `headersDistinct`. */
async function send({ method, url, headers = {}, payload }: Sent): Promise<Answer> {
  const body = typeof payload === 'object' ? JSON.stringify(payload) : payload;
  const response = await fetch(`http://127.0.0.1:${port}${url}`, {
    method,
    headers,
    ...(body === undefined ? {} : { body }),
    signal: AbortSignal.timeout(WITHIN_MS),
  });
  return { statusCode: response.status, body: await response.text() };
}
const get = (url: string): Promise<Answer> => send({ method: 'GET', url });
const json = ({ body }: Answer): unknown => JSON.parse(body);

const firing = { status: 'firing', severity: 'critical', reason: 'mass deletion' };

const untouched = (): void => {
  expect([at('vault'), at('attic')]).toEqual(['isolated', 'isolated']);
  expect([cuts('vault'), cuts('attic')]).toEqual([0, 0]);
};

describe('200', () => {
  test('means cut and saved; the answer says so, the journal what was sent', async () => {
    const answer = await send(post('/trip/bearer', bearer, firing));
    expect(answer.statusCode).toBe(200);
    expect(json(answer)).toMatchObject({
      status: 'tripped',
      cut: true,
      links: [
        { link: 'vault', written_ms: expect.any(Number) },
        { link: 'attic', written_ms: expect.any(Number) },
      ],
    });
    expect([at('vault'), at('attic')]).toEqual(['tripped', 'tripped']);
    expect(Buffer.from(rig.disk.files.get('/state/latch.json') ?? []).toString()).toContain('mass deletion');
    expect(rig.journal.entries.find(({ type }) => type === 'trip.received')).toMatchObject({
      actor: 'source:bearer',
      data: {
        source: 'bearer',
        tier: 1,
        verdict: 'trip',
        reason: 'firing: critical: mass deletion',
        body: {
          bytes: JSON.stringify(firing).length,
          text: JSON.stringify(firing),
          sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
        },
      },
    });
    const tripped = rig.journal.entries.filter(({ type }) => type === 'link.tripped');
    expect(tripped.map(({ actor, data }) => [actor, data['link']])).toEqual([
      ['source:bearer', 'vault'],
      ['source:bearer', 'attic'],
    ]);
  });

  test('waits for the latch; the cut does not', async () => {
    const disk = Promise.withResolvers<void>();
    rig.disk.before = () => disk.promise;
    let answered = false;
    const answer = send(post('/trip/bearer', bearer, firing)).then((response) => {
      answered = true;
      return response;
    });
    await until(() => cuts('vault') > 0 && cuts('attic') > 0);
    for (let i = 0; i < 50; i += 1) await new Promise((resolve) => setImmediate(resolve));
    expect(answered).toBe(false);
    disk.resolve();
    expect((await answer).statusCode).toBe(200);
  });

  test('is not said of a latch that could not be saved, and is said of the next attempt', async () => {
    rig.disk.before = () => {
      throw new Error('EROFS');
    };
    const refused = await send(post('/trip/bearer', bearer, firing));
    expect(refused.statusCode).toBe(503);
    expect(json(refused)).toMatchObject({ cut: true });
    expect([at('vault'), at('attic')]).toEqual(['tripped', 'tripped']);
    rig.disk.before = () => undefined;
    expect((await send(post('/trip/bearer', bearer, firing))).statusCode).toBe(200);
  });

  test('needs no journal', async () => {
    rig.journal.why = 'ENOSPC';
    expect((await send(post('/trip/bearer', bearer, firing))).statusCode).toBe(200);
    expect(at('vault')).toBe('tripped');
  });

  test('is said to two at once, and both have cut', async () => {
    const answers = await Promise.all([1, 2].map(() => send(post('/trip/bearer', bearer, firing))));
    expect(answers.map(({ statusCode }) => statusCode)).toEqual([200, 200]);
    expect(cuts('vault')).toBeGreaterThanOrEqual(2);
  });

  test('a source trips the links it is for', async () => {
    expect((await send(post('/trip/vaultonly', bearer, firing))).statusCode).toBe(200);
    expect([at('vault'), at('attic')]).toEqual(['tripped', 'isolated']);
    expect(cuts('attic')).toBe(0);
  });

  test.each([
    ['PUT', { method: 'PUT', url: '/trip/bearer', headers: bearer, payload: firing }],
    ['no body', { method: 'POST', url: '/trip/bearer', headers: bearer }],
    ['a body that is not JSON', post('/trip/bearer', bearer, 'help!')],
    ['a status that nobody knows', post('/trip/bearer', bearer, { status: 'ok' })],
    ['resolved and firing at once', post('/trip/bearer', bearer, '{"status":"resolved","status":"firing"}')],
    ['resolved twice', post('/trip/bearer', bearer, '{"status":"resolved","status":"resolved"}')],
  ] satisfies [string, Sent][])('%s trips', async (_what, request) => {
    expect((await send(request)).statusCode).toBe(200);
    expect([at('vault'), at('attic')]).toEqual(['tripped', 'tripped']);
  });

  test('a secret in the path is the lowest tier, and stays out of the journal', async () => {
    expect((await send(post(`/trip/path/${SECRET}`, {}, firing))).statusCode).toBe(200);
    expect(rig.journal.entries.find(({ type }) => type === 'trip.received')?.data).toMatchObject({ tier: 0 });
    expect(JSON.stringify(rig.journal.entries)).not.toContain(SECRET);
  });

  test('a signature is one over the bytes as they came', async () => {
    const body = '{ "status" : "firing",\n "reason":"ümläut" }';
    const signature = `sha256=${createHmac('sha256', SECRET).update(body).digest('hex')}`;
    const sent = (payload: string): Sent => post('/trip/signed', { 'x-signature': signature }, payload);
    expect((await send(sent(body.replace('firing', 'Firing')))).statusCode).toBe(401);
    untouched();
    expect((await send(sent(body))).statusCode).toBe(200);
    expect(at('vault')).toBe('tripped');
  });
});

describe('what is not an alarm cuts nothing', () => {
  test.each([
    ['resolved', 'noted', 'trip.annotated'],
    ['test', 'drill', 'trip.drill'],
  ])('%s', async (status, answered, type) => {
    const answer = await send(post('/trip/bearer', bearer, { status, reason: 'again' }));
    expect(answer.statusCode).toBe(200);
    expect(json(answer)).toMatchObject({ status: answered, cut: false });
    untouched();
    expect(rig.journal.entries.at(-1)).toMatchObject({ type, actor: 'source:bearer' });
  });

  test('and a resolved alarm lifts no latch', async () => {
    await send(post('/trip/bearer', bearer, firing));
    await send(post('/trip/bearer', bearer, { status: 'resolved' }));
    expect(at('vault')).toBe('tripped');
  });
});

describe('refused', () => {
  test.each<[string, Sent, number]>([
    ['a wrong token', post('/trip/bearer', { authorization: 'Bearer wrong' }, firing), 401],
    ['no token', post('/trip/bearer', {}, firing), 401],
    ['a token of another kind', post('/trip/bearer', { authorization: `Basic ${TOKEN}` }, firing), 401],
    ['no such source', post('/trip/nobody', bearer, firing), 401],
    ['a name that every object has', post('/trip/constructor', bearer, firing), 401],
    ['a prototype', post('/trip/__proto__', bearer, firing), 401],
    ['a wrong secret in the path', post('/trip/path/wrong', {}, firing), 401],
    ['no secret in the path', post('/trip/path', {}, firing), 401],
    ['a secret in the path of a source that wants a token', post(`/trip/bearer/${TOKEN}`, {}, firing), 401],
    ['no signature', post('/trip/signed', {}, firing), 401],
    ['another address', post('/untrip/bearer', bearer, firing), 404],
    ['another method', { method: 'GET', url: '/trip/bearer', headers: bearer }, 404],
    ['a body of more than the limit', post('/trip/bearer', bearer, 'x'.repeat(MAX_BODY_BYTES + 1)), 413],
    ['what the source does not speak', post('/trip/vaultonly', bearer, 'help!'), 422],
  ])('%s', async (_what, request, status) => {
    expect((await send(request)).statusCode).toBe(status);
    untouched();
    await until(() => rig.journal.types().includes('trip.refused'));
    const refusal = rig.journal.entries.find(({ type }) => type === 'trip.refused');
    expect(refusal?.data['status']).toBe(status);
    expect(JSON.stringify(rig.journal.entries)).not.toContain(TOKEN);
  });

  test('a stranger does not learn which sources there are', async () => {
    const [wrong, nobody] = await Promise.all([
      send(post('/trip/bearer', { authorization: 'Bearer wrong' }, firing)),
      send(post('/trip/nobody', { authorization: 'Bearer wrong' }, firing)),
    ]);
    expect(wrong.body).toBe(nobody.body);
  });

  test('a body of exactly the limit is read', async () => {
    expect((await send(post('/trip/bearer', bearer, 'x'.repeat(MAX_BODY_BYTES)))).statusCode).toBe(200);
  });
});

describe('on a real wire', () => {
  const dial = (): Socket => {
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => undefined);
    sockets.push(socket);
    return socket;
  };
  /** The status that answers these bytes. */
  const statusOf = async (bytes: string): Promise<number> => {
    const socket = dial();
    let text = '';
    socket.setEncoding('latin1').on('data', (piece: string) => {
      text += piece;
    });
    socket.write(bytes);
    await until(() => /^HTTP\/1\.1 \d{3}/.test(text));
    return Number(text.slice(9, 12));
  };
  const raw = (headers: readonly string[], body: string): string =>
    ['POST /trip/bearer HTTP/1.1', 'Host: box', ...headers, `Content-Length: ${body.length}`, '', body].join(
      '\r\n',
    );
  const good = `Authorization: Bearer ${TOKEN}`;

  test('a token is believed once; two Authorization headers are none, in either order', async () => {
    expect(await statusOf(raw([good, 'Authorization: Bearer wrong'], '{}'))).toBe(401);
    expect(await statusOf(raw(['Authorization: Bearer wrong', good], '{}'))).toBe(401);
    expect(await statusOf(raw([good, good], '{}'))).toBe(401);
    untouched();
    expect(await statusOf(raw([good], '{}'))).toBe(200);
  });

  test('a sender that is half finished holds up nobody', async () => {
    const slow = dial();
    slow.write(raw([good], '{"status":"firing"}').slice(0, -5));
    expect(await statusOf(raw([good], '{}'))).toBe(200);
    expect(at('vault')).toBe('tripped');
  });

  test('a body in chunks is a body', async () => {
    const chunked = `POST /trip/bearer HTTP/1.1\r\nHost: box\r\n${good}\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n`;
    expect(await statusOf(chunked)).toBe(200);
  });

  test('a body longer than it says it is reaches nobody as a second request', async () => {
    expect(await statusOf(raw(['Authorization: Bearer wrong'], '{}') + raw([good], '{}'))).toBe(401);
  });
});

test('health says alive; readiness says whether the journal can be written', async () => {
  expect((await get('/healthz')).statusCode).toBe(200);
  expect((await get('/readyz')).statusCode).toBe(200);
  rig.journal.why = 'ENOSPC';
  expect((await get('/healthz')).statusCode).toBe(200);
  expect((await get('/readyz')).statusCode).toBe(503);
});
