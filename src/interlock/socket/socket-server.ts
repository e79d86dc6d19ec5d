/**
 * The two Unix sockets. `interlock.sock` serves the controller and anybody its group lets in: status, events, leases, trips.
 * `presence.sock` (mode 0600) adds commissioning; and over it a reset, a window by hand or an attended session needs no more.
 */
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { Refusal } from '../../core/link.ts';
import { leaseUnknown, linkUnknown, sessionAtTheBox } from '../../core/refusals.ts';
import { MAX_ACTOR_LENGTH } from '../../journal/entry.ts';
import { JournalUnwritableError } from '../../journal/file.ts';
import type { CommissioningLine } from '../../protocol/commissioning.ts';
import { journalRequest, pageRequest } from '../../protocol/journal.ts';
import {
  BUILD_HEADER,
  drillRequest,
  type EventLine,
  type LeaseLine,
  leaseRequest,
  PRESENCE_SOCKET,
  tripRequest,
} from '../../protocol/messages.ts';
import { printable } from '../../sources/excerpt.ts';
import { addCommissioning } from '../commissioning/routes.ts';
import type { Interlock } from '../interlock.ts';
import { addLampTest } from '../lamps/routes.ts';
import type { Holder } from '../link-at-work.ts';
import { RefusalTally } from '../trips/refusal-tally.ts';
import { addRights, heldAtTheBox } from '../rights/right-routes.ts';
import { statusOf } from './status.ts';
import { type SourceDesk, tripAnswer } from '../trips/source-desk.ts';

/** How often the event stream says `alive`, ms. */
const ALIVE_EVERY_MS = 1_000;
/** Longest request body, bytes. */
const BODY_LIMIT_BYTES = 65_536;
/** Longest request for a drill, bytes: a body of the listener in base64. */
const DRILL_LIMIT_BYTES = 1_600_000;
/** Lines that may wait for a reader before its stream is ended: a reader that hangs must not fill the memory. */
const MAX_WAITING_BYTES = 1_048_576;
/** Longest texts from outside in answers and journal, UTF-16 units before escaping. */
const MAX_NAME_CHARS = 100;
const MAX_BUILD_CHARS = 80;
const MAX_URL_CHARS = 200;
const MAX_WHY_CHARS = 300;
const MAX_REASON_CHARS = 500;

type Named = { readonly name: string };
type Leased = { readonly id: string };
/** Answers with a refusal, and notes it. */
export type Refuse = (
  request: FastifyRequest,
  reply: FastifyReply,
  status: number,
  refusal: Refusal,
) => FastifyReply;

/** A server for one of the sockets, not yet listening. */
export function createSocketServer(
  interlock: Interlock,
  presence: boolean,
  desk: SourceDesk | null = null,
): FastifyInstance {
  const app = fastify({ bodyLimit: BODY_LIMIT_BYTES, forceCloseConnections: true });
  const refuse = refuser(app, interlock, presence ? 'presence' : 'controller');
  app.addHook('onRequest', async (request, reply) => {
    reply.header(BUILD_HEADER, interlock.parts.build);
    const theirs = request.headers[BUILD_HEADER];
    if (theirs === undefined || theirs === interlock.parts.build) return undefined;
    const why = `this interlock is ${interlock.parts.build}, you are ${printable(String(theirs), MAX_BUILD_CHARS)}`;
    return refuse(request, reply, 409, {
      code: 'build-mismatch',
      why,
      hint: 'restart both after an upgrade',
    });
  });
  app.setErrorHandler((error: Error & { statusCode?: number }, request, reply) =>
    refuse(request, reply, ...refusalOf(error)),
  );
  app.setNotFoundHandler((request, reply) =>
    refuse(request, reply, 404, {
      code: 'no-such-address',
      why: 'this socket serves no such request',
      hint: presence
        ? 'see src/protocol/messages.ts'
        : `what needs presence is asked over ${PRESENCE_SOCKET}`,
    }),
  );
  addQuestions(app, interlock, refuse);
  addLeases(app, interlock, refuse, presence);
  addTrip(app, interlock, refuse);
  addLampTest(app, interlock, refuse, person);
  if (desk !== null) addDrill(app, desk, refuse);
  addRights(app, { interlock, refuse, presence, actor: person });
  if (!presence) return app;
  addCommissioning(app, { interlock, refuse, actor: person, beginStream, send });
  return app;
}

/** Answers with a refusal, and notes it: every refusal is in the journal, a flood of them in a few entries. */
function refuser(app: FastifyInstance, interlock: Interlock, actor: string): Refuse {
  const tally = new RefusalTally(interlock.parts.clock, (entry) => interlock.note(entry));
  app.addHook('onClose', async () => tally.close());
  return (request, reply, status, refusal) => {
    const { method, url } = request;
    tally.refused('request.refused', actor, { status, code: refusal.code }, () => ({
      method,
      url: printable(url, MAX_URL_CHARS),
      why: refusal.why,
    }));
    return reply.code(status).send({ refusals: [refusal] });
  };
}

function refusalOf(error: Error & { statusCode?: number }): [status: number, refusal: Refusal] {
  if (error instanceof z.ZodError) {
    const why = printable(z.prettifyError(error), MAX_WHY_CHARS);
    return [400, { code: 'bad-request', why, hint: 'see src/protocol/messages.ts' }];
  }
  if (error instanceof JournalUnwritableError) {
    const hint = 'make room on or repair the disk of state_directory';
    return [503, { code: 'journal-unwritable', why: error.message, hint }];
  }
  const why = printable(error.message, MAX_WHY_CHARS);
  return [error.statusCode ?? 500, { code: 'failed', why, hint: 'see the log of the interlock' }];
}

