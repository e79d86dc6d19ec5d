/**
 * A TCP cable that runs through contacts of an emulated board: bytes pass only while every one of them is connected.
 *
 * While isolated it is dead like a pulled cable, towards both ends: nothing is passed, acknowledged, refused or ended.
 * An attempt to connect is not answered (it hangs, and succeeds when the contacts connect while it still tries).
 * Connections that stood at the cut are reset when the contacts connect again; until then neither end learns anything.
 * What an end's kernel had accepted before the cut counts as past the contact (at most one chunk and a TCP window).
 * Towards a Unix socket target the kernel cannot be deafened: there nothing is read or written while isolated.
 * When the emulator itself ends, the kernel ends its connections: that is no pulled cable.
 */
import { createConnection, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import type { Board } from './board.ts';
import { deafen, undeafen } from './dead-socket.ts';
import type { TcpAddress } from './tcp.ts';

export type CableTarget = { readonly unix: string } | { readonly tcp: TcpAddress };

/** From where to where a cable runs, and through which channels (from 1), in series. */
export interface CablePlan {
  readonly channels: readonly number[];
  readonly listen: TcpAddress;
  readonly target: CableTarget;
}

/** A cable that lies. */
export interface Cable {
  readonly channels: readonly number[];
  readonly host: string;
  readonly port: number;
  readonly close: () => Promise<void>;
}

/** One connection through the cable. */
interface Strand {
  readonly client: Socket;
  readonly target: Socket;
  dead: boolean;
}

/** Lays a cable. Rejects when the address cannot be had or the kernel knows no socket filters. */
export async function layCable(board: Board, plan: CablePlan): Promise<Cable> {
  const strands = new Set<Strand>();
  const passes = (): boolean => plan.channels.every((channel) => board.isConnected(channel));
  let live = passes();
  const server = createServer({ allowHalfOpen: true, noDelay: true, pauseOnConnect: true }, (client) =>
    beginStrand(client, plan.target, strands, live),
  );
  await listen(server, plan.listen);
  const { address: host, port } = server.address() as AddressInfo;
  if (!live && !deafen(server)) {
    server.close();
    throw new Error('the kernel refuses a socket filter (SO_ATTACH_FILTER): a cable could not be cut here');
  }
  const stopWatch = board.watch((event) => {
    if (event.event !== 'contact' || passes() === live) return;
    live = passes();
    if (live) {
      undeafen(server);
      for (const strand of strands) resetStrand(strand);
    } else {
      deafen(server);
      for (const strand of strands) killStrand(strand);
    }
  });
  return {
    channels: plan.channels,
    host,
    port,
    close: () => {
      stopWatch();
      for (const strand of strands) resetStrand(strand);
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

function listen(server: Server, address: TcpAddress): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(address, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

function beginStrand(client: Socket, to: CableTarget, strands: Set<Strand>, live: boolean): void {
  const shape = { allowHalfOpen: true, noDelay: true } as const;
  const target =
    'unix' in to ? createConnection({ path: to.unix, ...shape }) : createConnection({ ...to.tcp, ...shape });
  const strand: Strand = { client, target, dead: false };
  strands.add(strand);
  watchEnd(strand, client, target, strands);
  watchEnd(strand, target, client, strands);
  target.once('connect', () => {
    if (strand.dead) {
      deafen(target);
      return;
    }
    pump(strand, client, target);
    pump(strand, target, client);
  });
  // The handshake was over before the cut, the connection came out of the queue after it.
  if (!live) killStrand(strand);
}

/** Passes bytes one way, no faster than they are taken. */
function pump(strand: Strand, from: Socket, to: Socket): void {
  from.on('data', (chunk: Buffer) => {
    if (strand.dead || !to.writable) return;
    if (to.write(chunk)) return;
    from.pause();
    to.once('drain', () => {
      if (!strand.dead) from.resume();
    });
  });
  from.on('end', () => {
    if (!strand.dead) to.end();
  });
  from.resume();
}

/** The end of one side ends the other, unless the cable is dead: then nobody hears of it. */
function watchEnd(strand: Strand, side: Socket, other: Socket, strands: Set<Strand>): void {
  let failed = false;
  side.on('error', () => {
    failed = true;
  });
  side.on('close', () => {
    if (other.closed) strands.delete(strand);
    else if (!strand.dead && failed) resetSide(other);
  });
}

function killStrand(strand: Strand): void {
  strand.dead = true;
  for (const side of [strand.client, strand.target]) {
    side.pause();
    deafen(side);
  }
}

function resetStrand(strand: Strand): void {
  resetSide(strand.client);
  resetSide(strand.target);
}

function resetSide(side: Socket): void {
  // Only TCP sockets can be reset; a Unix socket is simply closed.
  if (side.remoteAddress === undefined) side.destroy();
  else side.resetAndDestroy();
}
