/** Starts what is measured: boards, an interlock with one link per channel, and helper processes. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { commissionedAsConfigured } from '../commissioning/commissioned.ts';
import { buildId, interlockClient } from './built.ts';
import { type PlainBoard, startBoard } from './board.ts';
import { nowMs } from './figures.ts';

export const MAIN = fileURLToPath(new URL('../../dist/main.js', import.meta.url));
/** As `bin/portcullis` starts it. */
const FLAGS = ['--max-semi-space-size=1', '--no-flush-bytecode'];
/** What every trip is sent with. */
export const TOKEN = 'bench-token';

/** A process and the first JSON line that it printed. */
export interface Helper {
  readonly child: ChildProcess;
  readonly first: Record<string, number | boolean>;
}

/** Starts a script of this folder and waits for its first line. */
export async function startHelper(script: string, args: readonly (string | number)[]): Promise<Helper> {
  const file = fileURLToPath(new URL(script, import.meta.url));
  const child = spawn(process.execPath, [file, ...args.map(String)], { stdio: ['pipe', 'pipe', 'inherit'] });
  const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
  return { child, first: JSON.parse(line) as Helper['first'] };
}

/** Ends a process and waits for it. */
export async function end(child: ChildProcess, signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill(signal);
  await ended;
}

/** An interlock under measurement. */
export interface Rig {
  readonly directory: string;
  readonly configFile: string;
  readonly boards: readonly PlainBoard[];
  readonly child: ChildProcess;
  readonly port: number;
  readonly client: ReturnType<typeof interlockClient>;
  close(): Promise<void>;
}

/**
 * Starts `command` (interlock or up) with `boardCount` boards of `channels` links each, or with those `given`, and waits
 * until all are isolated.
 */
export async function startRig(
  command: 'interlock' | 'up',
  boardCount: number,
  channels: number,
  given?: readonly PlainBoard[],
): Promise<Rig> {
  const directory = mkdtempSync(join(tmpdir(), 'portcullis-bench-'));
  const boards = given ?? (await Promise.all(Array.from({ length: boardCount }, () => startBoard())));
  const port = 20_000 + Math.floor(Math.random() * 20_000);
  const configFile = join(directory, 'portcullis.yaml');
  writeFileSync(join(directory, 'token'), `${TOKEN}\n`, { mode: 0o600 });
  writeFileSync(join(directory, 'password'), 'bench\n', { mode: 0o600 });
  writeFileSync(configFile, configOf(directory, port, boards, channels));
  await commissionedAsConfigured(configFile);
  const child = spawn(process.execPath, [...FLAGS, MAIN, command, '--config', configFile], {
    stdio: ['ignore', 'ignore', 'ignore'],
  });
  const client = interlockClient({ socketPath: join(directory, 'run', 'presence.sock'), build: buildId() });
  await isolated(client);
  return {
    directory,
    configFile,
    boards,
    child,
    port,
    client,
    async close() {
      await end(child);
      for (const board of boards) board.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** Waits until every link stands proven isolated. */
export async function isolated(client: Rig['client']): Promise<void> {
  for (let tries = 0; tries < 600; tries += 1) {
    const status = await client.status().catch(() => null);
    if (status?.links.every((each) => each.state === 'isolated' || each.state === 'tripped') === true) return;
    await pause(50);
  }
  throw new Error('the links were not isolated in 30 s');
}

const agent = new Agent({ keepAlive: true, maxSockets: 1 });

/** Posts one trip; returns when the request was handed to the kernel. Resolves with that time when the answer is there. */
export function trip(port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const headers = { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' };
    const body = '{"status":"firing","severity":"critical","reason":"bench"}';
    const asked = request({ port, host: '127.0.0.1', path: '/trip/bench', method: 'POST', agent, headers });
    let sentAt = 0;
    asked.on('response', (answer) => {
      answer.resume().on('end', () => {
        if (answer.statusCode === 200) resolve(sentAt);
        else reject(new Error(`answered ${answer.statusCode}`));
      });
    });
    asked.on('error', reject);
    sentAt = nowMs();
    asked.end(body);
  });
}

function configOf(directory: string, port: number, boards: readonly PlainBoard[], channels: number): string {
  const buses = boards.map(
    (board, i) => `  b${i}: { transport: modbus-tcp, host: 127.0.0.1, port: ${board.port}, simulated: true }`,
  );
  const links = boards.flatMap((_, i) =>
    Array.from({ length: channels }, (_unused, channel) =>
      [
        `  l${i}x${channel}:`,
        `    contacts: [{ name: relay, profile: waveshare/modbus-rtu-relay-8ch, bus: b${i}, unit: 1, channel: ${channel + 1} }]`,
        '    exposure_budget: 24h',
      ].join('\n'),
    ),
  );
  return `\
state_directory: ${directory}/state
runtime_directory: ${directory}/run
interlock: { listen: "127.0.0.1:${port}" }
controller: { listen: "127.0.0.1:${port + 1}" }
clock: { trust: always }
buses:
${buses.join('\n')}
links:
${links.join('\n')}
sources:
  bench: { verify: { type: bearer, token_file: ${directory}/token }, format: generic, trips: all }
repositories:
  vault: { url: ${directory}/repository, password_file: ${directory}/password }
windows:
  bench: { link: l0x0, opens: "0 0 1 1 *", timezone: UTC, lasts: 23h, steps: [ { check: { repository: vault } } ] }
`;
}
