import type { Position, Reading } from '../../core/evidence.ts';
import { endText } from './meaning.ts';
import { run, type Running } from './process.ts';
import type { Witness } from '../port.ts';
import type { Timers } from '../timers.ts';

/**
 * A program of the owner's whose exit code says where the link stands. Any other end (another code, a signal, a time-out, a
 * flood of output, a program that is not there) is unknown. It runs outside the buses: no cut waits for it.
 */
export class CommandWitness implements Witness {
  readonly name: string;
  readonly type = 'command';
  readonly #argv: readonly string[];
  readonly #timeoutMs: number;
  readonly #isolatedExit: number;
  readonly #connectedExit: number;
  readonly #timers: Timers;
  #running: Running | null = null;
  #closed = false;

  constructor(parts: {
    readonly name: string;
    readonly argv: readonly string[];
    readonly timeoutMs: number;
    readonly isolatedExit: number;
    readonly connectedExit: number;
    readonly timers: Timers;
  }) {
    this.name = parts.name;
    this.#argv = parts.argv;
    this.#timeoutMs = parts.timeoutMs;
    this.#isolatedExit = parts.isolatedExit;
    this.#connectedExit = parts.connectedExit;
    this.#timers = parts.timers;
  }

  async read(): Promise<Reading> {
    const takenAt = this.#timers.now();
    if (this.#closed) return { position: 'unknown', takenAt, detail: 'the witness was closed' };
    // One at a time: a program that hangs in the kernel must not pile up.
    if (this.#running !== null)
      return { position: 'unknown', takenAt, detail: 'the last run of the program has not ended' };
    const running = run(this.#argv, this.#timeoutMs, this.#timers);
    this.#running = running;
    void running.gone.then(() => {
      if (this.#running === running) this.#running = null;
    });
    const ended = await running.ended;
    const position = ended.kind === 'exited' ? this.#positionOf(ended.code) : 'unknown';
    return { position, takenAt: running.startedAt, detail: endText(ended) };
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#running?.kill('the witness was closed');
  }

  #positionOf(code: number): Position {
    if (this.#isolatedExit === this.#connectedExit) return 'unknown';
    if (code === this.#isolatedExit) return 'isolated';
    return code === this.#connectedExit ? 'connected' : 'unknown';
  }
}
