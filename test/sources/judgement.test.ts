/** What bodies mean and what they do; excerpts; secret files. */
import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { EXCERPT_CHARS, excerptOf, printable } from '../../src/sources/excerpt.ts';
import { MAX_BODY_BYTES } from '../../src/sources/json-body.ts';
import { readMessage } from '../../src/sources/read.ts';
import { secretsIn } from '../../src/sources/secrets.ts';
import { senderKey } from '../../src/sources/standard-webhooks.ts';
import { verdictOf } from '../../src/sources/verdict.ts';

const parseGeneric = (body: Uint8Array) => readMessage({ format: 'generic' }, body);
const verdict = (body: string | Uint8Array, on_unrecognised: 'trip' | 'refuse' = 'trip') =>
  verdictOf({ on_unrecognised }, parseGeneric(typeof body === 'string' ? Buffer.from(body) : body));

describe('verdict on a generic body', () => {
  test.each([
    ['{"status":"firing"}', 'trip', 'firing'],
    [
      '{"status":"firing","severity":"critical","reason":"table dropped"}',
      'trip',
      'firing: critical: table dropped',
    ],
    ['{"severity":"info"}', 'trip', 'firing: info'],
    ['{"message":"help"}', 'trip', 'firing: help'],
    ['{"title":"help","id":17}', 'trip', 'firing: help'],
    ['{"reason":"a","message":"b","title":"c"}', 'trip', 'firing: a'],
    ['{"severity":5}', 'trip', 'firing: 5'],
    ['{"status":"resolved"}', 'annotate', 'resolved'],
    [' {"status" : "resolved" , "reason":"it is over"}\n', 'annotate', 'resolved: it is over'],
    ['{"status":"test","reason":"hello"}', 'drill', 'test: hello'],
    ['\ufeff{"status":"test"}', 'drill', 'test'],
  ])('%s: %s', (body, expected, reason) => {
    expect(verdict(body)).toMatchObject({ verdict: expected, reason });
    expect(verdict(body, 'refuse').verdict).toBe(expected);
  });

  test.each([
    '',
    'nonsense',
    'null',
    '[]',
    '[{"status":"resolved"}]',
    '"resolved"',
    '{}',
    '{"other":1}',
    '{"status":"Resolved"}',
    '{"status":"ok"}',
    '{"status":"ok","reason":"but known fields beside it"}',
    '{"status":null}',
    '{"status":["resolved"]}',
    '{"status":"resolved","reason":{"a":1}}',
    '{"status":"resolved","severity":true}',
    '{"status":"firing","status":"resolved"}',
    '{"status":"resolved","reason":"x","st\\u0061tus":"resolved"}',
    '{"a":{"status":"resolved"}}',
    '{"__proto__":{"status":"resolved"}}',
    '{"status":"resolved"}{}',
    "{'status':'resolved'}",
  ])('%s is not recognised: trip, or refuse where the source says so', (body) => {
    expect(verdict(body).verdict).toBe('trip');
    expect(verdict(body, 'refuse').verdict).toBe('refuse');
    expect(verdict(body).reason).toMatch(/^unrecognised: /);
  });

  test('a status inside other values does not count twice', () => {
    const body =
      '{"status":"resolved","extra":{"status":"firing"},"list":["status",{"status":1}],"reason":"\\"status\\":1"}';
    expect(verdict(body).verdict).toBe('annotate');
  });

  test('bytes that are not UTF-8, bodies too long, nesting too deep', () => {
    const broken = Buffer.from('{"status":"resolved","reason":"?"}').map((byte) =>
      byte === 0x3f ? 0xff : byte,
    );
    expect(verdict(broken).verdict).toBe('trip');
    const long = Buffer.from(`{"status":"resolved","reason":"${'x'.repeat(MAX_BODY_BYTES)}"}`);
    expect(parseGeneric(long)).toMatchObject({ kind: 'unrecognised' });
    const deep = MAX_BODY_BYTES / 2 - 100;
    for (const text of [
      '['.repeat(MAX_BODY_BYTES),
      '{"a":'.repeat(100_000),
      '['.repeat(deep) + ']'.repeat(deep),
    ]) {
      expect(parseGeneric(Buffer.from(text)).kind).toBe('unrecognised');
    }
    const harmless = `{"status":"resolved","x":${'['.repeat(deep)}${']'.repeat(deep)}}`;
    expect(['recognised', 'unrecognised']).toContain(parseGeneric(Buffer.from(harmless)).kind);
  });

  test("the sender's words are bounded and escaped once", () => {
    const { reason } = verdict(JSON.stringify({ reason: `a\nb\u202e\u001b[31m\\${'x'.repeat(5_000)}` }));
    expect(reason.startsWith('firing: a\\u{a}b\\u{202e}\\u{1b}[31m\\\\xxx')).toBe(true);
    expect(reason.length).toBeLessThan(260);
  });
});

