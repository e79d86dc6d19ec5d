/** An emulated board on a TCP port. */
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import type { Framing } from '../contacts/modbus/profile.ts';
import type { PlayedBoard } from './played.ts';

/** More at once than any real board takes. */
const MAX_CONNECTIONS = 64;
/** A peer that does not read its replies is let go when this much waits for it, bytes. */
const MAX_UNREAD_BYTES = 64 * 1024;

export interface TcpAddress {
  readonly host: string;
  /** 0: the kernel chooses. */
  readonly port: number;
}

/** A board that listens. */
export interface TcpService {
  readonly host: string;
  readonly port: number;
  readonly framing: Framing;
  /** Resets every connection and stops listening. */
  readonly close: () => Promise<void>;
}

/** Serves `board` on a TCP port. Rejects when the address cannot be had. */
export async function serveTcp(
  board: PlayedBoard,
  options: TcpAddress & { readonly framing: Framing },
): Promise<TcpService> {
  const { framing } = options;
  const sockets = new Set<Socket>();
  const accept = (socket: Socket): void => serveSocket(board, framing, socket, sockets);
  let server: Server | null = await listening(options, accept);
  const { address: host, port } = server.address() as AddressInfo;
  const stopDrop = board.onDrop(() => {
    for (const socket of sockets) socket.resetAndDestroy();
  });
  let turning: Promise<void> = Promise.resolve();
  let ended = false;
  const follow = async (): Promise<void> => {
    const refuse = ended || board.hasFault('refuse-connections');
    if (refuse && server !== null) {
      // Stops listening at once; the connections that stand go on.
      server.close();
      server = null;
    } else if (!refuse && server === null) {
      server = await listening({ host, port }, accept);
    }
  };
  const turn = (): Promise<void> => {
    turning = turning.then(follow);
    return turning;
  };
  const stopWatch = board.watch((event) => {
    if (event.event === 'fault') void turn();
  });
  await turn();
  return {
    host,
    port,
    framing,
    close: async () => {
      stopWatch();
      stopDrop();
      ended = true;
      await turn();
      for (const socket of sockets) socket.resetAndDestroy();
    },
  };
}

function serveSocket(board: PlayedBoard, framing: Framing, socket: Socket, sockets: Set<Socket>): void {
  const peer = `${socket.remoteAddress ?? ''}:${socket.remotePort ?? ''}`;
  const send = (bytes: Buffer): void => {
    if (socket.writable) socket.write(bytes);
    if (socket.writableLength > MAX_UNREAD_BYTES) socket.resetAndDestroy();
  };
  const session = board.session({ send, reject: () => socket.destroy() }, framing);
  sockets.add(socket);
  board.emit({ event: 'connection', at: board.timers.now(), peer, state: 'accepted' });
  socket.setNoDelay(true);
  socket.on('data', (chunk) => session.receive(chunk));
  // A reset by the peer ends in 'close' like everything else; there is nothing more to do about it.
  socket.on('error', () => socket.destroy());
  socket.on('close', () => {
    session.end();
    sockets.delete(socket);
    board.emit({ event: 'connection', at: board.timers.now(), peer, state: 'gone' });
  });
}

function listening({ host, port }: TcpAddress, accept: (socket: Socket) => void): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer(accept);
    server.maxConnections = MAX_CONNECTIONS;
    server.once('error', reject);
    server.listen({ host, port }, () => {
      server.off('error', reject);
      resolve(server);
    });
  });
}
