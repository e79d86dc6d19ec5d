/** Tells who sent a request: by a token, or by the cookie of a login. */
import type { FastifyRequest } from 'fastify';
import type { Identities } from '../app.ts';
import type { Caller } from './caller.ts';
import { cookieOf } from './cookies.ts';
import type { Logins } from './logins.ts';
import type { People } from './people.ts';
import { ApiRefusal } from '../routes/refusal.ts';

const BEARER = /^Bearer ([\x21-\x7e]{1,200})$/i;
const NOBODY: Caller = { kind: 'nobody' };
/** Following is no sign that somebody is there. */
const PASSIVE = new Set(['/api/v1/events']);

/** The identities of one controller. */
export const identitiesOf = (people: People, logins: Logins): Identities => ({
  isEmpty: () => people.isEmpty,
  async identify(request: FastifyRequest, cuts: boolean) {
    const among = cuts ? people.lastKnown : people;
    const { authorization } = request.headers;
    if (authorization !== undefined) return byToken(authorization, among, logins);
    const cookie = cookieOf(request);
    if (cookie === null) {
      await among.people(); // so that `isEmpty` speaks of what is there now
      return NOBODY;
    }
    return logins.callerOf(cookie, !PASSIVE.has(request.url.split('?', 1)[0] ?? ''), among);
  },
});

async function byToken(header: string, people: People, logins: Logins): Promise<Caller> {
  const secret = BEARER.exec(header)?.[1];
  const token = secret === undefined ? null : await people.withToken(secret);
  if (token === null)
    throw new ApiRefusal(
      401,
      'token-unknown',
      'this token is unknown, revoked or expired',
      'make another one, and send it as `Authorization: Bearer …`',
    );
  logins.tokenUsed(token.id);
  return { kind: 'token', id: token.id, label: token.label, scopes: token.scopes, session: null };
}
