/** What the emulator's tests share: profiles, waiting with a bound, tools that may be missing. */
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import type { ModbusProfile } from '../../src/contacts/modbus/profile.ts';
import { loadProfiles } from '../../src/contacts/profile-store.ts';
import { parseFault, type Fault } from '../../src/emulator/faults.ts';

/** ms after which what should happen counts as not happening. Generous: the machine may be busy. */
export const PATIENCE_MS = 20_000;
/** ms for which nothing must happen where nothing may happen. Too short can only hide a fault, not invent one. */
export const QUIET_MS = 250;

const { profiles } = await loadProfiles();

/** A profile of the program. */
export function profileNamed(id: string): ModbusProfile {
  const profile = profiles.get(id);
  if (profile?.driver !== 'modbus') throw new Error(`no Modbus profile ${id}`);
  return profile;
}

/** The (D) board: relays, inputs, lease and a start-up check. */
export const boardD: ModbusProfile = profileNamed('waveshare/modbus-rtu-relay-8ch-d');
export const generic: ModbusProfile = profileNamed('generic/modbus-coils');

/** A fault as the command line writes it. */
export function fault(text: string, scope: Partial<Pick<Fault, 'on' | 'times'>> = {}): Fault {
  const reading = parseFault(text, 8, scope);
  if (reading.kind === 'problem') throw new Error(reading.what);
  return reading.fault;
}

/** Waits until `condition` holds. */
export async function until(condition: () => boolean, what: string): Promise<void> {
  const end = performance.now() + PATIENCE_MS;
  while (!condition()) {
    if (performance.now() > end) throw new Error(`did not happen within ${PATIENCE_MS} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

export const quiet = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, QUIET_MS));

/** Whether a Debian tool is there; says loudly when it is not. */
export function hasTool(name: string, ...probe: string[]): boolean {
  const { error } = spawnSync(name, probe, { stdio: 'ignore' });
  if (error === undefined) return true;
  console.warn(`SKIPPED: ${name} is not installed (apt-get install ${name}); its tests do not run`);
  return false;
}

/** A TCP client that remembers everything that happens to it. */
export interface Client {
  readonly socket: Socket;
  /** Everything received, in order. */
  received(): Buffer;
  /** `connect`, `end`, `close` and error codes, in order. */
  readonly happened: string[];
}

/** Watches a socket. */
export function watched(socket: Socket): Client {
  const chunks: Buffer[] = [];
  const happened: string[] = [];
  socket.on('connect', () => happened.push('connect'));
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  socket.on('end', () => happened.push('end'));
  socket.on('error', (error: NodeJS.ErrnoException) => happened.push(error.code ?? error.message));
  socket.on('close', () => happened.push('close'));
  return { socket, happened, received: () => Buffer.concat(chunks) };
}

/** A connection to a port of this machine, made. */
export async function connected(port: number): Promise<Client> {
  const client = watched(connect({ port, host: '127.0.0.1', allowHalfOpen: true }));
  await once(client.socket, 'connect');
  return client;
}

export const bytes = (frame: string): Buffer => Buffer.from(frame.replaceAll(' ', ''), 'hex');
