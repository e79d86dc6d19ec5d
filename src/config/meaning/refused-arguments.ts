/** Which of restic's own arguments may not be added to a step, and why. Each of them would break a promise, or has a key of its own. */

const OWN_REPOSITORY = 'which repository is used, and with which password, stands under `repositories`';
const OUTPUT = 'this program reads what restic prints';
const KEY = 'there is a key of that name';

/** By long name, without the dashes. */
const REFUSED: Readonly<Record<string, string>> = {
  repo: OWN_REPOSITORY,
  'repository-file': OWN_REPOSITORY,
  'password-file': OWN_REPOSITORY,
  'password-command': OWN_REPOSITORY,
  'insecure-no-password': OWN_REPOSITORY,
  'key-hint': OWN_REPOSITORY,
  'from-repo': OWN_REPOSITORY,
  'from-repository-file': OWN_REPOSITORY,
  'from-password-file': OWN_REPOSITORY,
  'from-password-command': OWN_REPOSITORY,
  'from-insecure-no-password': OWN_REPOSITORY,
  'from-key-hint': OWN_REPOSITORY,
  repo2: OWN_REPOSITORY,
  'password-file2': OWN_REPOSITORY,
  'password-command2': OWN_REPOSITORY,
  'key-hint2': OWN_REPOSITORY,
  option: 'write it under `options` of the repository',
  cacert: 'write `ca_file` under the repository',
  'insecure-tls': 'a vault that anybody can pretend to be is none',
  json: OUTPUT,
  quiet: OUTPUT,
  verbose: OUTPUT,
  help: OUTPUT,
  'cache-dir': "the cache stands in the controller's state directory",
  'cleanup-cache': "the cache stands in the controller's state directory",
  'no-lock': 'two at a time would harm each other',
  'retry-lock': 'waiting for a lock while the vault is connected is exposure without work',
  'dry-run': 'a step that writes nothing would look like one that did',
  'no-scan': 'how many files there are tells a deletion',
  time: 'a snapshot with another time than now makes forget remove others',
  stdin: 'write `stdin` with the program that prints',
  'stdin-from-command': 'write `stdin` with the program that prints',
  'stdin-filename': 'write `stdin` with the program that prints',
  'files-from': 'what is backed up stands in `paths`, so that a missing source is found',
  'files-from-verbatim': 'what is backed up stands in `paths`, so that a missing source is found',
  'files-from-raw': 'what is backed up stands in `paths`, so that a missing source is found',
  'cpu-profile': 'restic would write where it is not seen',
  'mem-profile': 'restic would write where it is not seen',
  'trace-profile': 'restic would write where it is not seen',
  'block-profile': 'restic would write where it is not seen',
  'listen-profile': 'restic would listen on the network',
  exclude: KEY,
  'exclude-file': KEY,
  'exclude-caches': KEY,
  'exclude-if-present': KEY,
  'exclude-larger-than': KEY,
  'one-file-system': KEY,
  tag: 'there is a key `tags`',
  host: KEY,
  path: 'there is a key `paths`',
  'limit-upload': KEY,
  'limit-download': KEY,
  compression: KEY,
  'pack-size': KEY,
  'read-concurrency': KEY,
  'skip-if-unchanged': KEY,
};

const LONG = /^--([a-z0-9][a-z0-9-]*)(?:=[^\0]*)?$/;

/** Why an argument may not be added, or `null` when it may. */
export function refusedArgument(argument: string): string | null {
  const name = LONG.exec(argument)?.[1];
  if (name === undefined) return 'write it as --name or --name=value, so that it is plain what it is';
  return Object.hasOwn(REFUSED, name) ? (REFUSED[name] ?? null) : null;
}
