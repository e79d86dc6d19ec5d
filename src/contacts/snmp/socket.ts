import { createSocket, type Socket } from 'node:dgram';
import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import type { Verdict } from '../exchange.ts';
import type { Timers } from '../timers.ts';
import type { Transport, Wire, WireEvents } from '../transport.ts';
import type { Agent, Say } from './agent.ts';

/** ms within which an agent must be met and every port found on a fresh socket. */
export const OPEN_TIMEOUT_MS = 10_000;
const MAX_WHY = 160;

/**
 * A UDP socket to one agent, connected, so that nobody else's datagrams come in; a fresh one, with another local port, after
 * every time-out. Nothing is ever sent twice. A datagram is with the kernel before the event loop turns: Node.js hands it
 * over after the present callback.
 */
export class AgentTransport implements Transport {
  readonly where: string;
  readonly byteMs = 0;
  readonly quietMs = 0;
  readonly #host: string;
  readonly #port: number;
  readonly #agent: Agent;
  readonly #timers: Timers;
  readonly #openTimeoutMs: number;

  constructor(
    parts: { readonly host: string; readonly port: number; readonly agent: Agent; readonly timers: Timers },
    openTimeoutMs: number = OPEN_TIMEOUT_MS,
  ) {
    this.#host = parts.host;
    this.#port = parts.port;
    this.#agent = parts.agent;
    this.#timers = parts.timers;
    this.#openTimeoutMs = openTimeoutMs;
    this.where = `snmp ${parts.host}:${parts.port}`;
  }

  async open(events: WireEvents): Promise<Wire> {
    const limit = Promise.withResolvers<never>();
    const cancel = this.#timers.after(this.#openTimeoutMs, () =>
      limit.reject(new Error(`the agent was not met within ${this.#openTimeoutMs} ms`)),
    );
    let socket: AgentSocket | null = null;
    try {
      const address = await Promise.race([resolved(this.#host), limit.promise]);
      socket = new AgentSocket(address, this.#port, () => this.#agent.expecting);
      await Promise.race([socket.connected, limit.promise]);
      await Promise.race([this.#agent.greet(this.#say(socket)), limit.promise]);
      socket.handOver(events);
      return socket;
    } catch (error) {
      socket?.discard();
      throw error;
    } finally {
      cancel();
    }
  }

  #say(socket: AgentSocket): Say {
    return <A>(bytes: Buffer, judge: (datagram: Uint8Array) => Verdict<A>): Promise<Verdict<A>> =>
      new Promise((resolve, reject) => {
        const { replyTimeoutMs } = this.#agent.board;
        const cancel = this.#timers.after(replyTimeoutMs, () => {
          const advice = 'is SNMP served there, for our address, and are the credentials right?';
          reject(new Error(`no answer within ${replyTimeoutMs} ms; ${advice}`));
        });
        socket.handOver({
          onBytes: (datagram) => {
            const verdict = judge(datagram);
            if (verdict.kind === 'more') return;
            cancel();
            resolve(verdict);
          },
          onGone: (why) => {
            cancel();
            reject(new Error(why));
          },
        });
        if (!socket.write(bytes)) {
          cancel();
          reject(new Error('the datagram could not be sent'));
        }
      });
  }
}

async function resolved(host: string): Promise<string> {
  return isIP(host) === 0 ? (await lookup(host)).address : host;
}

/** One socket, from its making to its discard. */
class AgentSocket implements Wire {
  readonly connected: Promise<void>;
  readonly #socket: Socket;
  #events: WireEvents | null = null;
  #over = false;

  constructor(address: string, port: number, expecting: () => boolean) {
    this.#socket = createSocket(isIP(address) === 6 ? 'udp6' : 'udp4');
    const connected = Promise.withResolvers<void>();
    this.connected = connected.promise;
    // Whoever discards the socket before it is connected asks no more.
    connected.promise.catch(() => undefined);
    this.#socket.on('error', (error: NodeJS.ErrnoException) => {
      connected.reject(error);
      this.#gone(error);
    });
    this.#socket.on('message', (datagram) => {
      // A duplicate or a late answer: UDP may bring both, and neither says anything.
      if (!this.#over && expecting()) this.#events?.onBytes(datagram);
    });
    this.#socket.connect(port, address, () => connected.resolve());
  }

  /** From now on these hear what comes. */
  handOver(events: WireEvents): void {
    this.#events = events;
  }

  write(bytes: Uint8Array): boolean {
    if (this.#over) return false;
    try {
      this.#socket.send(bytes, (error) => {
        if (error !== null) this.#gone(error);
      });
      return true;
    } catch {
      // ERR_SOCKET_DGRAM_NOT_CONNECTED or _NOT_RUNNING: the socket has failed in the meantime.
      return false;
    }
  }

  drain(): number {
    return 0;
  }

  discard(): void {
    if (this.#over) return;
    this.#over = true;
    this.#socket.close();
  }

  #gone(error: NodeJS.ErrnoException): void {
    if (this.#over) return;
    const code = error.code ?? error.message.slice(0, MAX_WHY);
    const meaning =
      code === 'ECONNREFUSED' ? 'nobody listens on that UDP port' : 'the datagram did not leave';
    this.#events?.onGone(`${meaning} (${code})`);
  }
}
