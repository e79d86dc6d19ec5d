/**
 * A TCP cable that runs through contacts of an emulated board: bytes pass only while every one of them is connected.
 *
 * While one of them is isolated, the connections that stand are frozen: nothing is passed either way, no end, no reset;
 * both ends wait. What had not passed at the cut never passes: when the contacts connect again, frozen connections are
 * reset. A new connection is refused at once.
 *
 * How this differs from a real pulled cable, which an ordinary user cannot play:
 * - The kernel still acknowledges what an end sends, as far as its buffers reach; a pulled cable acknowledges nothing.
 * - A new connection is refused; over a pulled cable it gets no answer and hangs.
 * - What the kernel had accepted for an end before the cut (its buffers, and one piece of `PIECE_BYTES` that waits for room
 *   in them) still reaches that end when it reads: it counts as past the contact.
 * - When the emulator itself ends, the kernel ends its connections.
 */
import { createConnection, type Socket } from 'node:net';
import type { PlayedBoard } from './played.ts';
import { switchedPort } from './switched-port.ts';
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
  /** Resets every connection, gives up the port; resolves when nothing of the cable is left. */
  readonly close: () => Promise<void>;
}

/** One connection through the cable. */
interface Strand {
  readonly client: Socket;
  readonly target: Socket;
  frozen: boolean;
  /** Resolves when both sides are gone. */
  readonly gone: Promise<unknown>;
}

/** Most bytes handed to a socket at once: what a socket holds cannot be taken back at the cut. */
const PIECE_BYTES = 4096;

/** Lays a cable. Rejects when the address cannot be had. */
export async function layCable(board: PlayedBoard, plan: CablePlan): Promise<Cable> {
  const strands = new Set<Strand>();
  const passes = (): boolean => plan.channels.every((channel) => board.isConnected(channel));
  const accept = (client: Socket): void => {
    const strand = beginStrand(client, plan.target);
    strands.add(strand);
    void strand.gone.then(() => strands.delete(strand));
  };
  let live = passes();
  const port = await switchedPort(plan.listen, live, accept, {
    after: (ms, act) => board.timers.after(ms, act),
    missing: (why) =>
      board.emit({ event: 'cable', at: board.timers.now(), host: port.host, port: port.port, why }),
  });
  const follow = (): void => {
    if (passes() === live) return;
    live = !live;
    // Both at once, in the turn in which the contact moved.
    for (const strand of strands) {
      if (live) resetStrand(strand);
      else freezeStrand(strand);
    }
    if (live) port.listen();
    else port.refuse();
  };
  const stopWatch = board.watch((event) => {
    if (event.event === 'contact') follow();
  });
  // A contact may have moved while the port was prepared.
  follow();
  return {
    channels: plan.channels,
    host: port.host,
    port: port.port,
    close: async () => {
      stopWatch();
      const left = [...strands];
      for (const strand of left) resetStrand(strand);
      await Promise.all([port.close(), ...left.map(({ gone }) => gone)]);
    },
  };
}

function beginStrand(client: Socket, to: CableTarget): Strand {
  const shape = { allowHalfOpen: true, noDelay: true } as const;
  const target =
    'unix' in to ? createConnection({ path: to.unix, ...shape }) : createConnection({ ...to.tcp, ...shape });
  const gone = Promise.all(
    [client, target].map((side) => new Promise((resolve) => side.once('close', resolve))),
  );
  const strand: Strand = { client, target, frozen: false, gone };
  watchEnd(strand, client, target);
  watchEnd(strand, target, client);
  target.once('connect', () => {
    if (strand.frozen) return;
    pump(strand, client, target);
    pump(strand, target, client);
  });
  return strand;
}

/** Passes bytes one way, no faster than they are taken: a piece is given only when the one before it has been taken. */
function pump(strand: Strand, from: Socket, to: Socket): void {
  let isPassing = false;
  let hasEnded = false;
  const end = (): void => {
    if (hasEnded && !isPassing && !strand.frozen) to.end();
  };
  from.on('data', (chunk: Buffer) => {
    from.pause();
    isPassing = true;
    let passed = 0;
    const pass = (): void => {
      if (strand.frozen || !to.writable) return;
      if (passed === chunk.length) {
        isPassing = false;
        end();
        from.resume();
        return;
      }
      const piece = chunk.subarray(passed, passed + PIECE_BYTES);
      passed += piece.length;
      to.write(piece, (error) => {
        // A failed write ends in 'error' and 'close' of that side.
        if (error === null || error === undefined) pass();
      });
    };
    pass();
  });
  // Node reports the end of a paused socket at once, while the last pieces before it are still on their way.
  from.on('end', () => {
    hasEnded = true;
    end();
  });
  from.resume();
}

/** The failure of one side resets the other, unless the strand is frozen: then nobody hears of it. */
function watchEnd(strand: Strand, side: Socket, other: Socket): void {
  let failed = false;
  side.on('error', () => {
    failed = true;
  });
  side.on('close', () => {
    if (!strand.frozen && failed) resetSide(other);
  });
}

function freezeStrand(strand: Strand): void {
  strand.frozen = true;
  strand.client.pause();
  strand.target.pause();
}

function resetStrand(strand: Strand): void {
  resetSide(strand.client);
  resetSide(strand.target);
}

function resetSide(side: Socket): void {
  // Only a TCP connection that was made can be reset. An attempt is given up, a Unix socket is simply closed.
  if (side.connecting || side.remoteAddress === undefined) side.destroy();
  else side.resetAndDestroy();
}
