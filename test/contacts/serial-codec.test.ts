/** Frames of serial profiles: golden examples both ways, the notation, and replies in any pieces with anything around them. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { meaningOf } from '../../src/contacts/serial/examples.ts';
import { buildFrame } from '../../src/contacts/serial/frame.ts';
import { Frames } from '../../src/contacts/serial/frames.ts';
import type { SerialExample, SerialProfile } from '../../src/contacts/serial/profile.ts';
import { bitmap, hexNumber, oneWord, type StateForm, wordEach } from '../../src/contacts/serial/state.ts';
import { checksum, readTemplate, type Language, type Template } from '../../src/contacts/serial/template.ts';
import { serialProfileNamed, serialProfiles } from './serial-bench.ts';

function template(text: string, language: Language): Template {
  const reading = readTemplate(text, language);
  if (reading.kind === 'problem') throw new Error(reading.what);
  return reading.template;
}

const addressOf = (profile: SerialProfile, example: SerialExample): number | null =>
  profile.addresses === undefined ? null : (example.address ?? 1);

describe.each(serialProfiles.map((profile) => [profile.id, profile] as const))('%s', (_, profile) => {
  const frames = new Frames(profile);

  test.each(profile.examples.map((example) => [`${example.ask} ${example.request}`, example] as const))(
    'computes %s and understands its reply',
    (__, example) => {
      const request = frames.literal(example.request);
      const address = addressOf(profile, example);
      expect(frames.request(example, address)).toEqual(request);
      if (example.ask === 'initialise') return;
      const asked = frames.asked(example);
      if (asked === null) throw new Error('not asked');
      if (example.reply === undefined) {
        expect(asked.reply).toBeNull();
        expect(example.means).toBe('nothing-said');
        return;
      }
      const expected = { numbers: frames.numbers(example, address), request };
      const reply = frames.understand(asked, expected, frames.literal(example.reply));
      if (reply.kind !== 'match' && reply.kind !== 'refused') throw new Error(reply.kind);
      expect(meaningOf(example, asked, reply)).toEqual(example.means);
    },
  );
});

test('every profile of the fact sheet is there', () => {
  expect(serialProfiles.map(({ id }) => id).toSorted()).toEqual([
    'conrad/197720',
    'denkovi/usb-16',
    'devantech/eth002',
    'devantech/eth008',
    'devantech/usb-rly08',
    'devantech/usb-rly16',
    'devantech/usb-rly16l',
    'icstation/icse014a',
    'kmtronic/usb-relay-2ch',
    'kmtronic/usb-relay-4ch',
    'kmtronic/usb-relay-8ch',
    'lc-technology/lcus-1',
    'lc-technology/lcus-2',
    'lc-technology/lcus-4',
    'lc-technology/lcus-8',
    'numato/usb-relay-16ch',
    'numato/usb-relay-1ch',
    'numato/usb-relay-2ch',
    'numato/usb-relay-4ch',
    'numato/usb-relay-8ch',
  ]);
});

describe('the notation', () => {
  test.each([
    ['A0 {channel} 01 {sum8}', { channel: 8 }, 'A0 08 01 A9'],
    ['{channel+64}', { channel: 8 }, '6C'],
    ['{bit^FF}', { bit: 4 }, 'FB'],
    ['06 {address} {bit} {xor}', { address: 2, bit: 128 }, '06 02 80 84'],
    ['20 {channel} {lease}', { channel: 3, lease: 50 }, '20 03 32'],
  ])('bytes: %s', (text, numbers, bytes) => {
    const built = buildFrame(template(text, 'bytes'), numbers);
    expect(built.toString('hex')).toBe(bytes.replaceAll(' ', '').toLowerCase());
  });

  test.each([
    ['relay on {channel0}{cr}', { channel0: 7 }, 'relay on 7\r'],
    ['relay on {channel0:X}{cr}', { channel0: 15 }, 'relay on F\r'],
    ['{channel:2}+//', { channel: 3 }, '03+//'],
    ['~{address:2X}3{sum8:2X}{0D}', { address: 10 }, '~0A322\r'],
  ])('text: %s', (text, numbers, said) => {
    expect(buildFrame(template(text, 'text'), numbers).toString('latin1')).toBe(said);
  });

  test.each([
    ['A0  01', 'bytes', 'neither two hexadecimal digits nor a placeholder'],
    ['A0 {chanel}', 'bytes', '{chanel} is no placeholder; known: {channel}'],
    ['A0 {channel:2}', 'bytes', 'a form such as :2 is for text'],
    ['A0 {sum8+01}', 'bytes', 'a checksum is not changed'],
    ['A0 {gap}', 'bytes', '{gap} is for text'],
    ['', 'bytes', 'at least one byte'],
    ['relay on\r', 'text', 'must be written as a placeholder, such as {cr}'],
    ['relay { on', 'text', 'must be written as a placeholder'],
    ['{state:2}', 'text', '{state} takes no form'],
    ['', 'text', 'at least one byte'],
  ] as const)('%j in %s is refused', (text, language, why) => {
    expect(readTemplate(text, language)).toEqual({ kind: 'problem', what: expect.stringContaining(why) });
  });

  test('numbers that do not fit their place are refused', () => {
    expect(() => buildFrame(template('{bit}', 'bytes'), { bit: 256 })).toThrow(RangeError);
    expect(() => buildFrame(template('A0 {channel}', 'bytes'), {})).toThrow(RangeError);
  });

  test('checksums are what they say', () => {
    expect(checksum('sum8', Buffer.of(0xff, 0xff, 0x03))).toBe(0x01);
    expect(checksum('xor', Buffer.of(0xff, 0x0f))).toBe(0xf0);
  });
});

describe('the state of channels', () => {
  const words = { connected: Buffer.from('on'), isolated: Buffer.from('off') };
  const permuted = [7, 8, 6, 1, 5, 2, 4, 3];
  const forms: readonly (readonly [string, StateForm])[] = [
    ['words', wordEach(8, words)],
    ['lowest bit first', bitmap({ first: 'lowest-bit', connectedWhen: 1, order: [1, 2, 3, 4, 5, 6, 7, 8] })],
    [
      'highest bit first',
      bitmap({ first: 'highest-bit', connectedWhen: 1, order: [1, 2, 3, 4, 5, 6, 7, 8] }),
    ],
    ['inverted', bitmap({ first: 'lowest-bit', connectedWhen: 0, order: [1, 2, 3, 4, 5, 6, 7, 8] })],
    ['permuted', bitmap({ first: 'lowest-bit', connectedWhen: 1, order: permuted })],
    ['hexadecimal', hexNumber(8, 2, 1)],
    ['hexadecimal, inverted, with a spare digit', hexNumber(8, 3, 0)],
  ];

  test.each(forms)('%s: what is written is what is read, and less is not enough', (_, form) => {
    fc.assert(
      fc.property(fc.subarray([1, 2, 3, 4, 5, 6, 7, 8]), (channels) => {
        const connected = new Set(channels);
        const bytes = form.put(connected, null);
        expect(form.take(bytes, null)).toEqual({ kind: 'state', length: bytes.length, connected });
        for (let length = 0; length < bytes.length; length += 1) {
          expect(form.take(bytes.subarray(0, length), null)).toEqual({ kind: 'more' });
        }
      }),
    );
  });

  test('known bytes', () => {
    const taken = (form: StateForm, hex: string): unknown => form.take(Buffer.from(hex, 'hex'), 2);
    const state = (length: number, ...connected: number[]): object => ({
      kind: 'state',
      length,
      connected: new Set(connected),
    });
    expect(taken(bitmap({ first: 'lowest-bit', connectedWhen: 0, order: [1, 2, 3] }), 'fe')).toEqual(
      state(1, 1),
    );
    expect(taken(bitmap({ first: 'lowest-bit', connectedWhen: 1, order: permuted }), '08')).toEqual(
      state(1, 1),
    );
    expect(taken(hexNumber(16, 4, 1), '38303031')).toEqual(state(4, 1, 16));
    expect(taken(oneWord(words), '6f6e')).toEqual(state(2, 2));
    expect(taken(oneWord(words), '6f6666')).toEqual(state(3));
    expect(taken(oneWord(words), '6f66')).toEqual({ kind: 'more' });
    expect(taken(oneWord(words), '6f70')).toMatchObject({ kind: 'mismatch' });
  });
});

describe('replies in pieces, with anything around them', () => {
  const examples = serialProfiles.flatMap((profile) => {
    const frames = new Frames(profile);
    return profile.examples.flatMap((example) => {
      const asked = frames.asked(example);
      if (asked === null || !('reply' in example) || example.reply === undefined) return [];
      const request = frames.literal(example.request);
      const expected = { numbers: frames.numbers(example, addressOf(profile, example)), request };
      return [{ frames, asked, expected, reply: frames.literal(example.reply) }];
    });
  });
  const some = fc.constantFrom(...examples);

  test('a beginning is never enough, and never wrong', () => {
    fc.assert(
      fc.property(some, fc.nat(), ({ frames, asked, expected, reply }, cut) => {
        const part = reply.subarray(0, cut % reply.length);
        expect(frames.understand(asked, expected, part)).toEqual({ kind: 'more' });
      }),
    );
  });

  test('anything behind an answer spoils it', () => {
    fc.assert(
      fc.property(some, fc.uint8Array({ minLength: 1, maxLength: 8 }), (each, behind) => {
        const { frames, asked, expected, reply } = each;
        const whole = Buffer.concat([reply, behind]);
        expect(frames.understand(asked, expected, whole).kind).toBe('mismatch');
      }),
    );
  });

  test('an answer that comes twice is no answer', () => {
    for (const { frames, asked, expected, reply } of examples) {
      expect(frames.understand(asked, expected, Buffer.concat([reply, reply])).kind).toBe('mismatch');
    }
  });

  test('a bit that turned in a frame with a checksum is found', () => {
    const frames = new Frames(serialProfileNamed('lc-technology/lcus-4'));
    const asked = frames.asked({ ask: 'read', channel: 2 });
    if (asked === null) throw new Error('no read');
    const numbers = frames.numbers({ ask: 'read', channel: 2 }, null);
    fc.assert(
      fc.property(fc.nat(31), fc.boolean(), (bit, connected) => {
        const state = connected ? 1 : 0;
        const reply = Buffer.of(0xa0, 2, state, (0xa2 + state) & 0xff);
        reply.writeUInt8(reply.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
        const understood = frames.understand(asked, { numbers }, reply);
        expect(understood.kind === 'match' ? understood.connected : understood.kind).toBe('mismatch');
      }),
    );
  });

  test('the word on in the echo is not the answer', () => {
    const frames = new Frames(serialProfileNamed('numato/usb-relay-4ch'));
    const asked = frames.asked({ ask: 'read', channel: 1 });
    if (asked === null) throw new Error('no read');
    const numbers = frames.numbers({ ask: 'read', channel: 1 }, null);
    const heard = (text: string): unknown =>
      frames.understand(asked, { numbers }, Buffer.from(text, 'latin1'));
    expect(heard('relay on 0\n\r>')).toMatchObject({ kind: 'mismatch' });
    expect(heard('relay read 0\n\roff\n\r>')).toMatchObject({ kind: 'match', connected: new Set() });
    expect(heard('relay read 0\r\non\r\n>')).toMatchObject({ kind: 'match', connected: new Set([1]) });
    expect(heard('relay read 0\n\ron')).toEqual({ kind: 'more' });
    expect(heard('relay read 1\n\ron\n\r>')).toMatchObject({ kind: 'mismatch' });
  });

  test('no bytes whatever make it throw', () => {
    fc.assert(
      fc.property(some, fc.uint8Array({ maxLength: 64 }), ({ frames, asked, expected }, bytes) => {
        frames.understand(asked, expected, Buffer.from(bytes));
      }),
    );
  });
});
