/** A request as verification sees it. Pure. */
import { hash, timingSafeEqual } from 'node:crypto';

/** The certificate that the sender showed in the TLS handshake, and whose key it proved to hold. */
export interface ClientCertificate {
  /** SHA-256 of the certificate (DER), 64 small hexadecimal digits. */
  readonly fingerprint: string;
  /** Its subject by attribute (`CN`, `O`, …), as Node's `getPeerCertificate()` gives it. */
  readonly subject: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** Its chain ends at a certificate authority that the listener was given, and it is valid now. */
  readonly trusted: boolean;
}

export interface SourceRequest {
  /** Names in small letters. Give Node's `headersDistinct`: `headers` hides a repeated header. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** Exactly as received, before any decoding. */
  readonly rawBody: Uint8Array;
  /** From `/trip/{source}/{secret}`, percent-decoded; `null` when the path has none. */
  readonly pathSecret: string | null;
  /** Absent or `null` without TLS, and when the sender showed none. */
  readonly clientCertificate?: ClientCertificate | null;
}

export type HeaderFound =
  | { readonly ok: true; readonly value: string }
  | { readonly ok: false; readonly why: string };

/** The only value of a header. `name` in small letters. */
export function header(request: SourceRequest, name: string): HeaderFound {
  const value = Object.hasOwn(request.headers, name) ? request.headers[name] : undefined;
  const values = value === undefined || typeof value === 'string' ? [value] : value;
  if (values.length > 1) return { ok: false, why: `header ${name} is there ${values.length} times` };
  const [only] = values;
  return only === undefined || only === ''
    ? { ok: false, why: `header ${name} is missing` }
    : { ok: true, value: only };
}

/** Compares digests, so that neither content nor length of a secret shows in the time it takes. */
export function matchesOne(given: Uint8Array, secrets: readonly Uint8Array[]): boolean {
  const digest = hash('sha256', given, 'buffer');
  let matches = false;
  for (const secret of secrets) {
    if (timingSafeEqual(hash('sha256', secret, 'buffer'), digest)) matches = true;
  }
  return matches;
}
