/** One connection to an emulated board: bytes in, bytes out, with the delivery faults of the board. */
import { encodeFrame, encodeRequest, RequestDecoder, type RequestEvent } from '../contacts/modbus/frame.ts';
import { replyPdu, type Request } from '../contacts/modbus/pdu.ts';
import type { Framing } from '../contacts/modbus/profile.ts';
import type { Answer, Board } from './board.ts';
import { spelledBytes } from '../contacts/hex.ts';
import { Delivery } from './delivery.ts';
import type { BoardSession, SessionWire } from './played.ts';

/** Silence after which an RTU device begins a new frame. A real one takes 3.5 characters; here a busy machine must not tear a frame. */
const RTU_SILENCE_MS = 50;
const BROADCAST_UNIT = 0;
const ILLEGAL_FUNCTION = 1;
/** What a confused proxy or web server says on the Modbus port. */
const GARBAGE_MBAP: Buffer = Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n');

/** What one peer says to the board and hears from it. */
export class Session implements BoardSession {
  readonly #board: Board;
  readonly #framing: Framing;
  readonly #wire: SessionWire;
  readonly #decoder: RequestDecoder;
  readonly #delivery: Delivery;
  #endSilence: (() => void) | null = null;

  constructor(board: Board, framing: Framing, wire: SessionWire) {
    this.#board = board;
    this.#framing = framing;
    this.#wire = wire;
    this.#decoder = new RequestDecoder(framing);
    this.#delivery = new Delivery(board, wire);
  }

  receive(chunk: Uint8Array): void {
    if (this.#framing === 'rtu') {
      this.#endSilence?.();
      this.#endSilence = this.#board.timers.after(RTU_SILENCE_MS, () => this.#decoder.clear());
    }
    for (const event of this.#decoder.push(chunk)) this.#take(event);
  }

  /** Forgets late replies and timers; nothing is sent after this. */
  end(): void {
    this.#endSilence?.();
    this.#delivery.end();
  }

  #take(event: RequestEvent): void {
    switch (event.kind) {
      case 'fault':
        if (this.#framing === 'modbus-tcp') this.#wire.reject(event.fault.detail);
        return;
      case 'unsupported': {
        if (event.unit !== this.#board.profile.unit) return;
        const pdu = Buffer.of(event.function | 0x80, ILLEGAL_FUNCTION);
        this.#delivery.send(encodeFrame(this.#framing, { ...event, pdu }), 0);
        return;
      }
      case 'request':
        this.#answer(event.request, event);
    }
  }

  #answer(request: Request, address: { readonly transaction: number; readonly unit: number }): void {
    const broadcast = this.#framing === 'rtu' && address.unit === BROADCAST_UNIT;
    if (address.unit !== this.#board.profile.unit && !broadcast) return;
    const answer = this.#board.hear(request, spelledBytes(encodeRequest(this.#framing, address, request)));
    if (answer === null || broadcast) return;
    this.#delivery.send(this.#bytesOf(request, answer, address), answer.lateMs);
  }

  #bytesOf(
    request: Request,
    answer: Answer,
    address: { readonly transaction: number; readonly unit: number },
  ): Buffer {
    const shown = answer.wrongEcho ? withOtherValue(request) : request;
    const bytes = encodeFrame(this.#framing, { ...address, pdu: replyPdu(shown, answer.reply) });
    if (answer.garbled) {
      if (this.#framing === 'modbus-tcp') return GARBAGE_MBAP;
      // Two bits, far apart: the checksum no longer fits.
      bytes.writeUInt8(bytes.readUInt8(2) ^ 0x41, 2);
    }
    return answer.twice ? Buffer.concat([bytes, bytes]) : bytes;
  }
}

/** The same write with another value, for an echo that is not one. */
function withOtherValue(request: Request): Request {
  switch (request.function) {
    case 5:
      return { ...request, value: request.value ^ 0xff00 };
    case 6:
      return { ...request, value: request.value ^ 1 };
    case 15:
      return { ...request, address: request.address ^ 1 };
    case 16:
      return { ...request, address: request.address ^ 1 };
    case 1:
    case 2:
    case 3:
    case 4:
      return request;
  }
}
