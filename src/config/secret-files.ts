/** Looks at the files that hold secrets. What they hold is never printed. */
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import type { Config } from './schema.ts';
import type { Listening } from './schema/listener.ts';
import { notifySecrets } from './schema/notify.ts';
import { repositorySecrets } from './schema/repositories.ts';
import { secretFileOf } from './schema/sources.ts';

/** A file with a secret, as found. */
export type SecretFile =
  | { readonly kind: 'unusable'; readonly why: string }
  | { readonly kind: 'read'; readonly worldReadable: boolean; readonly bytes: Uint8Array };

/** Longest file with a secret, bytes; whatever is longer is not one. */
export const MAX_SECRET_FILE_BYTES = 65_536;
const WORLD_READABLE = 0o004;

/** Which process asks: each may read only its own secrets; commands that only talk to a process need none. */
export type SecretsOf = 'interlock' | 'controller' | 'all' | 'none';

/** Paths of the files with secrets that `process` needs. */
export function secretPaths(config: Config, process: SecretsOf): readonly string[] {
  if (process === 'none') return [];
  const ofSources = Object.values(config.sources).flatMap(({ verify }) => secretFileOf(verify)?.file ?? []);
  const ofRepositories = Object.values(config.repositories).flatMap((repository) =>
    repositorySecrets(repository).map(({ file }) => file),
  );
  const ofSteps = Object.values(config.windows).flatMap(({ steps }) =>
    steps.flatMap((step) => ('backup' in step && step.backup.run_on ? [step.backup.run_on.key_file] : [])),
  );
  const ofGuards = Object.values(config.windows).flatMap(({ guards }) =>
    guards.flatMap((guard) => ('all_clear' in guard ? (guard.all_clear.token_file ?? []) : [])),
  );
  const ofBuses = Object.values(config.buses).flatMap((bus) => busSecrets(bus).map(({ file }) => file));
  const ofNotify = config.notify.flatMap((one) => notifySecrets(one).map(({ file }) => file));
  const ofListener = ({ tls }: Listening): readonly string[] =>
    [tls?.certificate_file, tls?.key_file, tls?.client_authority_file].flatMap((path) => path ?? []);
  const paths = [
    ...(process === 'controller' ? [] : [...ofSources, ...ofBuses, ...ofListener(config.interlock)]),
    ...(process === 'interlock'
      ? []
      : [...ofRepositories, ...ofSteps, ...ofGuards, ...ofNotify, ...ofListener(config.controller)]),
  ];
  return [...new Set(paths)];
}

/** A file with a secret by which a device is spoken to, and the keys of its bus that name it. */
export interface BusSecret {
  readonly keys: readonly string[];
  readonly file: string;
}

/** The files with secrets of one bus. */
export function busSecrets(bus: Config['buses'][string]): readonly BusSecret[] {
  const named = (group: string, holder: object): readonly BusSecret[] =>
    Object.entries(holder).flatMap(([key, file]: [string, unknown]) =>
      key.endsWith('_file') && typeof file === 'string' ? [{ keys: [group, key], file }] : [],
    );
  return [
    ...('login' in bus && bus.login !== undefined ? named('login', bus.login) : []),
    ...('credentials' in bus ? named('credentials', bus.credentials) : []),
  ];
}

const WHY: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EACCES: 'this user may not read it',
  EPERM: 'this user may not read it',
  EISDIR: 'it is a directory',
  ENOTDIR: 'a part of the path is not a directory',
  ELOOP: 'its symbolic links lead nowhere',
};

/** Reads one file. Never rejects; a pipe or device is not waited for. */
export async function inspectSecretFile(path: string): Promise<SecretFile> {
  try {
    const handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const facts = await handle.stat();
      if (facts.isDirectory()) return { kind: 'unusable', why: 'it is a directory' };
      if (!facts.isFile()) return { kind: 'unusable', why: 'it is not a regular file' };
      if (facts.size > MAX_SECRET_FILE_BYTES)
        return { kind: 'unusable', why: 'it is too long to be a secret' };
      const bytes = Buffer.alloc(MAX_SECRET_FILE_BYTES);
      const { bytesRead } = await handle.read(bytes, 0, bytes.length, 0);
      return {
        kind: 'read',
        worldReadable: (facts.mode & WORLD_READABLE) !== 0,
        bytes: bytes.subarray(0, bytesRead),
      };
    } finally {
      await handle.close();
    }
  } catch (failure) {
    const code = failure instanceof Error && 'code' in failure ? String(failure.code) : 'unknown';
    return { kind: 'unusable', why: WHY[code] ?? `reading it fails with ${code}` };
  }
}
