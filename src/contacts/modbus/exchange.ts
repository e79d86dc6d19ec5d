import type { Board, Exchange, Verdict } from '../exchange.ts';
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
        const name = EXCEPTIONS[reply.code] ?? 'unknown exception';
        return { kind: 'refused', why: `${this.board.label} refused: exception ${reply.code} (${name})` };
      }
    }
  }
}
