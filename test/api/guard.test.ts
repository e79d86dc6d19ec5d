/** What every request must pass: the name of this box, our own pages, JSON; and what every answer carries. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { problem } from '../../src/api/routes/problem.ts';
import { ApiBench } from './bench.ts';

describe('the guard', { timeout: 60_000 }, () => {
  const bench = new ApiBench();
  let browser: Record<string, string>;
  beforeAll(async () => {
    const assets = join(bench.directory, 'dashboard', 'assets');
    mkdirSync(assets, { recursive: true });
    writeFileSync(join(bench.directory, 'dashboard', 'index.html'), '<!doctype html><title>page</title>');
    writeFileSync(join(assets, 'index-Ab12Cd34.js'), '1');
    writeFileSync(join(assets, 'plain.js'), '2');
    await bench.start();
    browser = await bench.personOf('viewer');
  }, 60_000);
  afterAll(() => bench.stop());

  const trip = (headers: Record<string, string>) =>
    bench.ask('POST', '/api/v1/trip', { headers: { ...browser, ...headers }, body: {} });

  test.each([
    ['another origin', { origin: 'http://evil.example' }],
    ['another port', { origin: 'http://127.0.0.1:9999' }],
    ['a sandboxed page', { origin: 'null' }],
    ['another site, as the browser says it', { 'sec-fetch-site': 'cross-site' }],
    ['a neighbour of the same site', { 'sec-fetch-site': 'same-site' }],
  ])('a request of %s is refused, and cuts nothing', async (_what, headers) => {
    const before = bench.interlock.asked.length;
    expect((await trip(headers)).json()).toMatchObject({ status: 403, code: 'other-origin' });
    expect(bench.interlock.asked).toHaveLength(before);
  });

  test.each([
    ['our own page', { origin: 'http://127.0.0.1:8480', 'sec-fetch-site': 'same-origin' }],
    ['no page at all', {}],
  ])('a request of %s is taken', async (_what, headers) => {
    expect((await trip(headers)).statusCode).toBe(200);
  });

  test.each([
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'application/jsonx',
  ])('what a form can send (%s) is no request', async (type) => {
    const answer = await bench.app.inject({
      method: 'POST',
      url: '/api/v1/trip',
      headers: { host: '127.0.0.1', ...browser, 'content-type': type },
      payload: '{}',
    });
    expect(answer.json()).toMatchObject({ status: 415, code: 'not-json' });
  });

  test.each(['evil.example', 'evil.example:8480', 'box.example.evil', 'a/b'])(
    'the name %j of somebody else is answered nothing',
    async (host) => {
      for (const path of ['/api/v1/me', '/api/v1/openapi.json', '/'])
        expect([path, (await bench.ask('GET', path, { headers: { ...browser, host } })).statusCode]).toEqual([
          path,
          421,
        ]);
    },
  );

  test.each([
    '127.0.0.1',
    '10.1.2.3:8480',
    '[fe80::1]:8480',
    'localhost:8480',
    'BOX.example',
    'box.example.',
  ])('the name %j is ours', async (host) => {
    expect((await bench.ask('GET', '/api/v1/me', { headers: { ...browser, host } })).statusCode).toBe(200);
  });

  test('a program with a token may call the box what it likes', async () => {
    const headers = { ...(await bench.tokenOf(['metrics'])), host: 'prometheus-calls-it.so' };
    expect((await bench.ask('GET', '/metrics', { headers })).statusCode).toBe(200);
  });

  test('every answer forbids frames, other content, guessing of types, and caching', async () => {
    for (const path of ['/', '/api/v1/me', '/api/v1/nothing', '/healthz', '/assets/plain.js']) {
      const { headers } = await bench.ask('GET', path, { headers: browser });
      expect([path, headers['content-security-policy']]).toEqual([
        path,
        expect.stringMatching(/default-src 'none'.*frame-ancestors 'none'/),
      ]);
      expect(headers['content-security-policy']).not.toMatch(/unsafe|\*/);
      expect(headers).toMatchObject({
        'x-content-type-options': 'nosniff',
        'x-frame-options': 'DENY',
        'referrer-policy': 'no-referrer',
      });
      if (path.startsWith('/api')) expect(headers['cache-control']).toBe('no-store');
    }
  });

  test('pages: hashed files stay in caches, views are the one page, what is not there is not', async () => {
    const at = async (path: string) => bench.ask('GET', path);
    expect((await at('/assets/index-Ab12Cd34.js')).headers['cache-control']).toBe(
      'public, max-age=31536000, immutable',
    );
    expect((await at('/assets/plain.js')).headers['cache-control']).toBe('no-cache');
    expect((await at('/journal')).body).toContain('<title>page</title>');
    expect((await at('/')).headers['cache-control']).toBe('no-cache');
    for (const path of ['/assets/nothing.js', '/../people.json', '/..%2fpeople.json', '/people.json'])
      expect([path, (await at(path)).statusCode]).toEqual([path, 404]);
  });

  test.each([
    ['POST', '/api/v1/trip', '{', 400],
    ['POST', '/api/v1/trip', '{"links":"vault"}', 400],
    ['POST', '/api/v1/trip', '{"surprise":1}', 400],
    ['POST', '/api/v1/trip', `{"reason":"${'x'.repeat(70_000)}"}`, 413],
    ['PUT', '/api/v1/trip', '{}', 404],
    ['GET', '/api/v1/nothing', '', 404],
    ['GET', '/api/v1/journal?limit=0', '', 400],
    ['GET', '/api/v1/journal?surprise=1', '', 400],
    ['GET', '/api/v1/journal?cursor=abc', '', 400],
  ] as const)(
    '%s %s with a bad request is a problem with a way out',
    async (method, url, payload, status) => {
      const answer = await bench.app.inject({
        method,
        url,
        headers: {
          host: '127.0.0.1',
          ...browser,
          ...(payload === '' ? {} : { 'content-type': 'application/json' }),
        },
        ...(payload === '' ? {} : { payload }),
      });
      expect(answer.statusCode).toBe(status);
      expect(answer.headers['content-type']).toContain('application/problem+json');
      const body = z.strictObject(problem.shape).parse(answer.json());
      expect(body.hint).not.toBe('');
    },
  );
});
