/**
 * Takes a certificate that changes on disk without a restart. A pair that does not parse, or is half written, changes
 * nothing: the listener goes on with what it has, and says so when it is still so at the next look.
 */
import { open, stat } from 'node:fs/promises';
import {
  MAX_CERTIFICATE_FILE_BYTES,
  readCertificate,
  type CertificateRead,
  type ServerCertificate,
} from './certificate.ts';

/** How often the files are looked at, ms. */
export const LOOK_EVERY_MS = 3_000;

/** Where the parts stand. */
export interface CertificateFiles {
  readonly certificate: string;
  readonly key: string;
  readonly clientAuthority: string | null;
}

/** Reads the files; what is missing or too long is a reason, not an error. */
export async function readFiles(files: CertificateFiles): Promise<CertificateRead> {
  const parts = ['certificate', 'key', 'clientAuthority'] as const;
  const bytes = new Map<(typeof parts)[number], Uint8Array>();
  for (const part of parts) {
    const path = files[part];
    if (path === null) continue;
    const read = await readBounded(path);
    if (typeof read === 'string') return { ok: false, part, why: read };
    bytes.set(part, read);
  }
  return readCertificate({
    certificate: bytes.get('certificate') ?? Buffer.alloc(0),
    key: bytes.get('key') ?? Buffer.alloc(0),
    clientAuthority: bytes.get('clientAuthority') ?? null,
  });
}

async function readBounded(path: string): Promise<Uint8Array | string> {
  try {
    const handle = await open(path);
    try {
      const bytes = Buffer.alloc(MAX_CERTIFICATE_FILE_BYTES + 1);
      const { bytesRead } = await handle.read(bytes, 0, bytes.length, 0);
      return bytesRead > MAX_CERTIFICATE_FILE_BYTES
        ? `it is longer than ${MAX_CERTIFICATE_FILE_BYTES} bytes`
        : bytes.subarray(0, bytesRead);
    } finally {
      await handle.close();
    }
  } catch (error) {
    return `reading it fails with ${error instanceof Error && 'code' in error ? String(error.code) : 'an error'}`;
  }
}

/** Looks at the files now and then. */
export class CertificateWatch {
  readonly #files: CertificateFiles;
  readonly #taken: (certificate: ServerCertificate) => void;
  readonly #refused: (file: string, why: string) => void;
  #fingerprint: string;
  #seen: string;
  /** What was wrong at the last look, and what was already said of it. */
  #wrong = '';
  #said = '';
  #timer: NodeJS.Timeout | null = null;

  /** `now` was read when the files looked like `seen` (`marksOf`). */
  constructor(
    files: CertificateFiles,
    now: { readonly certificate: ServerCertificate; readonly seen: string },
    taken: (certificate: ServerCertificate) => void,
    refused: (file: string, why: string) => void,
  ) {
    this.#files = files;
    this.#fingerprint = identityOf(now.certificate);
    this.#seen = now.seen;
    this.#taken = taken;
    this.#refused = refused;
  }

  /** Begins to look. */
  start(everyMs: number = LOOK_EVERY_MS): void {
    let isLooking = false;
    this.#timer = setInterval(() => {
      if (isLooking) return;
      isLooking = true;
      void this.look().finally(() => {
        isLooking = false;
      });
    }, everyMs);
    this.#timer.unref();
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
  }

  /** One look. Never rejects. */
  async look(): Promise<void> {
    // The marks first: what changes while we read is seen at the next look.
    const seen = await marksOf(this.#files);
    if (seen === this.#seen && this.#wrong === '') return;
    const read = await readFiles(this.#files);
    if (read.ok) {
      this.#seen = seen;
      this.#wrong = '';
      this.#said = '';
      const identity = identityOf(read.certificate);
      if (identity === this.#fingerprint) return;
      this.#fingerprint = identity;
      this.#taken(read.certificate);
      return;
    }
    const file = this.#files[read.part] ?? '';
    const wrong = `${seen} ${file}: ${read.why}`;
    if (wrong === this.#wrong && wrong !== this.#said) {
      this.#said = wrong;
      this.#refused(file, read.why);
    }
    this.#seen = seen;
    this.#wrong = wrong;
  }
}

const identityOf = ({ cert, key, ca }: ServerCertificate): string =>
  Buffer.concat([cert, key, ...ca]).toString('base64');

/** What tells that a file was changed: its inode, size and time. Never rejects. */
export async function marksOf(files: CertificateFiles): Promise<string> {
  const marks = [files.certificate, files.key, files.clientAuthority].map(async (path) => {
    if (path === null) return '';
    const facts = await stat(path, { bigint: true }).catch(() => null);
    return facts === null ? 'missing' : `${facts.ino}:${facts.size}:${facts.mtimeNs}`;
  });
  return (await Promise.all(marks)).join(' ');
}
