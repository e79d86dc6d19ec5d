/** The appliance in the virtual machine, as a test sees it: the wire of its board, its sockets, its trip port. */
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monotonicNow } from '../../src/contacts/clock.ts';
import type { BoardEvent } from '../../src/emulator/board.ts';
import { type Entry, parseEntry } from '../../src/journal/entry.ts';
import { verifyJournal } from '../../src/journal/reading.ts';
import type { Lease } from '../../src/protocol/lease.ts';
import { interlockClient, type InterlockClient } from '../../src/protocol/client.ts';
import {
  INTERLOCK_SOCKET,
  PRESENCE_SOCKET,
  type LinkStatus,
  type Status,
} from '../../src/protocol/messages.ts';
import { BOARD, PlayedBoard } from '../faults/board.ts';
import { build } from '../faults/build.ts';
import { Child, eventually } from '../faults/child.ts';
import { image, TOKEN } from './image.ts';
import { Machine, SLOW_MS } from './machine.ts';

export const LINK = 'vault';
/** Between two questions: each costs the emulated machine a good part of a second. */
const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 500));

type Frame = Extract<BoardEvent, { event: 'frame' }>;

/** What was seen of a boot. */
export interface Booted {
  /** The first thing that anybody said on the wire of the board. */
  readonly first: Frame;
  /** Everything that was said until isolation was proven. */
  readonly frames: readonly Frame[];
  readonly link: LinkStatus;
  /** ms of this machine's clock from the power to the first frame. */
  readonly firstMs: number;
}

/** A link that nobody wants to connect refuses for nothing but this. */
const isOfWindow = ({ code }: { readonly code: string }): boolean => code === 'outside-window';

export class Box {
  readonly machine: Machine;
  /** It has a supply of its own: when the machine dies, its contact stays where it is. */
  readonly board: PlayedBoard;
  /** Where the events of the board stood when it was last at rest. */
  mark = 0;
  readonly #directory: string;
  readonly #terminal: number;

  private constructor(machine: Machine, board: PlayedBoard, directory: string, terminal: number) {
    this.machine = machine;
    this.board = board;
    this.#directory = directory;
    this.#terminal = terminal;
  }

  /** Without a controller a boot takes half as long, and a test holds leases itself: `masked` units are not started. */
  static async make(masked: readonly string[]): Promise<Box> {
    const made = await image();
    const directory = mkdtempSync(join(tmpdir(), 'portcullis-vm-board-'));
    const [control, serial] = [join(directory, 'control'), join(directory, 'serial')];
    const place = ['--tcp', '127.0.0.1:0', '--pty', serial, '--mirror', '1:1', '--control', control];
    const argv = [build().main, 'emulate', BOARD, '--json', ...place];
    const board = new PlayedBoard(new Child('board', process.execPath, argv, process.env), control);
    await board.ready();
    // Held, so that the terminal does not end with the machine.
    const terminal = openSync(serial, 'r+');
    const machine = new Machine(made, serial, masked);
    await machine.prepare();
    return new Box(machine, board, directory, terminal);
  }

