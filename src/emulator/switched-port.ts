/** A TCP port that is listened on at times; between those times connections are refused, and its number stays the same. */
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import type { BoardTimers } from './relays.ts';
import type { TcpAddress } from './tcp.ts';

/** Pause between attempts to have the port again, ms. */
export const RETRY_MS = 100;
/** After so many attempts it is said that the port cannot be had; the attempts go on. */
export const ATTEMPTS_BEFORE_WORDS = 20;

/** A port whose number is known. */
export interface SwitchedPort {
  readonly host: string;
  readonly port: number;
  /** Listens, as soon as the port can be had. */
  listen(): void;
  /** Stops listening at once. Connections that stand are not touched. */
  refuse(): void;
  /** Refuses for good; resolves when no server is left, which waits for the connections that stand. */
  close(): Promise<void>;
}

/** What a port needs around it. */
export interface PortSurroundings {
  readonly after: BoardTimers['after'];
  /** Told once per `listen` when the port cannot be had. */
  readonly missing: (why: string) => void;
}

/** Finds out the port (0: the kernel chooses) and goes on listening on it if `live`. Rejects when it cannot be had. */
export async function switchedPort(
  address: TcpAddress,
  live: boolean,
  accept: (socket: Socket) => void,
  around: PortSurroundings,
): Promise<SwitchedPort> {
  let wanted = true;
  let server: Server | null = null;
  let trying = false;
  let cancelRetry: (() => void) | null = null;

  const { turn, settled } = turns();
  const end = (ended: Server): void => turn(new Promise((resolve) => ended.close(() => resolve())));
  const refuse = (): void => {
    wanted = false;
    cancelRetry?.();
    cancelRetry = null;
    if (server !== null) end(server);
    server = null;
  };
  server = serverFor(accept, () => wanted);
  await listening(server, address);
  const { address: host, port } = server.address() as AddressInfo;
  if (!live) refuse();

  const attempt = async (count: number): Promise<void> => {
    cancelRetry = null;
    trying = true;
    const made = serverFor(accept, () => wanted);
    try {
      await listening(made, { host, port });
      // Told to refuse before it listened.
      if (wanted) server = made;
      else end(made);
    } catch (error) {
      if (!wanted) return;
      if (count === ATTEMPTS_BEFORE_WORDS)
        around.missing(error instanceof Error ? error.message : String(error));
      cancelRetry = around.after(RETRY_MS, () => turn(attempt(count + 1)));
    } finally {
      trying = false;
    }
  };
  return {
    host,
    port,
    listen: () => {
      wanted = true;
      if (server === null && !trying && cancelRetry === null) turn(attempt(1));
    },
    refuse,
    close: async () => {
      refuse();
      await settled();
    },
  };
}

function serverFor(accept: (socket: Socket) => void, wanted: () => boolean): Server {
  return createServer({ allowHalfOpen: true, noDelay: true, pauseOnConnect: true }, (socket) => {
    if (wanted()) accept(socket);
    // Taken out of the queue in the turn of the cut.
    else socket.resetAndDestroy();
  });
}

/** Keeps count of what begins or ends. */
function turns(): { readonly turn: (work: Promise<void>) => void; readonly settled: () => Promise<void> } {
  const turning = new Set<Promise<void>>();
  return {
    turn: (work) => {
      turning.add(work);
      void work.then(() => turning.delete(work));
    },
    settled: async () => {
      while (turning.size > 0) await Promise.all(turning);
    },
  };
}

function listening(server: Server, address: TcpAddress): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(address, () => {
      server.off('error', reject);
      resolve();
    });
  });
}
