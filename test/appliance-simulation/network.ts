/**
 * The socket between controller and interlock: the real client on one side, the real server on the other, and between them
 * connections that are slow, stall, break, or are not to be had.
 */
import { Readable } from 'node:stream';
import type { FastifyInstance } from 'fastify';
import type { Answer, Wire } from '../../src/protocol/exchange.ts';
import type { Dice } from '../simulation/dice.ts';
import type { VirtualTime } from '../simulation/virtual-time.ts';
import type { ProcessTime } from './process-time.ts';

const QUICK_MS = 2;
const SLOW_MS = 400;

interface Connection {
  readonly process: ProcessTime;
  /** From one instant to the next, as each side learns it a moment later. */
  readonly breakOff: (code: string) => void;
}

/** The server of one life of the interlock. */
export interface Serving {
  readonly app: FastifyInstance;
  readonly isAlive: () => boolean;
}

export class Network {
  readonly #time: VirtualTime;
  readonly #dice: Dice;
  readonly #connections = new Set<Connection>();
  /** Nobody listens while this is null. */
  serving: Serving | null = null;
  isSlow = false;
  /** Nothing arrives before this, on the time of the world. */
  stalledUntil = 0;

  constructor(time: VirtualTime, dice: Dice) {
    this.#time = time;
    this.#dice = dice;
  }

  /** Every connection is gone: a process died, or somebody restarted the socket. */
  breakAll(process: ProcessTime | null = null): void {
    for (const each of this.#connections)
      if (process === null || each.process === process) each.breakOff('ECONNRESET');
  }

  /** The socket as one process uses it. */
  wireOf(process: ProcessTime): Wire {
    return (request, body) => this.#ask(process, request, body);
  }

  #delayMs(): number {
    const travelMs = this.#dice.between(0.05, this.isSlow ? SLOW_MS : QUICK_MS);
    return Math.max(travelMs, this.stalledUntil - this.#time.now + travelMs);
  }

  #ask(
    process: ProcessTime,
    { method, path, headers, signal }: Parameters<Wire>[0],
    body: string | null,
  ): Promise<Answer> {
    const { serving } = this;
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    const fail = (code: string): void => reject(Object.assign(new Error(`${code}: simulated`), { code }));
    if (serving === null || !serving.isAlive()) {
      this.#time.after(this.#delayMs(), () => process.enter(() => fail('ECONNREFUSED')));
      return promise;
    }
    const server = new AbortController();
    let theirs: { destroy: () => void } | null = null;
    let ours: Readable | null = null;
    let isOver = false;
    const link: Connection = {
      process,
      breakOff: (code) => {
        if (isOver) return;
        isOver = true;
        this.#connections.delete(link);
        this.#time.after(this.#dice.between(0.05, QUICK_MS), () => {
          if (!serving.isAlive()) return;
          server.abort();
          theirs?.destroy();
        });
        this.#time.after(this.#dice.between(0.05, QUICK_MS), () =>
          process.enter(() => {
            const error = Object.assign(new Error(`${code}: simulated`), { code });
            if (ours === null) reject(error);
            else ours.destroy(error);
          }),
        );
      },
    };
    this.#connections.add(link);
    const gone = (): void => {
      if (ours === null) reject(signal?.reason instanceof Error ? signal.reason : new Error('given up'));
      else ours.destroy(new Error('given up'));
      link.breakOff('ECONNRESET');
    };
    if (signal?.aborted === true) gone();
    signal?.addEventListener('abort', gone, { once: true });
    /** In order, whatever the delays. */
    let free = 0;
    const toClient = (what: () => void): void => {
      const at = Math.max(free, this.#time.now + this.#delayMs());
      free = at;
      this.#time.after(at - this.#time.now, () => process.enter(() => (isOver ? undefined : what())));
    };
    const deliver = async (): Promise<void> => {
      const answer = await serving.app.inject({
        method: (method ?? 'GET') as 'GET',
        url: path ?? '/',
        headers: headers as Record<string, string>,
        ...(body === null ? {} : { payload: body }),
        payloadAsStream: true,
        signal: server.signal,
      });
      theirs = answer.raw.res;
      if (isOver) return theirs.destroy();
      const stream = answer.stream();
      stream.on('error', () => link.breakOff('ECONNRESET'));
      const reply = Object.assign(new Readable({ read: () => undefined }), {
        headers: answer.headers,
        statusCode: answer.statusCode,
      });
      reply.on('close', () => link.breakOff('ECONNRESET'));
      reply.on('error', () => undefined);
      toClient(() => {
        ours = reply;
        resolve(reply as unknown as Answer);
      });
      stream.on('data', (bytes: Buffer) => toClient(() => reply.push(bytes)));
      stream.on('end', () => toClient(() => reply.push(null)));
    };
    this.#time.after(this.#delayMs(), () => {
      if (isOver || !serving.isAlive()) return link.breakOff('ECONNRESET');
      deliver().catch(() => link.breakOff('ECONNRESET'));
    });
    return promise;
  }
}
