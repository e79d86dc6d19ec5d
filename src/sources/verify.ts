/**
 * Does a request come from the source that it claims to come from? Pure: no clock, no files, never throws.
 *
 * A signed time that is too old or too new verifies, with a note: this box may have a bad clock right after boot, and a
 * repeated cut is harmless while a cut that was ignored is not. Whoever listens cuts, and says "clock skew or replay".
 */
import { type HmacRule, SECONDS, timed, verifyHmac } from './hmac.ts';
import { type ClientCertificate, header, matchesOne, type SourceRequest } from './request.ts';
import { MAX_SIGNATURES, senderKey, signatureVerifies } from './standard-webhooks.ts';

export type { SourceRequest } from './request.ts';

/** How a source proves itself; the `verify` part of a source in the configuration has this shape. */
export type VerificationRule =
  | { readonly type: 'bearer' }
  | { readonly type: 'basic'; readonly username: string }
  /** The secret stands in a header of its own, small letters, after `prefix`. */
  | { readonly type: 'header'; readonly header: string; readonly prefix: string }
  | HmacRule
  /** `tolerance` in ms. */
  | { readonly type: 'standard-webhooks'; readonly tolerance: number }
  /** One of these certificates, or one with this subject from an authority that the listener trusts. */
  | {
      readonly type: 'mtls';
      /** 64 small hexadecimal digits each. */
      readonly fingerprints?: readonly string[];
      readonly subject?: Readonly<Record<string, string>>;
    }
  | { readonly type: 'path-secret' };

/** 0: secret in the URL. 1: secret in a header. 2: the body is signed, or the connection is. 3: body and time are signed. */
export type Tier = 0 | 1 | 2 | 3;

export type Verification =
  | {
      readonly ok: true;
      readonly tier: Tier;
      /** The signed time is out of tolerance, not a number of seconds, or may be another than the one that was signed: clock skew or replay. */
      readonly note?: 'stale-timestamp' | 'unreadable-timestamp' | 'ambiguous-signature';
    }
  | {
      readonly ok: false;
      /** For the journal; says nothing that helps to guess, quotes nothing. */
      readonly why: string;
    };

const BEARER = /^bearer +(\S+)$/i;
const BASIC = /^basic +(\S+)$/i;

const refused = (why: string): Verification => ({ ok: false, why });

/** What a request of such a source proves. */
export function tierOf(rule: VerificationRule): Tier {
  switch (rule.type) {
    case 'path-secret':
      return 0;
    case 'bearer':
    case 'basic':
    case 'header':
      return 1;
    case 'mtls':
      return 2;
    case 'hmac-sha256':
      return rule.timestamp === undefined ? 2 : 3;
    case 'standard-webhooks':
      return 3;
  }
}

/** Judges one request. `secrets`: one, or two while a secret is being replaced; for Standard Webhooks as the file spells them; none for mTLS. */
export function verify(
  rule: VerificationRule,
  secrets: readonly Uint8Array[],
  request: SourceRequest,
  nowUnixSeconds: number,
): Verification {
  if (rule.type === 'mtls') return verifyCertificate(rule, request.clientCertificate ?? null);
  const usable = secrets.filter((secret) => secret.length > 0);
  if (usable.length === 0) return refused('no secret is loaded for this source');
  switch (rule.type) {
    case 'bearer':
      return verifyBearer(usable, request);
    case 'basic':
      return verifyBasic(rule.username, usable, request);
    case 'header':
      return verifyHeader(rule, usable, request);
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

function verifyBearer(secrets: readonly Uint8Array[], request: SourceRequest): Verification {
  const authorization = header(request, 'authorization');
  if (!authorization.ok) return authorization;
  const token = BEARER.exec(authorization.value)?.[1];
  if (token === undefined) return refused('header authorization is not "Bearer TOKEN"');
  return matchesOne(Buffer.from(token, 'latin1'), secrets) ? { ok: true, tier: 1 } : refused('wrong token');
}

function verifyBasic(username: string, secrets: readonly Uint8Array[], request: SourceRequest): Verification {
  const authorization = header(request, 'authorization');
  if (!authorization.ok) return authorization;
  const given = BASIC.exec(authorization.value)?.[1];
  if (given === undefined) return refused('header authorization is not "Basic CREDENTIALS"');
  const pairs = secrets.map((secret) => Buffer.concat([Buffer.from(`${username}:`), secret]));
  return matchesOne(Buffer.from(given, 'base64'), pairs)
    ? { ok: true, tier: 1 }
    : refused('wrong user name or password');
}

function verifyHeader(
  rule: Extract<VerificationRule, { type: 'header' }>,
  secrets: readonly Uint8Array[],
  request: SourceRequest,
): Verification {
  const found = header(request, rule.header);
  if (!found.ok) return found;
  if (!found.value.startsWith(rule.prefix))
    return refused(`header ${rule.header} does not begin with the configured prefix`);
  return matchesOne(Buffer.from(found.value.slice(rule.prefix.length), 'latin1'), secrets)
    ? { ok: true, tier: 1 }
    : refused(`wrong secret in header ${rule.header}`);
}

function verifyCertificate(
  { fingerprints, subject }: Extract<VerificationRule, { type: 'mtls' }>,
  certificate: ClientCertificate | null,
): Verification {
  if (certificate === null) return refused('the sender showed no client certificate');
  if (fingerprints?.includes(certificate.fingerprint) === true) return { ok: true, tier: 2 };
  if (subject === undefined) return refused('another client certificate');
  if (!certificate.trusted) return refused('the client certificate is of no authority that this box trusts');
  const wanted = Object.entries(subject);
  const same = wanted.every(
    ([name, value]) => Object.hasOwn(certificate.subject, name) && certificate.subject[name] === value,
  );
  return same && wanted.length > 0
    ? { ok: true, tier: 2 }
    : refused('a client certificate with another subject');
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
  // With a full stop in the id, an old message can be divided anew around a number that somebody wrote into its body.
  if (id.value.includes('.')) return { ok: true, tier: 3, note: 'ambiguous-signature' };
  return timed(time.value, toleranceMs, nowUnixSeconds);
}
