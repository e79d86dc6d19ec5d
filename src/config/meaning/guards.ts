/** Do the guards of a window make sense? */
import { error, warning, type Finding, type Surroundings } from '../text/finding.ts';
import { secretFindings } from './sources.ts';
import type { Path } from '../text/positions.ts';
import type { Config, WindowConfig } from '../schema.ts';
import type { AllClearSettings, GuardSettings } from '../schema/guards.ts';

/** Findings about `guards` of every window. */
export function guardFindings(config: Config, around: Surroundings): readonly Finding[] {
  return Object.entries(config.windows).flatMap(([name, window]) =>
    window.guards.flatMap((guard, index) =>
      oneGuard(['windows', name, 'guards', index], guard, window, around),
    ),
  );
}

function oneGuard(
  path: Path,
  guard: GuardSettings,
  window: WindowConfig,
  around: Surroundings,
): readonly Finding[] {
  if ('all_clear' in guard) return allClearFindings([...path, 'all_clear'], guard.all_clear, around);
  if ('canary' in guard) return [];
  const [kind, paths] =
    'change_survey' in guard
      ? (['change_survey', guard.change_survey.paths] as const)
      : (['source_present', guard.source_present.paths] as const);
  if (paths !== undefined ? paths.length > 0 : localPaths(window).length > 0) return [];
  const hint = 'add `paths`, or remove the guard';
  return [error([...path, kind], 'there is nothing to look at: no backup reads files of this machine', hint)];
}

/** Paths of the backups of a window that are read on this machine. */
export const localPaths = ({ steps }: Pick<WindowConfig, 'steps'>): readonly string[] => [
  ...new Set(
    steps.flatMap((step) =>
      'backup' in step && !('run_on' in step.backup && step.backup.run_on !== undefined)
        ? step.backup.paths
        : [],
    ),
  ),
];

function allClearFindings(path: Path, guard: AllClearSettings, around: Surroundings): readonly Finding[] {
  const { url, alertmanager, pointer, equals, token_file: token } = guard;
  const findings = token === undefined ? [] : [...secretFindings([...path, 'token_file'], token, around)];
  if ((url === undefined) === (alertmanager === undefined))
    findings.push({
      ...error(path, 'nobody is asked, or two are', 'write either `url` or `alertmanager`'),
      atKey: true,
    });
  if ((pointer === undefined) !== (equals === undefined))
    findings.push(
      error(
        [...path, pointer === undefined ? 'equals' : 'pointer'],
        'means nothing alone',
        'write both `pointer` and `equals`, or neither',
      ),
    );
  if (url === undefined && pointer !== undefined)
    findings.push(error([...path, 'pointer'], 'is for `url`', 'remove it'));
  for (const [key, address] of [
    ['url', url],
    ['alertmanager', alertmanager],
  ] as const) {
    if (address === undefined) continue;
    const { protocol, hostname, username, password } = new URL(address);
    if (username !== '' || password !== '')
      findings.push(error([...path, key], 'there is a password in the URL', 'write `token_file`'));
    if (protocol === 'http:' && !LOOPBACK.test(hostname))
      findings.push(
        warning(
          [...path, key],
          'anybody between here and there can say that all is clear',
          'use https, or an address on this machine',
        ),
      );
  }
  return findings;
}

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/;
