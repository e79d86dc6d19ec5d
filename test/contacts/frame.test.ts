import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { crc16 } from '../../src/contacts/modbus/crc.ts';
import {
  encodeFrame,
  encodeRequest,
  type Framing,
  ReplyDecoder,
  RequestDecoder,
} from '../../src/contacts/modbus/frame.ts';
import { type Reply, replyPdu, type Request, requestPdu } from '../../src/contacts/modbus/pdu.ts';

const bytes = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex');
const framings: readonly Framing[] = ['modbus-tcp', 'rtu'];

/** Requests and replies with the bytes that the reference sheet gives for unit 1 (hardware.md 1.1, 1.2, section 0). */
const golden: readonly (readonly [string, Request, string, Reply, string])[] = [
  [
    'connect 1',
    { function: 5, address: 0, value: 0xff00 },
    '01050000FF008C3A',
    { kind: 'echo' },
    '01050000FF008C3A',
  ],
  [
    'isolate 8',
    { function: 5, address: 7, value: 0 },
    '0105000700007C0B',
    { kind: 'echo' },
    '0105000700007C0B',
  ],
  [
    'isolate all',
    { function: 5, address: 0xff, value: 0 },
    '010500FF0000FDFA',
    { kind: 'echo' },
    '010500FF0000FDFA',
  ],
  [
    'flash 60 s',
    { function: 5, address: 0x200, value: 600 },
    '010502000258CCE8',
    { kind: 'echo' },
    '010502000258CCE8',
  ],
  [
    'coils by FC15',
    { function: 15, address: 0, bits: Array.from({ length: 8 }, () => false) },
    '010F000000080100FE95',
    { kind: 'echo' },
    '010F00000008540D',
  ],
  [
    'read 8',
    { function: 1, address: 0, quantity: 8 },
    '0101000000083DCC',
    { kind: 'bits', bits: [true, false, false, false, false, false, true, false] },
    '0101014191B8',
  ],
  [
    'inputs',
    { function: 2, address: 0, quantity: 8 },
    '01020000000879CC',
    { kind: 'bits', bits: [true, false, false, false, false, false, false, false] },
    '010201016048',
  ],
  [
    'mode',
    { function: 6, address: 0x1000, value: 0 },
    '0106100000008D0A',
    { kind: 'echo' },
    '0106100000008D0A',
  ],
  [
    'modes',
    { function: 16, address: 0x1000, values: Array.from({ length: 8 }, () => 0) },
    '0110100000081000000000000000000000000000000000 0B5C',
    { kind: 'echo' },
    '011010000008C50F',
  ],
  ['illegal value', { function: 5, address: 0, value: 1 }, '', { kind: 'exception', code: 3 }, '0185030291'],
];

describe('frames against the reference sheet', () => {
  test.each(golden)('%s', (_name, request, requestHex, reply, replyHex) => {
    const sent = encodeRequest('rtu', { transaction: 0, unit: 1 }, request);
    if (requestHex !== '') expect(sent.toString('hex')).toBe(bytes(requestHex).toString('hex'));
    const decoder = new ReplyDecoder({ framing: 'rtu', transaction: 0, unit: 1, request });
    expect(decoder.push(bytes(replyHex))).toEqual({ kind: 'reply', reply });
    expect(encodeFrame('rtu', { transaction: 0, unit: 1, pdu: replyPdu(request, reply) })).toEqual(
      bytes(replyHex),
    );
  });

  test('Modbus TCP form of a connect and a read', () => {
    const connect = encodeRequest(
      'modbus-tcp',
      { transaction: 1, unit: 1 },
      { function: 5, address: 0, value: 0xff00 },
    );
    expect(connect).toEqual(bytes('00 01 00 00 00 06 01 05 00 00 FF 00'));
    const read = encodeRequest(
      'modbus-tcp',
      { transaction: 3, unit: 1 },
      { function: 1, address: 0, quantity: 8 },
    );
    expect(read).toEqual(bytes('00 03 00 00 00 06 01 01 00 00 00 08'));
  });

  test('CRC of the standard check string', () => {
    expect(crc16(Buffer.from('123456789'))).toBe(0x4b37);
  });
});

