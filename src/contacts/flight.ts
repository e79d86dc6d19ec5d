import type { Millis } from '../core/time.ts';
import type { Answer, Board, Exchange, Step, StepVerdict } from './exchange.ts';
import type { Timers } from './timers.ts';
import type { Wire } from './transport.ts';

/** What a flight needs of the line that it is on. */
export interface FlightParts<A> {
  readonly wire: Wire;
  readonly timers: Timers;
  /** ms that so many bytes take on the line. */
  readonly bytesMs: (count: number) => number;
  /** The exchange ended and the wire is sound. */
  readonly over: (answer: Answer<A>) => void;
  /** The exchange ended with its wire. */
  readonly lost: (why: string) => void;
  /** Asks for the wire to be discarded; `lose` follows. */
  readonly fail: (why: string) => void;
}

/** One exchange from its first write to its end. */
export class Flight<A> {
  readonly board: Board;
  readonly #exchange: Exchange<A>;
  readonly #parts: FlightParts<A>;
  #askedAt: Millis;
  #judge: (chunk: Uint8Array) => StepVerdict<A> = spokeTooSoon;
  #cancel: () => void = () => undefined;
  #ended = false;

  constructor(exchange: Exchange<A>, parts: FlightParts<A>) {
    this.board = exchange.board;
    this.#exchange = exchange;
    this.#parts = parts;
    this.#askedAt = parts.timers.now();
  }

  /** Writes the first frame in this tick; when that was, or `null` if it could not be written. */
  begin(): Millis | null {
    const step = this.#exchange.begin();
    this.#askedAt = this.#parts.timers.now();
    return this.#write(step) ? this.#askedAt : null;
  }

  take(chunk: Uint8Array): void {
    this.#obey(this.#judge(chunk));
  }

  /** The wire is gone. */
  lose(why: string): void {
    this.#end();
    this.#parts.lost(why);
  }

  #write(step: Step<A>): boolean {
    this.#judge = step.judge;
    if (!this.#parts.wire.write(step.bytes)) {
      this.#parts.fail('the frame could not be written');
      return false;
    }
    const { silence } = step;
    const { replyTimeoutMs, label } = this.board;
    const limitMs = (silence?.ms ?? replyTimeoutMs) + this.#parts.bytesMs(step.bytes.length);
    this.#after(limitMs, () => {
      if (silence !== undefined) this.#obey(silence.verdict());
      else this.#parts.fail(`${label} did not answer within ${replyTimeoutMs} ms`);
    });
    return true;
  }

  /** A loop that was blocked runs its timers before it reads: what lies in the kernel came in time, and is taken first. */
  #after(ms: number, act: () => void): void {
    let due = true;
    const cancelTimer = this.#parts.timers.after(ms, () => {
      this.#parts.timers.soon(() => {
        if (due && !this.#ended) act();
      });
    });
    this.#cancel = () => {
      due = false;
      cancelTimer();
    };
  }

  #obey(verdict: StepVerdict<A>): void {
    switch (verdict.kind) {
      case 'more':
        return;
      case 'answer':
        this.#end();
        this.#parts.over({
          kind: 'answer',
          answer: verdict.answer,
          askedAt: this.#askedAt,
          at: this.#parts.timers.now(),
        });
        return;
      case 'refused':
      case 'unconfirmed':
        this.#end();
        this.#parts.over(verdict);
        return;
      case 'next':
        this.#cancel();
        this.#judge = spokeTooSoon;
        this.#after(verdict.restMs, () => this.#write(verdict.step));
        return;
      case 'fault':
        this.#parts.fail(`${this.board.label} answered wrongly: ${verdict.why}`);
        return;
    }
  }

  #end(): void {
    this.#ended = true;
    this.#cancel();
  }
}

function spokeTooSoon(): StepVerdict<never> {
  return { kind: 'fault', why: 'bytes came between an answer and the next frame' };
}
