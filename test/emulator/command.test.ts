/** `portcullis emulate` as a process, and the control lines that switch its faults. */
import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { requestFor } from '../../src/contacts/modbus/requests.ts';
import { createBoard } from '../../src/emulator/board.ts';
import { control, lineTaker, serveControl } from '../../src/emulator/control.ts';
import { planOf, type EmulateArguments } from '../../src/emulator/emulate-arguments.ts';
import { boardD, bytes, connected, generic, hasTool, until, watched, type Client } from './bench.ts';
import { virtualTimers } from './virtual-timers.ts';

const ends: (() => Promise<unknown> | void)[] = [];
let directory = '';
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'emulate-'));
});
afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end();
  await rm(directory, { recursive: true, force: true });
});

const event = z.looseObject({ event: z.string() });
const ready = z.strictObject({
  event: z.literal('ready'),
  emulation: z.literal(true),
  profile: z.string(),
  tcp: z
    .strictObject({ host: z.string(), port: z.int().min(1), framing: z.enum(['rtu', 'modbus-tcp']) })
    .nullable(),
  pty: z.string().nullable(),
  control: z.string().nullable(),
  cables: z.array(z.strictObject({ channels: z.array(z.int()), host: z.string(), port: z.int().min(1) })),
});

interface Emulator {
  readonly child: ChildProcessWithoutNullStreams;
  readonly exit: Promise<number | null>;
  events(): z.infer<typeof event>[];
  out(): string;
  errors(): string;
}

function emulator(args: EmulateArguments): Emulator {
  const script = join(import.meta.dirname, 'run-emulator.ts');
  const child = spawn(process.execPath, [script, JSON.stringify(args)]);
  let out = '';
  let errors = '';
  child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
  child.stdin.on('error', () => undefined);
  const exit = once(child, 'close').then(([code]: (number | null)[]) => code ?? null);
  ends.push(() => {
    child.kill('SIGKILL');
    return exit;
  });
  return {
    child,
    exit,
    out: () => out,
    errors: () => errors,
    events: () =>
      out
        .split('\n')
        .slice(0, -1)
        .map((line) => event.parse(JSON.parse(line))),
  };
}

async function readyOf(one: Emulator): Promise<z.infer<typeof ready>> {
  await until(() => one.out().includes('\n') || one.child.exitCode !== null, 'the emulator is ready');
  const [first] = one.events();
  if (first === undefined) throw new Error(one.errors());
  return ready.parse(first);
}

const ID = 'waveshare/modbus-rtu-relay-8ch-d';
const CONNECT_1 = '00 01 00 00 00 06 01 05 00 00 FF 00';
const ISOLATE_1 = '00 02 00 00 00 06 01 05 00 00 00 00';

