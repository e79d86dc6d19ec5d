/** Repositories of every kind, and where their secrets must never be seen. */
import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { repository as repositorySchema } from '../../src/config/schema/repositories.ts';
import { accessTo, redacted, sshTargetOf } from '../../src/controller/restic/repository.ts';
import { Appliance, eventually, missingTools } from './appliance.ts';
import { missingSsh, Sshd } from './sshd.ts';
import { StepBench } from './step-bench.ts';

const secretOf = (what: string): string => `${what}-${randomBytes(12).toString('hex')}`;

/** Command lines of every process on this machine. */
const commandLines = (): string =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
      } catch {
        return ''; // it has ended
      }
    })
    .join('\n');

/** Files below `directory` in which `text` is found. */
const filesWith = (directory: string, text: string): readonly string[] =>
  readdirSync(directory, { recursive: true, encoding: 'utf8', withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => readFileSync(path).includes(text));

describe.skipIf(missingTools() !== null)('secrets in a window', { timeout: 120_000 }, () => {
  let appliance: Appliance;
  const login = { user: 'box', password: secretOf('login') };
  const key = secretOf('password');
  beforeEach(async () => {
    appliance = new Appliance();
    // The server's own password file, with a digest in it, lies beside the vault and not in an argument.
    const htpasswd = join(appliance.directory, 'htpasswd');
    await appliance.start(['--htpasswd', htpasswd]);
    const { createHash } = await import('node:crypto');
    const digest = createHash('sha1').update(login.password).digest('base64');
    writeFileSync(htpasswd, `${login.user}:{SHA}${digest}\n`);
    writeFileSync(appliance.passwordFile, `${key}\n`);
    writeFileSync(join(appliance.directory, 'login'), `${login.password}\n`);
  });
  afterEach(() => appliance.stop());

  test('are in no argument, no file, no journal, no report and no log, whether it works or not', async () => {
    appliance.fill(2, 1_000_000);
    appliance.makeVault();
    const environment = join(appliance.directory, 'environment');
    const token = secretOf('token');
    writeFileSync(environment, `SOME_TOKEN=${token}\n`);
    const repository = {
      url: appliance.url,
      password_file: appliance.passwordFile,
      environment_file: environment,
      login: { username: login.user, password_file: join(appliance.directory, 'login') },
    };
    const steps = [
      { backup: { repository: 'main', paths: [appliance.source], limit_upload: 400 } },
      { check: { repository: 'main' } },
    ];
    await appliance.run(appliance.config({ steps }, { repositories: { main: repository } }));
    appliance.interlock.openWindow('nightly', 'one', 120_000);
    let lines = '';
    const looking = setInterval(() => {
      lines += commandLines();
    }, 100);
    const report = await appliance.report('one').finally(() => clearInterval(looking));
    expect(report.outcome).toBe('done');
    // It was looked at while restic worked, or nothing was seen at all.
    expect(lines).toContain('--limit-upload=400');

    writeFileSync(join(appliance.directory, 'login'), `wrong-${login.password}\n`);
    appliance.interlock.openWindow('nightly', 'two', 120_000);
    await eventually('restic to be refused', () =>
      appliance.progress.some(({ occurrence, phase }) => occurrence === 'two' && phase === 'work'),
    );
    const refused = await appliance.report('two');
    expect(refused.outcome).toBe('failed');

    const seen = JSON.stringify([appliance.interlock.journal, appliance.reports, appliance.notes]);
    for (const secret of [login.password, key, token]) {
      expect(lines).not.toContain(secret);
      expect(seen).not.toContain(secret);
      expect(filesWith(appliance.state, secret)).toEqual([]);
      expect(filesWith(appliance.vault, secret)).toEqual([]);
    }
  });
});

describe.skipIf(missingTools() !== null)('what restic says', { timeout: 60_000 }, () => {
  let bench: StepBench;
  beforeEach(async () => {
    bench = new StepBench();
    await bench.start();
  });
  afterEach(() => bench.stopAll());
  const file = (name: string, content: string): string => {
    const path = join(bench.directory, name);
    writeFileSync(path, `${content}\n`);
    return path;
  };

  test('is searched for secrets before it goes anywhere', async () => {
    const password = secretOf('p/w@');
    const token = secretOf('token');
    const talkative = join(bench.directory, 'talkative');
    writeFileSync(talkative, '#!/bin/sh\nenv >&2\nexit 1\n', { mode: 0o755 });
    const repository = bench.repository('rest', {
      url: 'rest:http://127.0.0.1:1/x/',
      login: { username: 'box', password_file: file('login', password) },
      environment_file: file('environment', `A_TOKEN=${token}\nREGION=eu`),
    });
    const { runRestic } = await import('../../src/controller/restic/run.ts');
    const host = { ...bench.host, program: { ...bench.host.program, path: talkative } };
    const signals = { cut: bench.stop.signal, wrapUp: bench.stop.signal };
    const end = await runRestic(host, repository, { args: [], timeoutMs: 20_000 }, signals);
    expect(end.lastWords).toContain('A_TOKEN=***');
    expect(end.lastWords).toContain('rest:http://box:***@127.0.0.1:1/x/');
    for (const secret of [password, encodeURIComponent(password), token])
      expect(JSON.stringify(end)).not.toContain(secret);
  });

  test('S3 keys reach the storage from their files', async () => {
    const id = secretOf('AKIA');
    const heard: string[] = [];
    const server = createServer((request, response) => {
      heard.push(request.headers.authorization ?? '');
      response.writeHead(403).end();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const run = bench.run('s3', {
      url: `s3:http://127.0.0.1:${port}/bucket/box`,
      s3: { access_key_id_file: file('id', id), secret_access_key_file: file('key', secretOf('key')) },
      options: { 's3.region': 'eu-central-1' },
    });
    const call = run({ args: ['cat', 'config'], timeoutMs: 30_000 });
    await eventually('restic to ask', () => heard.length > 0);
    bench.stop.abort();
    await call;
    server.close();
    expect(heard[0]).toContain(`Credential=${id}/`);
  });

  test.skipIf(missingSsh() !== null)(
    'SFTP: our key, and only the host key that was written down',
    async () => {
      const sshd = new Sshd(bench.directory);
      await sshd.start();
      try {
        const of = (known: string) => ({
          url: `sftp://${sshd.user}@127.0.0.1:${sshd.port}/${join(bench.directory, 'over-sftp')}`,
          ssh: { key_file: sshd.keyFile, known_hosts_file: known },
        });
        const made = await bench.run('sftp', of(sshd.knownHostsFile))({ args: ['init'], timeoutMs: 30_000 });
        expect(made.lastWords === '' ? made.verdict : made.lastWords).toBe('done');
        expect(readdirSync(join(bench.directory, 'over-sftp'))).toContain('config');
        const read = (known: string) =>
          bench.run('sftp', of(known))({ args: ['cat', 'config'], timeoutMs: 30_000 });
        // What ssh says of it restic passes on only when it finds the time.
        expect((await read(sshd.foreignHostsFile)).verdict).toBe('failed');
        expect((await read(sshd.knownHostsFile)).verdict).toBe('done');
      } finally {
        sshd.stop();
      }
    },
  );
});

test('SFTP addresses are read in both forms, and the call of ssh is never a question', async () => {
  expect(sshTargetOf('sftp:backup@nas:/srv/restic')).toEqual({ user: 'backup', host: 'nas', port: null });
  expect(sshTargetOf('sftp:nas:restic')).toEqual({ user: null, host: 'nas', port: null });
  expect(sshTargetOf('sftp://backup@[fe80::1]:2222//srv')).toEqual({
    user: 'backup',
    host: 'fe80::1',
    port: '2222',
  });
  expect(sshTargetOf('sftp://nas/srv')).toEqual({ user: null, host: 'nas', port: null });
  const settings = repositorySchema.parse({ url: 'sftp:backup@nas:/srv', password_file: '/p' });
  const { options } = await accessTo({ name: 'nas', settings });
  expect(options['sftp.command']).toBe(
    'ssh -o StrictHostKeyChecking=yes -o BatchMode=yes -o ServerAliveInterval=10 -l backup -s -- nas sftp',
  );
  const own = repositorySchema.parse({
    url: 'sftp:nas:/srv',
    password_file: '/p',
    options: { 'sftp.command': 'ssh nas -s sftp' },
  });
  expect((await accessTo({ name: 'nas', settings: own })).options).toEqual({
    'sftp.command': 'ssh nas -s sftp',
  });
});

test('redaction takes every secret, however often', () =>
  expect(redacted('a=one b=two c=one', ['one', 'two'])).toBe('a=*** b=*** c=***'));
