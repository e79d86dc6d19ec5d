/** Everything the demo stands on: sample data, the vault, the emulated board, and a configuration that a person can read. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { z } from 'zod';
import { CommandError } from '../command/exit.ts';
import { startVault, type Vault } from './vault.ts';

/** What is on stage. */
export interface Stage {
  readonly directory: string;
  readonly configFile: string;
  readonly token: string;
  readonly tripPort: number;
  readonly cable: { readonly host: string; readonly port: number };
  readonly vaultOutOfReach: boolean;
  /** Presses the emulated button, or releases it. */
  press(pressed: boolean): void;
  strike(): Promise<void>;
}

/** The board that is played; its input 1 is wired to a mirror contact of channel 1. */
export const BOARD = 'waveshare/modbus-rtu-relay-8ch-d';
/** The input that the button is wired to; its contact is normally closed, so it reads 1 until somebody presses it. */
const BUTTON_INPUT = 2;
const SAMPLE_FILES = 240;
const SAMPLE_LINES = 400;
const EMULATOR_WITHIN_MS = 20_000;
/** How much of what the emulator said last is shown when it does not start. */
const SAID_CHARS = 2_000;

const answerLine = z.object({ ok: z.literal(true) });
const readyLine = z.object({
  event: z.literal('ready'),
  tcp: z.object({ host: z.string(), port: z.number() }),
  cables: z.array(z.object({ host: z.string(), port: z.number() })),
});

/** Sets everything up in a new temporary directory. */
export async function setStage(): Promise<Stage> {
  const directory = await mkdtemp(join(tmpdir(), 'portcullis-demo-'));
  const strikes: (() => Promise<unknown>)[] = [() => rm(directory, { recursive: true, force: true })];
  const strike = async (): Promise<void> => {
    for (const each of strikes.toReversed()) await each();
  };
  try {
    await sampleData(join(directory, 'data'));
    const vault: Vault = await startVault(join(directory, 'vault'));
    strikes.push(() => vault.stop());
    const board = await startBoard(['--mirror', '1:1', '--cable', `1,127.0.0.1:0=${vault.target}`]);
    strikes.push(() => stopChild(board.child));
    // The lamps are on a board of their own: no cut ever waits for one.
    const panel = await startBoard([]);
    strikes.push(() => stopChild(panel.child));
    const tripPort = await freePort(8470);
    const apiPort = await freePort(8480);
    const token = randomBytes(16).toString('hex');
    await secret(join(directory, 'demo.token'), token);
    await secret(join(directory, 'vault.password'), randomBytes(24).toString('base64'));
    const configFile = join(directory, 'portcullis.yaml');
    await writeFile(configFile, configText({ directory, tripPort, apiPort, ...board, panel: panel.board }));
    return {
      directory,
      configFile,
      token,
      tripPort,
      cable: board.cable,
      vaultOutOfReach: vault.outOfReach,
      press: (pressed) => setButton(board.child, pressed),
      strike,
    };
  } catch (error) {
    await strike();
    throw error;
  }
}

const secret = (file: string, text: string): Promise<void> => writeFile(file, `${text}\n`, { mode: 0o600 });

/** Text that compresses like text, the same in every demo. */
async function sampleData(directory: string): Promise<void> {
  for (let i = 0; i < SAMPLE_FILES; i += 1) {
    const folder = join(directory, `department-${i % 8}`);
    await mkdir(folder, { recursive: true });
    const lines = Array.from({ length: SAMPLE_LINES }, (_, line) => {
      const digest = createHash('sha256').update(`${i}/${line}`).digest('hex');
      return `${line}\torder ${digest.slice(0, 8)}\tcustomer ${digest.slice(8, 14)}\tamount ${parseInt(digest.slice(14, 18), 16)}`;
    });
    await writeFile(join(folder, `orders-${i}.tsv`), `${lines.join('\n')}\n`);
  }
}

interface PlayedBoard {
  readonly child: ChildProcess;
  readonly board: { readonly host: string; readonly port: number };
  readonly cable: { readonly host: string; readonly port: number };
}

