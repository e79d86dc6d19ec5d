/**
 * Modbus protocol data units: what a request asks and what a reply may say (Modbus Application Protocol V1.1b3).
 * Pure. A reply is judged against the request it must answer, byte for byte; whatever differs is a fault, never a guess.
 */

/** The largest PDU the standard allows, in bytes. */
export const MAX_PDU_BYTES = 253;
/** The most coils or inputs one read may ask for (FC01, FC02). */
const MAX_READ_BITS = 2000;
/** The most registers one read may ask for (FC03, FC04). */
const MAX_READ_REGISTERS = 125;
/** The most coils one FC15 may write. */
const MAX_WRITE_BITS = 1968;
/** The most registers one FC16 may write. */
const MAX_WRITE_REGISTERS = 123;

/** A request this master can send and the emulator can serve. Addresses as on the wire (0-based). */
export type Request =
  | { readonly function: 1 | 2 | 3 | 4; readonly address: number; readonly quantity: number }
  /** FC05 (`value` is the raw 16 bits: 0xff00, 0x0000, or a device's own such as a flash time) and FC06. */
  | { readonly function: 5 | 6; readonly address: number; readonly value: number }
  | { readonly function: 15; readonly address: number; readonly bits: readonly boolean[] }
  | { readonly function: 16; readonly address: number; readonly values: readonly number[] };

/** What a device answered. `echo`: the write was repeated as demanded. `exception`: the device said no, with its code. */
export type Reply =
  | { readonly kind: 'bits'; readonly bits: readonly boolean[] }
  | { readonly kind: 'registers'; readonly values: readonly number[] }
  | { readonly kind: 'echo' }
  | { readonly kind: 'exception'; readonly code: number };

/** What was wrong with bytes from a wire. */
export type FaultCode =
  | 'protocol-id'
  | 'length'
  | 'transaction'
  | 'unit'
  | 'function'
  | 'crc'
  | 'byte-count'
  | 'echo'
  | 'value'
  | 'trailing';

/** A fault in received bytes: a code for machines and a sentence for people (bounded, hexadecimal only). */
export interface FrameFault {
  readonly code: FaultCode;
  readonly detail: string;
}

/** A FrameFault with hexadecimal numbers for what was expected and what came. */
export function mismatch(code: FaultCode, what: string, wanted: number, got: number): FrameFault {
  return { code, detail: `${what}: wanted 0x${wanted.toString(16)}, got 0x${got.toString(16)}` };
}

function within(name: string, value: number, min: number, max: number): void {
  if (!Number.isInteger(value) || value < min || value > max) {
    throw new RangeError(`Modbus ${name} must be a whole number from ${min} to ${max}, not ${value}`);
  }
}

function packBits(bits: readonly boolean[]): Buffer {
  const bytes = Buffer.alloc(Math.ceil(bits.length / 8));
  bits.forEach((bit, index) => {
    if (bit) bytes.writeUInt8(bytes.readUInt8(index >> 3) | (1 << (index & 7)), index >> 3);
  });
  return bytes;
}

function packRegisters(values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 2);
  values.forEach((value, index) => {
    within('register value', value, 0, 0xffff);
    bytes.writeUInt16BE(value, index * 2);
  });
  return bytes;
}

function header(code: number, address: number, second: number): Buffer {
  within('address', address, 0, 0xffff);
  within('value', second, 0, 0xffff);
  const bytes = Buffer.alloc(5);
  bytes.writeUInt8(code, 0);
  bytes.writeUInt16BE(address, 1);
  bytes.writeUInt16BE(second, 3);
  return bytes;
}

/** The PDU bytes of a request. Throws RangeError for what the standard cannot express. */
export function requestPdu(request: Request): Buffer {
  switch (request.function) {
    case 1:
    case 2:
      within('quantity', request.quantity, 1, MAX_READ_BITS);
      return header(request.function, request.address, request.quantity);
    case 3:
    case 4:
      within('quantity', request.quantity, 1, MAX_READ_REGISTERS);
      return header(request.function, request.address, request.quantity);
    case 5:
    case 6:
      return header(request.function, request.address, request.value);
    case 15: {
      within('number of coils', request.bits.length, 1, MAX_WRITE_BITS);
      const data = packBits(request.bits);
      return Buffer.concat([header(15, request.address, request.bits.length), Buffer.of(data.length), data]);
    }
    case 16: {
      within('number of registers', request.values.length, 1, MAX_WRITE_REGISTERS);
      const data = packRegisters(request.values);
      return Buffer.concat([
        header(16, request.address, request.values.length),
        Buffer.of(data.length),
        data,
      ]);
    }
  }
}

/** The PDU bytes with which a device answers `request`. `echo` to a read and data to a write throw. */
export function replyPdu(request: Request, reply: Reply): Buffer {
  switch (reply.kind) {
    case 'exception':
      within('exception code', reply.code, 1, 0xff);
      return Buffer.of(request.function | 0x80, reply.code);
    case 'echo':
      if (request.function < 5) throw new RangeError('a read is not answered with an echo');
      return requestPdu(request).subarray(0, 5);
    case 'bits': {
      if (request.function !== 1 && request.function !== 2)
        throw new RangeError('only FC01 and FC02 answer bits');
      const data = packBits(reply.bits);
      return Buffer.concat([Buffer.of(request.function, data.length), data]);
    }
    case 'registers': {
      if (request.function !== 3 && request.function !== 4)
        throw new RangeError('only FC03 and FC04 answer registers');
      const data = packRegisters(reply.values);
      return Buffer.concat([Buffer.of(request.function, data.length), data]);
    }
  }
}

