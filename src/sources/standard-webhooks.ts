/** Standard Webhooks 1.0.0: keys and signatures (github.com/standard-webhooks/standard-webhooks, spec/standard-webhooks.md). */
import { createHmac, createPublicKey, timingSafeEqual, verify, type KeyObject } from 'node:crypto';

const SYMMETRIC = 'whsec_';
const PUBLIC = 'whpk_';
const PRIVATE = 'whsk_';
/** The specification asks for 24 to 64; somewhat shorter keys are in use. */
const LEAST_KEY_BYTES = 16;
const ED25519_KEY_BYTES = 32;
const ED25519_SIGNATURE_BYTES = 64;
/** What stands before the 32 bytes of an Ed25519 key in SubjectPublicKeyInfo (RFC 8410). */
const ED25519_SPKI = Buffer.from('302a300506032b6570032100', 'hex');
/** More signatures than any rotation needs; each costs time. */
export const MAX_SIGNATURES = 16;

/** A key of a sender. */
export type SenderKey =
  | { readonly kind: 'symmetric'; readonly key: Uint8Array }
  | { readonly kind: 'asymmetric'; readonly key: KeyObject };

export type SenderKeyFound =
  | { readonly ok: true; readonly key: SenderKey }
  | { readonly ok: false; readonly why: string };

/** Bytes of canonical base64, or `null`. */
function base64Bytes(text: string): Uint8Array | null {
  const bytes = Buffer.from(text, 'base64');
  return bytes.length > 0 && bytes.toString('base64') === text ? bytes : null;
}

/** Reads `whsec_…` or `whpk_…`. The reason never quotes the secret. */
export function senderKey(secret: Uint8Array): SenderKeyFound {
  const text = Buffer.from(secret).toString('latin1');
  if (text.startsWith(PRIVATE)) {
    return {
      ok: false,
      why: 'it is the private key (whsk_…), which belongs to the sender; only whpk_… is needed here',
    };
  }
  const prefix = [SYMMETRIC, PUBLIC].find((candidate) => text.startsWith(candidate));
  if (prefix === undefined) return { ok: false, why: 'it begins with neither whsec_ nor whpk_' };
  const bytes = base64Bytes(text.slice(prefix.length));
  if (bytes === null) return { ok: false, why: `what follows ${prefix} is not base64` };
  if (prefix === SYMMETRIC) {
    if (bytes.length < LEAST_KEY_BYTES)
      return { ok: false, why: `the key is shorter than ${LEAST_KEY_BYTES} bytes` };
    return { ok: true, key: { kind: 'symmetric', key: bytes } };
  }
  if (bytes.length !== ED25519_KEY_BYTES)
    return { ok: false, why: `an Ed25519 key has ${ED25519_KEY_BYTES} bytes` };
  const key = createPublicKey({ key: Buffer.concat([ED25519_SPKI, bytes]), format: 'der', type: 'spki' });
  return { ok: true, key: { kind: 'asymmetric', key } };
}

/** True when any signature of a known version in `header` is one of `keys`' over `content`. Unknown versions are passed over. */
export function signatureVerifies(header: string, keys: readonly SenderKey[], content: Uint8Array): boolean {
  let verifies = false;
  for (const signature of header.split(' ').slice(0, MAX_SIGNATURES)) {
    const comma = signature.indexOf(',');
    const version = signature.slice(0, comma);
    const bytes = comma === -1 ? null : base64Bytes(signature.slice(comma + 1));
    if (bytes === null) continue;
    for (const { kind, key } of keys) {
      if (kind === 'symmetric' && version === 'v1') {
        const expected = createHmac('sha256', key).update(content).digest();
        if (bytes.length === expected.length && timingSafeEqual(bytes, expected)) verifies = true;
      }
      if (kind === 'asymmetric' && version === 'v1a' && bytes.length === ED25519_SIGNATURE_BYTES) {
        if (verify(null, content, key, bytes)) verifies = true;
      }
    }
  }
  return verifies;
}
