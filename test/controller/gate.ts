/** The path to the vault: a TCP proxy that falls silent. Cut connections hang, as over a pulled cable; nothing is refused or reset. */
import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';

export class Gate {
  isConnected = false;
  bytes = 0;
  readonly #upstream: number;
  readonly #sockets = new Set<Socket>();
  readonly #server = createServer((from) => this.#carry(from));

  constructor(upstreamPort: number) {
    this.#upstream = upstreamPort;
  }

  async start(): Promise<number> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return (this.#server.address() as AddressInfo).port;
  }

  connect(): void {
    this.isConnected = true;
  }

  /** From now on not a byte passes, in either direction, on old or new connections. */
  cut(): void {
    this.isConnected = false;
    for (const socket of this.#sockets) {
      socket.pause();
      socket.removeAllListeners('data');
    }
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #carry(from: Socket): void {
    this.#keep(from);
    if (!this.isConnected) return void from.pause();
    const to = connect(this.#upstream, '127.0.0.1');
    this.#keep(to);
    this.#copy(from, to);
    this.#copy(to, from);
  }

  #keep(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => this.#sockets.delete(socket));
  }

  #copy(from: Socket, to: Socket): void {
    from.on('data', (bytes) => {
      this.bytes += bytes.length;
      if (!to.write(bytes)) from.pause();
    });
    to.on('drain', () => {
      if (this.isConnected) from.resume();
    });
    from.on('end', () => {
      if (this.isConnected) to.end();
    });
    from.on('close', () => {
      if (this.isConnected) to.destroy();
    });
  }
}
