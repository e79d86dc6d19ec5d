/**
 * Does a request come from the source that it claims to come from? Pure: no clock, no files, never throws.
 *
 * A signed time that is too old or too new verifies, with a note: this box may have a bad clock right after boot, and a
 * repeated cut is harmless while a cut that was ignored is not. Whoever listens cuts, and says "clock skew or replay".
 */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { MAX_SIGNATURES, senderKey, signatureVerifies } from './standard-webhooks.ts';

/** A time that the sender signs together with the body. */
export interface SignedTime {
  /** Small letters. */
  readonly header: string;
  /** ms. */
  readonly tolerance: number;
  /** What is signed, with `{timestamp}` and `{body}` once each. */
  readonly signed: string;
}

/** How a source proves itself; the `verify` part of a source in the configuration has this shape. */
export type VerificationRule =
  | { readonly type: 'bearer' }
  | {
      readonly type: 'hmac-sha256';
      /** Small letters. */
      readonly header: string;
      readonly prefix: string;
      readonly encoding: 'hex' | 'base64';
      readonly timestamp?: SignedTime;
    }
  /** `tolerance` in ms. */
  | { readonly type: 'standard-webhooks'; readonly tolerance: number }
  | { readonly type: 'path-secret' };

export interface SourceRequest {
  /** Names in small letters. Give Node's `headersDistinct`: `headers` hides a repeated header. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** Exactly as received, before any decoding. */
  readonly rawBody: Uint8Array;
  /** From `/trip/{source}/{secret}`, percent-decoded; `null` when the path has none. */
  readonly pathSecret: string | null;
}

/** 0: secret in the URL. 1: secret in a header. 2: the body is signed. 3: body and time are signed. */
export type Tier = 0 | 1 | 2 | 3;

export type Verification =
  | {
      readonly ok: true;
      readonly tier: Tier;
      /** The signed time is out of tolerance, or not a number of seconds: clock skew or replay. */
      readonly note?: 'stale-timestamp' | 'unreadable-timestamp';
    }
  | {
      readonly ok: false;
      /** For the journal; says nothing that helps to guess, quotes nothing. */
      readonly why: string;
    };

const SECONDS = /^\d{1,15}$/;
const BEARER = /^bearer +(\S+)$/i;

const refused = (why: string): Verification => ({ ok: false, why });

/** Judges one request. `secrets`: one, or two while a secret is being replaced; for Standard Webhooks as the file spells them. */
export function verify(
  rule: VerificationRule,
  secrets: readonly Uint8Array[],
  request: SourceRequest,
  nowUnixSeconds: number,
): Verification {
  const usable = secrets.filter((secret) => secret.length > 0);
  if (usable.length === 0) return refused('no secret is loaded for this source');
  switch (rule.type) {
    case 'bearer':
      return verifyBearer(usable, request);
    case 'hmac-sha256':
      return verifyHmac(rule, usable, request, nowUnixSeconds);
    case 'standard-webhooks':
      return verifyStandard(rule.tolerance, usable, request, nowUnixSeconds);
    case 'path-secret':
      if (request.pathSecret === null) return refused('no secret in the path');
      return matchesOne(Buffer.from(request.pathSecret), usable)
        ? { ok: true, tier: 0 }
        : refused('wrong secret in the path');
  }
}

type HeaderFound =
  | { readonly ok: true; readonly value: string }
  | { readonly ok: false; readonly why: string };

function header(request: SourceRequest, name: string): HeaderFound {
  const value = Object.hasOwn(request.headers, name) ? request.headers[name] : undefined;
  const values = value === undefined || typeof value === 'string' ? [value] : value;
  if (values.length > 1) return { ok: false, why: `header ${name} is there ${values.length} times` };
  const [only] = values;
  return only === undefined || only === ''
    ? { ok: false, why: `header ${name} is missing` }
    : { ok: true, value: only };
}

/** Compares digests, so that neither content nor length of a secret shows in the time it takes. */
function matchesOne(given: Uint8Array, secrets: readonly Uint8Array[]): boolean {
  const digest = createHash('sha256').update(given).digest();
  let matches = false;
  for (const secret of secrets) {
    if (timingSafeEqual(createHash('sha256').update(secret).digest(), digest)) matches = true;
  }
  return matches;
}

