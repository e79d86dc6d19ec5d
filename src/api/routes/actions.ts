/** What people may ask for. Every answer says what the interlock said; nothing is said to have happened before it did. */
import { z } from 'zod';
import { destinationsByName } from '../../config/schema/notify.ts';
import { tryDestination } from '../../controller/notify/trial.ts';
import { InterlockError } from '../../protocol/interlock-error.ts';
import { lampsTested } from '../../protocol/lamps.ts';
import { drillReport } from '../../protocol/messages.ts';
import {
  done,
  drillRequest,
  notificationTest,
  resetRequest,
  runAnswer,
  runRequest,
  sessionRequest,
  tripAnswer,
  tripRequest,
} from '../documents/action.ts';
import { actorOf, nameOf, type Caller } from '../people/caller.ts';
import type { Desk } from '../desk.ts';
import { ApiRefusal } from './refusal.ts';
import { pathName, route, type Route } from './route.ts';
import { attendedSession } from '../documents/state-document.ts';

const ofLink = z.strictObject({ link: pathName });
const ofWindow = z.strictObject({ window: pathName });
const ofSession = z.strictObject({ id: pathName });
const ofSource = z.strictObject({ source: pathName });
const ofNotification = z.strictObject({ name: pathName });

const DRILL_LIMIT_BYTES = 1_200_000;
/** What a drill sends when nothing else was said. */
const DRILL_BODY = JSON.stringify({ severity: 'critical', reason: 'a drill, asked for by a person' });

/** Who asks, for journal and interlock. */
const actor = (caller: Caller): string => nameOf(caller).slice(0, 100);

/** A code in this request was wrong. */
const isWrongCode = (error: unknown): boolean =>
  error instanceof InterlockError && error.refusals.some(({ code }) => code === 'code-wrong');

/** Asks the interlock; with codes only as often as whoever asks may try some. */
const withCodes = <T>(
  { codeTries }: Desk,
  caller: Caller,
  approvals: readonly unknown[] | undefined,
  ask: () => Promise<T>,
): Promise<T> =>
  approvals === undefined || approvals.length === 0
    ? ask()
    : codeTries.take(nameOf(caller), ask, isWrongCode);

/** Cutting, and what cuts nothing. */
export const cutRoutes = (desk: Desk): readonly Route[] => [
  route({
    method: 'POST',
    path: '/trip',
    who: 'trip',
    summary: 'Cut links and latch them, all when none is named',
    body: tripRequest,
    answer: tripAnswer,
    handle: async ({ body: { links, reason }, caller }) => {
      const answer = await desk.face.client.trip({ links, reason, by: actor(caller) });
      desk.interlock.stale();
      return { latched: true as const, links: answer.links };
    },
  }),
  route({
    method: 'POST',
    path: '/sources/:source/drill',
    who: 'operate',
    summary: 'Take a message of a source all the way up to the contacts, without cutting',
    params: ofSource,
    body: drillRequest,
    bodyLimitBytes: DRILL_LIMIT_BYTES,
    answer: drillReport,
    handle: ({ params: { source }, body: { body = DRILL_BODY, headers }, caller }) =>
      desk.face.client.drill(source, {
        by: actor(caller),
        headers: { 'content-type': 'application/json', ...headers },
        body_base64: Buffer.from(body).toString('base64'),
        unsigned: true,
      }),
  }),
  route({
    method: 'POST',
    path: '/notifications/:name/test',
    who: 'operate',
    summary: 'Send a test message to one destination, past its queue',
    params: ofNotification,
    answer: notificationTest,
    handle: async ({ params: { name }, caller }) => {
      const one = destinationsByName(desk.face.config.notify).get(name);
      if (one === undefined)
        throw new ApiRefusal(
          404,
          'notification-unknown',
          'no destination has this name',
          'see `notify` in the configuration',
        );
      const { delivered, answer } = await tryDestination(name, one);
      desk.face.journal('controller.notification-tested', { by: `person:${actor(caller)}`, name, delivered });
      return { name, delivered, answer };
    },
  }),
];

/** The lamps of the box. */
export const lampRoutes = (desk: Desk): readonly Route[] => [
  route({
    method: 'POST',
    path: '/lamps/test',
    who: 'operate',
    summary: 'Light every lamp of the box for a moment; it says nothing about links',
    answer: lampsTested,
    handle: ({ caller }) => desk.face.client.testLamps({ by: actor(caller) }),
  }),
];

/** What connects, as far as the interlock allows: presence, or two people whose codes it verifies. */
export const authorityRoutes = (desk: Desk): readonly Route[] => [
  route({
    method: 'POST',
    path: '/links/:link/reset',
    who: 'operate',
    summary: 'Lift the latch of a link: with presence, or the one-time codes of two people',
    params: ofLink,
    body: resetRequest,
    answer: done,
    handle: async ({ params: { link }, body: { cause, reason, approvals }, caller }) => {
      const said = approvals === undefined ? {} : { approvals };
      await withCodes(desk, caller, approvals, () =>
        desk.face.client.reset({ link, cause, reason, by: actor(caller), ...said }),
      );
      desk.interlock.stale();
      return {};
    },
  }),
  route({
    method: 'POST',
    path: '/windows/:window/run',
    who: 'operate',
    summary: 'Open a window now: as far as its `by_hand` allows',
    params: ofWindow,
    body: runRequest,
    answer: runAnswer,
    handle: async ({ params: { window }, body: { reason, approvals }, caller }) => {
      const said = approvals === undefined ? {} : { approvals };
      const opened = await withCodes(desk, caller, approvals, () =>
        desk.face.client.runWindow(window, { reason, by: actor(caller), ...said }),
      );
      desk.interlock.stale();
      return opened;
    },
  }),
];

/** Attended sessions: as far as the interlock allows, again; ending one needs nothing. */
export const sessionRoutes = (desk: Desk): readonly Route[] => [
  route({
    method: 'POST',
    path: '/links/:link/sessions',
    who: 'operate',
    summary: 'Begin an attended session: this controller holds its lease until it is ended',
    params: ofLink,
    body: sessionRequest,
    answer: attendedSession,
    handle: async ({ params: { link }, body: { reason, for_ms, cause, approvals }, caller }) => {
      const asked = {
        link,
        reason,
        for_ms,
        by: actor(caller),
        ...(cause === undefined ? {} : { cause }),
        ...(approvals === undefined ? {} : { approvals }),
      };
      const begun = await withCodes(desk, caller, approvals, () => desk.face.attended.begin(asked));
      desk.interlock.stale();
      return begun;
    },
  }),
  route({
    method: 'DELETE',
    path: '/sessions/:id',
    who: 'trip',
    summary: 'End an attended session and isolate: whoever may cut may do this',
    params: ofSession,
    answer: done,
    handle: async ({ params: { id }, caller }) => {
      await desk.face.attended.end(id);
      // To the interlock it was this controller: who it was stands beside it.
      desk.face.journal('controller.session-ended', { by: actorOf(caller), session: id });
      desk.interlock.stale();
      return {};
    },
  }),
];
