import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { startChild } from '../../src/controller/processes/child.ts';
import { processesWith, sessionMembers } from '../../src/controller/processes/proc.ts';
import { eventually } from './appliance.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'portcullis-child-'));
});
afterEach(() => {
  for (const pid of processesWith(`TEST=${directory}`)) process.kill(pid, 'SIGKILL');
  rmSync(directory, { recursive: true, force: true });
});

const env = () => ({ PATH: process.env['PATH'] ?? '', TEST: directory });
const alive = () => processesWith(`TEST=${directory}`).length;
/** Two sleepers; with job control each is in a process group of its own, as ssh and rclone under restic are. */
const TREE = 'set -m; sleep 1000 & (sleep 1000; :) & touch "$1"; wait';

function start(script: string) {
  const lines: string[] = [];
  const ready = join(directory, 'ready');
  const child = startChild({
    command: 'bash',
    args: ['-c', script, 'bash', ready],
    env: env(),
    onStdout: (line) => lines.push(`out ${line}`),
    onStderr: (line) => lines.push(`err ${line}`),
  });
  return { child, lines, ready };
}

test('killAll reaches process groups that are not the child’s own', async () => {
  const { child, ready } = start(TREE);
  await eventually('the tree to grow', () => existsSync(ready) && alive() >= 4);
  child.killAll();
  await eventually('the tree to die', () => alive() === 0);
  expect(await child.ended).toMatchObject({ exitCode: null, signal: 'SIGKILL' });
});

test('killAll reaches what left the session, as daemons do', async () => {
  const { child, ready } = start('setsid sleep 1000 & setsid -f sleep 1000; touch "$1"; wait');
  await eventually('the daemons to run', () => existsSync(ready) && alive() >= 3);
  child.killAll();
  await eventually('the daemons to die', () => alive() === 0);
  expect(await child.ended).toMatchObject({ signal: 'SIGKILL' });
});

test('one that has become another user does not keep the others alive', () => {
  const source = join(import.meta.dirname, '../../src/controller/processes/proc.ts');
  // SIGURG does nothing to the first process of the machine, whoever may send it. Not SIGCONT: within a session anyone may.
  const script = `import { signalProcess } from ${JSON.stringify(source)}; console.log(signalProcess(1, 'SIGURG'));`;
  const nobody = 65_534;
  const isRoot = process.getuid?.() === 0;
  const said = execFileSync(process.execPath, ['--input-type=module-typescript', '-e', script], {
    encoding: 'utf8',
    ...(isRoot ? { uid: nobody, gid: nobody } : {}),
  });
  expect(said.trim()).toBe('false');
});

test('what a child leaves behind in its session dies with it', async () => {
  const { child, lines } = start('set -m; sleep 1000 & echo started; exit 3');
  expect(await child.ended).toMatchObject({ exitCode: 3, signal: null, startProblem: null });
  expect(lines).toEqual(['out started']);
  await eventually('the leftover to die', () => alive() === 0);
});

test('SIGINT reaches the child alone', async () => {
  const { child, ready, lines } = start(
    'trap "echo bye; exit 7" INT; set -m; sleep 1000 & touch "$1"; while :; do sleep 0.05; done',
  );
  await eventually('it to run', () => existsSync(ready));
  child.askToStop();
  expect(await child.ended).toMatchObject({ exitCode: 7 });
  expect(lines).toContain('out bye');
});

test('output that never ends a line is bounded, and comes as one', async () => {
  const lengths: number[] = [];
  const child = startChild({
    command: 'head',
    args: ['-c', '20000000', '/dev/zero'],
    env: env(),
    onStdout: (line) => lengths.push(line.length),
    onStderr: () => undefined,
  });
  await child.ended;
  expect(lengths).toEqual([16 * 1_048_576]);
});

test('a program that is not there ends as one that could not be executed', async () => {
  const lines: string[] = [];
  const hear = (line: string): void => void lines.push(line);
  const child = startChild({ command: '/nonexistent', args: [], env: env(), onStdout: hear, onStderr: hear });
  expect((await child.ended).exitCode).toBeGreaterThan(0);
  expect(lines.join()).toContain('/nonexistent');
});

test('a child dies when this program is killed', async () => {
  const source = join(import.meta.dirname, '../../src/controller/processes/child.ts');
  const script = `import { startChild } from ${JSON.stringify(source)};
    startChild({ command: 'sleep', args: ['1000'], env: ${JSON.stringify(env())}, onStdout() {}, onStderr() {} });
    setInterval(() => {}, 1000);`;
  const parent = spawn(process.execPath, ['--input-type=module-typescript', '-e', script], {
    stdio: 'ignore',
  });
  const [pid] = await eventually('the child to run', () => {
    const found = processesWith(`TEST=${directory}`);
    return found.length === 1 && readFileSync(`/proc/${found[0]}/comm`, 'utf8') === 'sleep\n' ? found : null;
  });
  parent.kill('SIGKILL');
  await eventually('the child to die', () => alive() === 0);
  expect(sessionMembers(pid ?? 0)).toEqual([]);
});
