/**
 * Portcullis beside what people would use instead: HTTP request → isolate frame at one Modbus TCP board, in one run.
 *
 * Every round asks each of them once, and each round begins with another one; frames are told apart by their unit. What
 * the others do not do is not measured: none proves that the contact moved, latches, or survives power loss.
 */
import { Agent, request } from 'node:http';
import { loadavg } from 'node:os';
import { setTimeout as pause } from 'node:timers/promises';
import { startBoard, type PlainBoard } from './board.ts';
import { type Contender, CONTENDERS } from './contenders.ts';
import { inTurn, nowMs, tableOf } from './figures.ts';
import { startLoad } from './load.ts';
import { startRig, TOKEN } from './rig.ts';

const ROUNDS = 200;
const WARM_UP_ROUNDS = 20;
/** Between two requests, ms: what the last one left to do is done. */
const REST_MS = 10;
/** A frame that has not come by then does not come, ms. */
const FRAME_WITHIN_MS = 5_000;
const PORTCULLIS_UNIT = 1;
const FLOOR = 'bare node:http';

/** Measures all that can be started, prints a table for docs/performance.md. */
export async function comparePeers(say: (line: string) => void): Promise<void> {
  const board = await startBoard();
  const contenders = await startAll(board, say);
  for (const { name, version } of contenders) say(`${name}: ${version}`);
  say(`\nidle, load average at the start ${loadavg()[0]?.toFixed(1)}`);
  print(await measure(board, contenders), say);
  const stopLoad = startLoad();
  await pause(5_000);
  say(`\nboth cores busy with restic, load average at the start ${loadavg()[0]?.toFixed(1)}`);
  print(await measure(board, contenders), say);
  stopLoad();
  for (const contender of contenders) await contender.close();
  board.close();
}

async function startAll(board: PlainBoard, say: (line: string) => void): Promise<readonly Contender[]> {
  const rig = await startRig('interlock', 1, 1, [board]);
  const ours: Contender = {
    name: 'Portcullis',
    version: 'this checkout, compiled',
    unit: PORTCULLIS_UNIT,
    request: { method: 'POST', port: rig.port, path: '/trip/bench' },
    close: () => rig.close(),
  };
  const all = [ours];
  for (const [index, [name, start]] of Object.entries(CONTENDERS).entries()) {
    try {
      all.push(await start(board.port, PORTCULLIS_UNIT + 1 + index));
    } catch (error) {
      say(`${name}: not measured: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  return all;
}

async function measure(
  board: PlainBoard,
  contenders: readonly Contender[],
): Promise<ReadonlyMap<string, readonly (number | null)[]>> {
  const samples = new Map<string, (number | null)[]>(contenders.map(({ name }) => [name, []]));
  const agents = new Map(contenders.map(({ name }) => [name, new Agent({ keepAlive: true, maxSockets: 1 })]));
  for (let round = 0; round < ROUNDS + WARM_UP_ROUNDS; round += 1) {
    for (const contender of inTurn(contenders, round)) {
      const taken = await toFrame(board, contender, agents.get(contender.name));
      if (round >= WARM_UP_ROUNDS) samples.get(contender.name)?.push(taken);
      await pause(REST_MS);
    }
  }
  for (const agent of agents.values()) agent.destroy();
  return samples;
}

/** ms from the request in the kernel to the frame at the board; null when none came. */
async function toFrame(
  board: PlainBoard,
  contender: Contender,
  agent: Agent | undefined,
): Promise<number | null> {
  const arrived = new Promise<number>((resolve) => {
    board.onIsolate = (at, unit) => {
      if (unit === contender.unit) resolve(at);
    };
  });
  const { sentAt, answered } = post(contender, agent);
  const at = await Promise.race([arrived, pause(FRAME_WITHIN_MS, null, { ref: false })]);
  await answered;
  return at === null ? null : at - sentAt;
}

function post(
  { request: { method, port, path } }: Contender,
  agent: Agent | undefined,
): { sentAt: number; answered: Promise<void> } {
  const body = method === 'GET' ? '' : '{"status":"firing","severity":"critical","reason":"bench"}';
  const headers = { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' };
  const asked = request({
    host: '127.0.0.1',
    method,
    port,
    path,
    headers,
    ...(agent === undefined ? {} : { agent }),
  });
  const answered = new Promise<void>((resolve) => {
    asked.on('error', () => resolve());
    asked.on('response', (answer) => answer.resume().on('end', resolve));
    asked.setTimeout(FRAME_WITHIN_MS, () => asked.destroy());
  });
  const sentAt = nowMs();
  asked.end(body);
  return { sentAt, answered };
}

function print(samples: ReadonlyMap<string, readonly (number | null)[]>, say: (line: string) => void): void {
  for (const line of tableOf(samples, FLOOR)) say(line);
}
