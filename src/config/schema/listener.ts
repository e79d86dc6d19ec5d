/** The part of the configuration that says where a process listens, with TLS or without. */
import { z } from 'zod';
import { absolutePath, listenAddress, type Endpoint } from './fields.ts';

/** Addresses of one process. */
const MAX_PLACES = 8;

const tls = z
  .union(
    [
      z.literal('device').transform((): TlsFiles => ({})),
      z.strictObject({
        certificate_file: absolutePath
          .exactOptional()
          .describe('PEM: the certificate, then those between it and its authority'),
        key_file: absolutePath.exactOptional().describe('PEM: its private key'),
        client_authority_file: absolutePath
          .exactOptional()
          .describe('PEM: authorities whose certificates are believed of clients'),
      }),
    ],
    'write device, or certificate_file and key_file',
  )
  .exactOptional()
  .describe(
    'TLS: `device` (the box makes a certificate for itself), or files; a changed file is taken without a restart',
  );

interface TlsFiles {
  certificate_file?: string;
  key_file?: string;
  client_authority_file?: string;
}

/** What every process that listens takes. */
export const listening = (port: number, what: string) => ({
  listen: z
    .union(
      [listenAddress, z.array(listenAddress).min(1).max(MAX_PLACES)],
      'write host:port, as in 127.0.0.1:8470 or [::1]:8470, or a list of such',
    )
    .transform((one): readonly Endpoint[] => (Array.isArray(one) ? one : [one]))
    .default([{ host: '127.0.0.1', port }])
    .describe(`where ${what} are listened for: host:port, or a list`),
  tls,
  plain_http: z
    .array(z.string().max(200))
    .max(MAX_PLACES)
    .default([])
    .describe('the sentence for each address that speaks HTTP without TLS off loopback; `check` says which'),
});

/** What must be written so that an address speaks HTTP without TLS. */
export const plainSentence = (host: string): string => `${host} carries secrets in the clear`;

/** A process that listens, as configured. */
export interface Listening {
  readonly listen: readonly Endpoint[];
  readonly tls?: TlsFiles;
  readonly plain_http: readonly string[];
}

/** Where it listens, and where with TLS. */
export function placesOf({ listen, tls: files, plain_http: plain }: Listening): readonly (Endpoint & {
  readonly secure: boolean;
})[] {
  return listen.map(({ host, port }) => ({
    host,
    port,
    secure: files !== undefined && !plain.includes(plainSentence(host)),
  }));
}
