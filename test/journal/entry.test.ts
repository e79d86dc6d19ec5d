import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  EntryError,
  MAX_DATA_DEPTH,
  MAX_LINE_BYTES,
  parseEntry,
  printEntry,
  type Entry,
  type JsonObject,
} from '../../src/journal/entry.ts';

const base: Entry = {
  seq: 1,
  boot: 'boot-1',
  mono: 12.5,
  at: '2026-11-21T03:00:00.000Z',
  clock: 'synchronised',
  type: 'test.note',
  actor: 'person:tester',
  data: {},
  prev: '0'.repeat(64),
};
const withData = (data: unknown): Entry => ({ ...base, data: data as JsonObject });

// Any characters (lone surrogates, which no line may hold, are tried below), any doubles, awkward keys.
const key = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 8 }),
  fc.constantFrom('__proto__', '10', '9', 'toJSON', 'constructor', ''),
);
const { data } = fc.letrec<{ value: unknown; data: Record<string, unknown> }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.constant(null),
    fc.boolean(),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.integer(),
    fc.string({ unit: 'binary', maxLength: 20 }),
    fc.array(tie('value'), { maxLength: 4 }),
    tie('data'),
  ),
  data: fc.dictionary(key, tie('value'), { maxKeys: 4 }),
}));
const entry = fc.record<Entry>({
  seq: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
  boot: fc.stringMatching(/^[\x21-\x7e]{1,64}$/),
  mono: fc.double({ min: 0, max: 1e15, noNaN: true }),
  at: fc
    .date({ min: new Date(0), max: new Date('9999-12-31T23:59:59.999Z'), noInvalidDate: true })
    .map((date) => date.toISOString()),
  clock: fc.constantFrom('synchronised', 'unsynchronised', 'assumed'),
  type: fc.stringMatching(/^[a-z][a-z0-9.-]{0,99}$/),
  actor: fc.string({ unit: 'binary', minLength: 1, maxLength: 60 }),
  data: data as fc.Arbitrary<JsonObject>,
  prev: fc.stringMatching(/^[0-9a-f]{64}$/),
});