const word = fc.integer({ min: 0, max: 0xffff });
const bit = fc.boolean();
const exchange: fc.Arbitrary<{ request: Request; reply: Reply }> = fc.oneof(
  fc
    .record({
      code: fc.constantFrom(1, 2),
      address: word,
      bits: fc.array(bit, { minLength: 1, maxLength: 40 }),
    })
    .map(({ code, address, bits }) => ({
      request: { function: code, address, quantity: bits.length } satisfies Request,
      reply: { kind: 'bits', bits } as const,
    })),
  fc
    .record({
      code: fc.constantFrom(3, 4),
      address: word,
      values: fc.array(word, { minLength: 1, maxLength: 20 }),
    })
    .map(({ code, address, values }) => ({
      request: { function: code, address, quantity: values.length } satisfies Request,
      reply: { kind: 'registers', values } as const,
    })),
  fc.record({ code: fc.constantFrom(5, 6), address: word, value: word }).map(({ code, address, value }) => ({
    request: { function: code, address, value } satisfies Request,
    reply: { kind: 'echo' } as const,
  })),
  fc.record({ address: word, bits: fc.array(bit, { minLength: 1, maxLength: 40 }) }).map((part) => ({
    request: { function: 15, ...part } satisfies Request,
    reply: { kind: 'echo' } as const,
  })),
  fc.record({ address: word, values: fc.array(word, { minLength: 1, maxLength: 20 }) }).map((part) => ({
    request: { function: 16, ...part } satisfies Request,
    reply: { kind: 'echo' } as const,
  })),
);
const framing = fc.constantFrom(...framings);
const unit = fc.integer({ min: 1, max: 247 });

describe('properties of the codec', () => {
  test('a reply decodes to what was encoded, however the bytes are cut into chunks', () => {
    fc.assert(
      fc.property(
        framing,
        word,
        unit,
        exchange,
        fc.integer({ min: 1, max: 9 }),
        (kind, transaction, at, each, size) => {
          const frame = encodeFrame(kind, { transaction, unit: at, pdu: replyPdu(each.request, each.reply) });
          const decoder = new ReplyDecoder({ framing: kind, transaction, unit: at, request: each.request });
          let last: unknown = null;
          for (let start = 0; start < frame.length; start += size) {
            last = decoder.push(frame.subarray(start, start + size));
            if (start + size < frame.length) expect(last).toEqual({ kind: 'more' });
          }
          expect(last).toEqual({ kind: 'reply', reply: each.reply });
        },
      ),
    );
  });

  test('a request decodes to itself on the other side, several in one chunk too', () => {
    fc.assert(
      fc.property(framing, unit, fc.array(exchange, { minLength: 1, maxLength: 4 }), (kind, at, all) => {
        const frames = all.map((each, index) =>
          encodeRequest(kind, { transaction: index, unit: at }, each.request),
        );
        const events = new RequestDecoder(kind).push(Buffer.concat(frames));
        expect(events).toEqual(
          all.map((each, index) => ({
            kind: 'request',
            transaction: kind === 'rtu' ? 0 : index,
            unit: at,
            request: each.request,
          })),
        );
      }),
    );
  });

  test('a reply in which one byte differs is never taken for an answered write', () => {
    fc.assert(
      fc.property(
        framing,
        exchange,
        fc.nat(),
        fc.integer({ min: 1, max: 255 }),
        (kind, each, place, flip) => {
          fc.pre(each.reply.kind === 'echo');
          const frame = encodeFrame(kind, {
            transaction: 77,
            unit: 1,
            pdu: replyPdu(each.request, each.reply),
          });
          const index = place % frame.length;
          frame.writeUInt8((frame[index] ?? 0) ^ flip, index);
          const decoder = new ReplyDecoder({
            framing: kind,
            transaction: 77,
            unit: 1,
            request: each.request,
          });
          const progress = decoder.push(frame);
          // A flipped length may only ever wait for more, and ends in the reply time-out.
          expect(progress.kind === 'reply' && progress.reply.kind === 'echo').toBe(false);
        },
      ),
      { numRuns: 500 },
    );
  });

  test('random bytes never make a reply on RTU, and never throw on either framing', () => {
    fc.assert(
      fc.property(framing, fc.uint8Array({ maxLength: 300 }), exchange, (kind, noise, each) => {
        const progress = new ReplyDecoder({
          framing: kind,
          transaction: 4660,
          unit: 9,
          request: each.request,
        }).push(noise);
        expect(progress.kind).not.toBe('reply');
        new RequestDecoder(kind).push(noise);
      }),
      { numRuns: 500 },
    );
  });
});