describe('the process', () => {
  test('says that it is an emulation, logs frames and movements as JSON, takes control lines, ends with 0', async () => {
    const one = emulator({ profile: ID, tcp: '127.0.0.1:0', json: true, control: '-', mirror: ['1:3'] });
    const { tcp } = await readyOf(one);
    expect(one.errors()).toMatch(/^EMULATION of .*Nothing this shows proves anything about hardware/);
    const client = await connected(tcp?.port ?? 0);
    ends.push(() => void client.socket.destroy());
    client.socket.write(bytes(CONNECT_1));
    await until(() => one.events().some(({ event: name }) => name === 'reply'), 'the reply');
    expect(
      one
        .events()
        .filter(({ event: name }) => name !== 'connection')
        .slice(1),
    ).toEqual([
      { event: 'frame', at: expect.any(Number) as number, kind: 'connect', frame: CONNECT_1 },
      {
        event: 'contact',
        at: expect.any(Number) as number,
        channel: 1,
        position: 'connected',
        cause: 'frame',
        frame: CONNECT_1,
      },
      { event: 'reply', at: expect.any(Number) as number, frame: CONNECT_1 },
    ]);
    one.child.stdin.write('{"fault":"welded:1"}\n{"state":true}\nnonsense\n');
    await until(
      () => one.events().filter(({ event: name }) => name === 'control').length === 3,
      'three answers',
    );
    client.socket.write(bytes(ISOLATE_1));
    await until(() => client.received().length === 24, 'the echo');
    one.child.stdin.write('{"state":true}\n');
    await until(() => one.events().filter(({ event: name }) => name === 'control').length === 4, 'the state');
    const answers = one.events().filter(({ event: name }) => name === 'control');
    expect(answers.map(({ ok }) => ok)).toEqual([true, true, false, true]);
    const last = z.object({
      state: z.object({
        coils: z.array(z.string()),
        contacts: z.array(z.string()),
        inputs: z.array(z.boolean()),
      }),
    });
    const { state } = last.parse(answers.at(-1));
    expect([state.coils[0], state.contacts[0], state.inputs[2]]).toEqual(['isolated', 'connected', false]);
    one.child.stdin.end();
    expect(await one.exit).toBe(0);
  });

  test('monotonic times can be compared with those of this process', async () => {
    const one = emulator({ profile: ID, tcp: '127.0.0.1:0', json: true });
    const { tcp } = await readyOf(one);
    const client = await connected(tcp?.port ?? 0);
    ends.push(() => void client.socket.destroy());
    const before = Number(process.hrtime.bigint()) / 1e6;
    client.socket.write(bytes(CONNECT_1));
    await until(() => one.events().some(({ event: name }) => name === 'reply'), 'the reply');
    const after = Number(process.hrtime.bigint()) / 1e6;
    const [moved] = one.events().filter(({ event: name }) => name === 'contact');
    expect(Number(moved?.['at'])).toBeGreaterThanOrEqual(before);
    expect(Number(moved?.['at'])).toBeLessThanOrEqual(after);
  });

  test('a cable and a control socket from the command line; SIGTERM ends it with 0', async () => {
    const vault = createServer((socket) => socket.end('vault'));
    const path = join(directory, 'vault.sock');
    vault.listen(path);
    await once(vault, 'listening');
    ends.push(() => new Promise((resolve) => vault.close(resolve)));
    const socket = join(directory, 'control.sock');
    const one = emulator({
      profile: ID,
      tcp: '127.0.0.1:0',
      json: true,
      control: socket,
      cable: [`1,127.0.0.1:0=unix:${path}`],
    });
    const { cables, tcp } = await readyOf(one);
    const attempt = (): Client => {
      const made = watched(connect({ port: cables[0]?.port ?? 0, host: '127.0.0.1' }));
      ends.push(() => void made.socket.destroy());
      return made;
    };
    const early = attempt();
    await until(() => early.happened.includes('close'), 'an isolated contact passes nobody');
    expect(early.happened).toEqual(['ECONNREFUSED', 'close']);
    const board = await connected(tcp?.port ?? 0);
    ends.push(() => void board.socket.destroy());
    board.socket.write(bytes(CONNECT_1));
    await until(() => board.received().length === 12, 'the echo');
    // The echo may come before the cable is plugged in: whoever is refused comes again.
    let through = attempt();
    await until(() => {
      if (through.happened.includes('close') && through.received().length === 0) through = attempt();
      return through.received().toString() === 'vault';
    }, 'the vault answers through the cable');
    const line = watched(connect(socket));
    ends.push(() => void line.socket.destroy());
    line.socket.write('{"fault":"reboot"}\n');
    await until(() => line.received().includes('\n'), 'the answer');
    expect(JSON.parse(line.received().toString())).toMatchObject({ ok: true });
    await until(() => one.events().some(({ cause }) => cause === 'reboot'), 'the contact fell');
    one.child.kill('SIGTERM');
    expect(await one.exit).toBe(0);
  });

  test('without --json it speaks in words', async () => {
    const one = emulator({ profile: ID, tcp: '127.0.0.1:0', fault: ['welded:2'], control: '-' });
    await until(() => one.out().includes('ready'), 'ready');
    one.child.stdin.end('{"clear":true}\n');
    expect(await one.exit).toBe(0);
    expect(one.out()).toContain('channel 2 isolated (fault)\n');
    expect(one.out()).toContain('faults: none\n');
  });

  test('an address that is taken ends with 1 and says so', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    ends.push(() => new Promise((resolve) => other.close(resolve)));
    const address = other.address();
    if (address === null || typeof address === 'string') throw new Error('no address');
    const one = emulator({ profile: ID, tcp: `127.0.0.1:${address.port}` });
    expect(await one.exit).toBe(1);
    expect(one.errors()).toMatch(/cannot begin: .*EADDRINUSE/);
  });

  test('a wrong call ends with 2 and names everything that is wrong', async () => {
    const one = emulator({
      profile: ID,
      tcp: 'nowhere',
      fault: ['weldet'],
      mirror: ['9:1'],
      framing: 'ascii',
    });
    expect(await one.exit).toBe(2);
    for (const piece of ['--tcp: "nowhere"', 'unknown fault "weldet"', '--mirror 9:1', '--framing']) {
      expect(one.errors()).toContain(piece);
    }
  });

  test.skipIf(!hasTool('socat', '-V'))('killed hard, it leaves no socat behind', async () => {
    const path = join(directory, 'board');
    const one = emulator({ profile: ID, pty: path, json: true });
    expect(await readyOf(one)).toMatchObject({ tcp: null, pty: path });
    one.child.kill('SIGKILL');
    await one.exit;
    const gone = (): Promise<boolean> =>
      stat(path).then(
        () => false,
        () => true,
      );
    let over = false;
    const watch = setInterval(() => void gone().then((yes) => (over = yes)), 20);
    ends.push(() => clearInterval(watch));
    await until(() => over, 'socat ended and took its link along');
  });
});

