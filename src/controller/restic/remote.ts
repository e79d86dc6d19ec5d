/**
 * A restic that runs on another machine, where its sources are. It reaches the vault through this box alone: ssh carries a SOCKS
 * port back, and our end of it connects to the vault's address and to nothing else. So the end of our ssh ends its path in the same
 * instant, whatever becomes of the restic there; and a small shell there kills it when the connection is gone.
 *
 * The other machine learns the repository's password for that run: on our stdin, never in arguments, then in the environment of its
 * restic. Whoever is root there can read it.
 */
import { randomInt } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { RunOnSettings } from '../../config/schema/steps.ts';
import { ControllerFault } from '../fault.ts';
import type { Access } from './repository.ts';

/** What is started here to have restic run there. */
export interface RemoteCall {
  readonly command: string;
  readonly args: readonly string[];
  /** Written to its stdin, which stays open while it runs. */
  readonly input: string;
  readonly secrets: readonly string[];
}

/** Ports that the way back may have on the other machine: above the well-known, below what systems give out by themselves. */
const PORTS = { from: 20_000, below: 32_000 } as const;

/** A name that no vault has (RFC 2606): what that machine says by itself of whom to reach without our way must not count. */
const NOBODY = 'nobody.invalid';

/** Takes the environment line by line from stdin, runs its arguments, and kills them when stdin ends: that is when we are gone. */
const SUPERVISOR = [
  'while IFS= read -r line && [ -n "$line" ]; do export "$line"; done',
  'exec 3<&0',
  '"$@" </dev/null 3<&- & child=$!',
  '{ cat <&3 >/dev/null; kill -9 $child; } >/dev/null 2>&1 & guard=$!',
  'exec 3<&-',
  'wait $child; status=$?',
  'kill $guard 2>/dev/null',
  'exit $status',
].join('\n');

/** The call of ssh. Throws `ControllerFault` for a repository that is not reached over HTTP, or a secret that cannot be read. */
export async function remoteCall(
  on: RunOnSettings,
  access: Access,
  args: readonly string[],
): Promise<RemoteCall> {
  const { RESTIC_PASSWORD_FILE: passwordFile = '', ...env } = access.env;
  const vault = httpAddressOf(env['RESTIC_REPOSITORY'] ?? '');
  if (vault === null)
    throw new ControllerFault(
      'NOT_REMOTE',
      'only rest: and s3: repositories can be used by a restic on another machine',
      'serve the vault with rest-server, or mount the sources here',
    );
  const password = await passwordIn(passwordFile);
  const port = randomInt(PORTS.from, PORTS.below);
  const proxy = `socks5://127.0.0.1:${port}`;
  const lines = {
    ...env,
    RESTIC_PASSWORD: password,
    RESTIC_PROGRESS_FPS: '1',
    HTTP_PROXY: proxy,
    HTTPS_PROXY: proxy,
    // Go looks at both spellings, and takes one that is empty for one that is not there.
    http_proxy: proxy,
    https_proxy: proxy,
    NO_PROXY: NOBODY,
    no_proxy: NOBODY,
  };
  const words = ['sh', '-c', SUPERVISOR, 'portcullis', on.restic, ...args];
  return {
    command: 'ssh',
    args: [...sshArguments(on, port, vault), words.map(shellWord).join(' ')],
    // A line end in a value would begin another variable.
    input: `${Object.entries(lines)
      .map(([name, value]) => `${name}=${value.replaceAll(/[\r\n]/g, '')}\n`)
      .join('')}\n`,
    secrets: [...access.secrets, password],
  };
}

const sshArguments = (on: RunOnSettings, port: number, vault: string): readonly string[] => [
  '-T',
  '-F',
  '/dev/null',
  '-i',
  on.key_file,
  ...[
    'IdentitiesOnly=yes',
    'BatchMode=yes',
    'StrictHostKeyChecking=yes',
    `UserKnownHostsFile=${on.known_hosts_file}`,
    'GlobalKnownHostsFile=/dev/null',
    'ConnectTimeout=15',
    'ServerAliveInterval=5',
    'ServerAliveCountMax=3',
    'ExitOnForwardFailure=yes',
    `PermitRemoteOpen=${vault}`,
    'ControlPath=none',
  ].flatMap((option) => ['-o', option]),
  '-p',
  String(on.port),
  '-R',
  `127.0.0.1:${port}`,
  '--',
  on.ssh,
];

/** `host:port` of an HTTP repository as ssh writes it, or `null`. */
export function httpAddressOf(url: string): string | null {
  const text = /^(?:rest|s3):(https?:\/\/.*)$/.exec(url)?.[1];
  const parsed = text === undefined ? null : URL.parse(text);
  if (parsed === null) return null;
  // As it stands in the URL: URL would write 127.1 out, and ssh compares texts.
  const host = /^https?:\/\/(?:[^@/]*@)?(\[[^\]]+\]|[^:/]+)/.exec(text ?? '')?.[1] ?? parsed.hostname;
  const standard = parsed.protocol === 'https:' ? '443' : '80';
  return `${host}:${parsed.port === '' ? standard : parsed.port}`;
}

/** One word for any POSIX shell. */
const shellWord = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;

async function passwordIn(path: string): Promise<string> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    throw new ControllerFault(
      'SECRET_FILE',
      `the file ${path} cannot be read: ${(error as Error).message.slice(0, 200)}`,
      'it must exist and be readable by the user of the controller',
      error,
    );
  });
  return text.trim();
}
