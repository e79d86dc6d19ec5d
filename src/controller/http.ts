/** The controller's own HTTP: health, readiness, state. */
import Fastify from 'fastify';
import type { FastifyInstance } from 'fastify';
import type { Status } from '../protocol/messages.ts';
import type { DestinationStatus } from './notify/courier.ts';
import type { WindowReport } from './report.ts';
import type { WindowProgress } from './voice.ts';

/** What the pages show, as it is now. */
export interface StateView {
  readonly interlock: Status | null;
  /** ms since the interlock last said anything; `null` before the first word. */
  readonly interlock_age_ms: number | null;
  /** Why the interlock cannot be used, or `null` while its events arrive. */
  readonly interlock_problem: { readonly code: string; readonly why: string; readonly hint: string } | null;
  readonly running: readonly WindowProgress[];
  /** Newest first. */
  readonly reports: readonly WindowReport[];
  /** How each destination of `notify` does. */
  readonly notifications: readonly DestinationStatus[];
}

/** ms for a whole request; these pages have no body to wait for. */
const REQUEST_TIMEOUT_MS = 10_000;

/** The server, not yet listening. */
export function controllerHttp(view: () => StateView): FastifyInstance {
  const app = Fastify({
    logger: false,
    requestTimeout: REQUEST_TIMEOUT_MS,
    forceCloseConnections: true,
    bodyLimit: 1024,
  });
  app.get('/healthz', () => ({ ok: true }));
  app.get('/readyz', async (_request, reply) => {
    const { interlock_problem } = view();
    if (interlock_problem === null) return { ready: true };
    return reply.code(503).send({ ready: false, ...interlock_problem });
  });
  app.get('/api/v1/status', () => view());
  return app;
}