describe('an entry', () => {
  test('reads back as it was printed, and what is read prints back byte for byte', () => {
    fc.assert(
      fc.property(entry, (value) => {
        const line = printEntry(value);
        expect(line).not.toContain('\n');
        const read = parseEntry(line);
        expect(printEntry(read)).toBe(line);
        expect(Buffer.from(line).toString('utf8')).toBe(line);
      }),
      { numRuns: 2_000 },
    );
  });

  test('of changed text either does not parse or prints back to exactly that text', () => {
    let parsed = 0;
    const change = fc.tuple(
      fc.nat(),
      fc.nat(2),
      fc.constantFrom('0', '1', 'e', ' ', '"', '\\', ',', '}', '-', '.', 'a', '\u0000', '\ud800'),
    );
    fc.assert(
      fc.property(entry, fc.array(change, { minLength: 1, maxLength: 3 }), (value, changes) => {
        let line = printEntry(value);
        for (const [at, removed, inserted] of changes) {
          const place = at % line.length;
          line = line.slice(0, place) + inserted + line.slice(place + removed);
        }
        let read: Entry;
        try {
          read = parseEntry(line);
        } catch (error) {
          expect(error).toBeInstanceOf(EntryError);
          return;
        }
        parsed += 1;
        expect(printEntry(read)).toBe(line);
      }),
      { numRuns: 5_000 },
    );
    expect(parsed).toBeGreaterThan(100);
  });

  test.each([
    ['a space after a comma', (line: string) => line.replace(',', ', ')],
    ['keys out of order', (line: string) => line.replace(/^\{("actor":"[^"]*"),("at":"[^"]*")/, '{$2,$1')],
    ['a key twice', (line: string) => line.replace('"seq":1', '"seq":1,"seq":1')],
    ['a number in another spelling', (line: string) => line.replace('"mono":12.5', '"mono":12.50')],
    ['an exponent', (line: string) => line.replace('"mono":12.5', '"mono":1.25e1')],
    ['minus zero', (line: string) => line.replace('"data":{}', '"data":{"x":-0}')],
    ['a number beyond all doubles', (line: string) => line.replace('"data":{}', '"data":{"x":1e999}')],
    [
      'an integer no double holds',
      (line: string) => line.replace('"data":{}', '"data":{"x":9007199254740993}'),
    ],
    ['an escape that need not be', (line: string) => line.replace('tester', 't\\u0065ster')],
    ['an escaped slash', (line: string) => line.replace('person:', 'person\\/')],
    ['half a surrogate pair', (line: string) => line.replace('"data":{}', '"data":{"x":"\\ud800"}')],
    ['half a surrogate pair in a key', (line: string) => line.replace('"data":{}', '"data":{"\\udc00":1}')],
    ['a byte order mark', (line: string) => `\ufeff${line}`],
    ['a carriage return', (line: string) => `${line}\r`],
    [
      'integer-like keys in numeric order',
      (line: string) => line.replace('"data":{}', '"data":{"9":1,"10":2}'),
    ],
    ['one field more', (line: string) => line.replace('"data":{}', '"data":{},"extra":1')],
    ['one field less', (line: string) => line.replace('"boot":"boot-1",', '')],
    ['seq zero', (line: string) => line.replace('"seq":1', '"seq":0')],
    ['a broken seq', (line: string) => line.replace('"seq":1', '"seq":1.5')],
    ['a time zone', (line: string) => line.replace('.000Z', '.000+00:00')],
    ['a thirteenth month', (line: string) => line.replace('2026-11', '2026-13')],
    ['an unknown clock', (line: string) => line.replace('synchronised', 'guessed')],
    ['a type in capitals', (line: string) => line.replace('test.note', 'Test.note')],
    ['no actor', (line: string) => line.replace('person:tester', '')],
    ['prev in capitals', (line: string) => line.replace('"prev":"0', '"prev":"A')],
    ['data that is a list', (line: string) => line.replace('"data":{}', '"data":[]')],
    ['nothing', () => ''],
    ['null', () => 'null'],
    ['a list', () => '[]'],
  ])('with %s is refused', (_what, change) => {
    const line = printEntry(base);
    expect(change(line)).not.toBe(line);
    expect(() => parseEntry(change(line))).toThrow(EntryError);
  });

  test('sorts keys by UTF-16 code units, as RFC 8785 demands', () => {
    const line = printEntry(
      withData({ '\u20ac': 1, '\r': 2, '\ufb33': 3, '1': 4, '\ud83d\ude00': 5, '\u0080': 6, '\u00f6': 7 }),
    );
    expect(line).toContain('"data":{"\\r":2,"1":4,"\u0080":6,"ö":7,"€":1,"\ud83d\ude00":5,"\ufb33":3}');
    expect(printEntry(parseEntry(line))).toBe(line);
  });

  test('with integer-like keys, whose order engines change, is still canonical', () => {
    const line = printEntry(withData({ 9: 1, 10: 2 }));
    expect(line).toContain('"data":{"10":2,"9":1}');
    expect(printEntry(parseEntry(line))).toBe(line);
  });

  const circle: Record<string, unknown> = {};
  circle['self'] = circle;
  let deep: unknown = 1;
  for (let level = 0; level < MAX_DATA_DEPTH; level++) deep = [deep];
  test.each<[string, unknown, RegExp]>([
    ['NaN', { a: { b: Number.NaN } }, /data\.a\.b is not a finite number/],
    ['infinity', { a: [1, Number.POSITIVE_INFINITY] }, /data\.a\[1\] is not a finite number/],
    ['half a surrogate pair', { a: 'x\ud800' }, /data\.a holds half a surrogate pair/],
    ['half a surrogate pair in a key', { '\udfff': 1 }, /key with half a surrogate pair/],
    ['undefined', { a: undefined }, /data\.a is undefined/],
    ['a hole in a list', { a: [1, , 2] }, /data\.a\[1\] is undefined/], // oxlint-disable-line no-sparse-arrays
    ['a bigint', { a: 1n }, /bigint/],
    ['a function', { a: () => 1 }, /function/],
    ['a date', { a: new Date(0) }, /not a plain object/],
    ['a map', { a: new Map() }, /not a plain object/],
    ['a circle', circle, /nested deeper/],
    ['depth', { deep }, /nested deeper/],
    ['a list', [], /data is not an object/],
  ])('cannot hold %s', (_what, bad, message) => {
    expect(() => printEntry(withData(bad))).toThrow(EntryError);
    expect(() => printEntry(withData(bad))).toThrow(message);
  });

  test('may be as long as the limit and not a byte longer, in bytes, not characters', () => {
    const room = MAX_LINE_BYTES - printEntry(withData({ x: '' })).length;
    expect(Buffer.byteLength(printEntry(withData({ x: 'a'.repeat(room) })))).toBe(MAX_LINE_BYTES);
    expect(() => printEntry(withData({ x: 'a'.repeat(room + 1) }))).toThrow(/longer than/);
    const euros = '€'.repeat(Math.floor(room / 3));
    expect(parseEntry(printEntry(withData({ x: euros }))).data['x']).toBe(euros);
    expect(() => printEntry(withData({ x: `${euros}€` }))).toThrow(/longer than/);
  });

  test('keeps an own key called __proto__ as data', () => {
    const line = printEntry(withData(JSON.parse('{"__proto__":{"a":1}}')));
    expect(line).toContain('"data":{"__proto__":{"a":1}}');
    expect(printEntry(parseEntry(line))).toBe(line);
  });
});
