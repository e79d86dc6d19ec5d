/** Emulated serial boards: what they answer by their profiles' own examples, their faults, and the driver against them. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Frames } from '../../src/contacts/serial/frames.ts';
import type { SerialExample, SerialProfile } from '../../src/contacts/serial/profile.ts';
import { processTimers } from '../../src/contacts/timers.ts';
import { TcpTransport } from '../../src/contacts/transport-tcp.ts';
import { planOf } from '../../src/emulator/emulate-arguments.ts';
import { startEmulation, type Emulation } from '../../src/emulator/emulation.ts';
import { SerialPlay } from '../../src/emulator/serial-board.ts';
import { bounded, current } from '../contacts/contract.ts';
import {
  serialContactOn,
  serialLineTo,
  serialProfileNamed,
  serialProfiles,
} from '../contacts/serial-bench.ts';
import { fault, hasTool, until } from './bench.ts';
import { virtualTimers } from './virtual-timers.ts';

/** Ends everything that a test began, last first. */
const ends: (() => Promise<unknown>)[] = [];
let directory = '';
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'emulate-serial-'));
});
afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end();
  await rm(directory, { recursive: true, force: true });
});

interface Spoken {
  readonly board: SerialPlay;
  readonly timers: ReturnType<typeof virtualTimers>;
  readonly say: (bytes: Uint8Array) => void;
  /** Everything that was said since the last call. */
  readonly heard: () => string;
}

function play(profile: SerialProfile): Spoken {
  const timers = virtualTimers();
  const board = new SerialPlay(profile, timers);
  let said = Buffer.alloc(0);
  const send = (bytes: Buffer): void => {
    said = Buffer.concat([said, bytes]);
  };
  const session = board.session({ send, reject: () => undefined });
  return {
    board,
    timers,
    say: (bytes) => session.receive(bytes),
    heard: () => {
      const all = said.toString('latin1');
      said = Buffer.alloc(0);
      return all;
    },
  };
}

/** Puts the board where the example says that it stands, which only its own frames can do. */
function prepare({ board, say, heard }: Spoken, example: SerialExample): void {
  if (example.ask === 'read') {
    for (const channel of example.means.connected)
      say(board.frames.request({ ask: 'connect', channel }, board.address));
  }
  if ('means' in example && example.means === 'refused') board.addFault(fault('exception'));
  if ('means' in example && example.means === 'failed') board.addFault(fault('wrong-setting'));
  heard();
}

const playable = serialProfiles.filter(({ unsuitable }) => unsuitable === undefined);

describe.each(playable.map((profile) => [profile.id, profile] as const))('%s', (_, profile) => {
  const frames = new Frames(profile);
  // Cards beyond the first are not played, and bytes that are {any} or wrong settings are the emulator's own.
  const examples = profile.examples.filter((each) => each.address === undefined);

  test.each(examples.map((example) => [`${example.ask} ${example.request}`, example] as const))(
    '%s is answered as the profile says, and obeyed',
    (__, example) => {
      const spoken = play(profile);
      prepare(spoken, example);
      spoken.say(frames.literal(example.request));
      const asked = frames.asked(example);
      const reply = 'reply' in example && example.reply !== undefined ? frames.literal(example.reply) : null;
      const own = asked?.reply?.parts.some(({ kind }) => kind === 'any' || kind === 'value') === true;
      const heard = spoken.heard();
      if (own) expect(heard.length).toBe(reply?.length);
      else expect(heard).toBe(reply?.toString('latin1') ?? '');
      const connected = spoken.board.state().contacts.indexOf('connected') + 1;
      const moves = 'means' in example && example.means !== 'refused';
      if ((example.ask === 'connect' || example.ask === 'lease') && moves)
        expect(connected).toBe(example.channel);
      if (example.ask === 'isolate' || example.ask === 'isolate-all') expect(connected).toBe(0);
    },
  );
});

