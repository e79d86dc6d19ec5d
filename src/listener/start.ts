/** Starts a listener as the configuration says it: places, certificate with its watch, client authority. */
import { CertificateWatch, marksOf, readFiles, type CertificateFiles } from './certificate-watch.ts';
import type { ServerCertificate } from './certificate.ts';
import { deviceCertificate } from './device-certificate.ts';
import { hostInUrl, type Listener, type Place } from './listener.ts';

/** The `tls` part of the configuration; without files the box makes a certificate for itself. */
export interface TlsSettings {
  readonly certificate_file?: string;
  readonly key_file?: string;
  readonly client_authority_file?: string;
}

/** What is listened for, and where. */
export interface ListenerSettings {
  readonly places: readonly Place[];
  readonly tls: TlsSettings | null;
  /** Where a certificate that the box made is kept. */
  readonly stateDirectory: string;
}

/** What becomes of certificates, for the record. */
export type CertificateNote =
  | {
      readonly kind: 'shown' | 'renewed';
      readonly file: string;
      readonly fingerprint: string;
      readonly validUntil: string;
    }
  /** The certificate before stays. */
  | { readonly kind: 'refused'; readonly file: string; readonly why: string };

/** A listener that listens. */
export interface RunningListener {
  /** One for each place, as `https://host:port`. */
  readonly urls: readonly string[];
  readonly places: readonly Place[];
  /** SHA-256 of the certificate it began with; `null` without TLS. */
  readonly fingerprint: string | null;
  close(): Promise<void>;
}

/** What a configured certificate lacks. */
export class CertificateError extends Error {
  override readonly name = 'CertificateError';
  readonly hint = '`portcullis check` says more; a listener without its certificate does not start';
}

/** Starts it. Rejects when a place is taken or the certificate cannot be used. */
export async function startListener(
  listener: Listener,
  { places, tls, stateDirectory }: ListenerSettings,
  noted: (note: CertificateNote) => void,
): Promise<RunningListener> {
  if (tls === null || places.every(({ secure }) => !secure))
    return running(listener, await listener.listen(places));
  const files = await filesOf(tls, stateDirectory, places);
  const seen = await marksOf(files);
  const read = await readFiles(files);
  if (!read.ok) throw new CertificateError(`${files[read.part] ?? read.part}: ${read.why}`);
  const { certificate } = read;
  const tell = (kind: 'shown' | 'renewed', { fingerprint, validUntil }: ServerCertificate): void =>
    noted({ kind, file: files.certificate, fingerprint, validUntil });
  const watch = new CertificateWatch(
    files,
    { certificate, seen },
    (fresh) => {
      listener.renew(fresh);
      tell('renewed', fresh);
    },
    (file, why) => noted({ kind: 'refused', file, why }),
  );
  const found = await listener.listen(places, certificate);
  tell('shown', certificate);
  watch.start();
  return running(listener, found, certificate, watch);
}

async function filesOf(
  { certificate_file, key_file, client_authority_file }: TlsSettings,
  stateDirectory: string,
  places: readonly Place[],
): Promise<CertificateFiles> {
  const clientAuthority = client_authority_file ?? null;
  if (certificate_file !== undefined && key_file !== undefined)
    return { certificate: certificate_file, key: key_file, clientAuthority };
  const made = await deviceCertificate(
    stateDirectory,
    places.map(({ host }) => host),
  );
  return { ...made, clientAuthority };
}

const running = (
  listener: Listener,
  places: readonly Place[],
  certificate: ServerCertificate | null = null,
  watch: CertificateWatch | null = null,
): RunningListener => ({
  places,
  urls: places.map(({ host, port, secure }) => `${secure ? 'https' : 'http'}://${hostInUrl(host)}:${port}`),
  fingerprint: certificate?.fingerprint ?? null,
  async close() {
    watch?.stop();
    await listener.close();
  },
});
