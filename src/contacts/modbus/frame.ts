/**
 * Modbus frames on a wire: MBAP (Modbus TCP) and RTU (serial, or the same bytes over TCP). Pure.
 * The decoders are incremental and strict: a byte that does not belong is a fault as soon as it is seen. They never
 * resynchronise: after a fault the caller resets its transport, because what follows cannot be told from old bytes.
 */
import { crc16, crcFault } from './crc.ts';
import {
  isKnownFunction,
  judgeReply,
  MAX_PDU_BYTES,
  mismatch,
  parseRequest,
  replyPduBytes,
  requestPdu,
  requestPduBytes,
} from './pdu.ts';
import type { FrameFault, Reply, Request, RequestVerdict } from './pdu.ts';

/** How a PDU is wrapped. `rtu` is used on serial lines and, unchanged, over TCP. */
export type Framing = 'modbus-tcp' | 'rtu';

/** One PDU with its address. `transaction` is ignored by `rtu`. */
export interface Frame {
  readonly transaction: number;
  readonly unit: number;
  readonly pdu: Uint8Array;
}

const MBAP_BYTES = 7;
/** The MBAP length field counts the unit byte and the PDU. */
const MAX_MBAP_LENGTH = 1 + MAX_PDU_BYTES;
const EMPTY: Buffer = Buffer.alloc(0);

/** The wire bytes of a request or a reply. */
export function encodeFrame(framing: Framing, frame: Frame): Buffer {
  switch (framing) {
    case 'modbus-tcp': {
      const bytes = Buffer.alloc(MBAP_BYTES + frame.pdu.length);
      bytes.writeUInt16BE(frame.transaction, 0);
      bytes.writeUInt16BE(1 + frame.pdu.length, 4);
      bytes.writeUInt8(frame.unit, 6);
      bytes.set(frame.pdu, MBAP_BYTES);
      return bytes;
    }
    case 'rtu': {
      const bytes = Buffer.alloc(frame.pdu.length + 3);
      bytes.writeUInt8(frame.unit, 0);
      bytes.set(frame.pdu, 1);
      bytes.writeUInt16LE(crc16(bytes.subarray(0, -2)), bytes.length - 2);
      return bytes;
    }
  }
}

/** The wire bytes of `request`. */
export function encodeRequest(
  framing: Framing,
  address: { readonly transaction: number; readonly unit: number },
  request: Request,
): Buffer {
  return encodeFrame(framing, { ...address, pdu: requestPdu(request) });
}

/** Stamps another transaction id into an MBAP frame made by `encodeFrame`; leaves an RTU frame alone. */
export function restamp(framing: Framing, frame: Buffer, transaction: number): void {
  if (framing === 'modbus-tcp') frame.writeUInt16BE(transaction, 0);
}

/** What the bytes so far amount to. After `reply` or `fault` the decoder is spent. */
export type ReplyProgress =
  | { readonly kind: 'more' }
  | { readonly kind: 'reply'; readonly reply: Reply }
  | { readonly kind: 'fault'; readonly fault: FrameFault };

/** The request a reply must answer. */
export interface Expectation {
  readonly framing: Framing;
  readonly transaction: number;
  readonly unit: number;
  readonly request: Request;
}

const MORE: ReplyProgress = { kind: 'more' };

/** Decodes the reply to exactly one request; make a new one for each request. */
export class ReplyDecoder {
  readonly #expected: Expectation;
  #bytes: Buffer = EMPTY;

  constructor(expected: Expectation) {
    this.#expected = expected;
  }

  /** Takes the next bytes from the wire. Bytes beyond the reply are a fault. */
  push(chunk: Uint8Array): ReplyProgress {
    this.#bytes = this.#bytes.length === 0 ? Buffer.from(chunk) : Buffer.concat([this.#bytes, chunk]);
    switch (this.#expected.framing) {
      case 'modbus-tcp':
        return this.#mbap();
      case 'rtu':
        return this.#rtu();
    }
  }

  #mbap(): ReplyProgress {
    const { transaction, unit, request } = this.#expected;
    const bytes = this.#bytes;
    const start = mbapFault(bytes, { transaction, unit });
    if (start !== null) return { kind: 'fault', fault: start };
    const lengthFault = this.#mbapLengthFault();
    if (lengthFault !== null) return { kind: 'fault', fault: lengthFault };
    const strange = functionFault(request, bytes[MBAP_BYTES]);
    if (strange !== null) return { kind: 'fault', fault: strange };
    if (bytes.length < MBAP_BYTES + 1) return MORE;
    const total = 6 + bytes.readUInt16BE(4);
    if (bytes.length < total) return MORE;
    if (bytes.length > total) return trailing(bytes.length - total);
    return judgeReply(request, bytes.subarray(MBAP_BYTES));
  }

  #mbapLengthFault(): FrameFault | null {
    if (this.#bytes.length < 6) return null;
    const length = this.#bytes.readUInt16BE(4);
    const normal = 1 + replyPduBytes(this.#expected.request);
    return length === normal || length === 3 ? null : mismatch('length', 'MBAP length', normal, length);
  }

  #rtu(): ReplyProgress {
    const { unit, request } = this.#expected;
    const bytes = this.#bytes;
    const first = bytes[0];
    if (first !== undefined && first !== unit)
      return { kind: 'fault', fault: mismatch('unit', 'unit', unit, first) };
    const strange = functionFault(request, bytes[1]);
    if (strange !== null) return { kind: 'fault', fault: strange };
    if (bytes.length < 2) return MORE;
    const total = 3 + (bytes[1] === request.function ? replyPduBytes(request) : 2);
    if (bytes.length < total) return MORE;
    if (bytes.length > total) return trailing(bytes.length - total);
    const crc = crcFault(bytes);
    return crc === null ? judgeReply(request, bytes.subarray(1, -2)) : { kind: 'fault', fault: crc };
  }
}

