import type { Board, Exchange, Step, StepVerdict, Verdict } from '../exchange.ts';
import { encodeRequest, ReplyDecoder, restamp } from './frame.ts';
import type { Framing } from './frame.ts';
import type { Reply, Request } from './pdu.ts';

const MAX_TRANSACTION = 0xffff;
/** Names of the exception codes that boards use, for people. */
const EXCEPTIONS: Readonly<Record<number, string>> = {
  1: 'illegal function',
  2: 'illegal address',
  3: 'illegal value',
  4: 'device failure',
  5: 'acknowledged, not yet done',
  6: 'device busy',
  10: 'gateway path unavailable',
  11: 'gateway target does not respond',
};

/** How PDUs travel on one bus, and the ids of its requests. They go on counting over reconnections. */
export class ModbusWire {
  readonly framing: Framing;
  #transaction = 0;

  constructor(framing: Framing) {
    this.framing = framing;
  }

  /** The next transaction id, 1 to 65535 and round again. */
  next(): number {
    this.#transaction = (this.#transaction % MAX_TRANSACTION) + 1;
    return this.#transaction;
  }
}

/** One Modbus request, its frame built beforehand, and what its answer means. */
export class ModbusExchange<A> implements Exchange<A> {
  readonly board: Board;
  readonly #wire: ModbusWire;
  readonly #unit: number;
  readonly #request: Request;
  readonly #frame: Buffer;
  readonly #meaning: (reply: Reply) => A;

  constructor(
    place: { readonly board: Board; readonly wire: ModbusWire; readonly unit: number },
    request: Request,
    meaning: (reply: Reply) => A,
  ) {
    this.board = place.board;
    this.#wire = place.wire;
    this.#unit = place.unit;
    this.#request = request;
    this.#meaning = meaning;
    this.#frame = encodeRequest(place.wire.framing, { transaction: 0, unit: place.unit }, request);
  }

  begin(): { readonly bytes: Uint8Array; readonly judge: (chunk: Uint8Array) => Verdict<A> } {
    const transaction = this.#wire.next();
    restamp(this.#wire.framing, this.#frame, transaction);
    const decoder = new ReplyDecoder({
      framing: this.#wire.framing,
      transaction,
      unit: this.#unit,
      request: this.#request,
    });
    return { bytes: this.#frame, judge: (chunk) => this.#judge(decoder, chunk) };
  }

  #judge(decoder: ReplyDecoder, chunk: Uint8Array): Verdict<A> {
    const progress = decoder.push(chunk);
    switch (progress.kind) {
      case 'more':
        return progress;
      case 'fault':
        return { kind: 'fault', why: `${progress.fault.code} (${progress.fault.detail})` };
      case 'reply': {
        const { reply } = progress;
        if (reply.kind !== 'exception') return { kind: 'answer', answer: this.#meaning(reply) };
        return { kind: 'refused', why: refusal(this.board, reply.code) };
      }
    }
  }
}

const refusal = ({ label }: Board, code: number): string =>
  `${label} refused: exception ${code} (${EXCEPTIONS[code] ?? 'unknown exception'})`;

/**
 * A command of several requests. All are written, one after another, even where the board refuses one: what must isolate is
 * not given up half way. What moves the contact is the first.
 */
export class ModbusSequence implements Exchange<null> {
  readonly board: Board;
  readonly #place: { readonly board: Board; readonly wire: ModbusWire; readonly unit: number };
  readonly #requests: readonly Request[];
  readonly #frames: readonly Buffer[];
  readonly #accepted: (replies: readonly Reply[]) => boolean;

  /** `accepted`: what the replies to all requests mean together. */
  constructor(
    place: { readonly board: Board; readonly wire: ModbusWire; readonly unit: number },
    requests: readonly Request[],
    accepted: (replies: readonly Reply[]) => boolean,
  ) {
    this.board = place.board;
    this.#place = place;
    this.#requests = requests;
    this.#accepted = accepted;
    const { wire, unit } = place;
    this.#frames = requests.map((request) => encodeRequest(wire.framing, { transaction: 0, unit }, request));
  }

  begin(): Step<null> {
    return this.#step([]);
  }

  #step(replies: readonly Reply[]): Step<null> {
    const { wire, unit } = this.#place;
    const request = this.#requests[replies.length];
    const bytes = this.#frames[replies.length];
    if (request === undefined || bytes === undefined)
      throw new TypeError('a sequence went on after its last request');
    const transaction = wire.next();
    restamp(wire.framing, bytes, transaction);
    const decoder = new ReplyDecoder({ framing: wire.framing, transaction, unit, request });
    return { bytes, judge: (chunk) => this.#judge(decoder, chunk, replies) };
  }

  #judge(decoder: ReplyDecoder, chunk: Uint8Array, before: readonly Reply[]): StepVerdict<null> {
    const progress = decoder.push(chunk);
    switch (progress.kind) {
      case 'more':
        return progress;
      case 'fault':
        return { kind: 'fault', why: `${progress.fault.code} (${progress.fault.detail})` };
      case 'reply': {
        const replies = [...before, progress.reply];
        if (replies.length < this.#requests.length) {
          return { kind: 'next', step: this.#step(replies), restMs: this.board.gapMs };
        }
        if (this.#accepted(replies)) return { kind: 'answer', answer: null };
        const no = replies.find((reply) => reply.kind === 'exception');
        const why =
          no === undefined
            ? `${this.board.label} was told to isolate and does not read isolated`
            : refusal(this.board, no.code);
        return { kind: 'refused', why };
      }
    }
  }
}