describe('printable', () => {
  test.each([
    ['plain ünïcode 漢字 😀', 'plain ünïcode 漢字 😀'],
    ['a\r\n\tb', 'a\\u{d}\\u{a}\\u{9}b'],
    ['\u202eevil\u2066', '\\u{202e}evil\\u{2066}'],
    ['\u2028\u2029\u0085\u200b\ufeff', '\\u{2028}\\u{2029}\\u{85}\\u{200b}\\u{feff}'],
    ['\\u{a}', '\\\\u{a}'],
    ['\ud83d', '\\u{d83d}'],
    ['\u{e0041}', '\\u{e0041}'],
    ['\0\x7f\x9b', '\\u{0}\\u{7f}\\u{9b}'],
  ])('%j', (text, expected) => expect(printable(text, 100)).toBe(expected));

  test('longer text is cut, also through the middle of a character', () => {
    expect(printable('abcdef', 3)).toBe('abc…');
    expect(printable('ab😀', 3)).toBe('ab\\u{d83d}…');
    expect(printable('abc', 3)).toBe('abc');
  });
});

describe('excerpt', () => {
  test('digest and size are of the whole body', () => {
    const body = Buffer.from('x'.repeat(100_000));
    expect(excerptOf(body)).toEqual({
      text: `${'x'.repeat(EXCERPT_CHARS)}…`,
      bytes: 100_000,
      sha256: createHash('sha256').update(body).digest('hex'),
    });
    expect(excerptOf(new Uint8Array())).toMatchObject({ text: '', bytes: 0 });
  });

  test('bytes that are not text', () => {
    expect(excerptOf(Uint8Array.of(0xff, 0x00, 0x41)).text).toBe('\ufffd\\u{0}A');
  });

  test('short characters that need many bytes end in … when something is left out', () => {
    expect(excerptOf(Buffer.from('😀'.repeat(EXCERPT_CHARS))).text.endsWith('…')).toBe(true);
    expect(excerptOf(Buffer.from('漢'.repeat(EXCERPT_CHARS))).text).toBe('漢'.repeat(EXCERPT_CHARS));
  });
});

describe('secret files', () => {
  const lines = (file: string) => {
    const found = secretsIn(Buffer.from(file));
    return found.ok ? found.secrets.map((secret) => Buffer.from(secret).toString()) : found.why;
  };
  test.each([
    ['one', ['one']],
    ['one\n', ['one']],
    ['one\r\ntwo\r\n', ['one', 'two']],
    ['\n\n one \t\n\n', ['one']],
    ['\ufeffone', ['one']],
    ['with blanks inside', ['with blanks inside']],
    ['', 'it is empty'],
    [' \n\r\n', 'it is empty'],
    ['a\nb\nc', 'it has 3 lines; the secret and the previous secret are all it may hold'],
  ])('%j', (file, expected) => expect(lines(file)).toEqual(expected));

  test('secrets are bytes', () => {
    expect(secretsIn(Uint8Array.of(0xff, 0x00, 0x0a, 0xfe))).toEqual({
      ok: true,
      secrets: [Uint8Array.of(0xff, 0x00), Uint8Array.of(0xfe)],
    });
  });

  test.each([
    ['whsec_', 'what follows whsec_ is not base64'],
    ['whsec_!!!!', 'what follows whsec_ is not base64'],
    ['whsec_AAAA', 'the key is shorter than 16 bytes'],
    ['whpk_AAAA', 'an Ed25519 key has 32 bytes'],
    ['whsk_AAAA', 'it is the private key (whsk_…), which belongs to the sender; only whpk_… is needed here'],
    ['hunter2', 'it begins with neither whsec_ nor whpk_'],
  ])('%s is no key of a sender', (secret, why) =>
    expect(senderKey(Buffer.from(secret))).toEqual({ ok: false, why }),
  );
});
