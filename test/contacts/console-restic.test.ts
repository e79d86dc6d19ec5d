/** A real backup through a real switch, whose port is shut over its console in the middle of it. */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { SerialTransport } from '../../src/contacts/transport-serial.ts';
import { has, scratch, skipLoudly, until } from './bench.ts';
import { consoleOn, switchProfile } from './console-parts.ts';
import { bounded, current } from './contract.ts';
import { buildFrrSwitch, frrMissing, type FrrSwitch, VAULT_PORT } from './frr-switch.ts';

const SERVER_PORT = 8000;
/** Slow enough to be cut in the middle, KiB per second and MiB. */
const UPLOAD_KIB = 512;
const DATA_MIB = 24;
/** ms without a byte after which nothing more will come; at this speed one comes every few. */
const STILL_MS = 1500;

const missing = (): string | null =>
  has('restic') && has('rclone') ? frrMissing() : 'restic or rclone is missing (packages restic, rclone)';

function bytesBelow(directory: string): number {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce(
      (sum, entry) =>
        sum + (statSync(join(entry.parentPath, entry.name), { throwIfNoEntry: false })?.size ?? 0),
      0,
    );
}

function answers(host: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port: SERVER_PORT });
    const end = (is: boolean): void => {
      socket.destroy();
      resolve(is);
    };
    socket.setTimeout(500, () => end(false));
    socket.once('connect', () => end(true));
    socket.once('error', () => end(false));
  });
}

async function reachable(host: string): Promise<void> {
  const end = Date.now() + 20_000;
  while (!(await answers(host))) if (Date.now() > end) throw new Error('the vault does not answer');
}

async function killed(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await gone;
}

async function cutInTheMiddle(bench: FrrSwitch, directory: string): Promise<void> {
  const [store, data] = [join(directory, 'store'), join(directory, 'data')];
  for (const path of [store, data]) mkdirSync(path);
  for (let index = 0; index < DATA_MIB; index += 1)
    writeFileSync(join(data, `file-${index}`), randomBytes(1024 * 1024));
  const [program = '', ...prefix] = bench.inVault;
  const serve = ['rclone', 'serve', 'restic', '--addr', `:${SERVER_PORT}`, '--config', '/dev/null', store];
  const vault = spawn(program, [...prefix, ...serve], { stdio: 'ignore' });
  const line = { device: bench.console(), baud: 9600, dataBits: 8, parity: 'none', stopBits: 1 } as const;
  const contact = consoleOn(switchProfile('frr/vtysh'), new SerialTransport(line)).contact(VAULT_PORT);
  let backup: ChildProcess | null = null;
  try {
    expect(await bounded(contact.connect(current))).toMatchObject({ kind: 'done' });
    await until(() => bench.carrier() === 'connected', 'the vault has a carrier');
    await reachable(bench.vault);
    const env = {
      ...process.env,
      RESTIC_PASSWORD: 'bench',
      RESTIC_REPOSITORY: `rest:http://${bench.vault}:${SERVER_PORT}/`,
      RESTIC_CACHE_DIR: join(directory, 'cache'),
    };
    expect(spawnSync('restic', ['init'], { env, encoding: 'utf8', timeout: 20_000 }).status).toBe(0);
    const before = bytesBelow(store);
    backup = spawn('restic', ['backup', '--limit-upload', `${UPLOAD_KIB}`, data], { env, stdio: 'ignore' });
    await until(() => bytesBelow(store) > before + 256 * 1024, 'data arrives in the vault');

    const receipt = contact.isolate();
    expect(await bounded(receipt.written)).toEqual(expect.any(Number));
    expect(await bounded(receipt.acknowledged)).toMatchObject({ kind: 'done' });
    expect(bench.carrier()).toBe('isolated');
    // What the server had already taken in may still be on its way to the disk.
    let [stored, since] = [bytesBelow(store), Date.now()];
    await until(() => {
      const now = bytesBelow(store);
      if (now !== stored) [stored, since] = [now, Date.now()];
      return Date.now() - since > STILL_MS;
    }, 'nothing arrives any more');
    expect(await answers(bench.vault)).toBe(false);
    expect(await bounded(contact.read())).toMatchObject({ position: 'isolated' });
    expect(bytesBelow(store)).toBe(stored);
    expect(stored).toBeLessThan(DATA_MIB * 1024 * 1024);
    // It does not fail: it waits. Whoever cuts must end it, too.
    expect(backup.exitCode).toBeNull();
  } finally {
    if (backup !== null) await killed(backup);
    await contact.close();
    await killed(vault);
  }
}

const skip = skipLoudly('a restic backup that is cut over the console of a switch', missing());
describe.skipIf(skip)('a restic backup through FRRouting', () => {
  test('stops when the port is shut over the console, seen from outside', { timeout: 90_000 }, async () => {
    const bench = await buildFrrSwitch();
    const directory = scratch();
    try {
      await cutInTheMiddle(bench, directory.path);
    } finally {
      await bench.remove();
      directory.remove();
    }
  });
});
