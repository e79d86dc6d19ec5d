/** The certificate of a listener, its key, and the authority of its clients: read, and seen to belong together. */
import { createPrivateKey, X509Certificate } from 'node:crypto';

/** Longest file with certificates or a key, bytes. */
export const MAX_CERTIFICATE_FILE_BYTES = 65_536;

/** What the files hold. */
export interface CertificateBytes {
  /** PEM: the certificate of the listener first, then those between it and its authority. */
  readonly certificate: Uint8Array;
  /** PEM. */
  readonly key: Uint8Array;
  /** PEM: certificates of authorities; `null` when clients show none, or are known by fingerprint. */
  readonly clientAuthority: Uint8Array | null;
}

/** A certificate that a listener can show. */
export interface ServerCertificate {
  readonly cert: Buffer;
  readonly key: Buffer;
  /** Empty: no authority is trusted, not even those that the system trusts. */
  readonly ca: readonly Buffer[];
  /** SHA-256 of the certificate (DER), as `openssl x509 -fingerprint -sha256` prints it. */
  readonly fingerprint: string;
  /** Until when it is valid, ISO 8601. */
  readonly validUntil: string;
}

export type CertificateRead =
  | { readonly ok: true; readonly certificate: ServerCertificate }
  | { readonly ok: false; readonly part: keyof CertificateBytes; readonly why: string };

/** Reads a certificate with its key. Never throws; quotes nothing of the key. */
export function readCertificate({ certificate, key, clientAuthority }: CertificateBytes): CertificateRead {
  const x509 = attempt(() => new X509Certificate(certificate));
  if (x509 === null) return { ok: false, part: 'certificate', why: 'it holds no certificate in PEM' };
  const privateKey = attempt(() => createPrivateKey(Buffer.from(key)));
  if (privateKey === null)
    return { ok: false, part: 'key', why: 'it holds no private key in PEM without a passphrase' };
  if (!x509.checkPrivateKey(privateKey))
    return { ok: false, part: 'key', why: 'it is not the key of the certificate' };
  if (clientAuthority !== null && !holdsCertificate(clientAuthority))
    return { ok: false, part: 'clientAuthority', why: 'it holds no certificate in PEM' };
  const read = {
    cert: Buffer.from(certificate),
    key: Buffer.from(key),
    ca: clientAuthority === null ? [] : [Buffer.from(clientAuthority)],
  };
  // Loaded here: most configurations have no TLS, and every command reads a configuration.
  const { createSecureContext } = process.getBuiltinModule('node:tls');
  if (attempt(() => createSecureContext(read)) === null)
    return { ok: false, part: 'certificate', why: 'OpenSSL takes it for no server certificate' };
  const validUntil = new Date(x509.validTo).toISOString();
  return { ok: true, certificate: { ...read, fingerprint: x509.fingerprint256, validUntil } };
}

/** The file begins with a certificate in PEM that can be read. */
export const holdsCertificate = (pem: Uint8Array): boolean =>
  attempt(() => new X509Certificate(pem)) !== null;

/** `null` instead of an error: what OpenSSL says of a garbled file helps nobody, and might quote it. */
function attempt<Value>(read: () => Value): Value | null {
  try {
    return read();
  } catch {
    return null;
  }
}
