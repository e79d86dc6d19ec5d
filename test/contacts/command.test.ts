/** The command driver against real programs: `ip`, which really moves an interface, and programs that behave badly. */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { CommandContact } from '../../src/contacts/command/contact.ts';
import type { Sign } from '../../src/contacts/command/meaning.ts';
import { ENVIRONMENT, MAX_OUTPUT_BYTES, run } from '../../src/contacts/command/process.ts';
import { CommandWorker } from '../../src/contacts/command/worker.ts';
import { processTimers } from '../../src/contacts/timers.ts';
import { PATIENCE_MS, scratch, skipLoudly, until } from './bench.ts';
import { type Cable, cableMissing, layCable } from './cable.ts';
import { type Bench, bounded, contactContract, current } from './contract.ts';

const directory = scratch();
afterAll(directory.remove);

/** A shell script of the bench; the driver itself never runs a shell. */
function script(name: string, ...lines: readonly string[]): string {
  const path = join(directory.path, name);
  writeFileSync(path, ['#!/bin/sh', ...lines, ''].join('\n'), { mode: 0o755 });
  return path;
}

const DONE: Sign = { exit: [0] };
const alive = (pid: number): boolean => {
  try {
    // A zombie whose parent has not looked yet is dead enough.
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
};
const pidIn = (path: string): number => Number(readFileSync(path, 'utf8').trim());

describe('a command that is run', () => {
  const start = (argv: readonly string[], timeoutMs = PATIENCE_MS): ReturnType<typeof run> =>
    run(argv, timeoutMs, processTimers);

  test('gets its words as they are: no shell looks at them', async () => {
    const words = ['$HOME', '; touch x', '*', '', 'a b', '`id`'];
    const ended = await bounded(start(['/usr/bin/printf', '[%s]', ...words]).ended);
    expect(ended).toMatchObject({
      kind: 'exited',
      code: 0,
      stdout: words.map((word) => `[${word}]`).join(''),
    });
  });

  test('sees none of our environment, and nothing on its input', async () => {
    process.env.PORTCULLIS_TEST_SECRET = 'secret';
    const ended = await bounded(start(['/usr/bin/env']).ended);
    delete process.env.PORTCULLIS_TEST_SECRET;
    const lines = Object.entries(ENVIRONMENT).map(([name, value]) => `${name}=${value}`);
    expect(ended).toMatchObject({ kind: 'exited', stdout: `${lines.join('\n')}\n` });
    expect(await bounded(start(['/bin/cat']).ended)).toMatchObject({ kind: 'exited', stdout: '' });
  });

  test('that hangs is killed with everything in its process group', async () => {
    const file = join(directory.path, 'children');
    const hanging = script('hang', `trap '' TERM INT HUP`, `sleep 600 & echo $! > ${file}`, 'wait');
    const running = start([hanging], 500);
    expect(await bounded(running.ended)).toEqual({ kind: 'lost', why: 'it took longer than 500 ms' });
    await until(() => !alive(pidIn(file)), 'the child of the hanging program is gone');
  });

  test('that leaves children behind is not waited for, and they are killed', async () => {
    const file = join(directory.path, 'left');
    const leaving = script('leave', `sleep 600 & echo $! > ${file}`, 'echo left', 'exit 3');
    expect(await bounded(start([leaving]).ended)).toMatchObject({
      kind: 'exited',
      code: 3,
      stdout: 'left\n',
    });
    await until(() => !alive(pidIn(file)), 'what it left behind is gone');
  });

  test.each([1, 2])('that prints without end on stream %i is killed', async (stream) => {
    const flooding = script(
      `flood-${stream}`,
      `while :; do echo xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx >&${stream}; done`,
    );
    const ended = await bounded(start([flooding]).ended);
    expect(ended).toEqual({ kind: 'lost', why: `it printed more than ${MAX_OUTPUT_BYTES} bytes` });
  });

  test('that does not exist, may not be run or dies of a signal says so', async () => {
    const plain = join(directory.path, 'plain');
    writeFileSync(plain, 'not a program', { mode: 0o644 });
    expect(await bounded(start(['/nonexistent/program']).ended)).toMatchObject({
      kind: 'not-started',
      why: expect.stringContaining('ENOENT'),
    });
    expect(await bounded(start([plain]).ended)).toMatchObject({ kind: 'not-started' });
    expect(await bounded(start(['/bin/true', 'a\0b']).ended)).toMatchObject({ kind: 'not-started' });
    const dying = script('die', 'kill -ABRT $$');
    expect(await bounded(start([dying]).ended)).toEqual({ kind: 'lost', why: 'it was ended by SIGABRT' });
  });
});

/** A contact whose programs keep a file: there while connected. Programs write what they do into a log. */
function onFile(worker: CommandWorker, name: string, parts: { read?: string; connect?: string } = {}) {
  const state = join(directory.path, `${name}-state`);
  const log = join(directory.path, `${name}-log`);
  for (const path of [state, log]) rmSync(path, { force: true });
  writeFileSync(log, '');
  const connect = parts.connect ?? script(`${name}-connect`, `echo connect >> ${log}`, `touch ${state}`);
  const isolate = script(`${name}-isolate`, `echo isolate >> ${log}`, `rm -f ${state}`);
  const read = parts.read ?? script(`${name}-read`, `test -e ${state} && echo is on || echo is off`);
  const call = { timeoutMs: 2000, done: DONE };
  const contact = new CommandContact({
    name,
    kind: 'holding',
    worker,
    calls: { connect: { ...call, argv: [connect] }, isolate: { ...call, argv: [isolate] } },
    read: {
      argv: [read],
      timeoutMs: 2000,
      connected: { exit: [0], some_line: '^is on$' },
      isolated: { exit: [0], some_line: '^is off$' },
    },
  });
  return { contact, state, log: () => readFileSync(log, 'utf8').trim().split('\n').filter(Boolean) };
}

describe('a command contact', () => {
  const contacts: CommandContact[] = [];
  const made = (...args: Parameters<typeof onFile>): ReturnType<typeof onFile> => {
    const parts = onFile(...args);
    contacts.push(parts.contact);
    return parts;
  };
  afterEach(async () => {
    await Promise.all(contacts.splice(0).map((contact) => contact.close()));
  });

  test('a cut kills a read that runs and does not wait for it', async () => {
    // Were it waited for, nothing here would end in time.
    const file = join(directory.path, 'reader');
    const read = script('slow-read', `echo $$ > ${file}.new`, `mv ${file}.new ${file}`, 'exec sleep 600');
    rmSync(file, { force: true });
    const { contact, log } = made(new CommandWorker(processTimers), 'slow', { read });
    const reading = contact.read();
    await until(() => existsSync(file), 'the read is running');
    const receipt = contact.isolate();
    expect(await bounded(receipt.written)).toEqual(expect.any(Number));
    expect(await bounded(receipt.acknowledged)).toMatchObject({ kind: 'done' });
    expect(log()).toEqual(['isolate']);
    expect(await bounded(reading)).toMatchObject({
      position: 'unknown',
      detail: expect.stringContaining('killed'),
    });
    await until(() => !alive(pidIn(file)), 'the read is gone');
  });

  test('a cut kills a connect that runs, waits for its end, and isolates after it', async () => {
    const file = join(directory.path, 'connector');
    rmSync(file, { force: true });
    const connect = script(
      'slow-connect',
      `echo $$ > ${file}.new`,
      `mv ${file}.new ${file}`,
      'exec sleep 600',
    );
    const { contact, log } = made(new CommandWorker(processTimers), 'connecting', { connect });
    const connecting = contact.connect(current);
    await until(() => existsSync(file), 'the connect is running');
    const receipt = contact.isolate();
    expect(await bounded(connecting)).toMatchObject({ kind: 'unknown', why: 'it was killed to isolate' });
    expect(alive(pidIn(file))).toBe(false);
    expect(await bounded(receipt.acknowledged)).toMatchObject({ kind: 'done' });
    expect(log()).toEqual(['isolate']);
  });

  test('a connect whose program fails is refused, and followed by an isolate', async () => {
    const connect = script('failing', 'echo no such hub >&2', 'exit 7');
    const { contact, log } = made(new CommandWorker(processTimers), 'failing', { connect });
    expect(await bounded(contact.connect(current))).toEqual({
      kind: 'refused',
      why: 'it exited with 7 and printed "no such hub"',
    });
    await until(() => log().length === 1, 'the isolate has run');
    expect(log()).toEqual(['isolate']);
  });

  test('a fence that turns stale while the connect waits stops it', async () => {
    const worker = new CommandWorker(processTimers);
    const { contact, log } = made(worker, 'fenced');
    let valid = true;
    const reading = contact.read();
    const connecting = contact.connect({ isCurrent: () => valid });
    valid = false;
    expect(await bounded(connecting)).toEqual({ kind: 'fenced' });
    await bounded(reading);
    expect(log()).toEqual([]);
  });

  test('a connect is not started while its isolate is not done', async () => {
    const worker = new CommandWorker(processTimers);
    const { contact, log } = made(worker, 'owing');
    const gate = join(directory.path, 'gate');
    rmSync(gate, { force: true });
    script(
      'owing-isolate',
      `test -e ${gate} || exit 1`,
      `echo isolate >> ${join(directory.path, 'owing-log')}`,
    );
    expect(await bounded(contact.isolate().acknowledged)).toMatchObject({ kind: 'refused' });
    expect(await bounded(contact.connect(current))).toMatchObject({ kind: 'unknown' });
    writeFileSync(gate, '');
    await until(() => log().length > 0, 'the isolate was tried again by itself');
    expect(log()).toEqual(['isolate']);
  });

  test('output that means both, or neither, is unknown', async () => {
    const worker = new CommandWorker(processTimers);
    const both = made(worker, 'both', { read: script('both', 'echo is on; echo is off') });
    const none = made(worker, 'none', { read: script('none', 'echo is odd') });
    const wrong = made(worker, 'wrong', { read: script('wrong', 'echo is off; exit 1') });
    for (const { contact } of [both, none, wrong]) {
      expect(await bounded(contact.read())).toMatchObject({ position: 'unknown' });
    }
  });
});

const missing = cableMissing();
let cable: Cable | null = null;

describe.skipIf(skipLoudly('commands that move a real interface', missing))(
  'commands that move a real interface',
  () => {
    beforeAll(() => {
      cable = layCable();
    });
    afterAll(() => cable?.remove());

    contactContract('command (ip)', async (): Promise<Bench> => {
      const space = cable?.inside[3] ?? '';
      const ip = (...args: readonly string[]) =>
        spawnSync('ip', ['-n', space, ...args], { encoding: 'utf8' });
      ip('link', 'add', 'port', 'type', 'veth', 'peer', 'name', 'port-far');
      const hung = join(directory.path, 'hung');
      rmSync(hung, { force: true });
      // Stands between the driver and `ip`, so that the part can be made to hang.
      const through = script('through', `while test -e ${hung}; do sleep 0.05; done`, 'exec "$@"');
      const program = [through, '/usr/sbin/ip', '-n', space];
      const call = { timeoutMs: 1000, done: DONE };
      const worker = new CommandWorker(processTimers);
      const contact = new CommandContact({
        name: 'port',
        kind: 'holding',
        worker,
        calls: {
          connect: { ...call, argv: [...program, 'link', 'set', 'dev', 'port', 'up'] },
          isolate: { ...call, argv: [...program, 'link', 'set', 'dev', 'port', 'down'] },
        },
        read: {
          argv: [...program, '-o', 'link', 'show', 'dev', 'port'],
          timeoutMs: 1000,
          connected: { exit: [0], some_line: '[<,]UP[,>]' },
          isolated: { exit: [0], some_line: '^[0-9]+: ', no_line: '[<,]UP[,>]' },
        },
      });
      return {
        contact,
        seen: () =>
          /[<,]UP[,>]/.test(ip('-o', 'link', 'show', 'dev', 'port').stdout) ? 'connected' : 'isolated',
        unplug: () => writeFileSync(hung, ''),
        plug: () => rmSync(hung, { force: true }),
        end: async () => {
          rmSync(hung, { force: true });
          ip('link', 'delete', 'port');
        },
      };
    });
  },
);