function addQuestions(app: FastifyInstance, interlock: Interlock, refuse: Refuse): void {
  app.get('/v1/status', () => statusOf(interlock));
  app.get('/v1/head', (request, reply) => {
    const head = interlock.parts.signedHead();
    if (head !== null) return reply.send({ head });
    return refuse(request, reply, 503, {
      code: 'no-head-key',
      why: 'the key of signed heads cannot be read',
      hint: 'look at heads.key beside the journal',
    });
  });
  app.get('/v1/events', (_request, reply) => streamEvents(interlock, reply));
  app.get('/v1/journal', async (request) => {
    const { after, limit } = pageRequest.parse(request.query);
    const page = await interlock.parts.pages?.page(after, limit);
    if (page === undefined) throw new Error('the journal is nowhere that entries could be read from');
    const { entries, nextAfter, size, missing } = page;
    return { entries, next_after: nextAfter, size, missing };
  });
  app.post('/v1/journal', async (request) => {
    const { type, data } = journalRequest.parse(request.body);
    return { seq: (await interlock.parts.journal.append({ type, actor: 'controller', data })).seq };
  });
}

function addLeases(app: FastifyInstance, interlock: Interlock, refuse: Refuse, presence: boolean): void {
  app.post('/v1/leases', (request, reply) => grant(interlock, refuse, presence, request, reply));
  app.post<{ Params: Leased }>('/v1/leases/:id/renewal', async (request, reply) => {
    const { id } = request.params;
    const mayRenew = presence || !heldAtTheBox(interlock, id);
    const answer = mayRenew ? await interlock.renewLease(id) : null;
    if (answer === null) return refuse(request, reply, 409, leaseUnknown);
    return 'refusals' in answer ? reply.code(409).send(answer) : { ends_in_ms: answer.endsInMs };
  });
  app.delete<{ Params: Leased }>('/v1/leases/:id', async (request) => {
    await interlock.endLease(request.params.id, 'released');
    return {};
  });
}

function addTrip(app: FastifyInstance, interlock: Interlock, refuse: Refuse): void {
  app.post('/v1/trip', async (request, reply) => {
    const receivedAt = interlock.parts.clock.now();
    const { links, by, reason } = tripRequest.parse(request.body);
    const known = links.filter((link) => interlock.links.has(link));
    const unknown = links.filter((link) => !interlock.links.has(link));
    const trip = { by: person(by), reason: printable(reason, MAX_REASON_CHARS) };
    // A misspelt name beside a right one must not keep the right one connected. No name at all means every link.
    const steps = known.length > 0 || links.length === 0 ? await interlock.trip(known, trip) : [];
    if (unknown.length > 0)
      return refuse(request, reply, 404, linkUnknown(printable(unknown.join(', '), MAX_NAME_CHARS)));
    const { status, answer } = tripAnswer(steps, receivedAt);
    if (status === 200) return reply.send(answer);
    return refuse(request, reply, status, {
      code: 'latch-unsaved',
      why: 'the links were cut, but the latch could not be saved',
      hint: 'send it again until it is answered 200, and look at the disk of state_directory',
    });
  });
}

/** A drill is no trip and no presence: whoever may talk to the interlock may ask for one. */
function addDrill(app: FastifyInstance, desk: SourceDesk, refuse: Refuse): void {
  const options = { bodyLimit: DRILL_LIMIT_BYTES };
  app.post<{ Params: Named }>('/v1/sources/:name/drill', options, async (request, reply) => {
    const { headers, path_secret: pathSecret, body_base64, by, unsigned } = drillRequest.parse(request.body);
    const { name } = request.params;
    const message = { headers, pathSecret, rawBody: Buffer.from(body_base64, 'base64') };
    const report = await desk.drill(name, message, by, unsigned);
    if (report !== null) return report;
    return refuse(request, reply, 404, {
      code: 'source-unknown',
      why: `there is no source ${printable(name, MAX_NAME_CHARS)}`,
      hint: 'see `sources` in the configuration, and restart the interlock after a change',
    });
  });
}

/** Whatever somebody calls himself, as an actor that the journal takes. */
const person = (by: string): string =>
  `person:${printable(by, MAX_NAME_CHARS)}`.slice(0, MAX_ACTOR_LENGTH).toWellFormed();

/** The lease lives as long as this answer: when its connection ends, for whatever reason, the lease is given back. */
async function grant(
  interlock: Interlock,
  refuse: Refuse,
  presence: boolean,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply | undefined> {
  if (request.headers[BUILD_HEADER] === undefined)
    return refuse(request, reply, 409, {
      code: 'build-missing',
      why: `a lease needs the header ${BUILD_HEADER}`,
      hint: 'leases are for the controller',
    });
  const claim = leaseRequest.parse(request.body);
  if (!presence && 'session' in claim && heldAtTheBox(interlock, claim.session))
    return refuse(request, reply, 409, sessionAtTheBox);
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
  const { clock, journal } = interlock.parts;
  let endAlive: () => void = () => undefined;
  const alive = (): void => {
    endAlive = clock.after(ALIVE_EVERY_MS, () => {
      tell({ event: 'alive', journal_size: journal.head().size });
      alive();
    });
  };
  alive();
  reply.raw.on('close', () => {
    deaf();
    endAlive();
  });
  return reply;
}

function beginStream(reply: FastifyReply, build: string): void {
  reply.hijack();
  reply.raw.writeHead(200, { 'content-type': 'application/x-ndjson', [BUILD_HEADER]: build });
}

function send(reply: FastifyReply, line: LeaseLine | EventLine | CommissioningLine): void {
  if (reply.raw.destroyed || reply.raw.writableEnded) return;
  reply.raw.write(`${JSON.stringify(line)}\n`);
  if (reply.raw.writableLength > MAX_WAITING_BYTES) reply.raw.destroy();
}
