/**
 * The two Unix sockets. `interlock.sock` serves the controller and anybody its group lets in: status, events, leases, trips.
 * `presence.sock` (mode 0600) adds what needs presence: reset, windows by hand.
 */
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { z } from 'zod';
import { JournalUnwritableError } from '../journal/file.ts';
import {
  BUILD_HEADER,
  type EventLine,
  journalRequest,
  type LeaseLine,
  leaseRequest,
  resetRequest,
  runRequest,
  tripRequest,
} from '../protocol/messages.ts';
import type { Interlock } from './interlock.ts';
import type { Holder } from './link-at-work.ts';
import { statusOf } from './status.ts';
import { answerTrip } from './trip-listener.ts';

/** How often the event stream says `alive`, ms. */
const ALIVE_EVERY_MS = 1_000;
/** Longest request body, bytes. */
const BODY_LIMIT_BYTES = 65_536;
/** Lines that may wait for a reader before its stream is ended: a reader that hangs must not fill the memory. */
const MAX_WAITING_BYTES = 1_048_576;

type Named = { readonly name: string };
type Leased = { readonly id: string };

/** A server for one of the sockets, not yet listening. */
export function createSocketServer(interlock: Interlock, presence: boolean): FastifyInstance {
  const app = fastify({ bodyLimit: BODY_LIMIT_BYTES, forceCloseConnections: true });
  app.addHook('onRequest', async (request, reply) => {
    reply.header(BUILD_HEADER, interlock.parts.build);
    const theirs = request.headers[BUILD_HEADER];
    if (theirs !== undefined && theirs !== interlock.parts.build) {
      return refuse(
        reply,
        409,
        'build-mismatch',
        `this interlock is ${interlock.parts.build}, you are ${String(theirs)}`,
        'restart both after an upgrade',
      );
    }
    return undefined;
  });
  app.setErrorHandler((error: Error & { statusCode?: number }, _request, reply) => {
    if (error instanceof z.ZodError)
      return refuse(reply, 400, 'bad-request', z.prettifyError(error), 'see src/protocol/messages.ts');
    if (error instanceof JournalUnwritableError) {
      return refuse(
        reply,
        503,
        'journal-unwritable',
        error.message,
        'make room on or repair the disk of state_directory',
      );
    }
    return refuse(reply, error.statusCode ?? 500, 'failed', error.message, 'see the log of the interlock');
  });
  app.get('/v1/status', () => statusOf(interlock));
  app.get('/v1/head', (_request, reply) => {
    const head = interlock.parts.signedHead();
    if (head !== null) return reply.type('text/plain; charset=utf-8').send(head);
    return refuse(
      reply,
      503,
      'no-head-key',
      'the key of signed heads cannot be read',
      'look at heads.key beside the journal',
    );
  });
  app.get('/v1/events', (_request, reply) => streamEvents(interlock, reply));
  app.post('/v1/leases', (request, reply) => grant(interlock, request, reply));
  app.post<{ Params: Leased }>('/v1/leases/:id/renewal', async (request, reply) => {
    const answer = await interlock.renewLease(request.params.id);
    if (answer === null)
      return refuse(
        reply,
        409,
        'lease-over',
        'there is no such lease, or it has ended',
        'ask for a new lease',
      );
    return 'refusals' in answer ? reply.code(409).send(answer) : { ends_in_ms: answer.endsInMs };
  });
  app.delete<{ Params: Leased }>('/v1/leases/:id', async (request) => {
    await interlock.endLease(request.params.id, 'released');
    return {};
  });
  app.post('/v1/journal', async (request) => {
    const { type, data } = journalRequest.parse(request.body);
    return { seq: (await interlock.parts.journal.append({ type, actor: 'controller', data })).seq };
  });
  app.post('/v1/trip', async (request, reply) => {
    const receivedAt = interlock.parts.clock.now();
    const { links, by, reason } = tripRequest.parse(request.body);
    const unknown = links.filter((link) => !interlock.links.has(link));
    if (unknown.length > 0)
      return refuse(
        reply,
        404,
        'link-unknown',
        `there is no link ${unknown.join(', ')}`,
        'see `portcullis status`',
      );
    return answerTrip(reply, await interlock.trip(links, { by: `person:${by}`, reason }), receivedAt);
  });
  if (presence) addPresence(app, interlock);
  return app;
}

