/**
 * The certificate that a box makes for itself when it has no other: self-signed, ECDSA P-256, made once by Debian's
 * openssl. It proves nothing about who made it; whoever connects compares its fingerprint with what the box prints.
 */
import { execFile } from 'node:child_process';
import { access, mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { hostname, networkInterfaces } from 'node:os';
import { isIP } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** Folder of the state directory that holds it. */
export const DEVICE_DIRECTORY = 'tls';
const CERTIFICATE = 'device.crt';
const KEY = 'device.key';
/** A hundred years: a box that boots with its clock in 1970 makes a certificate that is still valid today. */
const VALID_DAYS = 36_500;
/** openssl needs milliseconds; a small box that waits for entropy needs seconds. */
const OPENSSL_TIMEOUT_MS = 30_000;
const HOST_NAME = /^[A-Za-z0-9]([A-Za-z0-9.-]{0,61}[A-Za-z0-9])?$/;

const run = promisify(execFile);

/** Certificate and key of this box could not be made; nothing was changed. */
export class DeviceCertificateError extends Error {
  override readonly name = 'DeviceCertificateError';
  readonly hint = 'apt-get install openssl, or name files under `tls` in the configuration';
}

/** Paths of certificate and key in `stateDirectory`; makes them when there are none. `hosts`: what it listens on. */
export async function deviceCertificate(
  stateDirectory: string,
  hosts: readonly string[],
): Promise<{ readonly certificate: string; readonly key: string }> {
  const directory = join(stateDirectory, DEVICE_DIRECTORY);
  const made = { certificate: join(directory, CERTIFICATE), key: join(directory, KEY) };
  if (await exists(directory)) return made;
  await mkdir(stateDirectory, { recursive: true });
  const fresh = await mkdtemp(`${directory}.new-`);
  try {
    await make(fresh, hosts);
    // Both or neither: the folder appears with its whole content.
    await rename(fresh, directory);
  } catch (error) {
    await rm(fresh, { recursive: true, force: true });
    if (await exists(directory)) return made;
    const why = error instanceof Error ? error.message.split('\n', 1)[0] : 'unknown';
    throw new DeviceCertificateError(`cannot make a certificate in ${directory}: ${why}`, { cause: error });
  }
  return made;
}

async function make(directory: string, hosts: readonly string[]): Promise<void> {
  const settings = join(directory, 'openssl.cnf');
  await writeFile(settings, settingsFor(hosts), { mode: 0o600 });
  const key = join(directory, KEY);
  const args = ['req', '-x509', '-config', settings, '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256'];
  const files = ['-noenc', '-sha256', '-days', String(VALID_DAYS)];
  // openssl itself makes the key file with mode 0600, in a folder that only we can enter.
  await run('openssl', [...args, ...files, '-keyout', key, '-out', join(directory, CERTIFICATE)], {
    timeout: OPENSSL_TIMEOUT_MS,
  });
  await rm(settings);
}

/** All that openssl is told; the system's own openssl.cnf plays no part. */
function settingsFor(hosts: readonly string[]): string {
  const own = HOST_NAME.test(hostname()) ? hostname() : 'portcullis';
  const addresses = Object.values(networkInterfaces()).flatMap((of) =>
    (of ?? []).map(({ address }) => address),
  );
  const names = [own, 'localhost', ...hosts.filter((host) => isIP(host) === 0 && HOST_NAME.test(host))];
  const numbers = [...addresses, ...hosts, '127.0.0.1', '::1']
    .map((address) => address.split('%', 1)[0] ?? '')
    .filter((address) => isIP(address) !== 0 && address !== '0.0.0.0' && address !== '::');
  const alternatives = [
    ...new Set([...names.map((name) => `DNS:${name}`), ...numbers.map((address) => `IP:${address}`)]),
  ];
  return [
    '[req]',
    'prompt = no',
    'distinguished_name = name',
    'x509_extensions = extensions',
    '[name]',
    `CN = ${own}`,
    '[extensions]',
    'basicConstraints = critical, CA:FALSE',
    'keyUsage = critical, digitalSignature',
    'extendedKeyUsage = serverAuth',
    `subjectAltName = ${alternatives.join(', ')}`,
    '',
  ].join('\n');
}

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );
