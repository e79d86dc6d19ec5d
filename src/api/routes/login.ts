/** Logging in and out, the first account, who one is. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { done } from '../documents/action.ts';
import { abilitiesOf, nameOf, type Caller } from '../people/caller.ts';
import { cookieOf, setCookie } from '../people/cookies.ts';
import type { Desk } from '../desk.ts';
import { LONGEST_DISPLAY_MS, LONGEST_MS } from '../people/logins.ts';
import { loginRequest, me, passwordRequest, setupRequest, type Me } from '../documents/people.ts';
import { ApiRefusal } from './refusal.ts';
import { route, type Route } from './route.ts';

/** Whoever a caller is, as the page needs it. */
function meOf({ face }: Desk, caller: Caller): Me {
  if (caller.kind === 'nobody') throw new Error('nobody is logged in');
  const { session } = caller;
  const name = caller.kind === 'person' ? caller.name : caller.label;
  return {
    kind: caller.kind,
    name,
    role: caller.kind === 'person' ? caller.role : null,
    may: [...abilitiesOf(caller)],
    approver: caller.kind === 'person' && Object.hasOwn(face.config.approvers, name),
    session:
      session === null ? null : { idle_ends_in_ms: session.idleEndsInMs, ends_in_ms: session.endsInMs },
  };
}

/** Throws while this account or this address has to wait. */
function slowDown({ backOff }: Desk, account: string | null, address: string): void {
  const waitMs = backOff.waitMs(account, address);
  if (waitMs <= 0) return;
  throw new ApiRefusal(
    429,
    'slow-down',
    'too many logins failed',
    `wait ${Math.ceil(waitMs / 1_000)} seconds; cutting needs no login: a token, the button and the interlock's own page work`,
    waitMs,
  );
}

/** Tries a secret, unless this account or address has to wait; a wrong one (null) makes the next wait longer. */
async function tried<T>(
  desk: Desk,
  account: string | null,
  address: string,
  look: () => Promise<T | null>,
): Promise<T | null> {
  slowDown(desk, account, address);
  const leave = desk.backOff.enter(address);
  if (leave === null)
    throw new ApiRefusal(
      429,
      'slow-down',
      'this address tries too much at once',
      'one after the other',
      1_000,
    );
  try {
    const found = await look();
    if (found === null) desk.backOff.failed(account, address);
    return found;
  } finally {
    leave();
  }
}

async function logIn(
  desk: Desk,
  { name, password }: { readonly name: string; readonly password: string },
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<Me> {
  const { people, logins, backOff, face } = desk;
  const person = await tried(desk, name, request.ip, () => people.withPassword(name, password));
  if (person === null) throw new ApiRefusal(401, 'login-refused', 'name or password is wrong', 'try again');
  backOff.passed(name, request.ip);
  const cookie = await logins.begin(person);
  setCookie(request, reply, cookie, LONGEST_MS);
  face.journal('controller.login', { by: `person:${person.name}`, role: person.role, from: request.ip });
  return meOf(desk, await logins.callerOf(cookie, true));
}

async function logInDisplay(
  desk: Desk,
  secret: string,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<Me> {
  const { people, logins, face } = desk;
  const token = await tried(desk, null, request.ip, () => people.withToken(secret));
  if (token === null) {
    throw new ApiRefusal(
      401,
      'login-refused',
      'this token is unknown, revoked or expired',
      'make another one',
    );
  }
  const cookie = await logins.beginDisplay(token);
  setCookie(request, reply, cookie, LONGEST_DISPLAY_MS);
  face.journal('controller.login', { by: `token:${token.label}`, from: request.ip });
  return meOf(desk, await logins.callerOf(cookie, true));
}

/** The routes of logins. */
export const loginRoutes = (desk: Desk): readonly Route[] => [
  route({
    method: 'POST',
    path: '/login',
    who: 'anyone',
    summary: 'Log in: a person with a password, or a wall display with a token',
    body: loginRequest,
    answer: me,
    handle: ({ body, request, reply }) =>
      'token' in body ? logInDisplay(desk, body.token, request, reply) : logIn(desk, body, request, reply),
  }),
  route({
    method: 'DELETE',
    path: '/login',
    who: 'anyone',
    summary: 'Log out',
    answer: done,
    handle: async ({ caller, request, reply }) => {
      if (caller.kind !== 'nobody' && caller.session !== null) {
        await desk.logins.end(caller.session.id);
        desk.face.journal('controller.logout', { by: nameOf(caller) });
      }
      if (cookieOf(request) !== null) setCookie(request, reply, '', 0);
      return {};
    },
  }),
  route({
    method: 'GET',
    path: '/me',
    who: 'known',
    summary: 'Who one is, and what one may do',
    answer: me,
    handle: ({ caller }) => meOf(desk, caller),
  }),
];

/** The routes of one's own account, and of the first one. */
export const accountRoutes = (desk: Desk): readonly Route[] => [
  route({
    method: 'POST',
    path: '/me/password',
    who: 'person',
    summary: "Change one's own password; every other login of that person is over",
    body: passwordRequest,
    answer: me,
    handle: async ({ body, caller, request, reply }) => {
      const name = nameOf(caller);
      const known = await tried(desk, name, request.ip, () => desk.people.withPassword(name, body.old));
      if (known === null)
        throw new ApiRefusal(403, 'password-wrong', 'the old password is wrong', 'try again');
      await desk.people.change(name, { password: body.new });
      await desk.logins.endAll(name);
      desk.face.journal('controller.person-changed', { by: `person:${name}`, person: name, password: true });
      return logIn(desk, { name, password: body.new }, request, reply);
    },
  }),
  route({
    method: 'POST',
    path: '/setup',
    who: 'anyone',
    summary: 'Make the first account, with the code that the controller printed when it started',
    body: setupRequest,
    answer: me,
    handle: async ({ body, request, reply }) => {
      slowDown(desk, null, request.ip);
      await desk.people.people();
      if (!desk.people.isEmpty) throw new ApiRefusal(409, 'set-up', 'there is an account already', 'log in');
      if (!desk.setup.fits(body.code)) {
        desk.backOff.failed(null, request.ip);
        throw new ApiRefusal(
          403,
          'setup-code-wrong',
          desk.setup.isOver ? 'the setup code is over' : 'this is not the setup code',
          'it stands in the log of the controller and is new at every start; or use `portcullis user add` on the box',
        );
      }
      const { name, password } = body;
      await desk.people.add({ name, password, role: 'approver' }, true);
      desk.face.journal('controller.person-added', { by: 'setup', person: name, role: 'approver' });
      return logIn(desk, { name, password }, request, reply);
    },
  }),
];