describe('an emulated board', () => {
  test('takes requests in any pieces, and forgets half of one after a silence', () => {
    const { board, timers, say } = play(serialProfileNamed('lc-technology/lcus-4'));
    for (const byte of [0xa0, 0x02, 0x01, 0xa3]) say(Buffer.of(byte));
    expect(board.isConnected(2)).toBe(true);
    say(Buffer.of(0xa0, 0x02, 0x00));
    timers.advance(500);
    say(Buffer.of(0xa2));
    expect(board.isConnected(2)).toBe(true);
    say(Buffer.of(0x00, 0xff, 0xa0, 0x02, 0x00, 0xa2));
    expect(board.isConnected(2)).toBe(false);
  });

  test('isolates by itself when a lease ends', () => {
    const { board, timers, say } = play(serialProfileNamed('devantech/eth008'));
    say(Buffer.of(0x20, 0x03, 0x32));
    timers.advance(4999);
    expect(board.isConnected(3)).toBe(true);
    timers.advance(1);
    expect(board.isConnected(3)).toBe(false);
  });

  test.each([
    ['exception', 'lc-technology/lcus-4', 'no way to say no'],
    ['lying-read-back', 'lc-technology/lcus-1', 'cannot be read'],
    ['lease-not-renewable', 'denkovi/usb-16', 'no timer'],
    ['asleep', 'denkovi/usb-16', 'needs no initialisation'],
    ['wrong-setting', 'denkovi/usb-16', 'no start-up checks'],
    ['wrong-echo', 'denkovi/usb-16', 'repeat no value'],
  ])('%s makes no sense for %s', (name, id, why) => {
    const { board } = play(serialProfileNamed(id));
    expect(() => board.addFault(fault(name))).toThrow(why);
  });

  test('the command line says what cannot be played', async () => {
    const problems = async (args: Parameters<typeof planOf>[0]): Promise<string> =>
      (await planOf(args)).problems.join('\n');
    expect(await problems({ profile: 'icstation/icse014a' })).toContain('must not be a contact');
    expect(await problems({ profile: 'lc-technology/lcus-4' })).toContain('say --pty PATH');
    expect(await problems({ profile: 'lc-technology/lcus-4', pty: '/x', framing: 'rtu' })).toContain(
      '--framing is for Modbus',
    );
    expect(await problems({ profile: 'lc-technology/lcus-4', pty: '/x', fault: ['exception'] })).toContain(
      'no way to say no',
    );
    expect(await problems({ profile: 'lc-technology/lcus-4', pty: '/x', mirror: ['1:1'] })).toContain(
      'no inputs',
    );
    expect(await problems({ profile: 'devantech/eth008' })).toBe('');
  });
});

const socat = hasTool('socat', '-V');
/** How often a machine that is too busy to answer in time is asked again. */
const ATTEMPTS = 10;

/** A board on a terminal (or TCP where it has a port) and a contact that talks to it. */
async function driven(
  id: string,
  channel: number,
): Promise<{ emulation: Emulation; contact: ReturnType<typeof serialContactOn> }> {
  const profile = serialProfileNamed(id);
  const tcp = profile.tcp_port !== undefined;
  const path = join(directory, 'board');
  const where = tcp ? { tcp: { host: '127.0.0.1', port: 0, framing: 'rtu' } as const } : { pty: path };
  const emulation = await startEmulation({ profile, ...where }, processTimers);
  ends.push(() => emulation.close());
  const transport = tcp
    ? new TcpTransport({ host: '127.0.0.1', port: emulation.tcp?.port ?? 0 })
    : serialLineTo(path, profile);
  const contact = serialContactOn(transport, profile, { channel });
  ends.push(() => contact.close());
  return { emulation, contact };
}

