/** Every type of destination against a real server on loopback, well and badly behaved. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer as createTlsServer } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Webhook } from 'standardwebhooks';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { destinationsByName, notify, type NotifyConfig } from '../../src/config/schema/notify.ts';
import { senderOf, wants } from '../../src/controller/notify/senders.ts';
import { senderKey, signatureVerifies } from '../../src/sources/standard-webhooks.ts';
import { notice, Receiver } from './parts.ts';

const KEY = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
const OLD_KEY = `whsec_${Buffer.alloc(32, 8).toString('base64')}`;
const NEVER = new AbortController().signal;
/** ms after which an attempt ends in these tests; long enough for a slow machine to answer. */
const PATIENT_MS = 15_000;
const SHORT_MS = 300;

let directory: string;
let receiver: Receiver;
let port: number;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'portcullis-notify-'));
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));
beforeEach(async () => {
  receiver = new Receiver();
  port = await receiver.start();
});
afterEach(() => receiver.stop());

const file = (name: string, text: string): string => {
  const path = join(directory, name);
  writeFileSync(path, `${text}\n`, { mode: 0o600 });
  return path;
};
const config = (written: object): NotifyConfig => {
  const [one] = notify.parse([written]);
  if (one === undefined) throw new Error('no destination');
  return one;
};
const webhook = (more: object = {}): NotifyConfig =>
  config({
    type: 'webhook',
    url: `http://127.0.0.1:${port}/hook`,
    secret_file: file('hook', `${KEY}\n${OLD_KEY}`),
    ...more,
  });
const send = (one: NotifyConfig, what = notice('msg_1'), timeoutMs = PATIENT_MS) =>
  senderOf(one, timeoutMs)(what, NEVER);

describe('webhook', () => {
  test('is signed so that others can verify it, with both keys', async () => {
    expect(await send(webhook())).toEqual({ kind: 'taken', answer: 'it answered 200: ok' });
    const [got] = receiver.got;
    const headers = got?.headers as Record<string, string>;
    expect(headers['webhook-id']).toBe('msg_1');
    for (const key of [KEY, OLD_KEY])
      expect(new Webhook(key).verify(got?.body ?? '', headers)).toMatchObject({
        type: 'portcullis.link.alarm',
        timestamp: '2026-11-21T03:04:05.000Z',
        data: { id: 'msg_1', severity: 'warning', link: 'vault', code: 'proof-failed' },
      });
    const content = Buffer.from(`msg_1.${headers['webhook-timestamp'] ?? ''}.${got?.body ?? ''}`);
    const ours = senderKey(Buffer.from(KEY));
    const other = senderKey(Buffer.from(`whsec_${Buffer.alloc(32, 9).toString('base64')}`));
    if (!ours.ok || !other.ok) throw new Error('a key is wrong');
    expect(signatureVerifies(headers['webhook-signature'] ?? '', [ours.key], content)).toBe(true);
    expect(signatureVerifies(headers['webhook-signature'] ?? '', [other.key], content)).toBe(false);
  });

  test.each([
    [500, {}, { kind: 'later', afterMs: null }],
    [503, { 'retry-after': '7' }, { kind: 'later', afterMs: 7_000 }],
    [429, { 'retry-after': '120' }, { kind: 'later', afterMs: 120_000 }],
    [429, { 'retry-after': 'soon' }, { kind: 'later', afterMs: null }],
    [400, {}, { kind: 'refused' }],
    [401, {}, { kind: 'refused' }],
    [410, {}, { kind: 'refused' }],
  ])('an answer of %i %o', async (status, headers, expected) => {
    receiver.reply = (answer) => answer.writeHead(status, headers).end('no');
    expect(await send(webhook())).toMatchObject(expected);
  });

  test('a redirect is not followed', async () => {
    receiver.reply = (answer) =>
      answer.writeHead(307, { location: `http://127.0.0.1:${port}/elsewhere` }).end();
    expect(await send(webhook())).toMatchObject({
      kind: 'refused',
      why: expect.stringContaining('redirect'),
    });
    expect(receiver.got.map(({ path }) => path)).toEqual(['/hook']);
  });

  test('an answer without end is not read to its end', async () => {
    let written = 0;
    receiver.reply = (answer) => {
      answer.writeHead(200);
      const pour = (): void => {
        while (!answer.destroyed && answer.write('x'.repeat(65_536))) written += 65_536;
        if (!answer.destroyed) answer.once('drain', pour);
      };
      pour();
    };
    const attempt = await send(webhook());
    expect(attempt).toMatchObject({ kind: 'taken' });
    expect('answer' in attempt && attempt.answer.length).toBeLessThan(300);
    expect(written).toBeLessThan(50_000_000);
  });

  test('huge headers are not taken', async () => {
    receiver.reply = (answer) => answer.writeHead(200, { 'x-big': 'x'.repeat(100_000) }).end();
    expect(await send(webhook())).toMatchObject({ kind: 'later' });
  });

  test('a server that hangs, or answers one byte at a time, ends in time', async () => {
    receiver.reply = () => undefined;
    expect(await send(webhook(), notice('msg_1'), SHORT_MS)).toMatchObject({
      kind: 'later',
      why: expect.stringContaining('in time'),
    });
    receiver.reply = (answer) => {
      answer.writeHead(200);
      const drip = setInterval(() => answer.write('.'), 50);
      answer.on('close', () => clearInterval(drip));
    };
    // Its status came: it has the message.
    expect(await send(webhook(), notice('msg_1'), SHORT_MS)).toMatchObject({ kind: 'taken' });
  });

  test('nobody there, or no usable key: later, without the secret', async () => {
    const gone = webhook({ url: 'http://127.0.0.1:9/' });
    expect(await send(gone)).toMatchObject({ kind: 'later', why: expect.stringContaining('ECONNREFUSED') });
    const bad = file('bad', 'whsec_hunter2hunter2hunter2!');
    const attempt = await send(webhook({ secret_file: bad }));
    expect(attempt).toMatchObject({ kind: 'later', why: expect.stringContaining(bad) });
    expect(JSON.stringify(attempt)).not.toContain('hunter2');
    expect(await send(webhook({ secret_file: join(directory, 'none') }))).toMatchObject({ kind: 'later' });
    expect(receiver.got).toEqual([]);
  });
});

