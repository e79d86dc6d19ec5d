/** The HTTP of the controller: routes from one table, who may ask, problems, pages. Not yet listening. */
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { isAllowed, nameOf, type Caller, type Who } from './people/caller.ts';
import { checkOrigin, type KnownNames, SECURITY_HEADERS } from './routes/guard.ts';
import { PROBLEM_TYPE } from './routes/problem.ts';
import { ApiRefusal, isSurprise, problemOf } from './routes/refusal.ts';
import type { Route } from './routes/route.ts';
import type { SentPage } from './static-pages.ts';

/** Where the API begins. */
export const API_PREFIX = '/api/v1';
const BODY_LIMIT_BYTES = 65_536;
/** ms for a whole request to arrive. */
const REQUEST_TIMEOUT_MS = 10_000;
const SAFE = new Set(['GET', 'HEAD', 'OPTIONS']);

/** Who a request comes from, and whether anybody has an account. */
export interface Identities {
  /** `cuts`: whoever was last known counts, when the people cannot be read now. */
  identify(request: FastifyRequest, cuts: boolean): Promise<Caller>;
  /** Nobody has an account: the first one must be made. */
  isEmpty(): boolean;
}

/** What an app is made of. */
export interface AppParts {
  readonly routes: readonly Route[];
  /** Routes outside of `/api/v1`. */
  readonly outside: readonly Route[];
  readonly names: KnownNames;
  readonly identities: Identities;
  /** Answers what no route answers: pages. Null: there is no such page. */
  readonly page: (path: string) => SentPage | null;
  /** A request was refused: to whom, what, why. */
  readonly refused: (who: string, what: string, code: string, from: string) => void;
  /** An error that nobody foresaw; the answer hides it. */
  readonly surprised: (error: unknown, what: string) => void;
}

/** The server. */
export function createApp(parts: AppParts): FastifyInstance {
  const app = Fastify({
    logger: false,
    requestTimeout: REQUEST_TIMEOUT_MS,
    forceCloseConnections: true,
    bodyLimit: BODY_LIMIT_BYTES,
    // A stream has no head of its own.
    exposeHeadRoutes: false,
    routerOptions: { maxParamLength: 300 },
    // What no router can read (`/%zz`) is answered before any hook.
    frameworkErrors: (error, request, reply) => void answerProblem(parts, error, request, reply),
  });
  // Only JSON is read: what a form of another page can send is answered 415. An empty body is no body.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (_request, body, done) => {
    const text = String(body);
    try {
      done(null, text === '' ? null : (JSON.parse(text) as unknown));
    } catch {
      done(new ApiRefusal(400, 'bad-request', 'the body is not JSON', 'see /api/v1/openapi.json'));
    }
  });
  app.addHook('onRequest', (_request, reply, next) => {
    reply.headers(SECURITY_HEADERS);
    next();
  });
  app.setErrorHandler((error, request, reply) => answerProblem(parts, error, request, reply));
  app.setNotFoundHandler((request, reply) => {
    const path = pathOf(request);
    if (SAFE.has(request.method) && !path.startsWith('/api/')) {
      parts.names.check(request.headers.host);
      const page = parts.page(path);
      if (page !== null)
        return reply
          .code(page.status)
          .header('cache-control', page.cacheControl)
          .type(page.type)
          .send(page.bytes);
    }
    throw new ApiRefusal(
      404,
      'no-such-address',
      'nothing is served at this address',
      'see /api/v1/openapi.json',
    );
  });
  for (const each of parts.routes) addRoute(app, API_PREFIX, each, parts);
  for (const each of parts.outside) addRoute(app, '', each, parts);
  return app;
}

function addRoute(app: FastifyInstance, prefix: string, route: Route, parts: AppParts): void {
  const { method, path, who, bodyLimitBytes } = route;
  app.route({
    method,
    url: `${prefix}${path}`,
    ...(bodyLimitBytes === undefined ? {} : { bodyLimit: bodyLimitBytes }),
    handler: (request, reply) => handle(route, request, reply),
    // Before a body is read: what nobody may ask for is not waited for.
    onRequest: async (request) => {
      if (who === 'anyone' && SAFE.has(method) && prefix === '') return;
      await admit(route, request, parts);
    },
  });
}

const callers = new WeakMap<FastifyRequest, Caller>();

/** Throws unless this request may be asked by whoever sent it. */
async function admit({ method, who }: Route, request: FastifyRequest, parts: AppParts): Promise<void> {
  const { headers } = request;
  const byToken = headers.authorization !== undefined;
  // Whoever holds a token is no browser that was lured here.
  if (!byToken) {
    parts.names.check(headers.host);
    if (!SAFE.has(method)) checkOrigin(headers);
  }
  const caller = await parts.identities.identify(request, who === 'trip');
  callers.set(request, caller);
  if (!isAllowed(caller, who)) throw missing(caller, who, parts.identities.isEmpty());
}

function missing(caller: Caller, who: Who, isEmpty: boolean): ApiRefusal {
  if (caller.kind === 'nobody' && isEmpty)
    return new ApiRefusal(
      401,
      'setup-needed',
      'nobody has an account yet',
      'make the first one with the setup code that the controller printed when it started',
    );
  if (caller.kind === 'nobody')
    return new ApiRefusal(401, 'login-needed', 'this needs a login or a token', 'log in, or send a token');
  if (caller.kind === 'person' && caller.session.idleEndsInMs === 0)
    return new ApiRefusal(
      401,
      'login-idle',
      'nothing was asked for so long that this login only cuts',
      'log in again',
    );
  if (caller.kind === 'token')
    return new ApiRefusal(
      403,
      'scope-missing',
      who === 'operate' || who === 'administer' || who === 'person'
        ? 'no token may do this'
        : `this token has not the scope ${who}`,
      who === 'operate' || who === 'administer' || who === 'person'
        ? 'log in as a person'
        : 'make a token that has it',
    );
  return new ApiRefusal(
    403,
    'role-missing',
    `the role ${caller.role} does not allow this`,
    `ask somebody who is ${who === 'administer' ? 'an approver' : 'an operator or an approver'}`,
  );
}

async function handle(
  { params, query, body, answer, handle: handler }: Route,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<unknown> {
  const call = {
    params: params.parse(request.params),
    query: query.parse(request.query),
    // Whoever cuts in a hurry sends no body: that is an empty one.
    body: body === null ? null : body.parse(request.body ?? {}),
    caller: callers.get(request) ?? { kind: 'nobody' as const },
    request,
    reply,
  };
  const result = await handler(call);
  if (typeof answer === 'string') return result;
  return reply.type('application/json; charset=utf-8').send(JSON.stringify(result));
}

function answerProblem(
  parts: AppParts,
  error: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
): FastifyReply {
  const what = `${request.method} ${pathOf(request)}`;
  if (isSurprise(error)) parts.surprised(error, what);
  const problem = problemOf(error);
  if (problem.status === 401 || problem.status === 403 || problem.status === 421 || problem.status === 429)
    parts.refused(nameOf(callers.get(request) ?? { kind: 'nobody' }), what, problem.code, request.ip);
  if (problem.retry_after_ms !== undefined)
    reply.header('retry-after', String(Math.ceil(problem.retry_after_ms / 1_000)));
  return reply
    .code(problem.status)
    .headers(SECURITY_HEADERS)
    .type(PROBLEM_TYPE)
    .send(JSON.stringify(problem));
}

/** Without its query: that may hold what belongs nowhere else. */
const pathOf = (request: FastifyRequest): string => request.url.split('?', 1)[0] ?? '';
