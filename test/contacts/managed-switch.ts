/** A managed switch that nobody here wrote: Debian's snmpd in a network namespace, changing ports of a kernel bridge. */
import { spawn, spawnSync } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Position } from '../../src/core/evidence.ts';
import { has, scratch, until } from './bench.ts';
import { type Cable, cableMissing, layCable } from './cable.ts';

/** The community that may write, and the users of version 3; each password is its file's content. */
export const COMMUNITY = 'example-community';
/** A community that may only read. */
export const READ_ONLY = 'readers-of-this-bench';
/** One user per pair of protocols, as snmpd spells them. */
export const USERS = {
  sha: { auth: 'SHA', privacy: 'AES' },
  sha256: { auth: 'SHA-256', privacy: 'AES' },
  sha512: { auth: 'SHA-512', privacy: 'AES' },
} as const;
export const AUTH_PASSWORD = 'authentication-of-the-bench';
export const PRIVACY_PASSWORD = 'privacy-of-the-bench';
/** UDP port of the agent in its namespace. */
export const AGENT_PORT = 1161;

/** The switch, seen from outside. */
export interface ManagedSwitch {
  readonly host: string;
  readonly cable: Cable;
  /** A file with this content below the scratch directory. */
  readonly secret: (content: string) => string;
  /** Where the kernel says a port stands by administration. */
  readonly seen: (port: string) => Position;
  /** Runs `ip` in the namespace of the switch. */
  readonly ip: (...args: readonly string[]) => string;
  /** Asks the agent with Debian's snmpget. */
  readonly snmpget: (oid: string) => string;
  readonly stopAgent: () => Promise<void>;
  readonly startAgent: () => Promise<void>;
  /** What the stopped agent has kept is lost: it starts as another engine, as a switch that was exchanged does. */
  readonly exchangeAgent: () => void;
  /** Freezes and wakes the agent: what is sent meanwhile waits at its socket. */
  readonly freeze: () => void;
  readonly wake: () => void;
  readonly remove: () => Promise<void>;
}

/** Why there can be no such switch here, or `null`. */
export function switchMissing(): string | null {
  const missing = ['snmpd', 'snmpget'].filter((program) => !has(program));
  return missing.length === 0 ? cableMissing() : `${missing.join(' and ')} is missing (packages snmpd, snmp)`;
}

/** Builds the switch with ports `port1` and `port2`, both isolated. */
export async function buildSwitch(): Promise<ManagedSwitch> {
  const cable = layCable();
  const directory = scratch();
  const space = cable.inside[3] ?? '';
  const ip = (...args: readonly string[]): string => {
    const done = spawnSync('ip', ['-n', space, ...args], { encoding: 'utf8' });
    if (done.status !== 0) throw new Error(`ip ${args.join(' ')}: ${done.stderr}`);
    return done.stdout;
  };
  ip('link', 'add', 'br0', 'type', 'bridge');
  ip('link', 'set', 'br0', 'up');
  for (const port of ['port1', 'port2']) {
    ip('link', 'add', port, 'type', 'veth', 'peer', 'name', `${port}-far`);
    ip('link', 'set', port, 'master', 'br0');
    ip('link', 'set', `${port}-far`, 'up');
  }
  const users = Object.entries(USERS).map(
    ([name, { auth, privacy }]) =>
      `createUser ${name} ${auth} "${AUTH_PASSWORD}" ${privacy} "${PRIVACY_PASSWORD}"\nrwuser ${name} priv`,
  );
  const conf = join(directory.path, 'snmpd.conf');
  // Not beside its configuration, which it would take for its own and rewrite.
  mkdirSync(join(directory.path, 'kept'));
  writeFileSync(
    conf,
    [
      `agentaddress udp:${cable.far}:${AGENT_PORT}`,
      `rwcommunity ${COMMUNITY}`,
      `rocommunity ${READ_ONLY}`,
      ...users,
      '',
    ].join('\n'),
  );
  let agent: ChildProcess | null = null;
  const snmpget = (oid: string): string => {
    const args = ['-v2c', '-c', COMMUNITY, '-t', '1', '-r', '0', '-Oqvn', `${cable.far}:${AGENT_PORT}`, oid];
    return spawnSync('snmpget', args, { encoding: 'utf8' }).stdout.trim();
  };
  const stopAgent = async (): Promise<void> => {
    const running = agent;
    agent = null;
    if (running === null || running.exitCode !== null) return;
    const gone = new Promise((resolve) => running.once('exit', resolve));
    running.kill('SIGKILL');
    await gone;
  };
  const startAgent = async (): Promise<void> => {
    const args = [...cable.inside.slice(1), 'snmpd', '-f', '-C', '-Lo', '-c', conf, '-I', '-smux'];
    agent = spawn('ip', args, {
      stdio: 'ignore',
      env: { ...process.env, SNMP_PERSISTENT_DIR: join(directory.path, 'kept'), MIBS: '' },
    });
    await until(() => snmpget('1.3.6.1.2.1.1.3.0') !== '', 'snmpd answers');
  };
  await startAgent();
  let secrets = 0;
  return {
    host: cable.far,
    cable,
    ip,
    snmpget,
    stopAgent,
    startAgent,
    exchangeAgent: () => {
      rmSync(join(directory.path, 'kept'), { recursive: true });
      mkdirSync(join(directory.path, 'kept'));
    },
    freeze: () => agent?.kill('SIGSTOP'),
    wake: () => agent?.kill('SIGCONT'),
    secret: (content) => {
      secrets += 1;
      const path = join(directory.path, `secret-${secrets}`);
      writeFileSync(path, `${content}\n`, { mode: 0o600 });
      return path;
    },
    seen: (port) => (/[<,]UP[,>]/.test(ip('-o', 'link', 'show', 'dev', port)) ? 'connected' : 'isolated'),
    remove: async () => {
      await stopAgent();
      cable.remove();
      directory.remove();
    },
  };
}