describe('TLS', () => {
  test('an unknown certificate is refused; with its authority named, it is taken', async () => {
    const [key, cert] = ['tls.key', 'tls.crt'].map((name) => join(directory, name)) as [string, string];
    const subject = ['-subj', '/CN=elsewhere', '-addext', 'subjectAltName=IP:127.0.0.1'];
    const args = [
      'req',
      '-x509',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:prime256v1',
      '-nodes',
      '-days',
      '2',
    ];
    execFileSync('openssl', [...args, ...subject, '-keyout', key, '-out', cert], { stdio: 'ignore' });
    const options = { key: readFileSync(key), cert: readFileSync(cert) };
    const secure = new Receiver((listener) => createTlsServer(options, listener));
    const url = `https://127.0.0.1:${await secure.start()}/`;
    try {
      expect(await send(webhook({ url }))).toMatchObject({
        kind: 'later',
        why: expect.stringContaining('ca_file'),
      });
      expect(secure.got).toEqual([]);
      expect(await send(webhook({ url, ca_file: cert }))).toMatchObject({ kind: 'taken' });
      const named = webhook({ url: url.replace('127.0.0.1', 'localhost'), ca_file: cert });
      expect(await send(named)).toMatchObject({
        kind: 'later',
        why: expect.stringContaining('another name'),
      });
    } finally {
      await secure.stop();
    }
  });
});

test('ntfy: title, priority and token in headers', async () => {
  const token_file = file('token', 'tk_secret');
  const one = config({ type: 'ntfy', url: `http://127.0.0.1:${port}/topic`, token_file });
  receiver.reply = (answer) => answer.writeHead(403).end('token tk_secret is unknown\u001B[2J');
  const attempt = await send(one, notice('msg_1', { severity: 'critical', title: 'Bänder' }));
  expect(attempt).toEqual({
    kind: 'refused',
    why: String.raw`it answered 403: token [secret] is unknown\u{1b}[2J`,
  });
  expect(receiver.got[0]).toMatchObject({
    path: '/topic',
    headers: {
      title: `=?UTF-8?B?${Buffer.from('Bänder').toString('base64')}?=`,
      priority: 'urgent',
      authorization: 'Bearer tk_secret',
    },
    body: expect.stringContaining('Repair it.'),
  });
});

test('slack: markup of others is no markup, the address stays a secret', async () => {
  const one = config({
    type: 'slack',
    url_file: file('slack', `http://127.0.0.1:${port}/services/T0/B0/xyz`),
  });
  receiver.reply = (answer, { path }) => answer.writeHead(404).end(`no ${path}`);
  const attempt = await send(one, notice('msg_1', { title: '<!channel> & co' }));
  expect(JSON.stringify(attempt)).not.toContain('xyz');
  expect(JSON.parse(receiver.got[0]?.body ?? '')).toMatchObject({
    text: expect.stringContaining('&lt;!channel&gt; &amp; co'),
  });
});

test('ping: start, success, failure and test of its own window', async () => {
  const one = config({ type: 'ping', window: 'nightly', url: `http://127.0.0.1:${port}/uuid?rid=1` });
  const of = (type: string, window: string | null = 'nightly') =>
    notice('msg_1', { type: `portcullis.${type}` as 'portcullis.test', window });
  const all = ['window.started', 'window.done', 'window.failed', 'window.skipped', 'test'].map((type) =>
    of(type),
  );
  for (const each of all) {
    expect(wants(one, each)).toBe(true);
    // oxlint-disable-next-line no-await-in-loop -- in order
    expect(await send(one, each)).toMatchObject({ kind: 'taken' });
  }
  expect(receiver.got.map(({ path }) => path)).toEqual(
    ['/uuid/start', '/uuid', '/uuid/fail', '/uuid/fail', '/uuid/log'].map((path) => `${path}?rid=1`),
  );
  expect(wants(one, of('window.done', 'weekly'))).toBe(false);
  expect(wants(one, of('link.tripped', null))).toBe(false);
});

test('who is told of what', () => {
  const slack = config({ type: 'slack', url_file: '/x', least: 'warning' });
  const told = (severity: 'info' | 'warning' | 'critical') => wants(slack, notice('msg_1', { severity }));
  expect([told('info'), told('warning'), told('critical')]).toEqual([false, true, true]);
  const done = notice('msg_1', { type: 'portcullis.window.done', severity: 'info', window: 'nightly' });
  expect([wants(webhook(), done), wants(config({ type: 'slack', url_file: '/x' }), done)]).toEqual([
    true,
    false,
  ]);
});

test('destinations without a name are called after their type', () => {
  const list = notify.parse([
    { type: 'slack', url_file: '/a' },
    { type: 'slack', url_file: '/b' },
    { type: 'slack', name: 'ops', url_file: '/c' },
  ]);
  expect([...destinationsByName(list).keys()]).toEqual(['slack', 'slack-2', 'ops']);
});
