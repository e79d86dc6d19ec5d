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
import type { IncomingMessage } from 'node:http';
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { Bodies } from '../../listener/bodies.ts';
import { shownCertificate } from '../../listener/client-certificate.ts';
import { Listener, type Disturbance } from '../../listener/listener.ts';
import type { CertificateNote } from '../../listener/start.ts';
import { printable } from '../../sources/excerpt.ts';
import { MAX_BODY_BYTES } from '../../sources/json-body.ts';
import type { Interlock } from '../interlock.ts';
import { addPage, type PageReaders } from '../page/page.ts';
import type { RefusalTally } from './refusal-tally.ts';
import { burstOf, SourceDesk, UNKNOWN_SOURCE } from './source-desk.ts';
import type { TripSource } from './trip-sources.ts';

/** Parts of an address shown in the journal: `/trip/{source}`. What follows may be a secret. */
const SHOWN_PARTS = 3;
/** What the desk answers to whoever it could not verify. */
const NOT_VERIFIED = 401;
const WHO = 'listener:trips';

type Params = { readonly source: string; readonly secret?: string };

/** The listener for trips, not yet listening. */
export async function createTripListener(
  interlock: Interlock,
  sources: Readonly<Record<string, TripSource>>,
  tally: RefusalTally,
  desk: SourceDesk = new SourceDesk(interlock, sources, tally),
  readers: PageReaders = 'loopback',
): Promise<Listener> {
  const app = tripRoutes(interlock, tally, desk, (request) => listener.vouch(request.raw));
  addPage(app, { interlock, desk, sources, readers });
  await app.ready();
  const listener = new Listener({
    handle: (request, response) => app.routing(request, response),
    disturbed: (what) => noteDisturbance(what, tally),
    asksForCertificate: Object.values(sources).some(({ verify }) => verify.type === 'mtls'),
  });
  return listener;
}

/** What becomes of the listener's certificate stands in the journal. */
export const noteCertificate =
  (interlock: Interlock) =>
  ({ kind, ...data }: CertificateNote): void =>
    interlock.note({ type: `listener.certificate-${kind}`, actor: WHO, data });

function tripRoutes(
  interlock: Interlock,
  tally: RefusalTally,
  desk: SourceDesk,
  vouch: (request: FastifyRequest) => void,
): FastifyInstance {
  const refuse = (error: { statusCode?: number; message: string }, request: FastifyRequest): number => {
    const status = error.statusCode ?? 500;
    const { source = '' } = (request.params ?? {}) as Partial<Params>;
    tally.refused(...burstOf(desk.knows(source) ? source : UNKNOWN_SOURCE, status), () => ({
      why: printable(error.message, 200),
      from: request.ip,
      url: shownAddress(request.url, desk),
    }));
    return status;
  };
  const app = fastify({
    routerOptions: { maxParamLength: 500 },
    frameworkErrors: (_error, request, reply) => {
      // Its message would quote the address, which may hold a secret.
      refuse({ statusCode: 400, message: 'the address cannot be read' }, request);
      void (reply as FastifyReply)
        .code(400)
        .send({ error: 'the address cannot be read', hint: 'POST /trip/SOURCE' });
    },
  });
  app.addHook('onRequest', (request, _reply, done) => {
    // Bodies are judged by what they hold. An empty or garbled type must not turn an alarm away.
    delete request.raw.headers['content-type'];
    done();
  });
  app.removeAllContentTypeParsers();
  const bodies = new Bodies(MAX_BODY_BYTES);
  app.addContentTypeParser('*', (_request: FastifyRequest, body: IncomingMessage) => bodies.read(body));
  app.setErrorHandler((error: { statusCode?: number; message: string }, request, reply) =>
    // What is left of the body is not waited for.
    reply
      .code(refuse(error, request))
      .header('connection', 'close')
      .send({ error: printable(error.message, 200) }),
  );
  app.setNotFoundHandler((request, reply) => {
    refuse({ statusCode: 404, message: `no such address for ${request.method}` }, request);
    return reply.code(404).send({ error: 'no such address', hint: 'POST /trip/SOURCE' });
  });
  for (const url of ['/trip/:source', '/trip/:source/:secret'])
    app.route({ method: ['POST', 'PUT'], url, handler: tripHandler(interlock, desk, vouch) });
  app.get('/healthz', () => ({ status: 'alive' }));
  app.get('/readyz', (_request, reply) => {
    const ready = interlock.parts.journal.writable().ok;
    return reply.code(ready ? 200 : 503).send({ status: ready ? 'ready' : 'the journal cannot be written' });
  });
  return app;
}

/** Counts what strangers did to the listener; a flood of it is one burst. */
function noteDisturbance(what: Disturbance, tally: RefusalTally): void {
  const { from } = what;
  switch (what.kind) {
    case 'garbled': {
      const why = 'what came is no whole HTTP request';
      tally.refused(...burstOf(UNKNOWN_SOURCE, what.status), () => ({ why, code: what.code, from }));
      return;
    }
    case 'handshake':
      tally.refused('listener.handshake-failed', WHO, {}, () => ({ code: printable(what.code, 100), from }));
      return;
    case 'crowded':
      tally.refused('listener.crowded', WHO, {}, () => ({
        why: 'too many connections: the longest silent of whoever holds most gave way',
        from,
      }));
      return;
  }
}

/** The beginning of an address, without query and without anything that may be a secret. */
const shownAddress = (url: string, desk: SourceDesk): string => {
  const parts = (url.split('?', 1)[0] ?? '').split('/');
  // Where the name of a source is missing, its secret stands in its place.
  const known = parts[1] !== 'trip' || desk.knows(parts[SHOWN_PARTS - 1] ?? '');
  const shown = parts.slice(0, known ? SHOWN_PARTS : SHOWN_PARTS - 1);
  return printable(shown.join('/'), 100) + (parts.length > shown.length ? '/…' : '');
};

function tripHandler(
  interlock: Interlock,
  desk: SourceDesk,
  vouch: (request: FastifyRequest) => void,
): (request: FastifyRequest, reply: FastifyReply) => Promise<FastifyReply> {
  return async (request, reply) => {
    const receivedAt = interlock.parts.clock.now();
    const { source: name, secret } = request.params as Params;
    const rawBody = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
    const sent = {
      headers: request.raw.headersDistinct,
      rawBody,
      pathSecret: secret ?? null,
      clientCertificate: shownCertificate(request.raw),
    };
    const { status, answer } = await desk.hear(name, sent, request.ip, receivedAt);
    if (status !== NOT_VERIFIED) vouch(request);
    return reply.code(status).send(answer);
  };
}
