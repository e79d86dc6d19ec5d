/** What restic repositories are, and how they are reached. Secrets only by file. */
import { z } from 'zod';
import { absolutePath, duration, interfaceName } from './fields.ts';
import { mount } from './mount.ts';

/** A path for ssh, which takes its options apart at blanks. */
export const sshPath = absolutePath.regex(/^[^\s"'\\]*$/, 'ssh takes no blanks, quotes and backslashes here');

/** One entry of `repositories`. */
export const repository = z.strictObject({
  url: z
    .string()
    .min(1)
    .max(1_000)
    .describe('restic repository, as restic -r takes it; without a password in it'),
  password_file: absolutePath.describe("file with the repository's password"),
  environment_file: absolutePath
    .exactOptional()
    .describe('file with NAME=VALUE lines for restic (credentials of the storage)'),
  login: z
    .strictObject({
      username: z.string().min(1).max(200).describe('user of the REST server'),
      password_file: absolutePath.describe('file with the password of that user'),
    })
    .exactOptional()
    .describe('for rest: repositories'),
  s3: z
    .strictObject({
      access_key_id_file: absolutePath.describe('file with the access key id'),
      secret_access_key_file: absolutePath.describe('file with the secret access key'),
    })
    .exactOptional()
    .describe('for s3: repositories'),
  ssh: z
    .strictObject({
      key_file: sshPath.describe('private key, without passphrase'),
      known_hosts_file: sshPath.describe('the key that the server must show; no other is accepted'),
    })
    .exactOptional()
    .describe('for sftp: repositories'),
  mount: mount
    .exactOptional()
    .describe(
      'the disk on which it lies, mounted after connecting and unmounted before isolating; for a path',
    ),
  interface: interfaceName
    .exactOptional()
    .describe(
      'the network interface towards the vault; nothing is sent when its packets would leave by another one',
    ),
  append_only: z
    .boolean()
    .default(false)
    .describe(
      'its server lets nothing be deleted but locks: nothing is forgotten, pruned or repaired from here',
    ),
  recovery_point: duration(600_000)
    .exactOptional()
    .describe(
      'how old the newest good backup may get; told before it is older, when no window can come in time',
    ),
  rclone_config_file: absolutePath.exactOptional().describe('for rclone: repositories'),
  ca_file: absolutePath
    .exactOptional()
    .describe('PEM file with the certificate authority to trust instead of those of the system'),
  options: z
    .record(z.string().regex(/^[a-z0-9][a-z0-9.-]{0,99}$/, 'not a restic option name'), z.string().max(1_000))
    .default({})
    .describe('extended options, as restic -o NAME=VALUE takes them'),
});

/** One repository, parsed. */
export type RepositorySettings = z.output<typeof repository>;

/** What a repository's address says it is: `local` for a path, else restic's own word for the storage. */
export function storageOf(url: string): string {
  const scheme = /^([a-z0-9]+):/.exec(url)?.[1];
  return scheme === undefined || scheme === 'local' ? 'local' : scheme;
}

/** A file that a repository needs and that nobody else may read. */
export interface RepositorySecret {
  readonly keys: readonly string[];
  readonly file: string;
}

/** The files with secrets of one repository, by the keys that name them. */
export function repositorySecrets(settings: RepositorySettings): readonly RepositorySecret[] {
  const { login, s3, ssh } = settings;
  const named: readonly (readonly [readonly string[], string | undefined])[] = [
    [['password_file'], settings.password_file],
    [['environment_file'], settings.environment_file],
    [['login', 'password_file'], login?.password_file],
    [['s3', 'access_key_id_file'], s3?.access_key_id_file],
    [['s3', 'secret_access_key_file'], s3?.secret_access_key_file],
    [['ssh', 'key_file'], ssh?.key_file],
    [['rclone_config_file'], settings.rclone_config_file],
  ];
  return named.flatMap(([keys, file]) => (file === undefined ? [] : [{ keys, file }]));
}
