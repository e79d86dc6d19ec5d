/** What must hold for every request: nothing throws, nothing altered verifies, and doubt trips. */
import { createHmac, createPublicKey, generateKeyPairSync, sign } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { excerptOf, printable } from '../../src/sources/excerpt.ts';
import { readMessage } from '../../src/sources/read.ts';
import { secretsIn } from '../../src/sources/secrets.ts';
import { verdictOf } from '../../src/sources/verdict.ts';
import { type SourceRequest, verify, type VerificationRule } from '../../src/sources/verify.ts';

const parseGeneric = (body: Uint8Array) => readMessage({ format: 'generic' }, body);
const NOW = 1_700_000_000;
const RUNS = { numRuns: 400 };

const timestamp = { header: 'x-t', tolerance: 300_000, signed: '{timestamp}.{body}' };
const rules: readonly VerificationRule[] = [
  { type: 'bearer' },
  { type: 'path-secret' },
  { type: 'standard-webhooks', tolerance: 300_000 },
  { type: 'hmac-sha256', header: 'x-s', prefix: '', encoding: 'hex' },
  { type: 'hmac-sha256', header: 'x-s', prefix: 'v1=', encoding: 'base64', timestamp },
];

/** A request that verifies, with the places in it that the signature (or the secret) covers. */
interface Genuine {
  readonly rule: VerificationRule;
  readonly secret: Uint8Array;
  readonly request: SourceRequest;
  readonly covered: readonly string[];
}

const asymmetric = generateKeyPairSync('ed25519');

function genuine(rule: VerificationRule, form: 'v1' | 'v1a', key: Uint8Array, rawBody: Uint8Array): Genuine {
  const mac = (...parts: readonly (string | Uint8Array)[]) =>
    parts.reduce((hmac, part) => hmac.update(part), createHmac('sha256', key));
  const token = Buffer.from(key).toString('base64url');
  switch (rule.type) {
    case 'bearer': {
      const request = { headers: { authorization: `Bearer ${token}` }, rawBody, pathSecret: null };
      return { rule, secret: Buffer.from(token), request, covered: ['authorization'] };
    }
    case 'basic': {
      const authorization = `Basic ${Buffer.from(`${rule.username}:${token}`).toString('base64')}`;
      const request = { headers: { authorization }, rawBody, pathSecret: null };
      return { rule, secret: Buffer.from(token), request, covered: ['authorization'] };
    }
    case 'header': {
      const request = { headers: { [rule.header]: rule.prefix + token }, rawBody, pathSecret: null };
      return { rule, secret: Buffer.from(token), request, covered: [rule.header] };
    }
    case 'mtls': {
      const clientCertificate = { fingerprint: 'ab'.repeat(32), subject: { CN: 'falco' }, trusted: true };
      const request = { headers: {}, rawBody, pathSecret: null, clientCertificate };
      return { rule, secret: new Uint8Array(), request, covered: [] };
    }
    case 'path-secret': {
      const request = { headers: {}, rawBody, pathSecret: token };
      return { rule, secret: Buffer.from(token), request, covered: ['path'] };
    }
    case 'hmac-sha256': {
      const timed = rule.timestamp !== undefined;
      const signature = timed ? mac(`${NOW}.`, rawBody) : mac(rawBody);
      const headers = {
        'x-s': rule.prefix + signature.digest(rule.encoding),
        ...(timed ? { 'x-t': String(NOW) } : {}),
      };
      const request = { headers, rawBody, pathSecret: null };
      return { rule, secret: key, request, covered: ['x-s', 'body', ...(timed ? ['x-t'] : [])] };
    }
    case 'standard-webhooks': {
      const content = Buffer.concat([Buffer.from(`msg_1.${NOW}.`), rawBody]);
      const signature = form === 'v1' ? mac(content).digest() : sign(null, content, asymmetric.privateKey);
      const publicKey = createPublicKey(asymmetric.privateKey)
        .export({ format: 'der', type: 'spki' })
        .subarray(-32);
      const secret =
        form === 'v1'
          ? `whsec_${Buffer.from(key).toString('base64')}`
          : `whpk_${publicKey.toString('base64')}`;
      const headers = {
        'webhook-id': 'msg_1',
        'webhook-timestamp': String(NOW),
        'webhook-signature': `${form},${signature.toString('base64')}`,
      };
      const request = { headers, rawBody, pathSecret: null };
      return {
        rule,
        secret: Buffer.from(secret),
        request,
        covered: ['webhook-signature', 'webhook-timestamp', 'webhook-id', 'body'],
      };
    }
  }
}

