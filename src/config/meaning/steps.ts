/** Do the steps of a window make sense? */
import { error, unresolved, warning, type Finding, type Surroundings } from '../text/finding.ts';
import { secretFindings } from './sources.ts';
import type { Path } from '../text/positions.ts';
import { quoted } from '../text/problems.ts';
import { refusedArgument } from './refused-arguments.ts';
import type { Config, StepConfig } from '../schema.ts';
import { storageOf } from '../schema/repositories.ts';
import { vaultHost } from './vault-host.ts';
import type { BackupSettings, CopySettings, ForgetSettings, RestoreDrillSettings } from '../schema/steps.ts';

/** Findings about one step. */
export function stepFindings(
  path: Path,
  step: StepConfig,
  config: Config,
  around: Surroundings,
): readonly Finding[] {
  const named = (kind: string, key: string, name: string) =>
    unresolved([...path, kind, key], 'repository', name, around.names.repositories);
  if ('backup' in step)
    return [
      ...named('backup', 'repository', step.backup.repository),
      ...sourceFindings([...path, 'backup'], step.backup),
      ...remoteFindings([...path, 'backup', 'run_on'], step.backup, config, around),
      ...argumentFindings([...path, 'backup', 'extra_arguments'], step.backup.extra_arguments),
    ];
  if ('copy' in step) return copyFindings([...path, 'copy'], step.copy, named);
  if ('forget' in step)
    return [
      ...named('forget', 'repository', step.forget.repository),
      ...keptFindings([...path, 'forget', 'repository'], step.forget.repository, config),
      ...ruleFindings([...path, 'forget'], step.forget),
    ];
  if ('prune' in step)
    return [
      ...named('prune', 'repository', step.prune.repository),
      ...keptFindings([...path, 'prune', 'repository'], step.prune.repository, config),
    ];
  if ('check' in step) return named('check', 'repository', step.check.repository);
  if ('restore_drill' in step)
    return [
      ...named('restore_drill', 'repository', step.restore_drill.repository),
      ...drillFindings([...path, 'restore_drill'], step.restore_drill),
    ];
  return [];
}

/** Nothing can be removed where the server is append-only. */
const keptFindings = (path: Path, name: string, { repositories }: Config): readonly Finding[] =>
  repositories[name]?.append_only === true
    ? [
        error(
          path,
          `${quoted(name)} is append_only: its server refuses every delete`,
          'forget and prune on the vault itself, past that server',
        ),
      ]
    : [];

function sourceFindings(
  path: Path,
  { paths, stdin, skip_if_unchanged: skips }: BackupSettings,
): readonly Finding[] {
  const missing = {
    ...error(path, 'nothing to back up', 'add `paths`, or `stdin` with a program'),
    atKey: true,
  };
  if (stdin === undefined) return paths.length === 0 ? [missing] : [];
  const findings: Finding[] = [];
  if (paths.length > 0)
    findings.push(
      error([...path, 'stdin'], 'there are `paths`, too', 'make two backup steps of it, one for each'),
    );
  if (skips)
    findings.push(
      error([...path, 'skip_if_unchanged'], 'means nothing for what a program prints', 'remove it'),
    );
  return findings;
}

/** restic asks no proxy, our way, for these (Go, net/http). */
const OWN_HOST = /^(?:localhost|127\.\d{1,3}\.\d{1,3}\.\d{1,3}|::1)$/i;

function remoteFindings(
  path: Path,
  { run_on: on, repository: name }: BackupSettings,
  config: Config,
  around: Surroundings,
): readonly Finding[] {
  if (on === undefined) return [];
  const findings = [...secretFindings([...path, 'key_file'], on.key_file, around)];
  const repository = config.repositories[name];
  if (repository === undefined) return findings;
  const storage = storageOf(repository.url);
  if (storage !== 'rest' && storage !== 's3')
    findings.push(
      error(
        path,
        `needs a rest: or s3: repository, this one is ${storage}`,
        'serve the vault with rest-server',
      ),
    );
  const host = vaultHost(repository.url) ?? '';
  if (OWN_HOST.test(host))
    findings.push(
      error(
        path,
        `${quoted(host)} is the other machine itself when restic runs there`,
        'write the address of the vault',
      ),
    );
  if (repository.ca_file !== undefined)
    findings.push(
      error(
        path,
        `the other machine does not have the ca_file of ${quoted(name)}`,
        'use a certificate that it trusts by itself',
      ),
    );
  return findings;
}

const argumentFindings = (path: Path, given: readonly string[]): readonly Finding[] =>
  given.flatMap((argument, index) => {
    const why = refusedArgument(argument);
    // What may hold a secret is not shown: only the name of the argument is.
    const [name = ''] = argument.split('=', 1);
    return why === null ? [] : [error([...path, index], `${quoted(name)} may not be added`, why)];
  });

function copyFindings(
  path: Path,
  copy: CopySettings,
  named: (kind: string, key: string, name: string) => readonly Finding[],
): readonly Finding[] {
  const { repository, from_repository: from } = copy;
  const itself =
    repository === from
      ? [error([...path, 'from_repository'], 'a repository is not copied into itself', 'name another')]
      : [];
  return [
    ...named('copy', 'repository', repository),
    ...named('copy', 'from_repository', from),
    ...itself,
    ...argumentFindings([...path, 'extra_arguments'], copy.extra_arguments),
  ];
}

function ruleFindings(path: Path, forget: ForgetSettings): readonly Finding[] {
  const { keep_last: last, minimum_snapshots: least } = forget;
  const rules = Object.keys(forget).filter(
    (key) => key.startsWith('keep_') && (key !== 'keep_tags' || forget.keep_tags.length > 0),
  );
  if (rules.length === 0) {
    const what = 'no rule says what to keep';
    const hint =
      'add at least one of keep_within, keep_within_daily, …_weekly, …_monthly, …_yearly, keep_last';
    return [{ ...error(path, what, hint), atKey: true }];
  }
  if (last === undefined || rules.length > 1) return [];
  if (last < least) {
    const what = `keeps ${last}, and nothing is ever forgotten when fewer than ${least} would stay`;
    return [warning([...path, 'keep_last'], what, 'keep more, or write a lower `minimum_snapshots`')];
  }
  const what = `${last} bad backups in a row, and every good one is gone`;
  return [warning([...path, 'keep_last'], what, 'add a rule that counts time: `keep_within: 30d`')];
}

function drillFindings(path: Path, drill: RestoreDrillSettings): readonly Finding[] {
  if (drill.verify === undefined || drill.path !== undefined) return [];
  const what = 'a program that looks at a random sample finds something else each time';
  return [error([...path, 'verify'], what, 'say with `path` what is restored for it')];
}