/** What only somebody at the box may ask. */
function addPresence(app: FastifyInstance, interlock: Interlock): void {
  app.post('/v1/reset', async (request, reply) => {
    const { link: name, by, reason } = resetRequest.parse(request.body);
    const link = interlock.links.get(name);
    if (link === undefined)
      return refuse(reply, 404, 'link-unknown', `there is no link ${name}`, 'see `portcullis status`');
    const refusals = await interlock.reset(link, true, `person:${by}`, reason);
    return refusals.length > 0 ? reply.code(409).send({ refusals }) : {};
  });
  app.post<{ Params: Named }>('/v1/windows/:name/run', async (request, reply) => {
    const { by, reason } = runRequest.parse(request.body);
    const plan = interlock.parts.windows.plans.find((each) => each.window === request.params.name);
    if (plan === undefined)
      return refuse(
        reply,
        404,
        'window-unknown',
        `there is no window ${request.params.name}`,
        'see `portcullis window list`',
      );
    const opened = interlock.openByHand(plan, `person:${by}`, reason);
    if (opened === null)
      return refuse(
        reply,
        409,
        'window-open',
        'this window is in progress, or waits for its jitter',
        'wait until it has ended',
      );
    return { occurrence: opened.occurrence, ends_in_ms: opened.endsInMs };
  });
}

const refuse = (reply: FastifyReply, status: number, code: string, why: string, hint: string): FastifyReply =>
  reply.code(status).send({ refusals: [{ code, why, hint }] });

/** The lease lives as long as this answer: when its connection ends, for whatever reason, the lease is given back. */
async function grant(
  interlock: Interlock,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply | undefined> {
  if (request.headers[BUILD_HEADER] === undefined) {
    return refuse(
      reply,
      409,
      'build-missing',
      `a lease needs the header ${BUILD_HEADER}`,
      'leases are for the controller',
    );
  }
  const claim = leaseRequest.parse(request.body);
  const holder: Holder = {
    tell(line: LeaseLine) {
      if (line.event === 'granted') beginStream(reply, interlock.parts.build);
      if (line.event === 'over' && !reply.raw.headersSent) beginStream(reply, interlock.parts.build);
      send(reply, line);
      if (line.event === 'over') reply.raw.end();
    },
    gone: () => reply.raw.destroyed,
  };
  reply.raw.on('close', () => interlock.holderGone(holder));
  const answer = await interlock.askLease(claim, holder);
  if ('refusals' in answer) return reply.code(409).send(answer);
  return reply;
}

function streamEvents(interlock: Interlock, reply: FastifyReply): FastifyReply {
  beginStream(reply, interlock.parts.build);
  const tell = (line: EventLine): void => send(reply, line);
  tell({ event: 'hello', status: statusOf(interlock) });
  const deaf = interlock.announcer.listen(tell);
  const alive = setInterval(() => tell({ event: 'alive' }), ALIVE_EVERY_MS);
  reply.raw.on('close', () => {
    deaf();
    clearInterval(alive);
  });
  return reply;
}

function beginStream(reply: FastifyReply, build: string): void {
  reply.hijack();
  reply.raw.writeHead(200, { 'content-type': 'application/x-ndjson', [BUILD_HEADER]: build });
}

function send(reply: FastifyReply, line: LeaseLine | EventLine): void {
  if (reply.raw.destroyed || reply.raw.writableEnded) return;
  reply.raw.write(`${JSON.stringify(line)}\n`);
  if (reply.raw.writableLength > MAX_WAITING_BYTES) reply.raw.destroy();
}
