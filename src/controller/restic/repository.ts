/**
 * A repository as restic is told of it: environment and options. Secrets are read from their files for each call and travel in
 * the environment only, which nobody but the same user and root can read; never in arguments. What restic says is searched for them
 * before it goes anywhere (`redacted`).
 */
import { readFile } from 'node:fs/promises';
import type { RepositorySettings } from '../../config/schema/repositories.ts';
import { storageOf } from '../../config/schema/repositories.ts';
import { ControllerFault } from '../fault.ts';

/** A repository as configured. */
export interface Repository {
  readonly name: string;
  readonly settings: RepositorySettings;
}

/** What a restic child is given, and what of it must never be seen. */
export interface Access {
  readonly env: Readonly<Record<string, string>>;
  readonly options: Readonly<Record<string, string>>;
  readonly args: readonly string[];
  readonly secrets: readonly string[];
}

const WITHOUT_SECRETS: Access = { env: {}, options: {}, args: [], secrets: [] };
/** Names of variables whose values are never shown. */
const SECRET_NAME = /SECRET|KEY|PASS|TOKEN|CREDENTIAL|ACCOUNT/i;
/** Shorter values are not looked for: they would be found everywhere. */
const LEAST_SECRET_CHARS = 4;
/** ssh gives a silent server up after three of these, seconds. */
const KEEPALIVE_SECONDS = 10;

/** Reads what restic needs for a repository. Throws `ControllerFault` when a file cannot be read. */
export async function accessTo({ settings }: Repository): Promise<Access> {
  const parts = [
    await environmentFile(settings),
    await addressed(settings),
    await s3Keys(settings),
    {
      ...WITHOUT_SECRETS,
      env: {
        RESTIC_PASSWORD_FILE: settings.password_file,
        ...(settings.rclone_config_file === undefined ? {} : { RCLONE_CONFIG: settings.rclone_config_file }),
      },
      options: { ...sftpOptions(settings), ...settings.options },
      args: settings.ca_file === undefined ? [] : [`--cacert=${settings.ca_file}`],
    },
  ];
  return parts.reduce((all, part) => ({
    env: { ...all.env, ...part.env },
    options: { ...all.options, ...part.options },
    args: [...all.args, ...part.args],
    secrets: [...all.secrets, ...part.secrets].filter((each) => each.length >= LEAST_SECRET_CHARS),
  }));
}

/**
 * Access to `to` with `from` beside it, as `restic copy` takes it. restic knows one set of storage credentials and options for both:
 * two that differ cannot be. Throws `ControllerFault` then.
 */
export function pairOf(to: Access, from: Access): Access {
  const { RESTIC_REPOSITORY: repository, RESTIC_PASSWORD_FILE: password, ...shared } = from.env;
  const differing = [
    ...Object.keys(shared).filter((key) => key in to.env && to.env[key] !== shared[key]),
    ...Object.keys(from.options).filter((key) => key in to.options && to.options[key] !== from.options[key]),
  ];
  if (differing.length > 0 || (from.args.length > 0 && from.args.join(' ') !== to.args.join(' ')))
    throw new ControllerFault(
      'CREDENTIALS_DIFFER',
      `restic copy knows one set of credentials and options for both repositories, and these differ: ${differing.join(', ') || 'ca_file'}`,
      'give both repositories the same ones, or reach one of the two in another way (through rclone, say)',
    );
  return {
    env: {
      ...shared,
      ...to.env,
      RESTIC_FROM_REPOSITORY: repository ?? '',
      RESTIC_FROM_PASSWORD_FILE: password ?? '',
    },
    options: { ...from.options, ...to.options },
    args: to.args,
    secrets: [...to.secrets, ...from.secrets],
  };
}

/** `text` without the secrets. */
export const redacted = (text: string, secrets: readonly string[]): string =>
  secrets.reduce((rest, secret) => rest.replaceAll(secret, '***'), text);

async function environmentFile({ environment_file: file }: RepositorySettings): Promise<Access> {
  if (file === undefined) return WITHOUT_SECRETS;
  const env = await readEnvironmentFile(file);
  const secrets = Object.entries(env).flatMap(([name, value]) => (SECRET_NAME.test(name) ? [value] : []));
  return { ...WITHOUT_SECRETS, env, secrets };
}

/** The address, with the login in it: that is what every version of restic understands, and it is seen by nobody in the environment. */
async function addressed({ url, login }: RepositorySettings): Promise<Access> {
  const match = /^(rest:https?:\/\/)(.*)$/.exec(url);
  if (login === undefined || match === null) return { ...WITHOUT_SECRETS, env: { RESTIC_REPOSITORY: url } };
  const [, scheme = '', rest = ''] = match;
  const password = await secretIn(login.password_file);
  const encoded = encodeURIComponent(password);
  const address = `${scheme}${encodeURIComponent(login.username)}:${encoded}@${rest}`;
  return { ...WITHOUT_SECRETS, env: { RESTIC_REPOSITORY: address }, secrets: [password, encoded] };
}