function trailing(count: number): ReplyProgress {
  return { kind: 'fault', fault: { code: 'trailing', detail: `${count} bytes after the reply` } };
}

function functionFault(request: Request, code: number | undefined): FrameFault | null {
  if (code === undefined || (code & 0x7f) === request.function) return null;
  return mismatch('function', 'function code', request.function, code);
}

/** Checks what has arrived of an MBAP header, byte by byte, so that garbage is a fault at its first byte. */
function mbapFault(
  bytes: Buffer,
  expected: { readonly transaction: number; readonly unit: number } | null,
): FrameFault | null {
  const wanted: readonly (number | null)[] = [
    expected === null ? null : expected.transaction >> 8,
    expected === null ? null : expected.transaction & 0xff,
    0,
    0,
    null,
    null,
    expected === null ? null : expected.unit,
  ];
  for (let index = 0; index < Math.min(bytes.length, wanted.length); index += 1) {
    const want = wanted[index] ?? null;
    const got = bytes[index] ?? 0;
    if (want === null || want === got) continue;
    if (index < 2) return mismatch('transaction', `transaction id byte ${index}`, want, got);
    if (index < 4) return mismatch('protocol-id', `protocol id byte ${index - 2}`, want, got);
    return mismatch('unit', 'unit', want, got);
  }
  return null;
}

/** One request as a device sees it, or a fault after which the rest of the input is not to be trusted. */
export type RequestEvent =
  | {
      readonly kind: 'request';
      readonly transaction: number;
      readonly unit: number;
      readonly request: Request;
    }
  | {
      readonly kind: 'unsupported';
      readonly transaction: number;
      readonly unit: number;
      readonly function: number;
    }
  | { readonly kind: 'fault'; readonly fault: FrameFault };

/**
 * Decodes requests on the device's side. After a fault it discards everything until `clear` is called (a device clears
 * after 3.5 characters of silence on a serial line, and closes a TCP connection).
 */
export class RequestDecoder {
  readonly #framing: Framing;
  #bytes: Buffer = EMPTY;
  #spent = false;

  constructor(framing: Framing) {
    this.#framing = framing;
  }

  /** Forgets a partial frame and an earlier fault. */
  clear(): void {
    this.#bytes = EMPTY;
    this.#spent = false;
  }

  /** Takes bytes; returns whole requests in order, and at most one fault, last. */
  push(chunk: Uint8Array): readonly RequestEvent[] {
    if (this.#spent) return [];
    this.#bytes = Buffer.concat([this.#bytes, chunk]);
    const events: RequestEvent[] = [];
    for (;;) {
      const event = this.#framing === 'modbus-tcp' ? this.#mbap() : this.#rtu();
      if (event === null) return events;
      events.push(event);
      if (event.kind === 'fault') {
        this.#spent = true;
        this.#bytes = EMPTY;
        return events;
      }
    }
  }

  #mbap(): RequestEvent | null {
    const bytes = this.#bytes;
    const start = mbapFault(bytes, null);
    if (start !== null) return { kind: 'fault', fault: start };
    if (bytes.length < 6) return null;
    const length = bytes.readUInt16BE(4);
    if (length < 2 || length > MAX_MBAP_LENGTH) {
      return {
        kind: 'fault',
        fault: {
          code: 'length',
          detail: `MBAP length ${length} is outside 2 to ${MAX_MBAP_LENGTH}`,
        },
      };
    }
    if (bytes.length < 6 + length) return null;
    this.#bytes = bytes.subarray(6 + length);
    const address = { transaction: bytes.readUInt16BE(0), unit: bytes.readUInt8(6) };
    return requestEvent(address, parseRequest(bytes.subarray(MBAP_BYTES, 6 + length)));
  }

  #rtu(): RequestEvent | null {
    const bytes = this.#bytes;
    const code = bytes[1];
    if (code === undefined) return null;
    // Without knowing the function nobody can say where an RTU frame ends.
    if (!isKnownFunction(code))
      return {
        kind: 'fault',
        fault: { code: 'function', detail: `unknown function 0x${code.toString(16)}` },
      };
    const pduBytes = requestPduBytes(bytes.subarray(1));
    if (pduBytes === null || bytes.length < pduBytes + 3) return null;
    const frame = bytes.subarray(0, pduBytes + 3);
    const crc = crcFault(frame);
    if (crc !== null) return { kind: 'fault', fault: crc };
    this.#bytes = bytes.subarray(frame.length);
    return requestEvent({ transaction: 0, unit: frame.readUInt8(0) }, parseRequest(frame.subarray(1, -2)));
  }
}

function requestEvent(
  address: { readonly transaction: number; readonly unit: number },
  verdict: RequestVerdict,
): RequestEvent {
  switch (verdict.kind) {
    case 'request':
      return { kind: 'request', ...address, request: verdict.request };
    case 'unsupported':
      return { kind: 'unsupported', ...address, function: verdict.function };
    case 'fault':
      return verdict;
  }
}
