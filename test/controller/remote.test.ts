/** A restic on another machine: Debian's SSH server on loopback plays that machine. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { httpAddressOf, remoteCall } from '../../src/controller/restic/remote.ts';
import type { Run } from '../../src/controller/restic/run.ts';
import { eventually, freePort, missingTools, RESTIC } from './appliance.ts';
import { missingSsh, Sshd } from './sshd.ts';
import { StepBench } from './step-bench.ts';

/** Running processes whose arguments contain `text`: pid and arguments. */
const processesSaying = (text: string): readonly string[] =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .flatMap((pid) => {
      try {
        const line = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
        return line.includes(text) ? [`${pid} ${line}`] : [];
      } catch {
        return []; // it has ended
      }
    });

describe.skipIf(missingTools() !== null || missingSsh() !== null)(
  'a backup on another machine',
  { timeout: 60_000 },
  () => {
    let bench: StepBench;
    let sshd: Sshd;
    let server: ChildProcess;
    let url: string;
    beforeEach(async () => {
      bench = new StepBench();
      await bench.start();
      sshd = new Sshd(bench.directory);
      await sshd.start();
      await bench.make('vault');
      const port = await freePort();
      server = spawn(
        'rclone',
        [
          'serve',
          'restic',
          '--addr',
          `127.0.0.1:${port}`,
          '--config',
          '/dev/null',
          join(bench.directory, 'vault'),
        ],
        { stdio: 'ignore' },
      );
      // Go asks no proxy for 127.0.0.1; this is the same place under a name that it does not know as such.
      url = `rest:http://127.1:${port}/`;
      await eventually('the server of the vault', () => answers(port));
    });
    afterEach(() => {
      sshd.stop();
      server.kill('SIGKILL');
      // What a test that failed left behind: everything of it names its directory.
      for (const line of processesSaying(bench.directory))
        process.kill(Number(line.split(' ', 1)[0]), 'SIGKILL');
      bench.stopAll();
    });
    const reached = new Map<number, boolean>();
    const answers = (port: number): boolean => {
      const socket = connect(port, '127.0.0.1', () => {
        reached.set(port, true);
        socket.destroy();
      });
      socket.on('error', () => socket.destroy());
      return reached.get(port) ?? false;
    };
    /** The vault over HTTP for the other machine, and from its disk for this one. */
    const run: Run = (call) => bench.run('vault', call.on === undefined ? {} : { url })(call);
    const step = (more: Readonly<Record<string, unknown>> = {}, known = sshd.knownHostsFile) => ({
      backup: {
        repository: 'vault',
        paths: [bench.source],
        run_on: {
          ssh: `${sshd.user}@127.0.0.1`,
          port: sshd.port,
          key_file: sshd.keyFile,
          known_hosts_file: known,
          restic: RESTIC.startsWith('/') ? RESTIC : '/usr/bin/restic',
        },
        ...more,
      },
    });

    test('goes through this box into the vault, and is read back from here', async () => {
      bench.write("it's a file; $(touch /tmp/never) here", 'x');
      const { outcome, facts } = await bench.step(step({ tags: ["o'clock"] }), { run });
      expect(outcome).toEqual({ kind: 'done' });
      expect(bench.snapshots('vault')).toMatchObject([
        { id: facts?.snapshot, hostname: '127.0.0.1', tags: ["o'clock"] },
      ]);
      expect(facts?.files).toBe(1);
      expect(existsSync('/tmp/never')).toBe(false);
      const missing = await bench.step(step({ paths: [bench.source, join(bench.directory, 'absent')] }), {
        run,
      });
      expect(missing.outcome).toMatchObject({ kind: 'partly-done' });
    });

    test('cut: the path is gone at once, restic there dies, and the password is in no argument', async () => {
      mkdirSync(join(bench.source, 'big'));
      for (let index = 0; index < 4; index += 1) bench.write(`big/${index}`, randomBytes(4_000_000));
      const marker = `cut-${randomBytes(4).toString('hex')}`;
      const password = readFileSync(join(bench.directory, 'password'), 'utf8').trim();
      const going = bench.step(step({ limit_upload: 500, tags: [marker] }), { run });
      // The shell that watches over it there, restic itself, and our own ssh.
      await eventually('restic to work there', () =>
        processesSaying(marker).some((line) => / backup --json/.test(line) && !/ ssh |sh -c/.test(line)),
      );
      await eventually(
        'it to have sent something',
        () =>
          existsSync(join(bench.directory, 'vault', 'locks')) &&
          readdirSync(join(bench.directory, 'vault', 'locks')).length > 0,
      );
      expect(processesSaying(password)).toEqual([]);
      bench.stop.abort();
      expect((await going).outcome).toMatchObject({ kind: 'cut-short' });
      await eventually('nothing of it to be left anywhere', () => processesSaying(marker).length === 0);
      expect(bench.snapshots('vault')).toEqual([]);
    });

    test('cut: what would not notice by itself is killed there', async () => {
      // A restic that writes dies of its broken pipe; this one writes nothing.
      const deaf = join(bench.directory, 'deaf');
      writeFileSync(deaf, '#!/bin/sh\nwhile :; do sleep 1; done\n', { mode: 0o755 });
      const marker = `deaf-${randomBytes(4).toString('hex')}`;
      const { backup } = step({ tags: [marker] });
      const going = bench.step(
        { backup: { ...backup, run_on: { ...backup.run_on, restic: deaf } } },
        { run },
      );
      await eventually('it to run there', () =>
        processesSaying(marker).some((line) => line.includes(`sh ${deaf} `)),
      );
      bench.stop.abort();
      expect((await going).outcome).toMatchObject({ kind: 'cut-short' });
      await eventually('it to be gone', () => processesSaying(marker).length === 0);
    });

    test('another host key, and a machine that may reach nothing but the vault', async () => {
      bench.write('one', 'x');
      const foreign = await bench.step(step({}, sshd.foreignHostsFile), { run });
      expect(foreign.outcome).toMatchObject({
        kind: 'failed',
        why: expect.stringContaining('Host key verification failed') as string,
      });
      // What is started there instead of restic asks our end for somewhere else: it gets no answer.
      const elsewhere = await freePort();
      const other = spawn(
        'rclone',
        ['serve', 'restic', '--addr', `127.0.0.1:${elsewhere}`, '--config', '/dev/null', bench.scratch],
        {
          stdio: 'ignore',
        },
      );
      try {
        await eventually('the other server', () => answers(elsewhere));
        const curious = join(bench.directory, 'curious');
        const ask = `curl -sS -m 10 --socks5-hostname "\${HTTP_PROXY#socks5://}" http://127.1:${elsewhere}/ >&2 || echo refused >&2`;
        writeFileSync(curious, `#!/bin/sh\n${ask}\nexit 1\n`, { mode: 0o755 });
        const { backup } = step();
        const asked = await bench.step(
          { backup: { ...backup, run_on: { ...backup.run_on, restic: curious } } },
          { run },
        );
        expect(asked.outcome).toMatchObject({
          kind: 'failed',
          why: expect.stringContaining('refused') as string,
        });
      } finally {
        other.kill('SIGKILL');
      }
    });

    test('only what is reached over HTTP', async () => {
      const { outcome } = await bench.step(step()).catch((error: unknown) => ({ outcome: error }));
      expect(outcome).toMatchObject({ code: 'NOT_REMOTE' });
    });
  },
);

