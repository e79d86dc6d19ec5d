/** Do sources, directories and secrets make sense? */
import { secretsIn } from '../../sources/secrets.ts';
import { senderKey } from '../../sources/standard-webhooks.ts';
import { error, unresolved, warning, type Finding, type Surroundings } from '../text/finding.ts';
import type { Path } from '../text/positions.ts';
import { sourceKeyFindings } from './source-keys.ts';
import { quoted } from '../text/problems.ts';
import type { Config, VerificationConfig } from '../schema.ts';
import { secretFileOf } from '../schema/sources.ts';
import { busSecrets } from '../secret-files.ts';

/** A shorter secret in a URL or header can be tried out. Bytes. */
const LEAST_SECRET_BYTES = 16;
/** What Linux leaves for the path of a Unix socket, bytes. */
const MOST_SOCKET_PATH_BYTES = 107;
const LONGEST_SOCKET_NAME = '/interlock.sock';

/** Findings about `sources` and the secrets they use. */
export function sourceFindings(config: Config, around: Surroundings): readonly Finding[] {
  const findings = Object.entries(config.sources).flatMap(([name, source]) => {
    const { trips: links } = source;
    const trips = links === undefined || links === 'all' ? [] : links;
    return [
      ...sourceKeyFindings(['sources', name], source),
      ...trips.flatMap((link, index) =>
        unresolved(['sources', name, 'trips', index], 'link', link, around.names.links),
      ),
      ...verificationFindings(['sources', name, 'verify'], source.verify, around),
    ];
  });
  const tripped = new Set(Object.values(config.sources).flatMap(({ trips }) => trips ?? []));
  const untripped = Object.keys(config.links).filter((link) => !tripped.has('all') && !tripped.has(link));
  return [
    ...findings,
    ...untripped.map((link) => ({
      ...warning(
        ['links', link],
        'no source trips this link: no monitoring can cut it',
        'add a source under `sources`',
      ),
      because: ['sources'],
      atKey: true,
    })),
  ];
}

function verificationFindings(
  path: Path,
  rule: VerificationConfig,
  around: Surroundings,
): readonly Finding[] {
  const named = secretFileOf(rule);
  if (named === null) return [];
  const { key, file } = named;
  const place = [...path, key];
  const secret = around.secrets.get(file);
  const findings = [...secretFindings(place, file, around)];
  if (secret?.kind !== 'read' || secret.bytes.length === 0) return findings;
  const found = secretsIn(secret.bytes);
  if (!found.ok)
    return [
      ...findings,
      error(
        place,
        `${quoted(file)} holds no usable secret: ${found.why}`,
        'write the secret on its first line',
      ),
    ];
  for (const one of found.secrets) {
    if (rule.type === 'standard-webhooks') {
      const senders = senderKey(one);
      if (!senders.ok)
        findings.push(
          error(
            place,
            `${quoted(file)} holds no usable secret: ${senders.why}`,
            'copy it from the sender again',
          ),
        );
    } else if (one.length < LEAST_SECRET_BYTES) {
      const what = `the secret in ${quoted(file)} is shorter than ${LEAST_SECRET_BYTES} bytes`;
      findings.push(warning(place, what, 'make one with `openssl rand -hex 32`'));
    }
    if (rule.type === 'path-secret' && !/^[A-Za-z0-9._~-]+$/.test(Buffer.from(one).toString('latin1'))) {
      const what = `the secret in ${quoted(file)} has characters that a URL cannot hold as they are`;
      findings.push(error(place, what, 'use letters, digits, "-", ".", "_" and "~"'));
    }
  }
  return findings;
}

/** Findings about one file with a secret, whatever it is for. */
export function secretFindings(path: Path, file: string, around: Surroundings): readonly Finding[] {
  const secret = around.secrets.get(file);
  if (secret === undefined) return [];
  if (secret.kind === 'unusable') {
    return [
      error(
        path,
        `cannot read ${quoted(file)}: ${secret.why}`,
        'create it, readable for the service that uses it',
      ),
    ];
  }
  if (secret.bytes.length === 0)
    return [error(path, `${quoted(file)} is empty`, 'write the secret on its first line')];
  if (!secret.worldReadable) return [];
  return [warning(path, `everybody on this machine can read ${quoted(file)}`, `chmod o-rwx ${quoted(file)}`)];
}

/** Findings about the files with secrets by which devices are spoken to. */
export function busSecretFindings(config: Config, around: Surroundings): readonly Finding[] {
  return Object.entries(config.buses).flatMap(([name, bus]) =>
    busSecrets(bus).flatMap(({ keys, file }) => secretFindings(['buses', name, ...keys], file, around)),
  );
}

/** Findings about directories, the clock and what is emulated. `linksAreWritten`: the file has the key, whatever is in it. */
export function processFindings(config: Config, linksAreWritten: boolean): readonly Finding[] {
  const findings: Finding[] = [];
  if (Buffer.byteLength(config.runtime_directory + LONGEST_SOCKET_NAME) > MOST_SOCKET_PATH_BYTES) {
    const most = MOST_SOCKET_PATH_BYTES - LONGEST_SOCKET_NAME.length;
    findings.push(
      error(['runtime_directory'], 'too long for the sockets in it', `use at most ${most} bytes`),
    );
  }
  if (config.controller.state_directory === config.state_directory) {
    const what = 'the latch and the journal stand there, which the controller must not touch';
    findings.push(
      error(['controller', 'state_directory'], what, 'give the controller a directory of its own'),
    );
  }
  if (config.clock.trust === 'always') {
    const what = 'nobody checks whether the clock is right: windows open by an assumed time';
    findings.push(warning(['clock', 'trust'], what, 'use kernel or timesyncd outside tests'));
  }
  for (const [name, bus] of Object.entries(config.buses)) {
    if (!bus.simulated) continue;
    const what = 'boards on this bus are emulated: nothing that hangs on them is proven';
    findings.push(
      warning(['buses', name, 'simulated'], what, 'remove the key when a real board is connected'),
    );
  }
  if (Object.keys(config.links).length === 0) {
    const what = 'no link is configured: there is nothing to isolate';
    // Written as empty it is meant: the box is installed, and not wired yet.
    findings.push(
      linksAreWritten
        ? warning(['links'], what, 'add a link with a contact; `portcullis setup` proposes one')
        : error(['links'], what, 'add a link with a contact, or write links: {} until there is one'),
    );
  }
  return findings;
}