async function s3Keys({ s3 }: RepositorySettings): Promise<Access> {
  if (s3 === undefined) return WITHOUT_SECRETS;
  const id = await secretIn(s3.access_key_id_file);
  const key = await secretIn(s3.secret_access_key_file);
  return {
    ...WITHOUT_SECRETS,
    env: { AWS_ACCESS_KEY_ID: id, AWS_SECRET_ACCESS_KEY: key },
    secrets: [id, key],
  };
}

/** How restic calls ssh: never asks, and gives a dead server up. Written out whole, for older restics know no `sftp.args`. */
function sftpOptions({ url, ssh, options }: RepositorySettings): Readonly<Record<string, string>> {
  if (storageOf(url) !== 'sftp' || 'sftp.command' in options || 'sftp.args' in options) return {};
  const target = sshTargetOf(url);
  if (target === null) return {};
  const identity =
    ssh === undefined
      ? []
      : [
          `-i ${ssh.key_file}`,
          '-o IdentitiesOnly=yes',
          `-o UserKnownHostsFile=${ssh.known_hosts_file}`,
          '-o GlobalKnownHostsFile=/dev/null',
        ];
  const words = [
    'ssh',
    ...identity,
    '-o StrictHostKeyChecking=yes',
    '-o BatchMode=yes',
    `-o ServerAliveInterval=${KEEPALIVE_SECONDS}`,
    ...(target.port === null ? [] : [`-p ${target.port}`]),
    ...(target.user === null ? [] : [`-l ${target.user}`]),
    '-s',
    '--',
    target.host,
    'sftp',
  ];
  return { 'sftp.command': words.join(' ') };
}

interface SshTarget {
  readonly user: string | null;
  readonly host: string;
  readonly port: string | null;
}

const SFTP_URL = /^sftp:\/\/(?:([^\s@/"']+)@)?(?:\[([0-9a-fA-F:.%]+)\]|([^\s:/"']+))(?::(\d{1,5}))?\//;
const SFTP_SHORT = /^sftp:(?:([^\s@:/"']+)@)?([^\s:/"']+):/;

/** Both ways in which restic takes an SFTP address, or `null` for neither. Nothing that a shell would take apart. */
export function sshTargetOf(url: string): SshTarget | null {
  const long = SFTP_URL.exec(url);
  if (long !== null) {
    const [, user = null, six, host = six ?? '', port = null] = long;
    return { user, host, port };
  }
  const [, user = null, host] = SFTP_SHORT.exec(url) ?? [];
  return host === undefined ? null : { user, host, port: null };
}

async function secretIn(path: string): Promise<string> {
  const [first = ''] = (await textOf(path)).split('\n', 1);
  return first.trim();
}

async function textOf(path: string): Promise<string> {
  return readFile(path, 'utf8').catch((error: unknown) => {
    throw new ControllerFault(
      'SECRET_FILE',
      `the file ${path} cannot be read: ${(error as Error).message.slice(0, 200)}`,
      'it must exist and be readable by the user of the controller',
      error,
    );
  });
}

/** What this program says itself, or what would change which repository, snapshots or password a call means. */
const OWN_VARIABLE =
  /^(?:RESTIC_(?:REPOSITORY|PASSWORD|KEY_HINT|FROM_|HOST|CACHE_DIR|PROGRESS_FPS)|PORTCULLIS_)/;

const ASSIGNMENT = /^(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)=(.*)$/;

/** Reads `NAME=VALUE` lines for the storage; `#` begins a comment line, quotes around a whole value are taken off. Throws `ControllerFault`. */
export async function readEnvironmentFile(path: string): Promise<Record<string, string>> {
  const variables: Record<string, string> = {};
  for (const [index, line] of (await textOf(path)).split('\n').entries()) {
    const trimmed = line.trim();
    if (trimmed === '' || trimmed.startsWith('#')) continue;
    const [, name, value] = ASSIGNMENT.exec(trimmed) ?? [];
    // The line itself is not shown: it may be half a secret.
    if (name === undefined || value === undefined)
      throw new ControllerFault(
        'SECRET_FILE',
        `${path}, line ${index + 1}: not NAME=VALUE`,
        'write one NAME=VALUE per line',
      );
    if (OWN_VARIABLE.test(name))
      throw new ControllerFault(
        'SECRET_FILE',
        `${path}, line ${index + 1}: ${name} may not be set here`,
        'remove the line: repository, password and host stand in the configuration, this file is for the credentials of the storage',
      );
    variables[name] = /^(["']).*\1$/.test(value) ? value.slice(1, -1) : value;
  }
  return variables;
}
