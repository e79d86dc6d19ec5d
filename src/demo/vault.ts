/**
 * The vault of the demo: a restic server that nobody reaches but through the emulated cable. It lives in a network namespace
 * of its own, which has no interface but its loopback; the only way in is a Unix socket in a private directory, and that
 * is where the emulated cable ends. Where the kernel forbids namespaces, it listens on loopback and says so.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { CommandError } from '../command/exit.ts';

/** A running vault. */
export interface Vault {
  /** Where the far end of the cable is: what `emulate --cable` takes as target. */
  readonly target: string;
  /** True when there is no path to it but the cable. */
  readonly outOfReach: boolean;
  stop(): Promise<void>;
}

/** The port inside the namespace; nobody else is there. */
const INNER_PORT = 8000;
const READY_WITHIN_MS = 15_000;
const LOOK_EVERY_MS = 50;

/** Starts a vault that keeps its data in `directory`. */
export async function startVault(directory: string): Promise<Vault> {
  const store = join(directory, 'store');
  await mkdir(store, { recursive: true, mode: 0o700 });
  const isolated = namespaceArguments();
  const socket = join(directory, 'far-end.sock');
  const serve = [
    ...(isolated === null ? [] : ['ip link set lo up']),
    `socat UNIX-LISTEN:"$1",fork,mode=600 TCP:127.0.0.1:${INNER_PORT} &`,
    `exec rclone serve restic --addr 127.0.0.1:${INNER_PORT} --config /dev/null "$2"`,
  ].join('\n');
  const [program, ...prefix] = isolated ?? ['sh'];
  const inner = isolated === null ? [] : ['sh'];
  const args = [...prefix, ...inner, '-c', serve, 'vault', socket, store];
  const child = spawn(program ?? 'sh', args, { stdio: 'ignore', detached: true });
  await ready(child, socket);
  return {
    target: `unix:${socket}`,
    outOfReach: isolated !== null,
    async stop() {
      if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
      const ended = once(child, 'exit');
      // Its whole process group: the namespace ends with the last process in it.
      process.kill(-child.pid, 'SIGKILL');
      await ended;
    },
  };
}

/** How to get a network namespace here, or null when the kernel forbids it. */
function namespaceArguments(): readonly string[] | null {
  const ways = [
    ['unshare', '--net'],
    ['unshare', '--map-root-user', '--net'],
  ];
  return (
    ways.find(([program, ...args]) => {
      try {
        execFileSync(program ?? '', [...args, 'ip', 'link', 'set', 'lo', 'up'], { stdio: 'ignore' });
        return true;
      } catch {
        // Not permitted here; the next way, or none.
        return false;
      }
    }) ?? null
  );
}

async function ready(child: ChildProcess, socket: string): Promise<void> {
  for (let waitedMs = 0; waitedMs < READY_WITHIN_MS; waitedMs += LOOK_EVERY_MS) {
    if (child.exitCode !== null) break;
    if (existsSync(socket)) return;
    await pause(LOOK_EVERY_MS);
  }
  throw new CommandError(
    1,
    'the vault did not start: are socat and rclone installed? `bin/demo` installs them',
  );
}