describe('arguments', () => {
  const plan = async (args: Partial<EmulateArguments>): Promise<unknown> => {
    const { plan: made, problems } = await planOf({ profile: ID, ...args });
    if (made === null) return problems;
    const { profile: _, ...rest } = made;
    return rest;
  };
  const empty = { mirrors: [], cables: [], faults: [] };

  test('defaults', async () => {
    expect(await plan({})).toEqual({
      ...empty,
      tcp: { host: '127.0.0.1', port: 5020, framing: 'modbus-tcp' },
    });
    expect(await plan({ profile: 'waveshare/modbus-poe-eth-relay-8ch' })).toMatchObject({
      tcp: { framing: 'rtu' },
    });
    expect(await plan({ pty: '/tmp/x' })).toEqual({ ...empty, pty: '/tmp/x' });
    expect(await plan({ pty: '/tmp/x', tcp: '[::1]:0', framing: 'rtu' })).toEqual({
      ...empty,
      pty: '/tmp/x',
      tcp: { host: '::1', port: 0, framing: 'rtu' },
    });
  });

  test('cables', async () => {
    expect(
      await plan({
        cable: ['1+2,127.0.0.1:8000=unix:/a,b=c/vault.sock', '3,localhost:0=tcp:nas.example:445'],
      }),
    ).toMatchObject({
      cables: [
        {
          channels: [1, 2],
          listen: { host: '127.0.0.1', port: 8000 },
          target: { unix: '/a,b=c/vault.sock' },
        },
        {
          channels: [3],
          listen: { host: 'localhost', port: 0 },
          target: { tcp: { host: 'nas.example', port: 445 } },
        },
      ],
    });
  });

  test.each([
    [{ cable: ['9,127.0.0.1:1=unix:/x'] }, /channels are 1 to 8/],
    [{ cable: ['1,127.0.0.1=unix:/x'] }, /HOST:PORT/],
    [{ cable: ['1,127.0.0.1:1=udp:x:1'] }, /is not CHANNEL/],
    [{ cable: ['1,127.0.0.1:1=tcp:x'] }, /HOST:PORT/],
    [{ tcp: '127.0.0.1:70000' }, /HOST:PORT/],
    [{ mirror: ['1'] }, /CHANNEL:INPUT/],
    [{ mirror: ['1:9'] }, /inputs are 1 to 8/],
    [{ mirror: ['1:1'], profile: 'generic/modbus-coils' }, /no inputs/],
    [{ pty: '/tmp/x', framing: 'modbus-tcp' }, /always speaks rtu/],
    [{ profile: 'waveshare/nothing' }, /known: .*generic\/modbus-coils/],
    [{ profile: '/nowhere/none/x.yaml' }, /cannot be read: ENOENT/],
    [{ fault: ['late-reply:soon'] }, /late-reply:NUMBER[\s\S]*reboot/],
  ] as const)('%j is refused', async (args, why) => {
    expect(String(await plan(args))).toMatch(why);
  });

  test("a profile of one's own, by path", async () => {
    await writeFile(join(directory, 'broken.yaml'), 'id: x/y\n');
    expect(String(await plan({ profile: join(directory, 'broken.yaml') }))).toMatch(/profile check/);
    expect(await plan({ profile: 'firmware-profiles/generic/modbus-coils.yaml' })).toMatchObject({
      tcp: { port: 5020 },
    });
  });
});

