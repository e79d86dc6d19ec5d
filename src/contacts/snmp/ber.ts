/** The part of BER (X.690) that SNMP uses (RFC 3417 section 8): definite lengths, primitive values, 32-bit integers. Pure. */

/** Bytes that are not what they should be. Only ever thrown inside `src/contacts/snmp` and caught there. */
export class BerFault extends Error {
  override readonly name = 'BerFault';
}

/** Tags of X.690 and RFC 3416. */
export const TAG = {
  integer: 0x02,
  octets: 0x04,
  null: 0x05,
  oid: 0x06,
  sequence: 0x30,
  counter32: 0x41,
  gauge32: 0x42,
  timeTicks: 0x43,
  noSuchObject: 0x80,
  noSuchInstance: 0x81,
  endOfMibView: 0x82,
} as const;

/** Longest object identifier, in arcs (RFC 2578 section 3.5). */
export const MAX_ARCS = 128;
const MAX_ARC = 0xffff_ffff;
const SHORT_LENGTH = 0x7f;
const MAX_LENGTH_BYTES = 3;
const MAX_INTEGER_BYTES = 5;

/** One element: tag, length in its shortest form, content. */
export function element(tag: number, ...content: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(content);
  return Buffer.concat([Buffer.from([tag, ...lengthBytes(body.length)]), body]);
}

function lengthBytes(length: number): readonly number[] {
  if (length <= SHORT_LENGTH) return [length];
  const bytes: number[] = [];
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) bytes.unshift(rest % 256);
  return [0x80 | bytes.length, ...bytes];
}

/** A signed integer of at most 32 bits, in as few bytes as possible. */
export function integer(value: number): Buffer {
  const wide = Buffer.alloc(4);
  wide.writeInt32BE(value);
  let from = 0;
  while (from < 3) {
    const lead = wide.readUInt8(from);
    const negative = (wide.readUInt8(from + 1) & 0x80) !== 0;
    if (lead !== (negative ? 0xff : 0x00)) break;
    from += 1;
  }
  return element(TAG.integer, wide.subarray(from));
}

/** The arcs of a dotted object identifier; throws BerFault when it is none. */
export function arcsOf(text: string): readonly number[] {
  if (!/^[0-2](\.(0|[1-9][0-9]{0,9})){1,127}$/.test(text))
    throw new BerFault('an object identifier is written as numbers with dots between');
  const arcs = text.split('.').map(Number);
  const [first = 0, second = 0] = arcs;
  if (arcs.some((arc) => arc > MAX_ARC) || (first < 2 && second > 39))
    throw new BerFault('a number in the object identifier is too large');
  return arcs;
}

/** An object identifier. */
export function objectIdentifier(text: string): Buffer {
  const [first = 0, second = 0, ...rest] = arcsOf(text);
  return element(TAG.oid, Buffer.from([first * 40 + second, ...rest].flatMap(base128)));
}

function base128(arc: number): readonly number[] {
  const bytes = [arc % 128];
  for (let rest = Math.floor(arc / 128); rest > 0; rest = Math.floor(rest / 128))
    bytes.unshift(0x80 | (rest % 128));
  return bytes;
}

/** An octet string. */
export const octets = (bytes: Uint8Array): Buffer => element(TAG.octets, bytes);

/** Reads elements one after the other; throws BerFault at the first that is not as it should be. */
export class BerReader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get done(): boolean {
    return this.#at >= this.#bytes.length;
  }

  /** The next element; its content shares memory with what is read. */
  next(): { readonly tag: number; readonly content: Buffer } {
    const tag = this.#byte();
    const first = this.#byte();
    let length = first;
    if (first > SHORT_LENGTH) {
      const count = first & 0x7f;
      if (count === 0 || count > MAX_LENGTH_BYTES) throw new BerFault('a length that SNMP does not use');
      length = 0;
      for (let index = 0; index < count; index += 1) length = length * 256 + this.#byte();
    }
    const end = this.#at + length;
    if (end > this.#bytes.length) throw new BerFault('an element is longer than what contains it');
    const content = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return { tag, content };
  }

  /** The content of the next element, which must have this tag. */
  expect(tag: number): Buffer {
    const { tag: found, content } = this.next();
    if (found !== tag) throw new BerFault(`tag ${found} where ${tag} belongs`);
    return content;
  }

  integer(): number {
    return integerOf(this.expect(TAG.integer));
  }

  /** Nothing may follow. */
  end(): void {
    if (!this.done) throw new BerFault('bytes after the end');
  }

  #byte(): number {
    const byte = this.#bytes[this.#at];
    if (byte === undefined) throw new BerFault('ends too early');
    this.#at += 1;
    return byte;
  }
}

/** The value of an integer's content; unsigned 32-bit types take five bytes. */
export function integerOf(content: Buffer): number {
  if (content.length === 0 || content.length > MAX_INTEGER_BYTES)
    throw new BerFault('an integer of a size that SNMP does not use');
  return content.readIntBE(0, content.length);
}

/** The dotted form of an object identifier's content. */
export function identifierOf(content: Buffer): string {
  const numbers: number[] = [];
  let arc = 0;
  let open = true;
  for (const byte of content) {
    arc = arc * 128 + (byte & 0x7f);
    if (arc > MAX_ARC + 80) throw new BerFault('a number in an object identifier is too large');
    open = (byte & 0x80) !== 0;
    if (open) continue;
    numbers.push(arc);
    arc = 0;
  }
  const [first, ...rest] = numbers;
  if (open || first === undefined || rest.length > MAX_ARCS - 2)
    throw new BerFault('an object identifier ends too early or is too long');
  const top = Math.min(2, Math.floor(first / 40));
  return [top, first - top * 40, ...rest].join('.');
}
