/**
 * The kill switch on the network: `POST|PUT /trip/{source}[/{secret}]`.
 *
 * Order: the raw body is read, verified, judged; a trip cuts in the same tick; then the latch is saved and journaled; then
 * the answer is written. Exactly `200` means: cut commanded, and the latch survives power loss. Anything else means that
 * the sender should try again: a second request cuts again and does no harm.
 *
 * What it never does: wait for another request, parse what is not verified, care what a sender calls the type of its
 * body, let a refusal say which part was wrong beyond what the sender already knows, or write a secret into the journal.
 *
 * The bad case that remains: senders that take the first non-200 for final. They are named in the journal.
 */
import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { printable } from '../sources/excerpt.ts';
import { MAX_BODY_BYTES } from '../sources/json-body.ts';
import type { Interlock } from './interlock.ts';
import type { RefusalTally } from './refusal-tally.ts';
import { burstOf, SourceDesk, UNKNOWN_SOURCE } from './source-desk.ts';
import type { TripSource } from './trip-sources.ts';

/** A sender must have sent its headers and body within this, ms: slow senders hold nothing for long. */
const REQUEST_TIMEOUT_MS = 10_000;
/** How long an idle connection is kept, ms. */
const IDLE_MS = 30_000;
/** How often Node looks for connections that are too slow, ms. */
const LOOK_FOR_SLOW_MS = 1_000;
/** Connections at one time; each may hold a body of `MAX_BODY_BYTES` before it is verified. */
export const MAX_CONNECTIONS = 256;
/** Parts of an address shown in the journal: `/trip/{source}`. What follows may be a secret. */
const SHOWN_PARTS = 3;

type Params = { readonly source: string; readonly secret?: string };

/** The listener, not yet listening. */
export function createTripListener(
  interlock: Interlock,
  sources: Readonly<Record<string, TripSource>>,
  tally: RefusalTally,
  desk: SourceDesk = new SourceDesk(interlock, sources, tally),
): FastifyInstance {
  const refuse = (error: { statusCode?: number; message: string }, request: FastifyRequest): number => {
    const status = error.statusCode ?? 500;
    const { source = '' } = (request.params ?? {}) as Partial<Params>;
    tally.refused(...burstOf(desk.knows(source) ? source : UNKNOWN_SOURCE, status), () => ({
      why: printable(error.message, 200),
      from: request.ip,
      url: shownAddress(request.url),
    }));
    return status;
  };
  const app = fastify({
    bodyLimit: MAX_BODY_BYTES,
    requestTimeout: REQUEST_TIMEOUT_MS,
    keepAliveTimeout: IDLE_MS,
    forceCloseConnections: true,
    http: {
      headersTimeout: REQUEST_TIMEOUT_MS,
      connectionsCheckingInterval: LOOK_FOR_SLOW_MS,
      requireHostHeader: false,
    },
    routerOptions: { maxParamLength: 500 },
    frameworkErrors: (_error, request, reply) => {
      // Its message would quote the address, which may hold a secret.
      refuse({ statusCode: 400, message: 'the address cannot be read' }, request);
      void (reply as FastifyReply)
        .code(400)
        .send({ error: 'the address cannot be read', hint: 'POST /trip/SOURCE' });
    },
    clientErrorHandler: (error, socket) => refuseGarbled(error, socket, tally),
  });
  boundConnections(app.server);
  app.addHook('onRequest', (request, _reply, done) => {
    // Bodies are judged by what they hold. An empty or garbled type must not turn an alarm away.
    delete request.raw.headers['content-type'];
    done();
  });
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
  app.setErrorHandler((error: { statusCode?: number; message: string }, request, reply) =>
    reply.code(refuse(error, request)).send({ error: printable(error.message, 200) }),
  );
  app.setNotFoundHandler((request, reply) => {
    refuse({ statusCode: 404, message: `no such address for ${request.method}` }, request);
    return reply.code(404).send({ error: 'no such address', hint: 'POST /trip/SOURCE' });
  });
  for (const url of ['/trip/:source', '/trip/:source/:secret'])
    app.route({ method: ['POST', 'PUT'], url, handler: tripHandler(interlock, desk) });
  app.get('/healthz', () => ({ status: 'alive' }));
  app.get('/readyz', (_request, reply) => {
    const ready = interlock.parts.journal.writable().ok;
    return reply.code(ready ? 200 : 503).send({ status: ready ? 'ready' : 'the journal cannot be written' });
  });
  return app;
}

/** Answers to what Node could not read, by its code. */
const CLIENT_ERRORS: Readonly<Record<string, number>> = {
  ERR_HTTP_REQUEST_TIMEOUT: 408,
  HPE_HEADER_OVERFLOW: 431,
};

/** Answers and notes what is no whole HTTP request. */
function refuseGarbled(error: { code: string }, socket: Socket, tally: RefusalTally): void {
  if (error.code === 'ECONNRESET' || socket.destroyed) return;
  const status = CLIENT_ERRORS[error.code] ?? 400;
  const from = socket.remoteAddress ?? '';
  const why = 'what came is no whole HTTP request';
  tally.refused(...burstOf(UNKNOWN_SOURCE, status), () => ({ why, code: error.code, from }));
  socket.end(`HTTP/1.1 ${status} Refused\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
  socket.destroySoon();
}

/** The beginning of an address, without query and without anything that may be a secret. */
const shownAddress = (url: string): string => {
  const parts = (url.split('?', 1)[0] ?? '').split('/');
  const shown = printable(parts.slice(0, SHOWN_PARTS).join('/'), 100);
  return parts.length > SHOWN_PARTS ? `${shown}/…` : shown;
};

/** Beyond `MAX_CONNECTIONS` the connection that has been silent for longest gives way: whoever comes now is heard. */
function boundConnections(server: Server): void {
  const longestSilentFirst = new Set<Socket>();
  const heard = (socket: Socket): void => {
    longestSilentFirst.delete(socket);
    longestSilentFirst.add(socket);
  };
  server.on('request', (request) => heard(request.socket));
  server.on('connection', (socket) => {
    heard(socket);
    socket.once('close', () => longestSilentFirst.delete(socket));
    if (longestSilentFirst.size <= MAX_CONNECTIONS) return;
    const [silent] = longestSilentFirst;
    silent?.destroy();
  });
}

function tripHandler(
  interlock: Interlock,
  desk: SourceDesk,
): (request: FastifyRequest, reply: FastifyReply) => Promise<FastifyReply> {
  return async (request, reply) => {
    const receivedAt = interlock.parts.clock.now();
    const { source: name, secret } = request.params as Params;
    const rawBody = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
    const sent = { headers: request.raw.headersDistinct, rawBody, pathSecret: secret ?? null };
    const { status, answer } = await desk.hear(name, sent, request.ip, receivedAt);
    return reply.code(status).send(answer);
  };
}