/** Bytes of the reply PDU that answers `request` without an exception. */
export function replyPduBytes(request: Request): number {
  switch (request.function) {
    case 1:
    case 2:
      return 2 + Math.ceil(request.quantity / 8);
    case 3:
    case 4:
      return 2 + request.quantity * 2;
    case 5:
    case 6:
    case 15:
    case 16:
      return 5;
  }
}

function unpackBits(data: Buffer, quantity: number): readonly boolean[] {
  return Array.from({ length: quantity }, (_, index) => ((data[index >> 3] ?? 0) & (1 << (index & 7))) !== 0);
}

function unpackRegisters(data: Buffer): readonly number[] {
  return Array.from({ length: data.length >> 1 }, (_, index) => data.readUInt16BE(index * 2));
}

/** The verdict on one whole reply PDU. */
export type ReplyVerdict =
  | { readonly kind: 'reply'; readonly reply: Reply }
  | { readonly kind: 'fault'; readonly fault: FrameFault };

const fault = (value: FrameFault): ReplyVerdict => ({ kind: 'fault', fault: value });

/** Judges a whole reply PDU against the request it must answer: function, byte count, echo, unused bits. */
export function judgeReply(request: Request, pdu: Buffer): ReplyVerdict {
  const code = pdu[0] ?? 0;
  if (code === (request.function | 0x80)) {
    if (pdu.length !== 2) return fault(mismatch('length', 'bytes of an exception', 2, pdu.length));
    return { kind: 'reply', reply: { kind: 'exception', code: pdu.readUInt8(1) } };
  }
  if (code !== request.function) return fault(mismatch('function', 'function code', request.function, code));
  const wanted = replyPduBytes(request);
  if (pdu.length !== wanted) return fault(mismatch('length', 'bytes of the reply', wanted, pdu.length));
  if (request.function >= 5) {
    const echo = requestPdu(request).subarray(0, 5);
    if (pdu.equals(echo)) return { kind: 'reply', reply: { kind: 'echo' } };
    return fault({
      code: 'echo',
      detail: `echo: wanted ${echo.toString('hex')}, got ${pdu.toString('hex')}`,
    });
  }
  const data = pdu.subarray(2);
  if (pdu.readUInt8(1) !== data.length)
    return fault(mismatch('byte-count', 'byte count', data.length, pdu.readUInt8(1)));
  if (request.function === 3 || request.function === 4) {
    return { kind: 'reply', reply: { kind: 'registers', values: unpackRegisters(data) } };
  }
  // Bits beyond the quantity must be zero by the standard, but real boards fill them; they are never used.
  const quantity = 'quantity' in request ? request.quantity : 0;
  return { kind: 'reply', reply: { kind: 'bits', bits: unpackBits(data, quantity) } };
}

/** The verdict on one whole request PDU. `unsupported`: well framed, but not a function known here (answer exception 1). */
export type RequestVerdict =
  | { readonly kind: 'request'; readonly request: Request }
  | { readonly kind: 'unsupported'; readonly function: number }
  | { readonly kind: 'fault'; readonly fault: FrameFault };

/** Bytes of a request PDU as far as its first bytes tell, or `null` when more bytes are needed or the function is unknown. */
export function requestPduBytes(start: Buffer): number | null {
  const code = start[0];
  if (code === undefined) return null;
  if (code >= 1 && code <= 6) return 5;
  if (code === 15 || code === 16) {
    const count = start[5];
    return count === undefined ? null : 6 + count;
  }
  return null;
}

/** Whether a request with this function code can be parsed. */
export const isKnownFunction = (code: number): boolean =>
  (code >= 1 && code <= 6) || code === 15 || code === 16;

/** Parses a whole request PDU (the device's side). */
export function parseRequest(pdu: Buffer): RequestVerdict {
  const code = pdu[0] ?? 0;
  if (!isKnownFunction(code)) return { kind: 'unsupported', function: code };
  const wanted = requestPduBytes(pdu);
  if (wanted !== pdu.length)
    return {
      kind: 'fault',
      fault: mismatch('length', 'bytes of the request', wanted ?? 6, pdu.length),
    };
  const address = pdu.readUInt16BE(1);
  const second = pdu.readUInt16BE(3);
  const data = pdu.subarray(6);
  switch (code) {
    case 1:
    case 2:
    case 3:
    case 4:
      return { kind: 'request', request: { function: code, address, quantity: second } };
    case 5:
    case 6:
      return { kind: 'request', request: { function: code, address, value: second } };
    case 15:
      if (data.length !== Math.ceil(second / 8))
        return {
          kind: 'fault',
          fault: mismatch('byte-count', 'coil bytes', Math.ceil(second / 8), data.length),
        };
      return {
        kind: 'request',
        request: { function: 15, address, bits: unpackBits(data, second) },
      };
    default:
      if (data.length !== second * 2)
        return {
          kind: 'fault',
          fault: mismatch('byte-count', 'register bytes', second * 2, data.length),
        };
      return { kind: 'request', request: { function: 16, address, values: unpackRegisters(data) } };
  }
}
