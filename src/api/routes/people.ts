/** People and tokens, for approvers. */
import { z } from 'zod';
import { done } from '../documents/action.ts';
import { nameOf } from '../people/caller.ts';
import type { Desk } from '../desk.ts';
import {
  newToken,
  people,
  person,
  personChange,
  personRequest,
  token,
  tokenRequest,
  tokens,
  type Person,
  type Token,
} from '../documents/people.ts';
import type { KeptPerson, KeptToken } from '../people/people-file.ts';
import { pathName, route, type Route } from './route.ts';

const named = z.strictObject({ name: pathName });
const identified = z.strictObject({ id: pathName });

const personOf = ({ logins }: Desk, { name, role, created_at }: KeptPerson): Person => ({
  name,
  role,
  created_at,
  last_login_at: logins.lastUse('person', name),
  sessions: logins.countOf(name),
});

const tokenOf = ({ logins }: Desk, { hash: _hash, ...kept }: KeptToken): Token => ({
  ...kept,
  last_used_at: logins.lastUse('token', kept.id),
});

/** One account, as it is now. */
async function theOne(desk: Desk, name: string): Promise<Person> {
  const found = await desk.people.person(name);
  if (found === null) throw new Error(`the account ${name} went away`);
  return personOf(desk, found);
}

/** The routes of people. */
export const peopleRoutes = (desk: Desk): readonly Route[] => [
  route({
    method: 'GET',
    path: '/people',
    who: 'administer',
    summary: 'Everybody who has an account',
    answer: people,
    handle: async () => ({ people: (await desk.people.people()).map((each) => personOf(desk, each)) }),
  }),
  route({
    method: 'POST',
    path: '/people',
    who: 'administer',
    summary: 'Make an account',
    body: personRequest,
    answer: person,
    handle: async ({ body, caller }) => {
      await desk.people.add(body);
      const { name, role } = body;
      desk.face.journal('controller.person-added', { by: `person:${nameOf(caller)}`, person: name, role });
      return theOne(desk, name);
    },
  }),
];

/** The routes of one account. */
export const personRoutes = (desk: Desk): readonly Route[] => [
  route({
    method: 'PATCH',
    path: '/people/:name',
    who: 'administer',
    summary: 'Change role or password of an account; its logins are over',
    params: named,
    body: personChange,
    answer: person,
    handle: async ({ params: { name }, body, caller }) => {
      const { role, password } = body;
      await desk.people.change(name, {
        ...(role === undefined ? {} : { role }),
        ...(password === undefined ? {} : { password }),
      });
      await desk.logins.endAll(name);
      const by = `person:${nameOf(caller)}`;
      desk.face.journal('controller.person-changed', {
        by,
        person: name,
        role,
        password: password !== undefined,
      });
      return theOne(desk, name);
    },
  }),
  route({
    method: 'DELETE',
    path: '/people/:name',
    who: 'administer',
    summary: 'Remove an account; its logins are over',
    params: named,
    answer: done,
    handle: async ({ params: { name }, caller }) => {
      await desk.people.remove(name);
      await desk.logins.endAll(name);
      desk.face.journal('controller.person-removed', { by: `person:${nameOf(caller)}`, person: name });
      return {};
    },
  }),
];

/** The routes of tokens. */
export const tokenRoutes = (desk: Desk): readonly Route[] => [
  route({
    method: 'GET',
    path: '/tokens',
    who: 'administer',
    summary: 'Every token, without its secret',
    answer: tokens,
    handle: async () => ({ tokens: (await desk.people.tokens()).map((each) => tokenOf(desk, each)) }),
  }),
  route({
    method: 'POST',
    path: '/tokens',
    who: 'administer',
    summary: 'Make a token; this answer is the only one that shows its secret',
    body: tokenRequest,
    answer: newToken,
    handle: async ({ body, caller }) => {
      const by = `person:${nameOf(caller)}`;
      const { token: made, secret } = await desk.people.addToken({ ...body, by });
      const { id, label, scopes, expires_at } = made;
      desk.face.journal('controller.token-created', { by, id, label, scopes, expires_at });
      return { token: tokenOf(desk, made), secret };
    },
  }),
  route({
    method: 'DELETE',
    path: '/tokens/:id',
    who: 'administer',
    summary: 'Revoke a token',
    params: identified,
    answer: token,
    handle: async ({ params: { id }, caller }) => {
      const revoked = await desk.people.revokeToken(id);
      const by = `person:${nameOf(caller)}`;
      desk.face.journal('controller.token-revoked', { by, id, label: revoked.label });
      return tokenOf(desk, revoked);
    },
  }),
];
