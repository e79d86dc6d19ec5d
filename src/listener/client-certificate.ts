/** The certificate that a sender showed, as those who judge it want it. */
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import { PacedSocket } from './paced-socket.ts';

/** What `verify` of a source with `type: mtls` compares. */
export interface ShownCertificate {
  /** SHA-256 of the certificate (DER), 64 small hexadecimal digits. */
  readonly fingerprint: string;
  readonly subject: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** Its chain ends at an authority that the listener was given, and it is valid now. */
  readonly trusted: boolean;
}

/** The certificate of the handshake; `null` without TLS, and when none was shown. */
export function shownCertificate(request: IncomingMessage): ShownCertificate | null {
  const socket = beneath(request);
  if (!isSecure(socket)) return null;
  // Node's types say that there is one; without one it is an empty object.
  const { fingerprint256, subject } = socket.getPeerCertificate() as Partial<
    ReturnType<TLSSocket['getPeerCertificate']>
  >;
  if (fingerprint256 === undefined) return null;
  const fingerprint = fingerprint256.replaceAll(':', '').toLowerCase();
  return { fingerprint, subject: { ...subject }, trusted: socket.authorized };
}

/** True when the request came over TLS to this very listener. */
export const cameOverTls = (request: IncomingMessage): boolean => isSecure(beneath(request));

function beneath(request: IncomingMessage): Duplex {
  const onTop: Duplex = request.socket;
  return onTop instanceof PacedSocket ? onTop.beneath : onTop;
}

/** Without loading TLS where nobody uses it. */
const isSecure = (socket: Duplex): socket is TLSSocket => 'getPeerCertificate' in socket;
