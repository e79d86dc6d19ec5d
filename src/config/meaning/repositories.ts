/** Do repositories make sense, and are their secrets where they are said to be? */
import { isIP } from 'node:net';
import { error, type Finding, type Surroundings } from '../text/finding.ts';
import { secretFindings } from './sources.ts';
import type { Path } from '../text/positions.ts';
import { quoted } from '../text/problems.ts';
import type { Config, RepositoryConfig } from '../schema.ts';
import { repositorySecrets, storageOf } from '../schema/repositories.ts';
import { vaultHost, vaultPath } from './vault-host.ts';

/** A password in a URL, as in rest:https://user:password@host/. */
const URL_PASSWORD = /^[a-z0-9+.-]+:(?:[a-z0-9+.-]+:)?\/\/[^/@\s]*:[^/@\s]+@/i;

/** What restic knows. */
const STORAGES = ['local', 'sftp', 'rest', 's3', 'rclone', 'b2', 'azure', 'gs', 'swift'];

/** Keys of a repository that mean something for one kind of storage only. */
const ONLY_FOR = { login: 'rest', s3: 's3', ssh: 'sftp', rclone_config_file: 'rclone' } as const;
const KEYS_ONLY_FOR = ['login', 's3', 'ssh', 'rclone_config_file'] as const;

/** Findings about `repositories`. */
export function repositoryFindings(config: Config, around: Surroundings): readonly Finding[] {
  return Object.entries(config.repositories).flatMap(([name, repository]) => {
    const path = ['repositories', name];
    const secrets = repositorySecrets(repository).flatMap(({ keys, file }) =>
      secretFindings([...path, ...keys], file, around),
    );
    return [
      ...secrets,
      ...addressFindings(path, repository),
      ...keyFindings(path, repository),
      ...mountFindings(path, repository, config),
      ...wayFindings(path, repository),
    ];
  });
}

function addressFindings(path: Path, { url }: RepositoryConfig): readonly Finding[] {
  const at = [...path, 'url'];
  if (URL_PASSWORD.test(url)) {
    const hint =
      'write `login` with username and password_file, or put it into a file and name that in `environment_file`';
    return [error(at, 'there is a password in the URL', hint)];
  }
  const storage = storageOf(url);
  if (!STORAGES.includes(storage))
    return [
      error(at, `restic knows no storage ${quoted(storage)}`, `known: ${STORAGES.slice(1).join(', ')}`),
    ];
  if (storage === 'local' && !/^(?:local:)?\//.test(url))
    return [error(at, 'a relative path means another place for every program', 'begin it with "/"')];
  return [];
}

function keyFindings(path: Path, repository: RepositoryConfig): readonly Finding[] {
  const storage = storageOf(repository.url);
  return KEYS_ONLY_FOR.filter((key) => repository[key] !== undefined && ONLY_FOR[key] !== storage).map(
    (key) =>
      error([...path, key], `is for ${ONLY_FOR[key]}: repositories, this one is ${storage}`, 'remove it'),
  );
}

function mountFindings(path: Path, { url, mount }: RepositoryConfig, config: Config): readonly Finding[] {
  if (mount === undefined) return [];
  const place = vaultPath(url);
  if (place === null)
    return [error([...path, 'mount'], `is for a path, this repository is ${storageOf(url)}`, 'remove it')];
  const findings: Finding[] = [];
  if (!place.startsWith(`${mount.at}/`) || place.split('/').some((name) => name === '..' || name === '.'))
    findings.push(
      error([...path, 'url'], `does not lie below the mount point ${mount.at}`, `write ${mount.at}/restic`),
    );
  const { timeout: _, ...what } = mount;
  for (const [other, { mount: theirs }] of Object.entries(config.repositories)) {
    if (theirs === undefined || theirs === mount) continue;
    const { timeout: __, ...their } = theirs;
    if (theirs.at === mount.at && JSON.stringify(their) !== JSON.stringify(what))
      findings.push(
        error(
          [...path, 'mount'],
          `${quoted(other)} mounts something else there`,
          'give each disk a place of its own',
        ),
      );
    if (theirs.at.startsWith(`${mount.at}/`))
      findings.push(
        error(
          [...path, 'mount', 'at'],
          `the disk of ${quoted(other)} is mounted below it`,
          'mount them side by side',
        ),
      );
  }
  return findings;
}

function wayFindings(path: Path, { url, interface: name }: RepositoryConfig): readonly Finding[] {
  if (name === undefined) return [];
  const host = vaultHost(url);
  const at = [...path, 'interface'];
  if (host === null) return [error(at, `no machine is named by ${storageOf(url)} addresses`, 'remove it')];
  if (isIP(host) !== 0) return [];
  const what = `${quoted(host)} is a name: whoever answers for it decides where the packets go`;
  return [error([...path, 'url'], what, 'write the address of the vault')];
}