describe('control lines', () => {
  const board = (): ReturnType<typeof createBoard> => createBoard(boardD, virtualTimers());

  test('switch faults, inputs and registers', () => {
    const one = board();
    expect(control(one, '{"fault":"silence","times":2,"on":"isolate"}')).toMatchObject({ ok: true });
    expect(one.state().faults).toEqual([{ name: 'silence', value: 0, on: 'isolate', times: 2 }]);
    expect(control(one, '{"clear":"mute"}')).toMatchObject({ ok: true });
    expect(one.state().faults).toHaveLength(1);
    control(one, '{"clear":true}');
    expect(one.state().faults).toEqual([]);
    control(one, '{"input":2,"value":1}');
    expect(one.state().inputs[1]).toBe(true);
    control(one, '{"register":4097,"value":3}');
    expect(
      one.hear(requestFor(boardD, { ask: 'startup-check', check: 'control-modes' }), '')?.reply,
    ).toMatchObject({ values: [0, 3, 0, 0, 0, 0, 0, 0] });
  });

  test.each([
    'nonsense',
    '{}',
    '[]',
    '{"fault":"none such"}',
    '{"fault":"welded:9"}',
    '{"clear":"none such"}',
    '{"clear":false}',
    '{"input":9,"value":1}',
    '{"input":1,"value":2}',
    '{"register":1,"value":1}',
    '{"state":true,"more":1}',
  ])('%s is refused with words', (line) => {
    const one = board();
    expect(control(one, line)).toEqual({ ok: false, error: expect.stringMatching(/.{10}/) as string });
    expect(one.state()).toEqual(board().state());
  });

  test('lines are cut where they end, and are bounded', () => {
    const lines: string[] = [];
    const take = lineTaker((line) => lines.push(line));
    expect(take('{"a":')).toBe(true);
    expect(take('1}\n\n{"b":2}\n{')).toBe(true);
    expect(lines).toEqual(['{"a":1}', '{"b":2}']);
    expect(take('x'.repeat(5000))).toBe(false);
  });

  test('the socket is for this user only', async () => {
    const path = join(directory, 'control.sock');
    const service = await serveControl(createBoard(generic, virtualTimers()), path);
    ends.push(() => service.close());
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    const line = watched(connect(path));
    ends.push(() => void line.socket.destroy());
    line.socket.write('x'.repeat(10_000));
    await until(() => line.happened.includes('close'), 'too long a line ends the connection');
  });
});