function verifyBearer(secrets: readonly Uint8Array[], request: SourceRequest): Verification {
  const authorization = header(request, 'authorization');
  if (!authorization.ok) return authorization;
  const token = BEARER.exec(authorization.value)?.[1];
  if (token === undefined) return refused('header authorization is not "Bearer TOKEN"');
  return matchesOne(Buffer.from(token, 'latin1'), secrets) ? { ok: true, tier: 1 } : refused('wrong token');
}

function verifyHmac(
  rule: Extract<VerificationRule, { type: 'hmac-sha256' }>,
  secrets: readonly Uint8Array[],
  request: SourceRequest,
  nowUnixSeconds: number,
): Verification {
  const signature = header(request, rule.header);
  if (!signature.ok) return signature;
  // Some senders list several signatures while they replace a key.
  const listed = signature.value.split(',').map((text) => text.trim());
  if (listed.length > MAX_SIGNATURES) return refused(`header ${rule.header} holds too many signatures`);
  const given = listed
    .filter((text) => text.startsWith(rule.prefix))
    .map((text) => text.slice(rule.prefix.length));
  if (given.length === 0) return refused(`header ${rule.header} does not begin with the configured prefix`);

  if (rule.timestamp === undefined) {
    return signs(given, rule.encoding, secrets, [request.rawBody])
      ? { ok: true, tier: 2 }
      : refused('wrong signature');
  }
  const time = header(request, rule.timestamp.header);
  if (!time.ok) return time;
  const content = signedContent(rule.timestamp.signed, time.value, request.rawBody);
  if (!signs(given, rule.encoding, secrets, content)) return refused('wrong signature');
  return timed(time.value, rule.timestamp.tolerance, nowUnixSeconds);
}

/** The parts of the signed text in order; header values are bytes, which Node shows as Latin-1. */
function signedContent(template: string, timestamp: string, body: Uint8Array): readonly Uint8Array[] {
  return template.split(/(\{timestamp\}|\{body\})/).map((part) => {
    if (part === '{timestamp}') return Buffer.from(timestamp, 'latin1');
    return part === '{body}' ? body : Buffer.from(part);
  });
}

/** Compares as text, so that only one spelling of a signature is right; hexadecimal may be all small or all capital. */
function signs(
  given: readonly string[],
  encoding: 'hex' | 'base64',
  secrets: readonly Uint8Array[],
  content: readonly Uint8Array[],
): boolean {
  let verifies = false;
  for (const secret of secrets) {
    const mac = createHmac('sha256', secret);
    for (const part of content) mac.update(part);
    const expected = Buffer.from(mac.digest(encoding));
    for (const text of given) {
      const plain = encoding === 'hex' && /^[0-9A-F]*$/.test(text) ? text.toLowerCase() : text;
      const bytes = Buffer.from(plain);
      if (bytes.length === expected.length && timingSafeEqual(bytes, expected)) verifies = true;
    }
  }
  return verifies;
}

function verifyStandard(
  toleranceMs: number,
  secrets: readonly Uint8Array[],
  request: SourceRequest,
  nowUnixSeconds: number,
): Verification {
  const id = header(request, 'webhook-id');
  const time = header(request, 'webhook-timestamp');
  const signature = header(request, 'webhook-signature');
  if (!id.ok) return id;
  if (!time.ok) return time;
  if (!signature.ok) return signature;
  // A full stop in the time would let the parts of the signed text be divided anew.
  if (!SECONDS.test(time.value)) return refused('header webhook-timestamp is not a number of seconds');
  if (signature.value.split(' ').length > MAX_SIGNATURES)
    return refused('header webhook-signature holds too many signatures');
  const keys = secrets.map(senderKey).flatMap((found) => (found.ok ? [found.key] : []));
  if (keys.length === 0) return refused('the secret of this source is neither whsec_… nor whpk_…');
  const content = Buffer.concat([Buffer.from(`${id.value}.${time.value}.`, 'latin1'), request.rawBody]);
  if (!signatureVerifies(signature.value, keys, content)) return refused('wrong signature');
  return timed(time.value, toleranceMs, nowUnixSeconds);
}

function timed(timestamp: string, toleranceMs: number, nowUnixSeconds: number): Verification {
  if (!SECONDS.test(timestamp)) return { ok: true, tier: 3, note: 'unreadable-timestamp' };
  const apartMs = Math.abs(nowUnixSeconds - Number(timestamp)) * 1_000;
  // A clock that is not a number is out of tolerance, too.
  return apartMs <= toleranceMs ? { ok: true, tier: 3 } : { ok: true, tier: 3, note: 'stale-timestamp' };
}
