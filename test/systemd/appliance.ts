/** The appliance of a container, as a test sees it: the wire of its board, its sockets, its files. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Millis } from '../../src/core/time.ts';
import type { Entry } from '../../src/journal/entry.ts';
import { interlockClient, type InterlockClient } from '../../src/protocol/client.ts';
import { INTERLOCK_SOCKET, PRESENCE_SOCKET, type LinkStatus } from '../../src/protocol/messages.ts';
import { BOARD, PlayedBoard } from '../faults/board.ts';
import { build } from '../faults/build.ts';
import { Child, eventually } from '../faults/child.ts';
import { Container, TOKEN } from './container.ts';

const LINK = 'vault';
const WINDOW = 'nightly';

/** One link with a mirror contact, and a controller that has nothing to do by itself. */
export const CONFIG = `\
state_directory: /var/lib/portcullis
runtime_directory: /run/portcullis
interlock: { listen: "127.0.0.1:8470" }
controller: { listen: "127.0.0.1:8480" }
clock: { trust: always }
buses:
  board: { transport: modbus-tcp, host: 127.0.0.1, port: 5020, reply_timeout: 200ms, simulated: true }
links:
  vault:
    contacts:
      - { name: relay, profile: waveshare/modbus-rtu-relay-8ch-d, bus: board, unit: 1, channel: 1, hardware_lease: none }
    witnesses:
      - { name: mirror, type: modbus-discrete-input, bus: board, unit: 1, input: 0, isolated_when: 1 }
    settle: 0ms
    exposure_budget: 24h
sources:
  alarm: { verify: { type: bearer, token_file: /run/credentials/portcullis-interlock.service/alarm }, format: generic, trips: all }
windows:
  nightly:
    link: vault
    opens: "0 0 29 2 *"
    timezone: UTC
    lasts: 5m
    steps:
      - command: { command: [/bin/sleep, infinity], timeout: 4m }
`;

/** A board at 127.0.0.1:5020 of that network; its control socket stands in `directory`. */
export async function boardIn(network: string, directory: string): Promise<PlayedBoard> {
  const control = join(directory, 'board.sock');
  const place = [
    '--tcp',
    '127.0.0.1:5020',
    '--framing',
    'modbus-tcp',
    '--mirror',
    '1:1',
    '--control',
    control,
  ];
  const argv = [
    'netns',
    'exec',
    network,
    process.execPath,
    build().main,
    'emulate',
    BOARD,
    '--json',
    ...place,
  ];
  const board = new PlayedBoard(new Child('board', 'ip', argv, process.env), control);
  await board.ready();
  return board;
}

export class Appliance {
  readonly container: Container;
  readonly board: PlayedBoard;

  private constructor(container: Container, board: PlayedBoard) {
    this.container = container;
    this.board = board;
  }

  /** The board is the witness: it lives outside of the container, and survives everything that is done to it. */
  static async make(lodge?: (path: string) => void): Promise<Appliance> {
    const container = new Container();
    await container.make(CONFIG, lodge);
    const board = await boardIn(container.network, container.directory);
    return new Appliance(container, board);
  }

  /** Ends it; `leave` gives back what was mounted on the state directory. */
  async end(leave: () => void = () => undefined): Promise<void> {
    await this.container.machine.end();
    await this.board.child.kill();
    leave();
    this.container.remove();
  }

  /** Trips as an alarm does; the status of the answer, or null when there was none. */
  async trip(): Promise<number | null> {
    const alarm = ['-H', `Authorization: Bearer ${TOKEN}`, '-d', '{"reason":"a test"}'];
    const argv = [
      'curl',
      '-s',
      '-m',
      '20',
      '-o',
      '/dev/null',
      '-w',
      '%{http_code}',
      ...alarm,
      'http://127.0.0.1:8470/trip/alarm',
    ];
    const printed = await this.container.machine.in(...argv).catch(() => '');
    return /^[1-9]\d\d$/.test(printed) ? Number(printed) : null;
  }

  /** Lifts the latch at the box, if there is one. */
  async reset(): Promise<void> {
    const link = await this.until(
      'isolation to be proven',
      ({ state, proof }) => state === 'isolated' || (state === 'tripped' && proof !== 'none'),
    );
    if (link.latch === null) return;
    const why = ['--reason', 'a test', '--cause', link.latch.cause ?? ''];
    await this.container.machine.in('/opt/portcullis/bin/portcullis', 'reset', LINK, ...why);
    await this.atRest();
  }

  /** Asks for the window; rejects with why not. */
  ask(): Promise<unknown> {
    return this.#client(true).runWindow(WINDOW, { reason: 'a test', by: 'root' });
  }

  /** ms from `since` (this machine's monotonic clock) to the first isolate frame after it; waits for one. */
  async isolatedAfter(since: Millis): Promise<{ readonly ms: number; readonly at: Millis }> {
    const frame = await eventually(
      'an isolate frame',
      () => this.board.frames('isolate').find(({ at }) => at >= since),
      60_000,
    );
    await this.board.standing('isolated');
    return { ms: Math.round(frame.at - since), at: frame.at };
  }

  #client(presence: boolean): InterlockClient {
    const socketPath = join(this.container.socketDirectory, presence ? PRESENCE_SOCKET : INTERLOCK_SOCKET);
    return interlockClient({ socketPath, build: build().id });
  }

  async link(): Promise<LinkStatus | null> {
    const status = await this.#client(false)
      .status()
      .catch(() => null);
    return status?.links.find((each) => each.link === LINK) ?? null;
  }

  until(what: string, fits: (link: LinkStatus) => boolean, withinMs = 30_000): Promise<LinkStatus> {
    return eventually(
      what,
      async () => {
        const link = await this.link();
        return link !== null && fits(link) ? link : null;
      },
      withinMs,
    );
  }

  /** Proven isolated and reachable: what every test begins with. */
  async atRest(): Promise<void> {
    await this.container.machine.active('portcullis-interlock');
    await this.until('isolation to be proven', (link) => link.state === 'isolated');
  }

  /** Opens the window at the box; the controller connects, and works until somebody ends it. */
  async connected(): Promise<void> {
    let why: unknown = null;
    const ask = (): Promise<unknown> => this.ask().catch((error: unknown) => ((why = error), null));
    await eventually('the window', ask).catch((error: unknown) => {
      throw new Error(`${String(error)}: ${String(why)}`, { cause: why });
    });
    await this.board.standing('connected');
    await this.until('the link to be connected', (link) => link.state === 'connected');
  }

  /** Every whole line of the journal on disk. */
  journal(type: string): readonly Entry[] {
    const directory = join(this.container.state, 'journal');
    const files = readdirSync(directory)
      .filter((name) => name.endsWith('.jsonl'))
      .toSorted();
    const text = files.map((name) => readFileSync(join(directory, name), 'utf8')).join('');
    const whole = text.slice(0, text.lastIndexOf('\n') + 1);
    return whole
      .split('\n')
      .flatMap((line) => (line.startsWith('{') ? [JSON.parse(line) as Entry] : []))
      .filter((entry) => entry.type === type);
  }

  /** Fails unless the chain is whole. */
  async journalVerifies(): Promise<void> {
    const verify = ['/opt/portcullis/bin/portcullis', 'journal', 'verify'];
    await this.container.machine.in(...verify).catch((error: unknown) => {
      const { stdout, stderr } = error as { stdout?: string; stderr?: string };
      throw new Error(`the journal does not verify: ${stdout ?? ''}${stderr ?? ''}`, { cause: error });
    });
  }
}
