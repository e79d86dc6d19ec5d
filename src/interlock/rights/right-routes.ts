/**
 * What needs presence or two people: resets, windows by hand, attended sessions. Served on both sockets, for a request over
 * `presence.sock` is one of the rights and two people's codes are another; which one it is, `authority.ts` says.
 */
import type { FastifyInstance } from 'fastify';
import type { Refusal } from '../../core/link.ts';
import { linkUnknown } from '../../core/refusals.ts';
import { resetRequest, runRequest, sessionRequest } from '../../protocol/authority.ts';
import { printable } from '../../sources/excerpt.ts';
import type { RightAsked } from './authority.ts';
import { isSession } from './commissioning-session.ts';
import type { Interlock } from '../interlock.ts';
import type { LinkAtWork } from '../link-at-work.ts';
import { runByHand } from './run-by-hand.ts';
import { askSession, endSession } from './session-asking.ts';
import type { Refuse } from '../socket/socket-server.ts';

/** Longest texts from outside in answers and journal, UTF-16 units before escaping. */
const MAX_NAME_CHARS = 100;
const MAX_REASON_CHARS = 500;

/** What the socket server lends. */
export interface RightParts {
  readonly interlock: Interlock;
  readonly refuse: Refuse;
  /** This is the socket of presence. */
  readonly presence: boolean;
  /** The actor that somebody calls himself. */
  readonly actor: (by: string) => string;
}

type Said = Pick<RightAsked, 'by' | 'reason' | 'approvals'>;

/** Adds the requests. */
export function addRights(app: FastifyInstance, parts: RightParts): void {
  const { interlock, refuse, presence, actor } = parts;
  const shown = ({ by, reason, approvals }: Said): RightAsked => ({
    by: actor(by),
    reason: printable(reason, MAX_REASON_CHARS),
    presence,
    approvals,
  });
  app.post('/v1/reset', async (request, reply) => {
    const said = resetRequest.parse(request.body);
    const link = interlock.links.get(said.link);
    if (link === undefined) return refuse(request, reply, 404, unknownLink(said.link));
    const refusals = await interlock.reset(link, { ...shown(said), cause: said.cause });
    return refusals.length > 0 ? reply.code(409).send({ refusals }) : {};
  });
  app.post<{ Params: { name: string } }>('/v1/windows/:name/run', async (request, reply) => {
    const said = runRequest.parse(request.body);
    const plan = interlock.parts.windows.plans.find(({ window }) => window === request.params.name);
    if (plan === undefined) return refuse(request, reply, 404, unknownWindow(request.params.name));
    const run = await runByHand(interlock, plan, shown(said));
    if ('refusals' in run) return reply.code(409).send(run);
    return { occurrence: run.occurrence, ends_in_ms: run.endsInMs };
  });
  app.post('/v1/sessions', async (request, reply) => {
    const said = sessionRequest.parse(request.body);
    const link = interlock.links.get(said.link);
    if (link === undefined) return refuse(request, reply, 404, unknownLink(said.link));
    const wish = { ...shown(said), forMs: said.for_ms, cause: said.cause };
    const begun = await askSession(interlock, link, wish);
    return 'refusals' in begun ? reply.code(409).send(begun) : begun;
  });
  app.delete<{ Params: { id: string } }>('/v1/sessions/:id', async (request) => {
    // Ending isolates: whoever may talk to the interlock may do so.
    await endSession(interlock, request.params.id, presence ? 'presence' : 'controller');
    return {};
  });
}

/**
 * True for a lease or session id that only the socket of presence may hold and keep alive: nobody from elsewhere goes on with
 * what a person at the box began.
 */
export const heldAtTheBox = (interlock: Interlock, id: string): boolean =>
  isSession(interlock, id) || [...interlock.links.values()].some((link) => isAtTheBox(link, id));

function isAtTheBox({ attended: { session }, holding }: LinkAtWork, id: string): boolean {
  if (session?.authority.by !== 'box') return false;
  const lease =
    holding !== null && 'session' in holding.claim && holding.claim.session === session.id
      ? holding.id
      : null;
  return id === session.id || id === lease;
}

const unknownLink = (name: string): Refusal => linkUnknown(printable(name, MAX_NAME_CHARS));
const unknownWindow = (name: string): Refusal => ({
  code: 'window-unknown',
  why: `there is no window ${printable(name, MAX_NAME_CHARS)}`,
  hint: 'see `portcullis window list`',
});
