/**
 * Somebody has the secrets of the box and the way to an append-only vault. What he can do and what not is docs/rogue-client.md; what the
 * server refuses stands in its log, and trips the gate. Debian's nginx in front of rclone, the script of docs/examples, a real interlock.
 */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { cheapen } from '../controller/cheap-key.ts';
import { eventually, freePorts, missingTools, Scenario, SOURCE } from './rig.ts';

const EXAMPLES = join(import.meta.dirname, '../../docs/examples/append-only');

function missingServer(): string | null {
  const missing = [
    ['nginx', '-v'],
    ['curl', '--version'],
  ].filter(([tool = '', ...args]) => spawnSync(tool, args).status !== 0);
  if (missing.length === 0) return missingTools();
  const why = `NOT TESTED: a rogue client, for these are missing: ${missing.map(([tool]) => tool).join(', ')} (apt-get install nginx curl)`;
  console.warn(why);
  return why;
}

/** ms; a whole box is made, and machines are slow. */
const HOOK_TIMEOUT_MS = 120_000;
const LONG = process.env['PORTCULLIS_LONG'] !== undefined;
const skipped = (): void =>
  console.warn('short form: junk that keeps everybody from restoring is tried with PORTCULLIS_LONG=1');

const hash = (): string => createHash('sha256').update(randomBytes(32)).digest('hex');