test('what the other machine says of proxies does not count', async () => {
  const passwordFile = join(import.meta.dirname, 'sshd.ts');
  const on = {
    ssh: 'a@b',
    port: 22,
    key_file: '/k',
    known_hosts_file: '/h',
    restic: '/usr/bin/restic',
  };
  const env = { RESTIC_REPOSITORY: 'rest:http://10.0.0.2:8000/', RESTIC_PASSWORD_FILE: passwordFile };
  const { input } = await remoteCall(on, { env, options: {}, args: [], secrets: [] }, ['backup']);
  // An empty one counts as none, and then the other spelling is looked at.
  for (const name of ['HTTP_PROXY', 'http_proxy', 'HTTPS_PROXY', 'https_proxy'])
    expect(input).toMatch(new RegExp(`^${name}=socks5://127\\.0\\.0\\.1:\\d+$`, 'm'));
  for (const name of ['NO_PROXY', 'no_proxy']) expect(input).toMatch(new RegExp(`^${name}=.+$`, 'm'));
});

test('addresses of repositories over HTTP', () => {
  expect(httpAddressOf('rest:http://10.0.0.2:8000/box')).toBe('10.0.0.2:8000');
  expect(httpAddressOf('rest:https://box:pass@vault.lan/box')).toBe('vault.lan:443');
  expect(httpAddressOf('rest:http://[fd00::2]:8000/')).toBe('[fd00::2]:8000');
  expect(httpAddressOf('s3:https://s3.example/bucket')).toBe('s3.example:443');
  expect(httpAddressOf('/srv/vault')).toBeNull();
  expect(httpAddressOf('sftp:nas:/srv')).toBeNull();
});