  async end(): Promise<void> {
    await this.machine.end();
    closeSync(this.#terminal);
    await this.board.child.kill();
    rmSync(this.#directory, { recursive: true, force: true });
  }

  #client(socket: string): InterlockClient {
    return interlockClient({ socketPath: join(this.machine.directory, socket), build: build().id });
  }

  status(): Promise<Status | null> {
    return this.#client(INTERLOCK_SOCKET)
      .status()
      .catch(() => null);
  }

  async link(): Promise<LinkStatus | null> {
    return (await this.status())?.links.find((each) => each.link === LINK) ?? null;
  }

  /** Waits until the interlock says of the link what is wanted. */
  async until(what: string, fits: (link: LinkStatus) => boolean): Promise<LinkStatus> {
    let last: LinkStatus | null = null;
    return eventually(
      what,
      async () => {
        await pause();
        last = await this.link();
        return last !== null && fits(last) ? last : null;
      },
      SLOW_MS,
    ).catch((error: unknown) => {
      throw new Error(`${String(error)}: ${JSON.stringify(last)}\n${this.machine.words()}`, { cause: error });
    });
  }

  /** Power comes; resolves when isolation is proven, with what was seen from outside on the way. */
  async boot(): Promise<Booted> {
    const mark = this.board.mark();
    const since = monotonicNow();
    await this.machine.power();
    const first = await eventually(
      'a frame on the wire of the board',
      () => {
        if (!this.machine.isRunning) throw new Error(`the machine ended: ${this.machine.words()}`);
        return this.board.events.slice(mark).find((each) => each.event === 'frame');
      },
      SLOW_MS,
    ).catch((error: unknown) => {
      throw new Error(`${String(error)}\n${this.machine.words()}`, { cause: error });
    });
    const link = await this.until(
      'isolation to be proven',
      ({ state, proof }) => (state === 'isolated' || state === 'tripped') && proof !== 'none',
    );
    const frames = this.board.events.slice(mark).filter((each) => each.event === 'frame');
    return { first, frames, link, firstMs: Math.round(first.at - since) };
  }

  /** Every whole line of the journal, after a check of the whole chain. */
  async journal(): Promise<readonly Entry[]> {
    const line = 'for each in *.jsonl; do printf "%s " "$each"; base64 -w 0 "$each"; echo; done';
    const printed = await this.machine.shell(`cd /var/lib/portcullis/journal && ${line}`);
    const copy = mkdtempSync(join(tmpdir(), 'portcullis-vm-journal-'));
    try {
      let text = '';
      for (const [, name = '', coded = ''] of printed.matchAll(/^(\S+\.jsonl) (\S*)$/gm)) {
        const bytes = Buffer.from(coded, 'base64');
        writeFileSync(join(copy, name), bytes);
        text += bytes.toString();
      }
      const found = await verifyJournal(copy, { heads: [] });
      if (!found.ok) throw new Error(`the journal does not verify: ${JSON.stringify(found).slice(0, 1_000)}`);
      return text
        .slice(0, text.lastIndexOf('\n') + 1)
        .split('\n')
        .flatMap((each) => (each === '' ? [] : [parseEntry(each)]));
    } finally {
      rmSync(copy, { recursive: true });
    }
  }

  /** Lifts what is latched, and waits until nothing is in progress: what every scenario begins with. */
  async rest(): Promise<LinkStatus> {
    const proven = await this.until(
      'isolation to be proven',
      ({ state, proof }) => (state === 'isolated' || state === 'tripped') && proof !== 'none',
    );
    if (proven.latch !== null) await this.resetLatch(proven.latch.cause ?? '');
    if (!this.machine.masked.includes('portcullis-controller.service'))
      await this.#active('portcullis-controller');
    const link = await this.until(
      'rest',
      ({ state, refusals }) => state === 'isolated' && refusals.every(isOfWindow),
    );
    this.mark = this.board.mark();
    return link;
  }

  /** However often systemd has to start it. */
  async #active(unit: string): Promise<void> {
    await eventually(
      `${unit} to be active`,
      async () => {
        await pause();
        return (await this.machine.shell(`systemctl is-active ${unit} || true`)).trim() === 'active';
      },
      SLOW_MS,
    );
  }

  async resetLatch(cause: string): Promise<void> {
    await this.#client(PRESENCE_SOCKET).reset({ link: LINK, reason: 'a test', by: 'root', cause });
  }

  /** Opens a window and asks for its lease as a controller does; it renews itself, and the link may not be connected yet. */
  async lease(window: string): Promise<Lease> {
    const { occurrence } = await this.runWindow(window);
    return this.#client(INTERLOCK_SOCKET).askLease({ link: LINK, window, occurrence });
  }

  runWindow(window: string): Promise<{ readonly occurrence: string }> {
    return this.#client(PRESENCE_SOCKET).runWindow(window, { reason: 'a test', by: 'root' });
  }

  /** Trips as an alarm does; the status of the answer, or null when there was none. */
  trip(): Promise<number | null> {
    return new Promise((resolve) => {
      const asked = request(
        {
          host: '127.0.0.1',
          port: this.machine.port('trip'),
          path: '/trip/alarm',
          method: 'POST',
          headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' },
          timeout: 60_000,
        },
        (answer) => {
          answer.resume();
          resolve(answer.statusCode ?? null);
        },
      );
      asked.on('timeout', () => asked.destroy());
      asked.on('error', () => resolve(null));
      asked.end('{"reason":"a test"}');
    });
  }
}
