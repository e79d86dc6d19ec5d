/** Real parts for the driver tests: slaves that nobody here wrote, serial lines, and a wire that misbehaves on request. */
import { spawn, spawnSync } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer, connect as connectTcp } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SerialPort } from 'serialport';

/** ms after which a condition that should come true counts as false. Generous: the machine may be busy. */
export const PATIENCE_MS = 20_000;

/** Waits until `condition` holds; throws with `what` after PATIENCE_MS. */
export async function until(condition: () => boolean, what: string): Promise<void> {
  const end = Date.now() + PATIENCE_MS;
  while (!condition()) {
    if (Date.now() > end) throw new Error(`did not happen within ${PATIENCE_MS} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** A directory of this test's own and what removes it. */
export function scratch(): { readonly path: string; readonly remove: () => void } {
  const path = mkdtempSync(join(tmpdir(), 'portcullis-contacts-'));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

/** A slave process, and what it says happened to its coils. */
export interface Slave {
  readonly port: number;
  /** Every coil change or write in order, as `INDEX=VALUE`. */
  readonly writes: readonly string[];
  readonly coil: (index: number) => boolean;
  readonly stop: () => Promise<void>;
}

const slaves = join(import.meta.dirname, 'slaves');
/** Debian's Python, the one that sees Debian's packages. */
const PYTHON = '/usr/bin/python3';

async function startSlave(command: readonly string[]): Promise<Slave> {
  const [program, ...args] = command;
  if (program === undefined) throw new Error('no program');
  const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'pipe'] });
  const writes: string[] = [];
  const coils = new Map<number, boolean>();
  let port: number | null = null;
  let errors = '';
  let rest = '';
  child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
  child.stdout.on('data', (chunk: Buffer) => {
    const lines = (rest + chunk.toString()).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      const [word, first, second] = line.split(' ');
      if (word === 'listening') port = Number(first);
      if (word !== 'coil') continue;
      writes.push(`${first}=${second}`);
      coils.set(Number(first), second === '1');
    }
  });
  await until(() => port !== null || child.exitCode !== null, `${command.join(' ')} listens`);
  if (port === null) throw new Error(`${command.join(' ')} ended: ${errors}`);
  return { port, writes, coil: (index) => coils.get(index) ?? false, stop: () => ended(child) };
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await gone;
}

/** Why pymodbus cannot be used here, or `null`. */
export function pymodbusMissing(): string | null {
  const tried = spawnSync(PYTHON, ['-c', 'import pymodbus, serial, serial_asyncio'], { encoding: 'utf8' });
  return tried.status === 0 ? null : 'python3-pymodbus, python3-serial or python3-serial-asyncio is missing';
}

/** Why no slave in plain Python can run here, or `null`. */
export const pythonMissing = (): string | null => (existsSync(PYTHON) ? null : 'python3 is missing');

/** A serial relay board written by hand from what its vendor says; `where`: a terminal, or `tcp:0`. */
export const serialSlave = (kind: string, where: string): Promise<Slave> =>
  startSlave([PYTHON, join(slaves, 'serial_boards.py'), kind, where]);

/** A pymodbus slave; its unit ignores requests for others. */
export const pymodbus = (
  kind: 'tcp' | 'rtu-tcp' | 'rtu',
  where: string,
  unit = 1,
  prefix: readonly string[] = [],
): Promise<Slave> =>
  startSlave([...prefix, PYTHON, join(slaves, 'pymodbus_slave.py'), kind, where, String(unit)]);

/** A pymodbus slave whose eight relays are commanded by register writes; relays are told as coils. */
export const delayRelays = (kind: 'tcp' | 'rtu-tcp', where: string, unit = 1): Promise<Slave> =>
  startSlave([PYTHON, join(slaves, 'pymodbus_slave.py'), kind, where, String(unit), 'delay-relays']);

/** Compiles the libmodbus slave into `directory`; returns the program, or why that cannot be done. */
export function compileLibmodbus(
  directory: string,
): { readonly program: string } | { readonly missing: string } {
  if (!existsSync('/usr/include/modbus/modbus.h')) return { missing: 'libmodbus-dev is missing' };
  const program = join(directory, 'libmodbus-slave');
  const source = join(slaves, 'libmodbus-slave.c');
  const made = spawnSync('cc', ['-O1', '-I/usr/include/modbus', '-o', program, source, '-lmodbus'], {
    encoding: 'utf8',
  });
  return made.status === 0
    ? { program }
    : { missing: `the libmodbus slave does not compile: ${made.stderr ?? 'no cc'}` };
}

/** A libmodbus slave on TCP (it answers every unit) or on a serial line. */
export const libmodbus = (
  program: string,
  args: readonly string[],
  prefix: readonly string[] = [],
): Promise<Slave> => startSlave([...prefix, program, ...args]);

/** Whether `program` is on the path. */
export const has = (program: string): boolean => spawnSync('which', [program]).status === 0;

/** Two ends of a serial line made of pseudo-terminals by socat. */
export interface SerialPair {
  readonly ours: string;
  readonly theirs: string;
  readonly stop: () => Promise<void>;
}

/** Makes a serial line below `directory`. */
export async function serialPair(directory: string, name = 'line'): Promise<SerialPair> {
  const ours = join(directory, `${name}-ours`);
  const theirs = join(directory, `${name}-theirs`);
  const child = spawn('socat', [`pty,raw,echo=0,link=${ours}`, `pty,raw,echo=0,link=${theirs}`], {
    stdio: 'ignore',
  });
  await until(() => existsSync(ours) && existsSync(theirs), 'socat made two pseudo-terminals');
  return { ours, theirs, stop: () => ended(child) };
}

/** A serial line whose middle is ours: what the master and the slave say passes through `behave`. */
export interface LineBetween {
  readonly ours: string;
  readonly theirs: string;
  readonly requests: readonly Buffer[];
  behave: (passage: Omit<Passage, 'hangUp'>) => void;
  readonly stop: () => Promise<void>;
}

/** Makes two serial lines below `directory` and joins them here. */
export async function lineBetween(directory: string): Promise<LineBetween> {
  const near = await serialPair(directory, 'near');
  const far = await serialPair(directory, 'far');
  const requests: Buffer[] = [];
  const [master, slave] = await Promise.all([openPort(near.theirs), openPort(far.ours)]);
  const line: LineBetween = {
    ours: near.ours,
    theirs: far.theirs,
    requests,
    behave: (passage) => passage.pass(passage.bytes),
    stop: async () => {
      await Promise.all([master, slave].map((port) => new Promise((resolve) => port.close(resolve))));
      await Promise.all([near.stop(), far.stop()]);
    },
  };
  master.on('data', (bytes: Buffer) => {
    requests.push(bytes);
    line.behave({ direction: 'request', bytes, pass: (b) => slave.write(b), answer: (b) => master.write(b) });
  });
  slave.on('data', (bytes: Buffer) => {
    line.behave({ direction: 'reply', bytes, pass: (b) => master.write(b), answer: (b) => slave.write(b) });
  });
  return line;
}

async function openPort(path: string): Promise<SerialPort> {
  const port = new SerialPort({ path, baudRate: 115_200, autoOpen: false });
  await new Promise<void>((resolve, reject) =>
    port.open((error) => (error === null ? resolve() : reject(error))),
  );
  return port;
}

/** What a misbehaving wire does with one chunk on its way. */
export interface Passage {
  /** Bytes from the master (`request`) or from the slave (`reply`). */
  readonly direction: 'request' | 'reply';
  readonly bytes: Buffer;
  /** Sends bytes on in the same direction. */
  readonly pass: (bytes: Buffer) => void;
  /** Sends bytes back to where these came from. */
  readonly answer: (bytes: Buffer) => void;
  /** Ends the master's connection: FIN, or RST. */
  readonly hangUp: (how: 'fin' | 'rst') => void;
}

/** A TCP wire between master and slave. */
export interface WireBetween {
  readonly port: number;
  /** Every chunk from the master. */
  readonly requests: readonly Buffer[];
  /** Connections the master has made. */
  readonly connections: () => number;
  /** What happens to each chunk; the default passes it on. */
  behave: (passage: Passage) => void;
  readonly stop: () => Promise<void>;
}

/** Passes every chunk on. */
export const honest = (passage: Passage): void => passage.pass(passage.bytes);

/** Starts a wire to a slave at `port`, or to nobody when `port` is null: then only `answer` and `hangUp` do something. */
export async function wireBetween(port: number | null): Promise<WireBetween> {
  const requests: Buffer[] = [];
  const sockets = new Set<Socket>();
  let connections = 0;
  const keep = (socket: Socket): void => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
  };
  const server = createServer((master) => {
    connections += 1;
    keep(master);
    const slave = port === null ? null : connectTcp(port, '127.0.0.1');
    const hangUp = (how: 'fin' | 'rst'): void => {
      if (how === 'rst') master.resetAndDestroy();
      else master.end();
    };
    master.on('data', (bytes: Buffer) => {
      requests.push(bytes);
      wire.behave({
        direction: 'request',
        bytes,
        pass: (b) => slave?.write(b),
        answer: (b) => master.write(b),
        hangUp,
      });
    });
    master.on('close', () => slave?.destroy());
    if (slave === null) return;
    keep(slave);
    slave.on('data', (bytes: Buffer) => {
      wire.behave({
        direction: 'reply',
        bytes,
        pass: (b) => master.write(b),
        answer: (b) => slave.write(b),
        hangUp,
      });
    });
    slave.on('close', () => master.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const wire: WireBetween = {
    port: (server.address() as AddressInfo).port,
    requests,
    connections: () => connections,
    behave: honest,
    stop: () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy();
        server.close(() => resolve());
      }),
  };
  return wire;
}

/** Says loudly why a group of tests is skipped. */
export function skipLoudly(what: string, why: string | null): boolean {
  if (why === null) return false;
  console.warn(`SKIPPED: ${what}: ${why}`);
  return true;
}
