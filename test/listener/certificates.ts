/** Certificates for tests, made by openssl in a folder of their own: an authority, what it signs, and what signs itself. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Paths of one certificate and its key. */
export interface Pair {
  readonly certificate: string;
  readonly key: string;
}

/** A folder with certificates; `end` removes it. */
export class Certificates {
  readonly directory = mkdtempSync(join(tmpdir(), 'portcullis-certificates-'));

  /** Self-signed; as an authority when `name` says so. */
  selfSigned(name: string, alternatives = 'IP:127.0.0.1'): Pair {
    const pair = this.#pair(name);
    const usage = name.includes('authority')
      ? ['-addext', 'keyUsage=critical,keyCertSign,cRLSign']
      : ['-addext', `subjectAltName=${alternatives}`];
    openssl('req', '-x509', ...EC, '-days', '2', '-subj', `/CN=${name}`, ...usage, ...outTo(pair));
    return pair;
  }

  /** Signed by `authority`. `subject` as openssl writes it: `/O=ops/CN=prometheus`. */
  signed(name: string, subject: string, authority: Pair): Pair {
    const pair = this.#pair(name);
    const request = join(this.directory, `${name}.csr`);
    openssl('req', '-new', ...EC, '-subj', subject, '-keyout', pair.key, '-out', request);
    const by = ['-CA', authority.certificate, '-CAkey', authority.key, '-set_serial', `0x${Date.now()}`];
    openssl('x509', '-req', '-in', request, ...by, '-days', '2', '-out', pair.certificate);
    return pair;
  }

  file(name: string, content: string | Uint8Array): string {
    const path = join(this.directory, name);
    writeFileSync(path, content);
    return path;
  }

  end(): void {
    rmSync(this.directory, { recursive: true, force: true });
  }

  #pair(name: string): Pair {
    return { certificate: join(this.directory, `${name}.crt`), key: join(this.directory, `${name}.key`) };
  }
}

const EC = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-noenc', '-sha256'];
const outTo = ({ certificate, key }: Pair): string[] => ['-keyout', key, '-out', certificate];

/** What openssl prints. */
export function openssl(...args: readonly string[]): string {
  return execFileSync('openssl', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}
