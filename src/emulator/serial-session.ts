/** One connection to an emulated serial board: bytes in, bytes out. */
import { spelledBytes } from '../contacts/hex.ts';
import { Delivery } from './delivery.ts';
import type { BoardSession, SessionWire } from './played.ts';
import type { SerialPlay } from './serial-board.ts';
import { asksOf, hearRequest, type HeardRequest } from './serial-requests.ts';

/** Silence after which half a request is forgotten, ms. Real boards differ; here a busy machine must not tear a frame. */
const FORGET_MS = 500;

/** What one peer says to an emulated serial board and hears from it. */
export class SerialSession implements BoardSession {
  readonly #board: SerialPlay;
  readonly #delivery: Delivery;
  readonly #asks: ReturnType<typeof asksOf>;
  #bytes: Buffer = Buffer.alloc(0);
  #endSilence: (() => void) | null = null;

  constructor(board: SerialPlay, wire: SessionWire) {
    this.#board = board;
    this.#delivery = new Delivery(board, wire);
    this.#asks = asksOf(board.frames);
  }

  receive(chunk: Uint8Array): void {
    this.#endSilence?.();
    this.#bytes = Buffer.concat([this.#bytes, chunk]);
    while (this.#bytes.length > 0) {
      const { frames, address } = this.#board;
      const hearing = hearRequest(frames, this.#asks, address, this.#bytes);
      if (hearing.kind === 'more') break;
      const taken = hearing.kind === 'request' ? hearing.request.bytes.length : 1;
      if (hearing.kind === 'request') this.#answer(hearing.request);
      this.#bytes = this.#bytes.subarray(taken);
    }
    this.#endSilence = this.#board.timers.after(FORGET_MS, () => {
      this.#bytes = Buffer.alloc(0);
    });
  }

  end(): void {
    this.#endSilence?.();
    this.#delivery.end();
  }

  #answer(request: HeardRequest): void {
    const answer = this.#board.hear(request, spelledBytes(request.bytes));
    if (answer !== null) this.#delivery.send(answer.reply, answer.lateMs);
  }
}