describe('what is refused, by name', () => {
  const request: Request = { function: 5, address: 3, value: 0 };
  const good = (kind: Framing): Buffer =>
    encodeFrame(kind, { transaction: 7, unit: 1, pdu: requestPdu(request) });
  const fault = (kind: Framing, frame: Buffer): unknown => {
    const progress = new ReplyDecoder({ framing: kind, transaction: 7, unit: 1, request }).push(frame);
    return progress.kind === 'fault' ? progress.fault.code : progress.kind;
  };
  const rtu = (pdu: string, at = 1): Buffer =>
    encodeFrame('rtu', { transaction: 0, unit: at, pdu: bytes(pdu) });
  const tcp = (pdu: string, transaction = 7, at = 1): Buffer =>
    encodeFrame('modbus-tcp', { transaction, unit: at, pdu: bytes(pdu) });
  const withByte = (frame: Buffer, index: number, value: number): Buffer => {
    const copy = Buffer.from(frame);
    copy.writeUInt8(value, index);
    return copy;
  };

  test.each<readonly [string, Framing, Buffer, string]>([
    ['another transaction', 'modbus-tcp', tcp('0500030000', 6), 'transaction'],
    ['another protocol id', 'modbus-tcp', withByte(good('modbus-tcp'), 3, 1), 'protocol-id'],
    ['an HTTP error page', 'modbus-tcp', Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n'), 'transaction'],
    ['an oversized length', 'modbus-tcp', withByte(good('modbus-tcp'), 4, 0xff), 'length'],
    ['another unit', 'modbus-tcp', tcp('0500030000', 7, 2), 'unit'],
    ['another function', 'modbus-tcp', tcp('0600030000'), 'function'],
    ['another address in the echo', 'modbus-tcp', tcp('0500040000'), 'echo'],
    ['the opposite state in the echo', 'modbus-tcp', tcp('050003ff00'), 'echo'],
    [
      'bytes after the reply',
      'modbus-tcp',
      Buffer.concat([good('modbus-tcp'), good('modbus-tcp')]),
      'trailing',
    ],
    ['another unit', 'rtu', rtu('0500030000', 2), 'unit'],
    ['another function', 'rtu', rtu('0600030000'), 'function'],
    ['a bad checksum', 'rtu', withByte(good('rtu'), 6, 0x55), 'crc'],
    ['another address in the echo', 'rtu', rtu('0500040000'), 'echo'],
    ['the opposite state in the echo', 'rtu', rtu('050003ff00'), 'echo'],
    ['a duplicated reply', 'rtu', Buffer.concat([good('rtu'), good('rtu')]), 'trailing'],
  ])('%s (%s)', (_name, kind, frame, code) => {
    expect(fault(kind, frame)).toBe(code);
  });

  test('a wrong byte count in a read', () => {
    const read: Request = { function: 1, address: 0, quantity: 8 };
    const decoder = new ReplyDecoder({ framing: 'rtu', transaction: 0, unit: 1, request: read });
    expect(decoder.push(rtu('010241'))).toMatchObject({ kind: 'fault', fault: { code: 'byte-count' } });
  });

  test('an exception is a reply of its own kind', () => {
    expect(fault('rtu', rtu('8502'))).toBe('reply');
  });

  test('numbers that Modbus cannot express throw', () => {
    expect(() => requestPdu({ function: 1, address: 0, quantity: 0 })).toThrow(RangeError);
    expect(() => requestPdu({ function: 5, address: 0x1_0000, value: 0 })).toThrow(RangeError);
    expect(() => requestPdu({ function: 3, address: 0, quantity: 126 })).toThrow(RangeError);
  });
});