describe.skipIf(missingServer() !== null)('a thief of the secrets of the box', { timeout: 180_000 }, () => {
  let scenario: Scenario;
  let url: string;
  let log: string;
  let vault: string;
  const started: ChildProcess[] = [];
  const run = (command: string, ...args: string[]): ChildProcess => {
    const child = spawn(command, args, { stdio: 'ignore', detached: true });
    started.push(child);
    return child;
  };
  const restic = (...args: string[]) =>
    spawnSync('restic', ['--no-cache', '-r', `rest:${url}`, ...args], {
      encoding: 'utf8',
      env: { ...process.env, RESTIC_PASSWORD_FILE: join(scenario.directory, 'password') },
    });
  const ask = async (method: string, path: string, body?: string): Promise<number> =>
    (await fetch(`${url}${path}`, { method, ...(body === undefined ? {} : { body }) })).status;
  const names = (kind: string): string[] =>
    readdirSync(join(vault, kind), { recursive: true, encoding: 'utf8' })
      .map((name) => name.replace(/^.*\//, ''))
      .filter((name) => name.length === 64);

  beforeEach(async () => {
    scenario = await Scenario.begin();
    const [server = 0, front = 0] = await freePorts(2);
    vault = join(scenario.directory, 'append-only');
    log = join(scenario.directory, 'access.log');
    mkdirSync(vault);
    writeFileSync(log, '');
    writeFileSync(join(scenario.directory, 'password'), 'stolen\n');
    writeFileSync(join(scenario.directory, 'token'), `${scenario.token}\n`);
    run(
      'rclone',
      'serve',
      'restic',
      '--append-only',
      '--addr',
      `127.0.0.1:${server}`,
      '--config',
      '/dev/null',
      '--cache-objects=false',
      vault,
    );
    const block = readFileSync(join(EXAMPLES, 'nginx.conf'), 'utf8')
      .replace('10.0.0.2:8000', `127.0.0.1:${front}`)
      .replace('127.0.0.1:8001', `127.0.0.1:${server}`)
      .replace('/var/log/nginx/vault.log', log);
    const file = join(scenario.directory, 'nginx.conf');
    const user = process.getuid?.() === 0 ? 'user root;' : '';
    const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
      .map((each) => `${each}_temp_path ${scenario.directory}/nginx-${each};`)
      .join(' ');
    writeFileSync(
      file,
      `${user} daemon off; worker_processes 1; error_log stderr; pid ${scenario.directory}/nginx.pid; events {} http { ${temporary} ${block} }`,
    );
    run('nginx', '-e', 'stderr', '-c', file);
    url = `http://127.0.0.1:${front}/`;
    let isThere = false;
    await eventually('the server of the vault to answer', () => {
      void ask('GET', 'config').then(
        (status) => (isThere = status === 404),
        () => undefined,
      );
      return isThere;
    });
    for (const args of [['init'], ['backup', EXAMPLES], ['backup', '--force', EXAMPLES]]) {
      const { status, stderr } = restic('-q', ...args);
      if (status !== 0) throw new Error(stderr);
      if (args[0] === 'init') cheapen(vault, 'stolen');
    }
  }, HOOK_TIMEOUT_MS);
  afterEach(async () => {
    for (const { pid } of started.splice(0))
      if (pid !== undefined) spawnSync('kill', ['-KILL', '--', `-${pid}`]);
    await scenario.end();
  }, HOOK_TIMEOUT_MS);

  test('removes nothing, writes over nothing; but he can add, and read everything', async () => {
    const before = ['keys', 'data', 'index', 'snapshots'].map((kind) => [kind, names(kind)] as const);
    for (const [kind, [name = '']] of before) {
      // oxlint-disable-next-line no-await-in-loop -- one attempt after the other
      expect([kind, await ask('DELETE', `${kind}/${name}`)]).toEqual([kind, 403]);
      // oxlint-disable-next-line no-await-in-loop
      expect([kind, await ask('POST', `${kind}/${name}`, 'junk')]).toEqual([kind, 403]);
    }
    expect(await ask('DELETE', 'config')).toBe(403);
    expect(await ask('POST', 'config', 'junk')).toBe(403);
    for (const [kind, files] of before) expect(names(kind)).toEqual(files);

    // What he can do.
    expect(restic('cat', 'masterkey').stdout).toContain('mac');
    expect(restic('backup', '-q', '--time', '2031-01-01 00:00:00', EXAMPLES).status).toBe(0);
    expect(names('snapshots')).toHaveLength(3);
    const lock = hash();
    expect(await ask('POST', `locks/${lock}`, 'junk')).toBe(200);
    expect(await ask('DELETE', `locks/${lock}`)).toBe(200);
    writeFileSync(join(scenario.directory, 'his'), 'his own\n');
    expect(restic('key', 'add', '--new-password-file', join(scenario.directory, 'his')).status).toBe(0);
    if (!LONG) {
      skipped();
      return;
    }
    // One file of junk, and nobody can restore until it is deleted at the vault.
    const junk = hash();
    expect(await ask('POST', `index/${junk}`, 'junk')).toBe(200);
    const target = join(scenario.directory, 'restored');
    expect(restic('restore', 'latest', '--target', target).status).not.toBe(0); // it tries for a while
    execFileSync('find', [vault, '-name', junk, '-delete']);
    expect(restic('restore', 'latest', '--target', target).status).toBe(0);
  });

  test('an ordinary day trips nothing; the first refused delete cuts the link', async () => {
    const asThief = `RESTIC_PASSWORD_FILE=${scenario.directory}/password exec restic --no-cache -r rest:${url}`;
    await scenario.interlock();
    const lease = await scenario.connected();
    const { tripPort: port } = scenario;
    run(
      'sh',
      join(EXAMPLES, 'follow-refusals.sh'),
      log,
      `http://127.0.0.1:${port}/trip/${SOURCE}`,
      join(scenario.directory, 'token'),
    );
    await eventually('the script to follow the log', () =>
      started.some(({ pid }) => spawnSync('pgrep', ['-g', String(pid), '-x', 'tail']).status === 0),
    );
    // What a window of the box does, and its recovery after a cut. Without waiting in one piece: the lease is renewed beside it.
    for (const args of [['backup', EXAMPLES], ['snapshots'], ['unlock'], ['check']]) {
      const child = run('sh', '-c', `${asThief} "$@"`, 'sh', '-q', ...args);
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      const code = await new Promise((resolve) => child.once('exit', resolve));
      expect([args, code]).toEqual([args, 0]);
    }
    const removed = readFileSync(log, 'utf8').match(/"DELETE \/locks\/\w+ [^"]*" 200/g) ?? [];
    expect(removed.length).toBeGreaterThan(1);

    const [snapshot = ''] = names('snapshots');
    const mark = scenario.board.mark();
    expect(scenario.board.moves(mark)).toEqual([]);
    const attack = run('sh', '-c', `${asThief} forget ${snapshot} --prune`);
    await scenario.board.standing('isolated');
    await lease.lost;
    expect(scenario.latchOnDisk()).toMatchObject({
      by: `source:${SOURCE}`,
      reason: expect.stringMatching(/the vault refused: .*DELETE .snapshots/) as string,
    });
    attack.kill('SIGKILL');
    expect(names('snapshots')).toHaveLength(3);
  });
});
