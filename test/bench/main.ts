/** `bin/bench`: the numbers of the design, measured here and now, in pairs with a floor where there is one. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import { GENESIS, lineHash, printEntry, verifyJournal } from './built.ts';
import { figuresOf, inWords, nowMs } from './figures.ts';
import { startLoad } from './load.ts';
import { comparePeers } from './peers.ts';
import { end, isolated, MAIN, type Rig, startHelper, startRig, trip } from './rig.ts';

const SAMPLES = 300;
const WARM_UP = 30;
const KILLS = 15;
/** Starts whose first trip is measured, and how long it is waited for, ms. */
const STARTS = 15;
const REST_MS = 1_000;
const quick = process.argv.includes('--quick');
const journalEntries = quick ? 50_000 : 1_000_000;

const say = (line: string): void => console.log(line);

/** One trip: ms from the request in the kernel to the frame at the board, on one clock. */
async function toFrame(port: number, rig: Rig, board = rig.boards[0]): Promise<number> {
  if (board === undefined) throw new Error('no board');
  let at = 0;
  const arrived = new Promise<void>((resolve) => {
    board.onIsolate = (time) => {
      if (at === 0) at = time;
      resolve();
    };
  });
  const sentAt = await trip(port);
  await arrived;
  return at - sentAt;
}

async function paired(
  rig: Rig,
  floorPort: number,
  floorBoard: Rig['boards'][number],
  count: number,
): Promise<[number[], number[]]> {
  const [ours, floors]: [number[], number[]] = [[], []];
  for (let i = 0; i < count + WARM_UP; i += 1) {
    const mine = await toFrame(rig.port, rig);
    const floor = await toFrame(floorPort, rig, floorBoard);
    if (i >= WARM_UP) {
      ours.push(mine);
      floors.push(floor);
    }
  }
  return [ours, floors];
}

function report(
  name: string,
  ours: readonly number[],
  floors: readonly number[],
  floorName = 'bare node:http',
): void {
  const [mine, floor] = [figuresOf(ours), figuresOf(floors)];
  say(name);
  say(`  portcullis          ${inWords(mine)}`);
  say(`  ${floorName.padEnd(18)}  ${inWords(floor)}`);
  say(
    `  ratio               p50 ${(mine.p50 / floor.p50).toFixed(2)}  p99 ${(mine.p99 / floor.p99).toFixed(2)}`,
  );
}

async function latency(): Promise<void> {
  const rig = await startRig('interlock', 2, 1);
  const [, floorBoard] = rig.boards;
  if (floorBoard === undefined) throw new Error('no board for the floor');
  // The second board belongs to the floor; the interlock's link on it is tripped, too, but not measured.
  const floor = await startHelper('floor.ts', [floorBoard.port]);
  const floorPort = Number(floor.first['port']);
  report(
    'webhook to isolate frame, 1 link measured, idle',
    ...(await paired(rig, floorPort, floorBoard, SAMPLES)),
  );
  const stopLoad = startLoad();
  const endFlood = startFlood(rig.port);
  await pause(2_000);
  report(
    'the same, both cores busy with restic, 2,000 bad requests/s',
    ...(await paired(rig, floorPort, floorBoard, SAMPLES)),
  );
  say(`  bad requests        ${(await endFlood()).toFixed(0)} answered a second`);
  stopLoad();
  say(`  interlock resident  ${residentMb(rig.child.pid)} MB after the flood`);
  await end(floor.child);
  await rig.close();
}

/** The first trip of each of so many starts, which comes alone; and one that follows after a rest. */
async function firstTrips(): Promise<void> {
  const [first, next]: [number[], number[]] = [[], []];
  for (let i = 0; i < (quick ? 5 : STARTS); i += 1) {
    const rig = await startRig('interlock', 1, 1);
    for (const into of [first, next]) {
      await pause(REST_MS);
      into.push(await toFrame(rig.port, rig));
    }
    await rig.close();
  }
  say(`first trip after a start: to the isolate frame  ${inWords(figuresOf(first))}`);
  say(`  the second, ${REST_MS / 1_000} s later  ${inWords(figuresOf(next))}`);
}

/** Bad requests until it is ended; ending it tells how many a second were answered. */
function startFlood(port: number): () => Promise<number> {
  const startedAt = nowMs();
  const child = spawn(
    process.execPath,
    [new URL('flood.ts', import.meta.url).pathname, String(port), '2000'],
    { stdio: ['pipe', 'pipe', 'inherit'] },
  );
  return async () => {
    child.stdin.end();
    const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
    return (JSON.parse(line) as { answered: number }).answered / ((nowMs() - startedAt) / 1_000);
  };
}

const residentMb = (pid: number | undefined): string => {
  const kb = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return (Number(kb) / 1024).toFixed(0);
};

async function manyLinks(): Promise<void> {
  const rig = await startRig('interlock', 8, 8);
  const spreads: number[] = [];
  for (let i = 0; i < 40; i += 1) {
    const seen: number[] = [];
    const all = new Promise<void>((resolve) => {
      for (const board of rig.boards) {
        let first = true;
        board.onIsolate = (at) => {
          if (!first) return;
          first = false;
          seen.push(at);
          if (seen.length === rig.boards.length) resolve();
        };
      }
    });
    await trip(rig.port);
    await all;
    spreads.push(Math.max(...seen) - Math.min(...seen));
    for (const board of rig.boards) board.onIsolate = () => undefined;
    await pause(60);
  }
  say(`64 links on 8 boards, one trip: first to last frame  ${inWords(figuresOf(spreads))}`);
  await rig.close();
}

