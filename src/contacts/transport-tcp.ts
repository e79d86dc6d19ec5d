import { connect } from 'node:net';
import type { Socket } from 'node:net';
import type { Transport, Wire, WireEvents } from './transport.ts';

/** ms within which a TCP connection must stand. One SYN and its answer; the bus tries again after that. */
export const CONNECT_TIMEOUT_MS = 1000;

/** A TCP connection to a board or a gateway. */
export class TcpTransport implements Transport {
  readonly where: string;
  readonly byteMs = 0;
  readonly quietMs = 0;
  readonly #host: string;
  readonly #port: number;
  readonly #connectTimeoutMs: number;

  constructor(
    address: { readonly host: string; readonly port: number },
    connectTimeoutMs: number = CONNECT_TIMEOUT_MS,
  ) {
    this.#host = address.host;
    this.#port = address.port;
    this.#connectTimeoutMs = connectTimeoutMs;
    this.where = `tcp ${address.host}:${address.port}`;
  }

  open(events: WireEvents): Promise<Wire> {
    return new Promise((resolve, reject) => {
      const socket = connect({ host: this.#host, port: this.#port, noDelay: true });
      const limit = setTimeout(() => {
        give(new Error(`no TCP connection within ${this.#connectTimeoutMs} ms`));
      }, this.#connectTimeoutMs);
      const give = (error: Error): void => {
        clearTimeout(limit);
        socket.removeAllListeners();
        socket.on('error', ignoreAfterDiscard);
        socket.resetAndDestroy();
        reject(error);
      };
      socket.once('error', give);
      socket.once('connect', () => {
        clearTimeout(limit);
        socket.removeAllListeners('error');
        resolve(tcpWire(socket, events));
      });
    });
  }
}

/** A socket that was reset on purpose may still report that; nobody is interested any more. */
function ignoreAfterDiscard(): void {}

function tcpWire(socket: Socket, events: WireEvents): Wire {
  let over = false;
  const gone = (why: string): void => {
    if (over) return;
    over = true;
    events.onGone(why);
  };
  socket.on('data', (chunk: Buffer) => {
    if (!over) events.onBytes(chunk);
  });
  socket.on('error', (error: NodeJS.ErrnoException) =>
    gone(`connection failed (${error.code ?? error.name})`),
  );
  socket.on('end', () => gone('the peer closed the connection'));
  socket.on('close', () => gone('the connection is closed'));
  return {
    write: (bytes) => {
      if (over || socket.destroyed) return false;
      socket.write(bytes);
      // libuv tries the write in this tick; what it could not place stays counted here.
      return socket.writableLength === 0 && socket.errored === null;
    },
    drain: () => 0,
    discard: () => {
      over = true;
      // RST and not FIN: the kernel forgets its queue. A queued frame that outlives us moves a relay with nobody asking.
      socket.resetAndDestroy();
    },
  };
}
