/** Do the destinations of notifications make sense? */
import { secretsIn } from '../../sources/secrets.ts';
import { senderKey } from '../../sources/standard-webhooks.ts';
import { error, unresolved, warning, type Finding, type Surroundings } from '../text/finding.ts';
import { secretFindings } from './sources.ts';
import type { Path } from '../text/positions.ts';
import { quoted } from '../text/problems.ts';
import { notifySecrets, type NotifyConfig } from '../schema/notify.ts';
import type { Config } from '../schema.ts';

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|::1)$/;

/** Findings about `notify`. */
export function notifyFindings(config: Config, around: Surroundings): readonly Finding[] {
  const named = config.notify.flatMap(({ name }) => name ?? []);
  return config.notify.flatMap((one, index) => {
    const path: Path = ['notify', index];
    const twice = one.name !== undefined && named.filter((each) => each === one.name).length > 1;
    return [
      ...(twice
        ? [
            error(
              [...path, 'name'],
              `two destinations are called ${quoted(one.name ?? '')}`,
              'give each a name of its own',
            ),
          ]
        : []),
      ...notifySecrets(one).flatMap(({ key, file }) => secretFindings([...path, key], file, around)),
      ...ofType(path, one, config, around),
    ];
  });
}

function ofType(path: Path, one: NotifyConfig, config: Config, around: Surroundings): readonly Finding[] {
  switch (one.type) {
    case 'webhook':
      return [
        ...inTheClear(path, one.url),
        ...keyFindings([...path, 'secret_file'], one.secret_file, around),
      ];
    case 'email':
      return mailFindings(path, one);
    case 'ntfy':
      return [...oneAddress(path, one), ...inTheClear(path, one.url)];
    case 'slack':
      return [];
    case 'ping':
      return [
        ...oneAddress(path, one),
        ...inTheClear(path, one.url),
        ...unresolved([...path, 'window'], 'window', one.window, Object.keys(config.windows)),
      ];
  }
}

function oneAddress(
  path: Path,
  { url, url_file }: { readonly url?: string; readonly url_file?: string },
): readonly Finding[] {
  if ((url === undefined) !== (url_file === undefined)) return [];
  const what = url === undefined ? 'it has no address' : 'it has two addresses';
  return [error(path, what, 'write either `url` or `url_file`')];
}

function inTheClear(path: Path, url: string | undefined): readonly Finding[] {
  if (url === undefined || url.startsWith('https://')) return [];
  const host = /^http:\/\/(?:\[([^\]]*)\]|([^/:?#]*))/.exec(url);
  if (LOOPBACK.test(host?.[1] ?? host?.[2] ?? '')) return [];
  const what = 'what happens to the vault would cross the network in the clear';
  return [warning([...path, 'url'], what, 'use https://')];
}

function keyFindings(path: Path, file: string, around: Surroundings): readonly Finding[] {
  const secret = around.secrets.get(file);
  if (secret?.kind !== 'read' || secret.bytes.length === 0) return [];
  const found = secretsIn(secret.bytes);
  const whys = found.ok
    ? found.secrets.flatMap((each) => {
        const key = senderKey(each);
        if (!key.ok) return [key.why];
        return key.key.kind === 'symmetric' ? [] : ['a public key cannot sign'];
      })
    : [found.why];
  const hint = 'write `whsec_` and 32 random bytes in base64: `echo whsec_$(openssl rand -base64 32)`';
  return whys.map((why) => error(path, `${quoted(file)} holds no usable key: ${why}`, hint));
}

function mailFindings(path: Path, mail: Extract<NotifyConfig, { type: 'email' }>): readonly Finding[] {
  const findings: Finding[] = [];
  if (mail.tls === 'none' && !LOOPBACK.test(mail.host)) {
    const what = 'mail, and a password, would cross the network in the clear';
    findings.push(error([...path, 'tls'], what, 'use `starttls` (port 587) or `implicit` (port 465)'));
  }
  if ((mail.username === undefined) !== (mail.password_file === undefined)) {
    const hint = 'write both `username` and `password_file`, or neither';
    findings.push(error(path, 'only half of what logging in needs is there', hint));
  }
  return findings;
}
