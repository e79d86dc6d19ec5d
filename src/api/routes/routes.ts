/** The one table of everything that is served. */
import { z } from 'zod';
import type { Desk } from '../desk.ts';
import { metricsOf } from '../metrics/metrics.ts';
import { openApi } from './openapi.ts';
import { problemOf } from './refusal.ts';
import { route, type Route } from './route.ts';
import { anomalyRoutes } from './anomalies.ts';
import { authorityRoutes, cutRoutes, lampRoutes, sessionRoutes } from './actions.ts';
import { exportRoutes, historyRoutes, journalRoutes } from './journal.ts';
import { accountRoutes, loginRoutes } from './login.ts';
import { peopleRoutes, personRoutes, tokenRoutes } from './people.ts';
import { reportRoutes } from './reports.ts';
import { stateRoutes } from './state.ts';

/** The routes under the prefix of the API, and those outside of it. */
export function routesOf(
  desk: Desk,
  prefix: string,
): { readonly routes: readonly Route[]; readonly outside: readonly Route[] } {
  const table = [
    ...stateRoutes(desk),
    ...journalRoutes(desk),
    ...exportRoutes(desk),
    ...historyRoutes(desk),
    ...reportRoutes(desk),
    ...cutRoutes(desk),
    ...lampRoutes(desk),
    ...authorityRoutes(desk),
    ...sessionRoutes(desk),
    ...anomalyRoutes(desk),
    ...loginRoutes(desk),
    ...accountRoutes(desk),
    ...peopleRoutes(desk),
    ...personRoutes(desk),
    ...tokenRoutes(desk),
  ];
  let document: unknown = null;
  const described = route({
    method: 'GET',
    path: '/openapi.json',
    who: 'anyone',
    summary: 'This document',
    answer: z.looseObject({ openapi: z.string() }),
    handle: () => {
      document ??= openApi([...table, described], prefix, desk.face.build);
      return document as { openapi: string };
    },
  });
  return { routes: [...table, described], outside: outsideRoutes(desk) };
}

const outsideRoutes = (desk: Desk): readonly Route[] => [
  route({
    method: 'GET',
    path: '/healthz',
    who: 'anyone',
    summary: 'This process lives',
    answer: z.object({ ok: z.literal(true) }),
    handle: () => ({ ok: true as const }),
  }),
  route({
    method: 'GET',
    path: '/readyz',
    who: 'anyone',
    summary: 'This controller hears its interlock, and knows who may log in',
    answer: z.looseObject({ ready: z.boolean() }),
    handle: async ({ reply }) => {
      const { interlock_problem: problem } = desk.face.view.show();
      const people = await desk.people.people().then(
        () => null,
        (error: unknown) => error,
      );
      if (problem === null && people === null) return { ready: true };
      reply.code(503);
      if (problem !== null) return { ready: false, ...problem };
      const { code, detail: why, hint } = problemOf(people);
      return { ready: false, code, why, hint };
    },
  }),
  route({
    method: 'GET',
    path: '/metrics',
    who: 'metrics',
    summary: 'Figures for Prometheus',
    answer: 'text/plain',
    handle: async ({ reply }) =>
      reply
        .type('text/plain; version=0.0.4; charset=utf-8')
        .send(metricsOf(desk, await desk.interlock.known())),
  }),
];
