/**
 * A managed switch that nobody here wrote: FRRouting in a network namespace, with a bridge between two ports. `port1` leads
 * to us, `port2` to a vault in a namespace of its own. Its console is vtysh behind a pseudo-terminal, which starts anew
 * whenever somebody logs out, as a real console does; its terminal on TCP asks for two passwords.
 */
import { spawn, spawnSync } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Position } from '../../src/core/evidence.ts';
import { has, scratch, until } from './bench.ts';
import { cableMissing } from './cable.ts';

const ZEBRA = '/usr/lib/frr/zebra';
/** What the terminal on TCP asks for. */
export const LOGIN_PASSWORD = 'let-me-look';
export const ENABLE_PASSWORD = 'let-me-change';
/** TCP port of that terminal. */
export const TERMINAL_PORT = 2601;
/** The port of the vault. */
export const VAULT_PORT = 'port2';

/** The switch, seen from outside. */
export interface FrrSwitch {
  /** The serial console; another one after `freshConsole`. */
  readonly console: () => string;
  /** Address of the terminal on TCP, on a cable of its own. */
  readonly host: string;
  /** Address of the vault, through the switch. */
  readonly vault: string;
  /** Put before a command so that it runs in the vault. */
  readonly inVault: readonly string[];
  /** Whether the vault's own interface has a carrier: what nobody at the switch can say. */
  readonly carrier: () => Position;
  /** Runs `ip` in the namespace of the switch. */
  readonly ip: (...args: readonly string[]) => string;
  /** Starts the console anew, on a pseudo-terminal that nobody has opened yet. */
  readonly freshConsole: () => Promise<void>;
  /** Freezes whatever stands between the console and the switch, and lets it go on. */
  readonly freeze: () => void;
  readonly thaw: () => void;
  /** Cuts the cable to the terminal on TCP, and mends it. */
  readonly pull: () => void;
  readonly plug: () => void;
  /** A file with this content. */
  readonly secret: (content: string) => string;
  readonly remove: () => Promise<void>;
}

/** Why there can be no such switch here, or `null`. */
export function frrMissing(): string | null {
  if (!existsSync(ZEBRA) || !has('vtysh')) return 'FRRouting is missing (package frr)';
  if (!has('socat')) return 'socat is missing (package socat)';
  return cableMissing();
}

function run(program: string, args: readonly string[]): string {
  const done = spawnSync(program, args, { encoding: 'utf8' });
  if (done.status !== 0) throw new Error(`${program} ${args.join(' ')}: ${done.stderr ?? 'failed'}`);
  return done.stdout;
}