/** Sees when the connections of a process end, as the interlock does, and has nothing else to do: the floor. */
async function startBystander(path: string): Promise<{ gone: () => Promise<number>; close: () => void }> {
  let left = (_at: number): void => undefined;
  const server = createServer((socket) => {
    socket.resume();
    socket.on('error', () => undefined).on('close', () => left(nowMs()));
  });
  server.listen(path);
  await once(server, 'listening');
  const gone = (): Promise<number> =>
    new Promise((resolve) => {
      left = resolve;
    });
  return { gone, close: () => server.close() };
}

/** ms from a signal to the lease holder until the isolate frame is at the board. */
async function holderLost(signal: 'SIGKILL' | 'SIGSTOP'): Promise<void> {
  const rig = await startRig('interlock', 1, 1);
  const bystanderPath = join(rig.directory, 'bystander.sock');
  const bystander = await startBystander(bystanderPath);
  const [board] = rig.boards;
  const { occurrence } = await rig.client.runWindow('bench', { by: 'bench', reason: 'bench' });
  const [times, floors]: [number[], number[]] = [[], []];
  for (let i = 0; i < (signal === 'SIGSTOP' ? 3 : KILLS); i += 1) {
    await isolated(rig.client);
    const socket = join(rig.directory, 'run', 'interlock.sock');
    const holder = await startHelper('holder.ts', [socket, 'l0x0', 'bench', occurrence, bystanderPath]);
    const at = new Promise<number>((resolve) => {
      if (board !== undefined) board.onIsolate = resolve;
    });
    const gone = bystander.gone();
    const sentAt = nowMs();
    holder.child.kill(signal);
    times.push((await at) - sentAt);
    await end(holder.child, 'SIGKILL');
    floors.push((await gone) - sentAt);
  }
  if (signal === 'SIGKILL') {
    report('controller killed -9: to the isolate frame', times, floors, 'a bystander knew');
    const worst = times.indexOf(Math.max(...times));
    say(`  of the worst, ${(floors[worst] ?? Number.NaN).toFixed(1)} ms until a bystander knew`);
  } else
    say(`controller stopped (lease time-out 3,000 ms): to the isolate frame  ${inWords(figuresOf(times))}`);
  bystander.close();
  await rig.close();
}

/** ms that all threads of a process have run; ticks of 10 ms are too coarse for what rests. */
const ranMs = (pid: number): number =>
  readdirSync(`/proc/${pid}/task`)
    .map((task) => Number(readFileSync(`/proc/${pid}/task/${task}/schedstat`, 'utf8').split(' ')[0]) / 1e6)
    .reduce((sum, ms) => sum + ms, 0);

/** What of a process is its own, and what it shares with others of the same program, MB. */
function memoryOf(pid: number): string {
  const text = readFileSync(`/proc/${pid}/status`, 'utf8');
  const mb = (key: string): string =>
    (Number(new RegExp(`${key}:\\s+(\\d+)`).exec(text)?.[1]) / 1024).toFixed(0);
  return `${mb('VmRSS')} MB resident: ${mb('RssAnon')} its own, ${mb('RssFile')} pages of files, shared`;
}

async function idle(): Promise<void> {
  const rig = await startRig('up', 1, 1);
  await pause(10_000);
  const children = readFileSync(`/proc/${rig.child.pid}/task/${rig.child.pid}/children`, 'utf8')
    .trim()
    .split(' ')
    .map(Number);
  const before = children.map(ranMs);
  const seconds = quick ? 10 : 30;
  await pause(seconds * 1_000);
  const names = children.map((pid) =>
    readFileSync(`/proc/${pid}/cmdline`, 'utf8')
      .split('\0')
      .find((word) => /^(interlock|controller)$/.test(word)),
  );
  children.forEach((pid, i) => {
    const share = (ranMs(pid) - (before[i] ?? 0)) / (seconds * 10);
    say(`idle ${names[i]}: ${share.toFixed(2)} % of one core, ${memoryOf(pid)}`);
  });
  await rig.close();
}

async function journal(): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'portcullis-journal-'));
  let prev = GENESIS.hash;
  let lines: string[] = [];
  for (let seq = 1; seq <= journalEntries; seq += 1) {
    const data = { link: 'vault', from: 'isolated', to: 'connecting', lease: `lease-${seq}` };
    const line = printEntry({
      seq,
      prev,
      boot: 'bench',
      mono: seq,
      at: '2026-01-01T00:00:00.000Z',
      clock: 'assumed',
      type: 'link.connecting',
      actor: 'bench',
      data,
    });
    prev = lineHash(line);
    lines.push(line);
    if (lines.length < 10_000 && seq < journalEntries) continue;
    writeFileSync(join(directory, 'journal-000001.jsonl'), `${lines.join('\n')}\n`, { flag: 'a' });
    lines = [];
  }
  const startedAt = nowMs();
  const found = await verifyJournal(directory, {});
  const tookMs = nowMs() - startedAt;
  say(
    `journal verify: ${found.head.size} entries in ${(tookMs / 1_000).toFixed(1)} s (${found.ok ? 'verified' : 'BROKEN'})`,
  );
  rmSync(directory, { recursive: true });
}

say(`${cpus()[0]?.model ?? 'unknown processor'}, ${cpus().length} cores, Node ${process.version}; ${MAIN}`);
if (process.argv.includes('--peers')) {
  await comparePeers(say);
  process.exit();
}
await latency();
await firstTrips();
await manyLinks();
await holderLost('SIGKILL');
await holderLost('SIGSTOP');
await idle();
await journal();