const anyGenuine = fc
  .tuple(
    fc.constantFrom(...rules),
    fc.constantFrom('v1' as const, 'v1a' as const),
    fc.uint8Array({ minLength: 24, maxLength: 64 }),
    fc.uint8Array({ minLength: 1, maxLength: 200 }),
  )
  .map((parts) => genuine(...parts));

/** The text with one bit of one character changed. */
function flipped(text: string, at: number, bit: number): string {
  const bytes = Buffer.from(text, 'latin1');
  bytes[at % bytes.length] = (bytes[at % bytes.length] ?? 0) ^ (1 << bit);
  return bytes.toString('latin1');
}

function altered(request: SourceRequest, place: string, at: number, bit: number): SourceRequest {
  if (place === 'path') return { ...request, pathSecret: flipped(request.pathSecret ?? '', at, bit) };
  if (place === 'body') {
    const rawBody = Uint8Array.from(request.rawBody);
    rawBody[at % rawBody.length] = (rawBody[at % rawBody.length] ?? 0) ^ (1 << bit);
    return { ...request, rawBody };
  }
  return {
    ...request,
    headers: { ...request.headers, [place]: flipped(String(request.headers[place]), at, bit) },
  };
}

describe('verification', () => {
  test('genuine requests verify', () => {
    fc.assert(
      fc.property(anyGenuine, ({ rule, secret, request }) => {
        expect(verify(rule, [secret], request, NOW)).toMatchObject({ ok: true });
        expect(verify(rule, [Buffer.from('another-secret'), secret], request, NOW)).toMatchObject({
          ok: true,
        });
      }),
      RUNS,
    );
  });

  test('one flipped bit in body, signature, time, id or secret never verifies', () => {
    const seen = new Set<string>();
    fc.assert(
      fc.property(
        anyGenuine,
        fc.nat(),
        fc.nat({ max: 7 }),
        fc.nat(),
        ({ rule, secret, request, covered }, at, bit, which) => {
          const place = covered[which % covered.length] ?? '';
          const changed = altered(request, place, at, bit);
          // The scheme's name, `Bearer`, may be written in capital and small letters.
          const scheme =
            place === 'authorization' && at % String(request.headers['authorization']).length < 6;
          fc.pre(!(scheme && bit === 5));
          seen.add(`${rule.type} ${place}`);
          expect(verify(rule, [secret], changed, NOW), `${place} ${at} ${bit}`).toMatchObject({ ok: false });
        },
      ),
      { numRuns: 2_000 },
    );
    expect([...seen].toSorted()).toEqual([
      'bearer authorization',
      'hmac-sha256 body',
      'hmac-sha256 x-s',
      'hmac-sha256 x-t',
      'path-secret path',
      'standard-webhooks body',
      'standard-webhooks webhook-id',
      'standard-webhooks webhook-signature',
      'standard-webhooks webhook-timestamp',
    ]);
  });

  test('every single byte of one signed request, exhaustively', () => {
    const key = Uint8Array.from({ length: 32 }, (_, index) => index);
    for (const rule of rules) {
      const { secret, request, covered } = genuine(rule, 'v1', key, Buffer.from('{"status":"firing"}'));
      for (const place of covered.filter((name) => name !== 'authorization')) {
        const length =
          place === 'body'
            ? request.rawBody.length
            : String(request.headers[place] ?? request.pathSecret).length;
        for (let at = 0; at < length; at++) {
          for (let bit = 0; bit < 8; bit++) {
            const judged = verify(rule, [secret], altered(request, place, at, bit), NOW);
            expect(judged.ok, `${rule.type} ${place} byte ${at} bit ${bit}`).toBe(false);
          }
        }
      }
    }
  });

  test('nothing throws, and nothing made up verifies', () => {
    const names = fc.constantFrom(
      'authorization',
      'x-s',
      'x-t',
      'webhook-id',
      'webhook-timestamp',
      'webhook-signature',
    );
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom(
        'Bearer x',
        'v1=',
        'v1,',
        'v1a,',
        `v1a,${Buffer.alloc(64).toString('base64')}`,
        String(NOW),
        '1e9',
      ),
    );
    const value = fc.oneof(text, fc.array(text, { maxLength: 3 }), fc.constant(undefined));
    const secret = fc.oneof(
      fc.uint8Array({ maxLength: 80 }),
      fc
        .uint8Array({ minLength: 32, maxLength: 32 })
        .map((key) => Buffer.from(`whpk_${Buffer.from(key).toString('base64')}`)),
      fc.constantFrom('whsec_', 'whpk_', 'whsec_====').map((prefix) => Buffer.from(prefix)),
    );
    fc.assert(
      fc.property(
        fc.constantFrom(...rules),
        fc.array(secret, { maxLength: 3 }),
        fc.dictionary(names, value),
        fc.uint8Array({ maxLength: 300 }),
        fc.option(fc.string({ unit: 'binary' })),
        fc.oneof(fc.integer(), fc.double()),
        (rule, secrets, headers, rawBody, pathSecret, now) => {
          const judged = verify(rule, secrets, { headers, rawBody, pathSecret }, now);
          if (judged.ok) {
            // Only by having drawn the secret itself, which needs it to be very short.
            const given = rule.type === 'bearer' ? 'x' : (pathSecret ?? '');
            expect(secrets.some((known) => Buffer.from(known).equals(Buffer.from(given)))).toBe(true);
          } else {
            expect(judged.why).toMatch(/^[\w .,"-…]+$/);
          }
        },
      ),
      { numRuns: 2_000 },
    );
  });
});

const jsonBody = fc
  .record(
    {
      status: fc.oneof(fc.constantFrom('firing', 'resolved', 'test', 'RESOLVED', 'ok'), fc.jsonValue()),
      severity: fc.jsonValue(),
      reason: fc.jsonValue(),
      message: fc.string({ unit: 'binary' }),
      id: fc.jsonValue(),
      other: fc.jsonValue(),
    },
    { requiredKeys: [] },
  )
  .map((value) => Buffer.from(JSON.stringify(value)));
const anyBody = fc.oneof(
  jsonBody,
  fc.json().map((text) => Buffer.from(text)),
  fc.string({ unit: 'binary' }).map((text) => Buffer.from(text)),
  fc.uint8Array({ maxLength: 500 }),
);

describe('judgement', () => {
  test('any body but a recognised resolved or test trips', () => {
    fc.assert(
      fc.property(anyBody, (body) => {
        const { verdict } = verdictOf({ on_unrecognised: 'trip' }, parseGeneric(body));
        if (verdict === 'trip') return;
        const said: unknown = JSON.parse(Buffer.from(body).toString());
        expect(said).toMatchObject({ status: verdict === 'annotate' ? 'resolved' : 'test' });
      }),
      { numRuns: 2_000 },
    );
  });

  test('`refuse` never refuses what says that it is firing', () => {
    fc.assert(
      fc.property(jsonBody, (body) => {
        const message = parseGeneric(body);
        const { verdict } = verdictOf({ on_unrecognised: 'refuse' }, message);
        if (message.kind === 'recognised' && message.alerts[0]?.status === 'firing')
          expect(verdict).toBe('trip');
        if (verdict === 'refuse') expect(message.kind).toBe('unrecognised');
      }),
      RUNS,
    );
  });

  test('whatever is kept or shown is one bounded line without controls', () => {
    const safe = /^[^\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]*$/u;
    fc.assert(
      fc.property(anyBody, (body) => {
        const { text, sha256, bytes } = excerptOf(body);
        const { reason } = verdictOf({ on_unrecognised: 'trip' }, parseGeneric(body));
        expect(text).toMatch(safe);
        expect(reason).toMatch(safe);
        expect(text.length).toBeLessThan(5_000);
        expect(reason.length).toBeLessThan(3_000);
        expect(sha256).toMatch(/^[0-9a-f]{64}$/);
        expect(bytes).toBe(body.length);
      }),
      { numRuns: 1_000 },
    );
  });

  test('different texts never look the same', () => {
    const text = fc.string({ unit: fc.constantFrom('\\', 'u', '{', 'a', '}', '\n', '\u202e'), maxLength: 8 });
    fc.assert(
      fc.property(text, text, (a, b) => a === b || printable(a, 50) !== printable(b, 50)),
      { numRuns: 5_000 },
    );
  });

  test('secret files never throw and never give an empty secret', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (file) => {
        const found = secretsIn(file);
        if (found.ok) expect(found.secrets.every((secret) => secret.length > 0)).toBe(true);
      }),
      RUNS,
    );
  });
});
