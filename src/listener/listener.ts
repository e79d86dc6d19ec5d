/**
 * HTTP on one or several addresses, with TLS or without, for whoever has a request handler.
 *
 * What it promises: nobody who is slow, silent, loud or garbled keeps somebody else from being heard. Every connection
 * has a place in one crowd (see `crowd.ts`), whatever address and port it came in by; every wait for a sender is
 * bounded; a certificate that changes is taken without a connection being lost.
 *
 * What remains: connections that stand keep the trust that their handshake gave them, until they end.
 */
import type { IncomingMessage, RequestListener, Server, ServerResponse } from 'node:http';
import type { Server as SecureServer } from 'node:https';
import { isIPv6, type Server as NetServer, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { SecureContextOptions } from 'node:tls';
import type { ServerCertificate } from './certificate.ts';
import { Crowd } from './crowd.ts';
import { listenAtDoors } from './doors.ts';
import { Pace, PacedSocket } from './paced-socket.ts';

// Not by `import`: that reads every export, and one of them loads Node's whole fetch, 14 MB that nobody here uses.
const { createServer } = process.getBuiltinModule('node:http');

/** A sender must have sent its headers and its body within this, ms: slow senders hold nothing for long. */
export const REQUEST_TIMEOUT_MS = 10_000;
/** A TLS handshake must be over within this, ms. */
export const HANDSHAKE_TIMEOUT_MS = 5_000;
/** How long a connection without a request is kept, ms. */
export const IDLE_MS = 30_000;
/** A connection on which nothing moves is ended after this, ms, also when an answer is not taken. */
export const SILENCE_MS = 60_000;
/** How often Node looks for requests that are too slow, ms. */
const LOOK_FOR_SLOW_MS = 1_000;
/** All headers of one request together, bytes. */
export const MAX_HEADERS_BYTES = 16 * 1_024;
const LEAST_TLS = 'TLSv1.2';

/** Where to listen. */
export interface Place {
  readonly host: string;
  /** 0: the system chooses. */
  readonly port: number;
  /** TLS. */
  readonly secure: boolean;
}

/** What a stranger did, for the record; codes are Node's and OpenSSL's. */
export type Disturbance =
  /** What came is no whole request, or came too slowly. */
  | { readonly kind: 'garbled'; readonly status: number; readonly code: string; readonly from: string }
  /** No TLS handshake came of it; often too late to say from whom. */
  | { readonly kind: 'handshake'; readonly code: string; readonly from: string }
  /** Too many were connected; this one gave way. */
  | { readonly kind: 'crowded'; readonly from: string };

/** What a listener is for. */
export interface ListenerOptions {
  readonly handle: RequestListener;
  readonly disturbed: (what: Disturbance) => void;
  /** Asks senders for a certificate; nobody has to have one, and whoever handles requests judges it. */
  readonly asksForCertificate?: boolean;
  readonly crowd?: Crowd;
}

interface Seat {
  readonly id: string;
  readonly address: string;
}

const STATUS: Readonly<Record<string, number>> = {
  ERR_HTTP_REQUEST_TIMEOUT: 408,
  HPE_HEADER_OVERFLOW: 431,
};

/** One crowd behind one or several doors. */
export class Listener {
  readonly #options: ListenerOptions;
  readonly #crowd: Crowd;
  readonly #doors: NetServer[] = [];
  readonly #secureServers: SecureServer[] = [];
  readonly #sockets = new Set<Socket>();
  /** Where a connection sits. */
  readonly #seats = new WeakMap<Duplex, Seat>();
  readonly #pipelining = new WeakSet<Duplex>();
  readonly #pace = new Pace();
  /** By the two ends of the connection: what TLS makes of a socket is another object with the same ends. */
  readonly #byEnds = new Map<string, Seat>();
  readonly #answering = new WeakMap<Socket, ServerResponse>();
  /** Serves what came through no door. */
  #doorless: Server | null = null;
  #connections = 0;

  constructor(options: ListenerOptions) {
    this.#options = options;
    this.#crowd = options.crowd ?? new Crowd();
  }

  /** Listens in all places, or rejects and listens in none. Resolves with what became of port 0. */
  async listen(
    places: readonly Place[],
    certificate: ServerCertificate | null = null,
  ): Promise<readonly Place[]> {
    const found: Place[] = [];
    try {
      for (const place of places) {
        const server = place.secure ? this.#secureServer(certificate) : this.#plainServer();
        this.#doors.push(server);
        // oxlint-disable-next-line no-await-in-loop -- the first that fails is the one to name
        const { port, further } = await listenAtDoors(server, place).catch((error: unknown) => {
          throw new ListenFailure(place, error);
        });
        this.#doors.push(...further);
        found.push({ ...place, port });
      }
    } catch (error) {
      await this.close();
      throw error;
    }
    return found;
  }

  /** From now on this certificate is shown. Connections that stand end with the request they are at. */
  renew(certificate: ServerCertificate): void {
    for (const server of this.#secureServers) {
      server.setSecureContext(contextOf(certificate));
      server.closeIdleConnections();
    }
  }

  /** The sender of this request proved who it is: its address gives way last. */
  vouch({ socket }: IncomingMessage): void {
    const seat = this.#seats.get(socket);
    if (seat !== undefined) this.#crowd.vouch(seat.address);
  }

  /** Takes a connection that came through no door; without TLS. */
  take(socket: Duplex): void {
    this.#doorless ??= this.#plainServer();
    this.#doorless.emit('connection', socket);
  }

  /** Ends every connection and listens no more. */
  async close(): Promise<void> {
    const closed = this.#doors.map((door) => new Promise((resolve) => door.close(resolve)));
    for (const socket of this.#sockets) socket.destroy();
    await Promise.all(closed);
  }

  #plainServer(): Server {
    const server = createServer(HTTP);
    this.#paced(server, 'connection', (socket) => this.#admit(socket));
    return this.#furnished(server);
  }

  #secureServer(certificate: ServerCertificate | null): SecureServer {
    if (certificate === null) throw new Error('TLS without a certificate');
    const tls = {
      ...contextOf(certificate),
      requestCert: this.#options.asksForCertificate === true,
      rejectUnauthorized: false,
      handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
      ALPNProtocols: ['http/1.1'],
    };
    const { createServer: createSecureServer } = process.getBuiltinModule('node:https');
    const server = createSecureServer({ ...HTTP, ...tls });
    server.on('connection', (socket: Duplex) => this.#admit(socket as Socket));
    this.#paced(server, 'secureConnection', (socket) => this.#byEnds.get(endsOf(socket)));
    this.#secureServers.push(server);
    this.#furnished(server);
    return server;
  }

  #furnished(server: Server): Server {
    server.on('clientError', (error: NodeJS.ErrnoException, socket) => this.#garbled(error, socket));
    server.on('request', (request, response) => this.#hear(request, response));
    return server.setTimeout(SILENCE_MS);
  }

  /** Puts a paced socket between each connection and what Node would do with it. */
  #paced(
    server: Server,
    event: 'connection' | 'secureConnection',
    seatOf: (socket: Socket) => Seat | undefined,
  ): void {
    const serves = server.listeners(event);
    server.removeAllListeners(event);
    server.on(event, (socket: Socket) => {
      const paced = new PacedSocket(socket, this.#pace);
      const seat = seatOf(socket);
      if (seat !== undefined) this.#seats.set(paced, seat);
      for (const serve of serves) Reflect.apply(serve, server, [paced]);
    });
  }

  /**
   * One request at a time on a connection: who sends the next before the answer is there is answered once and left. Node
   * hands over hundreds of requests that came in one piece before anybody else is looked at.
   */
  #hear(request: IncomingMessage, response: ServerResponse): void {
    const { socket } = request;
    const seat = this.#seats.get(socket);
    if (seat !== undefined) this.#crowd.heard(seat.id, seat.address);
    const current = this.#answering.get(socket);
    if (current === undefined) {
      this.#answering.set(socket, response);
      const paced: Duplex = socket;
      if (paced instanceof PacedSocket) paced.answering(() => request.complete && !response.closed);
      response.once('close', () => {
        this.#answering.delete(socket);
        if (paced instanceof PacedSocket) paced.answered();
      });
      this.#options.handle(request, response);
      return;
    }
    if (this.#pipelining.has(socket)) return;
    this.#pipelining.add(socket);
    if (socket instanceof PacedSocket) socket.deafen();
    if (!current.headersSent) current.setHeader('connection', 'close');
    current.once('finish', () => socket.destroySoon());
    this.#options.disturbed({ kind: 'garbled', status: 400, code: 'PIPELINED', from: seat?.address ?? '' });
  }

  #admit(socket: Socket): Seat {
    this.#connections += 1;
    const ends = endsOf(socket);
    // Numbered: the ends may come again before their last connection is closed here.
    const seat = { id: String(this.#connections), address: socket.remoteAddress ?? '' };
    this.#byEnds.set(ends, seat);
    this.#sockets.add(socket);
    socket.once('close', () => {
      this.#sockets.delete(socket);
      if (this.#byEnds.get(ends) === seat) this.#byEnds.delete(ends);
      this.#crowd.left(seat.id, seat.address);
    });
    this.#crowd.admit(seat.id, seat.address, () => {
      socket.destroy();
      this.#options.disturbed({ kind: 'crowded', from: seat.address });
    });
    return seat;
  }

  /** Answers and notes what Node could not read. */
  #garbled(error: NodeJS.ErrnoException, socket: Duplex): void {
    const code = error.code ?? 'unknown';
    const from = this.#seats.get(socket)?.address ?? '';
    // Before the handshake is over it is a bare socket of TLS; OpenSSL's failures come with a dead one.
    const isHandshake = !(socket instanceof PacedSocket);
    if (isHandshake && code !== 'ECONNRESET') this.#options.disturbed({ kind: 'handshake', code, from });
    if (!(socket instanceof PacedSocket) || code === 'ECONNRESET' || socket.destroyed) {
      socket.destroy();
      return;
    }
    const status = STATUS[code] ?? 400;
    this.#options.disturbed({ kind: 'garbled', status, code, from });
    socket.end(`HTTP/1.1 ${status} Refused\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
    socket.destroySoon();
  }
}

/** The same for every server. A Host header says nothing here, and some senders leave it out. */
const HTTP = {
  maxHeaderSize: MAX_HEADERS_BYTES,
  headersTimeout: REQUEST_TIMEOUT_MS,
  requestTimeout: REQUEST_TIMEOUT_MS,
  keepAliveTimeout: IDLE_MS,
  connectionsCheckingInterval: LOOK_FOR_SLOW_MS,
  requireHostHeader: false,
  noDelay: true,
} as const;

const contextOf = ({ cert, key, ca }: ServerCertificate): SecureContextOptions => ({
  cert,
  key,
  ca: [...ca],
  minVersion: LEAST_TLS,
});

const endsOf = (socket: Socket): string =>
  `${socket.remoteAddress ?? ''} ${socket.remotePort ?? ''} ${socket.localAddress ?? ''} ${socket.localPort ?? ''}`;

/** Nothing listens there. */
class ListenFailure extends Error {
  override readonly name = 'ListenFailure';

  constructor({ host, port }: Place, cause: unknown) {
    const why = cause instanceof Error ? cause.message : String(cause);
    super(`cannot listen on ${hostInUrl(host)}:${port}: ${why}`, { cause });
  }
}

/** As a URL spells it. */
export const hostInUrl = (host: string): string => (isIPv6(host) ? `[${host}]` : host);
