/** HMAC-SHA256 of a body in a header, with or without a signed time. Pure. */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { header, type SourceRequest } from './request.ts';
import { MAX_SIGNATURES } from './standard-webhooks.ts';
import type { Verification } from './verify.ts';

/** A time that the sender signs together with the body. */
export interface SignedTime {
  /** Small letters. May be the header of the signature when `prefix` is given. */
  readonly header: string;
  /** Set when the time is one part of a list, as in `t=1492774577,v1=…`: what stands before it. */
  readonly prefix?: string;
  /** ms. */
  readonly tolerance: number;
  /** What is signed, with `{timestamp}` and `{body}` once each. */
  readonly signed: string;
}

/** How the signature of a source is made and where it stands. */
export interface HmacRule {
  readonly type: 'hmac-sha256';
  /** Small letters. */
  readonly header: string;
  readonly prefix: string;
  readonly encoding: 'hex' | 'base64';
  readonly timestamp?: SignedTime;
}

/** How a signed time is written. */
export const SECONDS = /^\d{1,15}$/;

const refused = (why: string): Verification => ({ ok: false, why });

/** Judges a signed request. */
export function verifyHmac(
  rule: HmacRule,
  secrets: readonly Uint8Array[],
  request: SourceRequest,
  nowUnixSeconds: number,
): Verification {
  const signature = header(request, rule.header);
  if (!signature.ok) return signature;
  // Some senders list several signatures while they replace a key.
  const listed = parts(signature.value);
  if (listed.length > MAX_SIGNATURES) return refused(`header ${rule.header} holds too many signatures`);
  const given = withPrefix(listed, rule.prefix);
  if (given.length === 0) return refused(`header ${rule.header} does not begin with the configured prefix`);

  if (rule.timestamp === undefined) {
    return signs(given, rule.encoding, secrets, [request.rawBody])
      ? { ok: true, tier: 2 }
      : refused('wrong signature');
  }
  const time = timeOf(rule.timestamp, request);
  if (!time.ok) return time;
  const content = signedContent(rule.timestamp.signed, time.value, request.rawBody);
  if (!signs(given, rule.encoding, secrets, content)) return refused('wrong signature');
  return timed(time.value, rule.timestamp.tolerance, nowUnixSeconds);
}

const parts = (value: string): readonly string[] => value.split(',').map((text) => text.trim());
const withPrefix = (listed: readonly string[], prefix: string): readonly string[] =>
  listed.filter((text) => text.startsWith(prefix)).map((text) => text.slice(prefix.length));

/** The signed time of a request, as it is written there. */
export function timeOf(rule: SignedTime, request: SourceRequest): ReturnType<typeof header> {
  const time = header(request, rule.header);
  if (!time.ok || rule.prefix === undefined) return time;
  const given = withPrefix(parts(time.value), rule.prefix);
  const [only] = given;
  return only === undefined || given.length > 1
    ? { ok: false, why: `header ${rule.header} holds ${given.length} times` }
    : { ok: true, value: only };
}

/** The parts of the signed text in order; header values are bytes, which Node shows as Latin-1. */
export function signedContent(template: string, timestamp: string, body: Uint8Array): readonly Uint8Array[] {
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

/** A signed time that is out of tolerance verifies, with a note. */
export function timed(timestamp: string, toleranceMs: number, nowUnixSeconds: number): Verification {
  if (!SECONDS.test(timestamp)) return { ok: true, tier: 3, note: 'unreadable-timestamp' };
  const apartMs = Math.abs(nowUnixSeconds - Number(timestamp)) * 1_000;
  // A clock that is not a number is out of tolerance, too.
  return apartMs <= toleranceMs ? { ok: true, tier: 3 } : { ok: true, tier: 3, note: 'stale-timestamp' };
}
