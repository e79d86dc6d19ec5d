import { connect } from 'node:net';
import type { Reading } from '../../core/evidence.ts';
import type { Witness } from '../port.ts';
import type { Timers } from '../timers.ts';
import { unknownReading } from './reading.ts';

/** A TCP port that answers only while connected. It answers: connected. It does not: unknown, for the vault may be off. */
export class TcpWitness implements Witness {
  readonly name: string;
  readonly type = 'tcp';
  readonly showsIsolation = false;
  readonly #host: string;
  readonly #port: number;
  readonly #timeoutMs: number;
  readonly #timers: Timers;

  constructor(parts: {
    readonly name: string;
    readonly host: string;
    readonly port: number;
    readonly timeoutMs: number;
    readonly timers: Timers;
  }) {
    this.name = parts.name;
    this.#host = parts.host;
    this.#port = parts.port;
    this.#timeoutMs = parts.timeoutMs;
    this.#timers = parts.timers;
  }

  read(): Promise<Reading> {
    const takenAt = this.#timers.now();
    return new Promise((resolve) => {
      const socket = connect({ host: this.#host, port: this.#port });
      const end = (reading: Reading): void => {
        clearTimeout(limit);
        socket.resetAndDestroy();
        resolve(reading);
      };
      const limit = setTimeout(() => {
        end(unknownReading(takenAt, 'no TCP connection', `nobody answered within ${this.#timeoutMs} ms`));
      }, this.#timeoutMs);
      socket.on('error', (error) => end(unknownReading(takenAt, 'no TCP connection', error)));
      socket.once('connect', () => end({ position: 'connected', takenAt, detail: 'the TCP port answers' }));
    });
  }

  async close(): Promise<void> {}
}
