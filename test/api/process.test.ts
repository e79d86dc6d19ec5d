/** The controller as a process of its own: TLS with the certificate it makes, the first account, a restart, the command on the box. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { request as plainRequest } from 'node:http';
import { Agent, request } from 'node:https';
import type { TLSSocket } from 'node:tls';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { INTERLOCK_SOCKET } from '../../src/protocol/messages.ts';
import { freePort, missingTools } from '../controller/appliance.ts';
import { FakeInterlock } from '../controller/fake-interlock.ts';
import { PASSWORD } from './bench.ts';

/** Somebody who is not root: `nobody` of Debian. */
const STRANGER = 65_534;

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Record<string, unknown>;
  readonly fingerprint: string;
}

describe.skipIf(missingTools() !== null)('the controller as a process', { timeout: 90_000 }, () => {
  let directory: string;
  let interlock: FakeInterlock;
  let config: string;
  let port: number;
  let child: ChildProcess | null = null;
  let said = '';
  const agent = new Agent({ rejectUnauthorized: false, keepAlive: false, maxCachedSessions: 0 });

  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), 'portcullis-api-process-'));
    mkdirSync(join(directory, 'run'));
    interlock = new FakeInterlock(join(directory, 'run', INTERLOCK_SOCKET));
    interlock.adoptsBuild = true;
    await interlock.start();
    port = await freePort();
    writeFileSync(join(directory, 'demo.token'), 'a'.repeat(32), { mode: 0o600 });
    writeFileSync(join(directory, 'password'), 'x\n', { mode: 0o600 });
    config = join(directory, 'portcullis.yaml');
    writeFileSync(
      config,
      `state_directory: ${directory}/state
runtime_directory: ${directory}/run
controller: { listen: 127.0.0.1:${port}, tls: device, names: [vault.example] }
clock: { trust: always }
buses:
  board: { transport: modbus-tcp, host: 127.0.0.1, port: 5020, simulated: true }
links:
  vault:
    contacts: [{ name: relay, profile: waveshare/modbus-rtu-relay-8ch-d, bus: board, unit: 1, channel: 1, hardware_lease: 3s }]
    witnesses: [{ name: mirror, type: modbus-discrete-input, bus: board, unit: 1, input: 0, isolated_when: 1 }]
sources:
  demo: { verify: { type: bearer, token_file: ${directory}/demo.token }, format: generic, trips: [vault] }
repositories: { main: { url: "${directory}/vault", password_file: ${directory}/password } }
windows:
  nightly: { link: vault, opens: "0 3 * * *", timezone: UTC, lasts: 1h, steps: [{ backup: { repository: main, paths: [${directory}] } }] }
`,
    );
  });
  afterEach(async () => {
    await end('SIGTERM');
    await interlock.stop();
    rmSync(directory, { recursive: true, force: true });
  });

  const begin = async (ready = 200): Promise<void> => {
    said = '';
    const born = spawn(process.execPath, ['src/main.ts', 'controller', '--config', config], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    child = born;
    for (const stream of [born.stdout, born.stderr])
      stream.on('data', (text: Buffer) => (said += text.toString()));
    await expect
      .poll(async () => (await ask('GET', '/readyz').catch(() => null))?.status ?? said, {
        timeout: 30_000,
        interval: 100,
      })
      .toBe(ready);
  };
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    const dying = child;
    child = null;
    if (dying === null || dying.exitCode !== null || dying.signalCode !== null) return;
    const gone = new Promise((resolve) => dying.once('exit', resolve));
    dying.kill(signal);
    await gone;
  };
  const command = (input: string, ...args: string[]): string =>
    execFileSync(process.execPath, ['src/main.ts', ...args, '--config', config], { input, encoding: 'utf8' });

  function ask(
    method: string,
    path: string,
    { body, ...headers }: Record<string, unknown> = {},
  ): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const text = body === undefined ? '' : JSON.stringify(body);
      const sent = request(
        {
          host: '127.0.0.1',
          port,
          agent,
          method,
          path,
          headers: {
            ...(headers as Record<string, string>),
            ...(text === '' ? {} : { 'content-type': 'application/json' }),
          },
        },
        (response) => {
          const fingerprint = (response.socket as TLSSocket).getPeerCertificate().fingerprint256;
          let all = '';
          response.on('data', (piece: Buffer) => (all += piece.toString()));
          response.on('end', () =>
            resolve({
              status: response.statusCode ?? 0,
              headers: response.headers,
              body: (all.startsWith('{') ? JSON.parse(all) : {}) as Record<string, unknown>,
              fingerprint,
            }),
          );
        },
      );
      sent.on('error', reject);
      sent.end(text);
    });
  }

  test('its certificate is the one it prints; the cookie is tied to this host; logins outlive kill -9', async () => {
    await begin();
    const printed = /fingerprint of the controller's certificate is (\S+)/.exec(said)?.[1] ?? '';
    const code = /setup code ([A-Z0-9-]+)/.exec(said)?.[1] ?? '';
    const setup = await ask('POST', '/api/v1/setup', { body: { code, name: 'ada', password: PASSWORD } });
    expect(setup.fingerprint.replaceAll(':', '').toLowerCase()).toBe(
      printed.replaceAll(':', '').toLowerCase(),
    );
    const cookie = String(setup.headers['set-cookie']);
    expect(cookie).toMatch(
      /^__Host-portcullis=[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict; Max-Age=43200; Secure$/,
    );
    const headers = { cookie: cookie.split(';', 1)[0] ?? '' };
    expect((await ask('GET', '/api/v1/state', { ...headers, host: 'vault.example' })).body).toMatchObject({
      links: [{ link: 'vault' }],
    });
    expect((await ask('GET', '/api/v1/state', { ...headers, host: 'evil.example' })).status).toBe(421);
    await end('SIGKILL');
    await begin();
    expect(said).not.toContain('setup code');
    expect((await ask('GET', '/api/v1/me', headers)).body).toMatchObject({ name: 'ada', role: 'approver' });
    const cut = await ask('POST', '/api/v1/trip', { ...headers, body: { reason: 'smoke' } });
    expect(cut.body).toEqual({ latched: true, links: [{ link: 'vault', written_ms: 0.1 }] });
    expect(interlock.latch).toMatchObject({ by: 'person:ada', reason: 'smoke' });
    expect((await ask('GET', '/api/v1/configuration', headers)).body).toMatchObject({
      tls_fingerprint: setup.fingerprint,
      file: config,
      result: 'valid',
      changed: false,
    });
  });

  test('a broken file of people at the start lets nobody in, and says so; windows go on, and a whole file is enough', async () => {
    const people = join(directory, 'state', 'controller', 'people.json');
    mkdirSync(join(directory, 'state', 'controller'), { recursive: true });
    command(`${PASSWORD}\n`, 'user', 'add', 'eve', '--role', 'viewer');
    const whole = readFileSync(people, 'utf8');
    const broken = whole.slice(0, 100);
    writeFileSync(people, broken);
    await begin(503);
    await expect.poll(() => said).toContain('the controller is ready');
    await expect
      .poll(() => interlock.journal.filter(({ type }) => type.startsWith('controller.people')))
      .toMatchObject([{ data: { why: expect.stringContaining('people.json cannot be read') as string } }]);
    await expect
      .poll(async () => (await ask('GET', '/readyz')).body)
      .toMatchObject({ ready: false, code: 'people-unreadable' });
    const login = () => ask('POST', '/api/v1/login', { body: { name: 'eve', password: PASSWORD } });
    expect(await login()).toMatchObject({ status: 503, body: { code: 'people-unreadable' } });
    const code = 'AAAA-AAAA';
    for (const [path, body] of [
      ['setup', { code, name: 'mallory', password: PASSWORD }],
      ['trip', {}],
    ] as const)
      expect(await ask('POST', `/api/v1/${path}`, { body })).toMatchObject({
        status: 503,
        body: { code: 'people-unreadable' },
      });
    expect(said).not.toContain('setup code');
    expect(readFileSync(people, 'utf8')).toBe(broken);
    writeFileSync(people, whole);
    expect((await login()).status).toBe(200);
    expect((await ask('GET', '/readyz')).status).toBe(200);
  });

  test('what is made on the box works at once; without TLS nobody is heard', async () => {
    await begin();
    command(`${PASSWORD}\n`, 'user', 'add', 'eve', '--role', 'viewer');
    const login = () => ask('POST', '/api/v1/login', { body: { name: 'eve', password: PASSWORD } });
    await expect.poll(async () => (await login()).status, { timeout: 15_000, interval: 700 }).toBe(200);
    const [secret = ''] = command('', 'token', 'create', 'pager', '--scope', 'trip').split('\n');
    const headers = { authorization: `Bearer ${secret}` };
    await expect
      .poll(async () => (await ask('POST', '/api/v1/trip', { ...headers, body: {} })).status, {
        timeout: 15_000,
        interval: 700,
      })
      .toBe(200);
    expect((await ask('GET', '/api/v1/state', headers)).status).toBe(403);
    const plain = await new Promise<string>((resolve) => {
      plainRequest({ host: '127.0.0.1', port, path: '/healthz' }, (response) =>
        resolve(`answered ${response.statusCode}`),
      )
        .on('error', () => resolve('refused'))
        .end();
    });
    expect(plain).not.toBe('answered 200');
  });

  test.skipIf(process.getuid?.() !== 0)(
    'root makes accounts with the rights of the controller: what was put there leads to nothing of root',
    () => {
      const [state, target] = [join(directory, 'state', 'controller'), join(directory, 'of-root')];
      const [lock, draft] = [join(target, 'lock'), join(target, 'draft')];
      mkdirSync(state, { recursive: true });
      mkdirSync(lock, { recursive: true });
      writeFileSync(draft, 'of root', { mode: 0o600 });
      symlinkSync(draft, join(state, 'people.json.new'));
      chownSync(state, STRANGER, STRANGER);
      for (const path of [directory, join(directory, 'state')]) chmodSync(path, 0o755);
      const add = (): string => command(PASSWORD, 'user', 'add', 'eve', '--role', 'viewer');
      expect(add).toThrow();
      expect([readFileSync(draft, 'utf8'), statSync(draft).uid]).toEqual(['of root', 0]);
      rmSync(join(state, 'people.json.new'));
      rmSync(join(state, 'people.lock'), { recursive: true, force: true });
      symlinkSync(lock, join(state, 'people.lock'));
      expect(add).toThrow();
      expect(statSync(lock).uid).toBe(0);
      rmSync(join(state, 'people.lock'));
      add();
      expect(statSync(join(state, 'people.json')).uid).toBe(STRANGER);
    },
  );
});