async function ended(child: ChildProcess | null): Promise<void> {
  if (child === null || child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await gone;
}

/** Builds the switch; `port2` is shut, `port1` is not. */
export async function buildFrrSwitch(): Promise<FrrSwitch> {
  const tag = `${process.pid % 100_000}`;
  const [space, vault] = [`pc-frr-${tag}`, `pc-fv-${tag}`];
  const net = `10.${100 + (process.pid % 80)}.${(process.pid >> 7) % 250}`;
  const directory = scratch();
  chmodSync(directory.path, 0o755);
  const vty = join(directory.path, 'vty');
  mkdirSync(vty);
  run('chown', ['frr:frrvty', vty]);
  const ip = (...args: readonly string[]): string => run('ip', ['-n', space, ...args]);
  const wires = layWires(space, vault, tag, net, ip);
  const conf = join(directory.path, 'zebra.conf');
  writeFileSync(
    conf,
    `hostname core-sw1\npassword ${LOGIN_PASSWORD}\nenable password ${ENABLE_PASSWORD}\ninterface ${VAULT_PORT}\n shutdown\n`,
  );
  writeFileSync(join(directory.path, 'vtysh.conf'), 'no service integrated-vtysh-config\n');
  const inSwitch = ['netns', 'exec', space];
  const [pid, api] = [join(vty, 'zebra.pid'), join(vty, 'zserv.api')];
  const files = ['-f', conf, '-i', pid, '-z', api, '--vty_socket', vty];
  const address = ['-A', `${net}.6`, '-P', `${TERMINAL_PORT}`];
  const zebra = spawn('ip', [...inSwitch, ZEBRA, ...files, ...address], { stdio: 'ignore' });
  await until(() => existsSync(join(vty, 'zebra.vty')), 'zebra listens');
  await until(() => !ip('-o', 'link', 'show', VAULT_PORT).includes(',UP'), 'zebra has shut the port');
  const vtysh = `ip netns exec ${space} vtysh --vty_socket ${vty} --config_dir ${directory.path}`;
  const console = respawningConsole(directory.path, vtysh);
  await console.fresh();
  let secrets = 0;
  return {
    console: () => console.line(),
    host: `${net}.6`,
    vault: `${net}.2`,
    inVault: ['ip', 'netns', 'exec', vault],
    carrier: () =>
      run('ip', ['-n', vault, '-o', 'link', 'show', 'dev', 'v-eth0']).includes('LOWER_UP')
        ? 'connected'
        : 'isolated',
    ip,
    freshConsole: console.fresh,
    freeze: () => console.kill('SIGSTOP'),
    thaw: () => console.kill('SIGCONT'),
    pull: () => void ip('link', 'set', 'mgmt', 'down'),
    plug: () => void ip('link', 'set', 'mgmt', 'up'),
    secret: (content) => {
      secrets += 1;
      const path = join(directory.path, `secret-${secrets}`);
      writeFileSync(path, `${content}\n`, { mode: 0o600 });
      return path;
    },
    remove: async () => {
      await console.stop();
      await ended(zebra);
      wires();
      directory.remove();
    },
  };
}

/** Lays every cable; returns what takes them away. */
function layWires(
  space: string,
  vault: string,
  tag: string,
  net: string,
  ip: (...args: readonly string[]) => string,
): () => void {
  const [near, mgmt] = [`pcp${tag}`, `pcm${tag}`];
  run('ip', ['netns', 'add', space]);
  run('ip', ['netns', 'add', vault]);
  run('ip', ['link', 'add', near, 'type', 'veth', 'peer', 'name', 'port1', 'netns', space]);
  run('ip', ['link', 'add', mgmt, 'type', 'veth', 'peer', 'name', 'mgmt', 'netns', space]);
  run('ip', [
    '-n',
    vault,
    'link',
    'add',
    'v-eth0',
    'type',
    'veth',
    'peer',
    'name',
    VAULT_PORT,
    'netns',
    space,
  ]);
  ip('link', 'add', 'br0', 'type', 'bridge');
  for (const name of ['port1', VAULT_PORT]) ip('link', 'set', name, 'master', 'br0');
  for (const name of ['lo', 'br0', 'port1', 'mgmt']) ip('link', 'set', name, 'up');
  ip('address', 'add', `${net}.6/30`, 'dev', 'mgmt');
  run('ip', ['address', 'add', `${net}.1/30`, 'dev', near]);
  run('ip', ['address', 'add', `${net}.5/30`, 'dev', mgmt]);
  for (const name of [near, mgmt]) run('ip', ['link', 'set', name, 'up']);
  run('ip', ['-n', vault, 'address', 'add', `${net}.2/30`, 'dev', 'v-eth0']);
  for (const name of ['lo', 'v-eth0']) run('ip', ['-n', vault, 'link', 'set', name, 'up']);
  return () => {
    for (const name of [near, mgmt]) spawnSync('ip', ['link', 'delete', name]);
    for (const name of [space, vault]) spawnSync('ip', ['netns', 'delete', name]);
  };
}

/** vtysh behind a pseudo-terminal, started again whenever it ends, as a console does when somebody logs out. */
function respawningConsole(
  directory: string,
  vtysh: string,
): {
  readonly line: () => string;
  readonly kill: (signal: NodeJS.Signals) => void;
  readonly fresh: () => Promise<void>;
  readonly stop: () => Promise<void>;
} {
  let child: ChildProcess | null = null;
  let wanted = true;
  // Names of its own for every fresh start: nothing that belongs to the one before can be met there.
  let name = 0;
  const path = (what: string): string => join(directory, `${what}-${name}`);
  const start = (): void => {
    const ends = [`PTY,link=${path('console')},raw,echo=0`, `EXEC:${vtysh},pty,setsid,ctty,stderr`];
    child = spawn('socat', ['-t0', '-R', path('printed'), ...ends], { stdio: 'ignore' });
    child.once('exit', () => setTimeout(() => wanted && start(), 50));
  };
  const kill = (signal: NodeJS.Signals): void => void child?.kill(signal);
  return {
    line: () => path('console'),
    kill,
    fresh: async () => {
      name += 1;
      if (child === null) start();
      kill('SIGCONT');
      if (name > 1) kill('SIGKILL');
      // A Ctrl-C that comes before the first prompt ends vtysh (SIGABRT); no console of a switch can be ended by a key.
      const hasPrompt = (): boolean =>
        existsSync(path('printed')) && readFileSync(path('printed'), 'latin1').endsWith('# ');
      await until(hasPrompt, 'the console shows a prompt');
    },
    stop: async () => {
      wanted = false;
      await ended(child);
    },
  };
}
