import type { Reading } from '../../core/evidence.ts';
import type { Bus } from '../bus.ts';
import type { Board, Exchange } from '../exchange.ts';
import type { Witness } from '../port.ts';
import type { Timers } from '../timers.ts';

/** A mirror contact on an input of a Modbus board: proves the contact itself, though through the same bus. */
export class DiscreteInputWitness implements Witness {
  readonly name: string;
  readonly type = 'modbus-discrete-input';
  readonly #bus: Bus;
  readonly #question: Exchange<ReadonlySet<number>>;
  readonly #input: number;
  readonly #isolatedWhen: boolean;
  readonly #timers: Timers;
  #closed = false;

  constructor(parts: {
    readonly name: string;
    readonly bus: Bus;
    readonly board: Board;
    /** Asks which inputs read 1, counted from 1. */
    readonly question: Exchange<ReadonlySet<number>>;
    /** Which of them is ours. */
    readonly input: number;
    readonly isolatedWhen: 0 | 1;
    readonly timers: Timers;
  }) {
    this.name = parts.name;
    this.#bus = parts.bus;
    this.#question = parts.question;
    this.#input = parts.input;
    this.#isolatedWhen = parts.isolatedWhen === 1;
    this.#timers = parts.timers;
    parts.bus.retain(parts.board);
  }

  async read(): Promise<Reading> {
    const answer = await this.#bus.ask(this.#question);
    if (answer.kind !== 'answer') {
      return { position: 'unknown', takenAt: this.#timers.now(), detail: answer.why };
    }
    const set = answer.answer.has(this.#input);
    return {
      position: set === this.#isolatedWhen ? 'isolated' : 'connected',
      takenAt: answer.askedAt,
      detail: `the input reads ${set ? 1 : 0}`,
    };
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#bus.release();
  }
}
