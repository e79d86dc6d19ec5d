/** Commissioning on `presence.sock`. The session lives as long as its answer: when the connection ends, everything is isolated. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Refusal } from '../../core/link.ts';
import { linkUnknown } from '../../core/refusals.ts';
import {
  commissioningAnswer,
  type CommissioningLine,
  commissioningRequest,
} from '../../protocol/commissioning.ts';
import { printable } from '../../sources/excerpt.ts';
import type { Interlock } from '../interlock.ts';
import { Session } from './session.ts';

/** How often the stream says `alive`, ms. */
const ALIVE_EVERY_MS = 1_000;
const MAX_NAME_CHARS = 100;

/** What the socket server lends. */
export interface SocketParts {
  readonly interlock: Interlock;
  readonly refuse: (
    request: FastifyRequest,
    reply: FastifyReply,
    status: number,
    refusal: Refusal,
  ) => FastifyReply;
  /** The actor that somebody calls himself. */
  readonly actor: (by: string) => string;
  /** Begins a stream of lines, and writes one; a reader that hangs is cut off. */
  readonly beginStream: (reply: FastifyReply, build: string) => void;
  readonly send: (reply: FastifyReply, line: CommissioningLine) => void;
}

/** Adds the two requests. */
export function addCommissioning(app: FastifyInstance, parts: SocketParts): void {
  const sessions = new Map<string, Session>();
  app.post('/v1/commissionings', async (request, reply) => {
    const { interlock, refuse } = parts;
    const asked = commissioningRequest.parse(request.body);
    const link = interlock.links.get(asked.link);
    const plan = interlock.parts.commissionings.plan(asked.link);
    if (link === undefined || plan === null)
      return refuse(request, reply, 404, linkUnknown(printable(asked.link, MAX_NAME_CHARS)));
    const [real] = plan.realBuses;
    if (asked.unattended && real !== undefined) return refuse(request, reply, 409, handNeeded(real));
    const unsigned = interlock.parts.commissionings.unsigned;
    if (unsigned !== null) return refuse(request, reply, 409, keyMissing(unsigned));
    let alive: NodeJS.Timeout | undefined;
    const session = new Session(interlock, link, plan, asked, parts.actor(asked.by), {
      tell(line) {
        if (line.event === 'begun') {
          sessions.set(line.commissioning, session);
          parts.beginStream(reply, interlock.parts.build);
          alive = setInterval(() => parts.send(reply, { event: 'alive' }), ALIVE_EVERY_MS);
        }
        parts.send(reply, line);
      },
      gone: () => reply.raw.destroyed,
    });
    reply.raw.on('close', () => session.holderGone());
    try {
      const conducted = await session.conduct();
      if ('refusals' in conducted) return await reply.code(409).send(conducted);
      return await ended(reply);
    } finally {
      clearInterval(alive);
      if (session.id !== null) sessions.delete(session.id);
      // Whatever broke: whoever reads must not wait for more.
      if (reply.raw.headersSent) reply.raw.end();
    }
  });
  app.post<{ Params: { id: string } }>('/v1/commissionings/:id/answers', async (request, reply) => {
    const { question, answer } = commissioningAnswer.parse(request.body);
    if (sessions.get(request.params.id)?.answer(question, answer) === true) return {};
    return parts.refuse(request, reply, 409, notAsked);
  });
}

/** The stream has said everything. */
const ended = (reply: FastifyReply): FastifyReply => {
  reply.raw.end();
  return reply;
};

const handNeeded = (bus: string): Refusal => ({
  code: 'commissioning-needs-a-hand',
  why: `bus ${bus} leads to a real board: somebody has to pull its supply and to put it back`,
  hint: 'run it without --yes and follow the questions; --yes is for boards of `portcullis emulate` (`simulated: true`)',
});

const keyMissing = (why: string): Refusal => ({
  code: 'no-head-key',
  why: `a record could not be signed: ${why}`,
  hint: 'look at heads.key beside the journal, then restart the interlock',
});

const notAsked: Refusal = {
  code: 'not-asked',
  why: 'there is no such question any more, or this is no answer to it',
  hint: 'answer with one of the words that the question names, in time',
};
