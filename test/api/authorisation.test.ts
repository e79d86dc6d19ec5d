/** Who may ask for what: every route of the table, for every role, every scope and nobody. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Who } from '../../src/api/people/caller.ts';
import type { Route } from '../../src/api/routes/route.ts';
import { ApiBench } from './bench.ts';

/** What each caller may, written down once more, by hand: the table of the code is not asked. */
const MAY: Readonly<Record<string, readonly Who[]>> = {
  nobody: ['anyone'],
  viewer: ['anyone', 'known', 'person', 'read', 'metrics', 'trip'],
  operator: ['anyone', 'known', 'person', 'read', 'metrics', 'trip', 'operate'],
  approver: ['anyone', 'known', 'person', 'read', 'metrics', 'trip', 'operate', 'administer'],
  'token read': ['anyone', 'known', 'read'],
  'token metrics': ['anyone', 'known', 'metrics'],
  'token trip': ['anyone', 'known', 'trip'],
};

/** The routes that matter most, by hand as well: a route that becomes laxer by a slip is seen. */
const STRICT: Readonly<Record<string, Who>> = {
  'GET /state': 'read',
  'GET /events': 'read',
  'GET /sources': 'read',
  'GET /configuration': 'read',
  'GET /journal': 'read',
  'POST /journal/verification': 'read',
  'GET /journal/verification': 'read',
  'GET /journal/export': 'read',
  'GET /history': 'read',
  'GET /reports': 'read',
  'GET /reports/:window/:occurrence': 'read',
  'GET /reports/:window/:occurrence.html': 'read',
  'GET /months/:month': 'read',
  'GET /months/:month.html': 'read',
  'POST /trip': 'trip',
  'POST /sources/:source/drill': 'operate',
  'POST /notifications/:name/test': 'operate',
  'POST /lamps/test': 'operate',
  'POST /anomalies/:id/release': 'operate',
  'POST /links/:link/reset': 'operate',
  'POST /windows/:window/run': 'operate',
  'POST /links/:link/sessions': 'operate',
  'DELETE /sessions/:id': 'trip',
  'POST /login': 'anyone',
  'DELETE /login': 'anyone',
  'GET /me': 'known',
  'POST /me/password': 'person',
  'POST /setup': 'anyone',
  'GET /people': 'administer',
  'POST /people': 'administer',
  'PATCH /people/:name': 'administer',
  'DELETE /people/:name': 'administer',
  'GET /tokens': 'administer',
  'POST /tokens': 'administer',
  'DELETE /tokens/:id': 'administer',
  'GET /openapi.json': 'anyone',
};

const REFUSED = new Set(['login-needed', 'role-missing', 'scope-missing', 'setup-needed']);

describe('authorisation', { timeout: 60_000 }, () => {
  const bench = new ApiBench();
  const callers = new Map<string, Record<string, string>>([['nobody', {}]]);
  beforeAll(async () => {
    await bench.start();
    for (const role of ['viewer', 'operator', 'approver'] as const)
      callers.set(role, await bench.personOf(role));
    for (const scope of ['read', 'metrics', 'trip'] as const)
      callers.set(`token ${scope}`, await bench.tokenOf([scope]));
  }, 60_000);
  afterAll(() => bench.stop());

  test('every route is in the list by hand, with the same demand', () => {
    const served = Object.fromEntries(
      bench.routes.map(({ method, path, who }) => [`${method} ${path}`, who]),
    );
    expect(served).toEqual(STRICT);
  });

  test.each(Object.keys(MAY))('%s gets what is allowed, and nothing else', async (caller) => {
    const headers = callers.get(caller) ?? {};
    const allowed = MAY[caller] ?? [];
    for (const route of [...bench.routes, ...bench.outside]) {
      // A stream does not end, and logging out ends the login: both are tried elsewhere.
      if (route.path === '/events' && allowed.includes('read')) continue;
      if (route.method === 'DELETE' && route.path === '/login') continue;
      const answer = await bench.ask(route.method, urlOf(bench, route), {
        headers,
        ...(route.body === null ? {} : { body: {} }),
      });
      const code = codeIn(answer.body);
      const wasRefused = (answer.statusCode === 401 || answer.statusCode === 403) && REFUSED.has(code);
      expect(`${route.method} ${route.path}: ${wasRefused ? 'refused' : 'let in'}`).toBe(
        `${route.method} ${route.path}: ${allowed.includes(route.who) ? 'let in' : 'refused'}`,
      );
    }
  });

  test('no token resets, runs, attends, or keeps people, whatever its scopes', async () => {
    const headers = await bench.tokenOf(['read', 'metrics', 'trip']);
    for (const route of bench.routes.filter(({ who }) => who === 'operate' || who === 'administer')) {
      const answer = await bench.ask(route.method, urlOf(bench, route), {
        headers,
        ...(route.body === null ? {} : { body: {} }),
      });
      expect([route.path, answer.statusCode]).toEqual([route.path, 403]);
    }
    expect(bench.interlock.asked.filter(({ what }) => ['reset', 'run', 'session'].includes(what))).toEqual(
      [],
    );
  });
});

const urlOf = (bench: ApiBench, { path }: Route): string => {
  const inside = !bench.outside.some((each) => each.path === path);
  return `${inside ? '/api/v1' : ''}${path.replaceAll(/:[a-z]+/g, 'nothing-of-this-name')}`;
};

const codeIn = (body: string): string => {
  try {
    return (JSON.parse(body) as { code?: string }).code ?? '';
  } catch {
    return '';
  }
};