/** Connects; a machine so busy that an answer came too late is asked again. */
async function nowConnected(contact: ReturnType<typeof serialContactOn>): Promise<void> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    if ((await bounded(contact.connect(current))).kind === 'done') return;
  }
  throw new Error(`not connected in ${ATTEMPTS} attempts`);
}

/** Reads until the answer is whole. */
async function whole(contact: ReturnType<typeof serialContactOn>): Promise<string> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const { position } = await bounded(contact.read());
    if (position !== 'unknown') return position;
  }
  return 'unknown';
}

describe.skipIf(!socat)('the driver against an emulated board', () => {
  test.each([
    ['kmtronic/usb-relay-2ch', 2],
    ['kmtronic/usb-relay-8ch', 8],
    ['numato/usb-relay-16ch', 16],
    ['devantech/eth002', 2],
    ['devantech/usb-rly08', 8],
  ])('%s: connects, reads, isolates', async (id, channel) => {
    const { emulation, contact } = await driven(id, channel);
    await nowConnected(contact);
    expect(emulation.board.isConnected(channel)).toBe(true);
    expect(await whole(contact)).toBe('connected');
    await bounded(contact.isolate().acknowledged);
    await until(() => !emulation.board.isConnected(channel), 'the board is isolated');
    expect(await whole(contact)).toBe('isolated');
  });

  test('a board that says yes and moves nothing is not believed', async () => {
    const { emulation, contact } = await driven('devantech/eth008', 3);
    await nowConnected(contact);
    emulation.board.addFault(fault('echo-only'));
    const { kind } = await bounded(contact.isolate().acknowledged);
    expect(['refused', 'unknown']).toContain(kind);
    expect(emulation.board.isConnected(3)).toBe(true);
    emulation.board.clearFaults();
    await until(() => !emulation.board.isConnected(3), 'the isolate is tried until it is obeyed');
  });

  test('a late answer is not taken for the next one, nor is one that comes twice', async () => {
    const { emulation, contact } = await driven('numato/usb-relay-4ch', 2);
    await nowConnected(contact);
    emulation.board.addFault(fault('late-reply:800', { times: 1, on: 'read' }));
    expect(await bounded(contact.read())).toMatchObject({ position: 'unknown' });
    await bounded(contact.isolate().acknowledged);
    await until(() => !emulation.board.isConnected(2), 'the board is isolated');
    expect(await whole(contact)).toBe('isolated');
    emulation.board.addFault(fault('duplicate-reply', { times: 1, on: 'read' }));
    await bounded(contact.read());
    await nowConnected(contact);
    expect(await whole(contact)).toBe('connected');
  });

  test('a garbled answer is unknown, and the next one is whole again', async () => {
    const { emulation, contact } = await driven('devantech/usb-rly16', 1);
    emulation.board.addFault(fault('garbled-reply', { times: 1, on: 'read' }));
    expect(await bounded(contact.read())).toMatchObject({
      position: 'unknown',
      detail: expect.stringContaining('answered wrongly'),
    });
    expect(await whole(contact)).toBe('isolated');
  });

  test('a board that fell asleep is initialised, and isolated', async () => {
    const { emulation, contact } = await driven('conrad/197720', 1);
    await nowConnected(contact);
    emulation.board.addFault(fault('asleep'));
    await bounded(contact.isolate().acknowledged);
    await until(() => !emulation.board.isConnected(1), 'the card is woken and told again');
    expect(emulation.board.hasFault('asleep')).toBe(false);
  });

  test('a terminal that is gone makes everything unknown', async () => {
    const { emulation, contact } = await driven('kmtronic/usb-relay-2ch', 1);
    expect(await whole(contact)).toBe('isolated');
    await emulation.pty?.close();
    expect(await bounded(contact.read())).toMatchObject({ position: 'unknown' });
    expect(await bounded(contact.connect(current))).toMatchObject({ kind: 'unknown' });
    expect(await bounded(contact.isolate().acknowledged)).toMatchObject({ kind: 'unknown' });
  });
});
