/** What is shown as it is now: state, events, sources, configuration. */
import { z } from 'zod';
import { configurationOf } from '../documents/configuration-view.ts';
import type { Desk } from '../desk.ts';
import { isAllowed, nameOf } from '../people/caller.ts';
import { cookieOf } from '../people/cookies.ts';
import { route, type Route } from './route.ts';
import { sourcesOf } from '../documents/source-view.ts';
import { state } from '../documents/state-document.ts';
import { stateOf } from '../state.ts';
import { configuration, sources } from '../documents/work.ts';

const eventQuery = z.strictObject({ after: z.coerce.number().int().min(0).exactOptional() });
const seqText = z.string().regex(/^\d{1,15}$/);

/** The routes. */
export const stateRoutes = (desk: Desk): readonly Route[] => [
  route({
    method: 'GET',
    path: '/state',
    who: 'read',
    summary: 'Everything that the first screen needs, in one document',
    answer: state,
    handle: async () => stateOf(desk.face, await desk.interlock.known(), await desk.anomalies.held()),
  }),
  route({
    method: 'GET',
    path: '/events',
    who: 'read',
    summary: 'Server-sent events: state, alive, journal; resumes behind Last-Event-ID',
    query: eventQuery,
    answer: 'text/event-stream',
    handle: ({ query, caller, request, reply }) => {
      const said = seqText.safeParse(request.headers['last-event-id']);
      const after = said.success ? Number(said.data) : (query.after ?? null);
      const cookie = cookieOf(request);
      // Labels of tokens are not theirs alone.
      const whose = caller.kind === 'token' ? `token ${caller.id}` : nameOf(caller);
      return desk.streams.begin(reply, after, whose, async () => {
        if (caller.kind === 'token' && caller.session === null)
          return (await desk.people.tokens()).some(
            ({ id, expires_at }) => id === caller.id && Date.parse(expires_at) > Date.now(),
          );
        return cookie !== null && isAllowed(await desk.logins.callerOf(cookie, false), 'read');
      });
    },
  }),
  route({
    method: 'GET',
    path: '/sources',
    who: 'read',
    summary: 'Who may cut, when each was last heard, and what its sender needs',
    answer: sources,
    handle: async ({ request }) => {
      const { status } = await desk.interlock.known();
      return { sources: await sourcesOf(desk.face.config, status?.sources ?? [], request.hostname) };
    },
  }),
  route({
    method: 'GET',
    path: '/configuration',
    who: 'read',
    summary: 'The configuration file as it is on disk now, with its problems',
    answer: configuration,
    handle: async () => ({
      tls_fingerprint: desk.shown.fingerprint,
      ...(await configurationOf(desk.configFile, desk.beganWith)),
    }),
  }),
];