/** Plays a board with these mirrors and cables, its button released. */
async function startBoard(wiring: readonly string[]): Promise<PlayedBoard> {
  const main = process.argv[1] ?? '';
  const child = spawn(
    process.execPath,
    [
      main,
      'emulate',
      BOARD,
      '--tcp',
      '127.0.0.1:0',
      '--framing',
      'modbus-tcp',
      ...wiring,
      '--control',
      '-',
      '--json',
    ],
    // It ends with this process: its standard input is its life line.
    { stdio: ['pipe', 'pipe', 'pipe'] },
  );
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-SAID_CHARS);
  });
  child.once('error', (error) => {
    said += error.message;
  });
  const ended = new Promise((resolve) => child.once('close', resolve));
  const lines = createInterface({ input: child.stdout });
  let ready: z.infer<typeof readyLine> | null = null;
  const late = setTimeout(() => child.kill('SIGKILL'), EMULATOR_WITHIN_MS);
  try {
    for await (const line of lines) {
      const told: unknown = JSON.parse(line);
      const parsed = readyLine.safeParse(told);
      if (parsed.success) {
        ready = parsed.data;
        setButton(child, false);
      }
      if (ready === null || !answerLine.safeParse(told).success) continue;
      // Nobody reads on; the pipe must not fill.
      child.stdout.resume();
      return { child, board: ready.tcp, cable: ready.cables[0] ?? ready.tcp };
    }
  } finally {
    clearTimeout(late);
  }
  child.kill('SIGKILL');
  // All that it said has been read when its pipes have ended.
  await ended;
  throw new CommandError(1, `the emulated board did not start: ${said.trim() || 'it said nothing'}`);
}

/** A normally-closed contact: pressed reads 0. A board that has ended takes no orders. */
function setButton({ stdin }: ChildProcess, pressed: boolean): void {
  if (stdin?.writable === true)
    stdin.write(`${JSON.stringify({ input: BUTTON_INPUT, value: pressed ? 0 : 1 })}\n`);
}

async function stopChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  await ended;
}

/** The usual port when nobody has it, else a free one. */
async function freePort(usual: number): Promise<number> {
  const attempt = (port: number): Promise<number | null> =>
    new Promise((resolve) => {
      const server = createServer()
        .once('error', () => resolve(null))
        .listen(port, '127.0.0.1', () => {
          const address = server.address();
          server.close(() => resolve(typeof address === 'object' ? (address?.port ?? null) : null));
        });
    });
  return (await attempt(usual)) ?? (await attempt(0)) ?? usual;
}

interface ConfigParts {
  readonly directory: string;
  readonly tripPort: number;
  readonly apiPort: number;
  readonly board: { readonly host: string; readonly port: number };
  readonly panel: { readonly host: string; readonly port: number };
  readonly cable: { readonly host: string; readonly port: number };
}

const configText = ({ directory, tripPort, apiPort, board, panel, cable }: ConfigParts): string => `\
# Written by \`portcullis demo\`. The board is emulated: nothing here proves anything about hardware.
state_directory: ${directory}/state
runtime_directory: ${directory}/run
interlock: { listen: "127.0.0.1:${tripPort}" }
controller: { listen: "127.0.0.1:${apiPort}" }
clock: { trust: always }
buses:
  board: { transport: modbus-tcp, host: ${board.host}, port: ${board.port}, simulated: true }
  panel: { transport: modbus-tcp, host: ${panel.host}, port: ${panel.port}, simulated: true }
links:
  vault:
    contacts:
      - { name: relay, profile: ${BOARD}, bus: board, unit: 1, channel: 1, hardware_lease: 3s }
    witnesses:
      - { name: mirror, type: modbus-discrete-input, bus: board, unit: 1, input: 0, isolated_when: 1 }
    settle: 500ms
    exposure_budget: 8h
button: { input: { type: modbus-discrete-input, bus: board, unit: 1, input: ${BUTTON_INPUT - 1} }, contact: normally-closed, trips: all }
lamps:
  isolated: { profile: ${BOARD}, bus: panel, unit: 1, channel: 1 }
  connected: { profile: ${BOARD}, bus: panel, unit: 1, channel: 2 }
  tripped: { profile: ${BOARD}, bus: panel, unit: 1, channel: 3 }
  fault: { profile: ${BOARD}, bus: panel, unit: 1, channel: 4 }
sources:
  demo: { verify: { type: bearer, token_file: ${directory}/demo.token }, format: generic, trips: [vault] }
repositories:
  vault: { url: "rest:http://${cable.host}:${cable.port}/", password_file: ${directory}/vault.password }
windows:
  every-three-minutes:
    link: vault
    opens: "*/3 * * * *"
    timezone: UTC
    lasts: 1m
    grace: 10s
    reach: { tcp: "${cable.host}:${cable.port}", timeout: 10s }
    steps:
      - backup: { repository: vault, paths: [${directory}/data] }
      - forget: { repository: vault, keep_last: 5 }
      - check: { repository: vault }
`;
