/** Mail against a small SMTP server written here: encrypted, verified, bounded. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { notify, type NotifyConfig } from '../../src/config/schema/notify.ts';
import { senderOf } from '../../src/controller/notify/senders.ts';
import { notice } from './parts.ts';
import { SmtpServer } from './smtp-server.ts';

const NEVER = new AbortController().signal;
const PATIENT_MS = 15_000;
const PASSWORD = 'correct-horse';

let directory: string;
let server: SmtpServer;
let port: number;
let cert: string;
let tls: { key: Buffer; cert: Buffer };
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'portcullis-mail-'));
  const key = join(directory, 'key');
  cert = join(directory, 'cert');
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=IP:127.0.0.1,DNS:localhost'];
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
  tls = { key: readFileSync(key), cert: readFileSync(cert) };
  writeFileSync(join(directory, 'password'), `${PASSWORD}\n`);
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));
beforeEach(async () => {
  server = new SmtpServer(tls);
  port = await server.start();
});
afterEach(() => server.stop());

const mail = (more: object = {}): NotifyConfig => {
  const [one] = notify.parse([
    {
      type: 'email',
      host: '127.0.0.1',
      port,
      from: 'box@example.org',
      to: ['ops@example.org', 'boss@example.org'],
      username: 'box',
      password_file: join(directory, 'password'),
      ca_file: cert,
      ...more,
    },
  ]);
  if (one === undefined) throw new Error('no destination');
  return one;
};
const send = (one: NotifyConfig, timeoutMs = PATIENT_MS) =>
  senderOf(one, timeoutMs)(notice('msg_1', { title: 'vault\r\nBcc: evil@example.org' }), NEVER);

test('is sent encrypted, after logging in, to everybody, with a Message-ID that stays', async () => {
  expect(await send(mail())).toEqual({ kind: 'taken', answer: 'it answered 250 2.0.0 kept' });
  const [got] = server.mails;
  expect(got).toMatchObject({
    encrypted: true,
    login: `\0box\0${PASSWORD}`,
    to: [expect.stringContaining('ops@example.org'), expect.stringContaining('boss@example.org')],
  });
  expect(got?.text).toContain('Message-ID: <msg_1@portcullis.invalid>');
  expect(got?.text).toContain('Auto-Submitted: auto-generated');
  expect(got?.text).toContain('Repair it.');
  expect(got?.text).not.toMatch(/^Bcc:/m);
});

test('nothing is said in the clear when the server does not encrypt, or its certificate is unknown', async () => {
  server.behaviour = { starttls: false, replies: { STARTTLS: '502 what?' } };
  expect(await send(mail())).toMatchObject({ kind: 'refused' });
  server.behaviour = {};
  const unknown = mail();
  if (unknown.type === 'email') delete unknown.ca_file;
  expect(await send(unknown)).toMatchObject({ kind: 'later', why: expect.not.stringContaining(PASSWORD) });
  expect(server.mails).toEqual([]);
  expect(server.said.join()).not.toContain('AUTH');
});

test('a mail server on this machine may be spoken to in the clear', async () => {
  const plain = mail({ tls: 'none' });
  if (plain.type === 'email') {
    delete plain.username;
    delete plain.password_file;
  }
  expect(await send(plain)).toMatchObject({ kind: 'taken' });
  expect(server.mails[0]).toMatchObject({ encrypted: false, login: null });
});

test.each([
  ['451 come again', 'later'],
  ['550 never', 'refused'],
])('a mail that is not kept: %s', async (reply, kind) => {
  server.behaviour = { replies: { DOT: reply } };
  expect(await send(mail())).toMatchObject({ kind, why: expect.stringContaining(reply) });
});

test('a password that the server repeats is not passed on', async () => {
  server.behaviour = { replies: { AUTH: `535 ${PASSWORD} is wrong` } };
  const attempt = await send(mail());
  expect(attempt).toMatchObject({ kind: 'refused' });
  expect(JSON.stringify(attempt)).not.toContain(PASSWORD);
});

test.each([{ mute: true }, { replies: { EHLO: null } }, { replies: { DOT: null } }])(
  'a server that falls silent ends in time: %o',
  async (behaviour) => {
    server.behaviour = behaviour;
    expect(await send(mail(), 1_000)).toMatchObject({ kind: 'later' });
  },
);
