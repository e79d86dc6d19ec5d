/** One opening of a window as work to do, from the configuration. Pure. */
import type { Config, RepositoryConfig, StepConfig } from '../../config/schema.ts';
import type { Hook } from '../processes/hooks.ts';
import type { Repository } from '../restic/run.ts';
import type { ResticProgress } from '../restic/lines.ts';
import type { BackupTask } from '../restic/work.ts';
import type { Phase, WindowProgress } from '../voice.ts';

export type WorkStep =
  | { readonly kind: 'backup'; readonly repository: string; readonly task: BackupTask }
  | {
      readonly kind: 'forget';
      readonly repository: string;
      readonly rules: readonly string[];
      readonly prune: boolean;
    }
  | { readonly kind: 'check'; readonly repository: string; readonly subset: string | null };

/** An opening, as the interlock announced it. */
export interface Opening {
  readonly window: string;
  readonly occurrence: string;
  /** ms from now to the absolute end. */
  readonly endsInMs: number;
  readonly byHand: string | null;
}

/** Durations in ms. */
export interface WindowJob extends Opening {
  readonly link: string;
  readonly resumed: boolean;
  readonly hooks: readonly Hook[];
  readonly connectTimeoutMs: number;
  readonly settleMs: number;
  readonly reach: { readonly host: string; readonly port: number; readonly timeoutMs: number } | null;
  readonly graceMs: number;
  readonly steps: readonly WorkStep[];
  readonly repositories: ReadonlyMap<string, Repository>;
}

/** The work of an opening; `null` when the configuration has no such window (the interlock read another file). */
export function jobOf(config: Config, opening: Opening, resumed: boolean): WindowJob | null {
  const window = config.windows[opening.window];
  const link = window === undefined ? undefined : config.links[window.link];
  if (window === undefined || link === undefined) return null;
  const repositories = new Map<string, Repository>();
  for (const [name, repository] of Object.entries(config.repositories))
    repositories.set(name, repositoryOf(name, repository));
  const { reach } = window;
  return {
    ...opening,
    link: window.link,
    resumed,
    hooks: window.prepare.map(({ command, timeout }) => ({ command, timeoutMs: timeout })),
    connectTimeoutMs: link.connect_timeout,
    settleMs: link.settle,
    reach:
      reach === undefined ? null : { host: reach.tcp.host, port: reach.tcp.port, timeoutMs: reach.timeout },
    graceMs: window.grace,
    steps: window.steps.map(stepOf),
    repositories,
  };
}

const repositoryOf = (name: string, config: RepositoryConfig): Repository => ({
  name,
  url: config.url,
  passwordFile: config.password_file,
  environmentFile: config.environment_file ?? null,
  options: config.options,
});

function stepOf(step: StepConfig): WorkStep {
  if ('backup' in step) {
    const { repository, paths, exclude, tags, limit_upload } = step.backup;
    return {
      kind: 'backup',
      repository,
      task: { paths, exclude, tags, limitUploadKiB: limit_upload ?? null },
    };
  }
  if ('forget' in step) {
    const { repository, prune, ...rules } = step.forget;
    return { kind: 'forget', repository, prune, rules: Object.entries(rules).map(flagOf) };
  }
  return { kind: 'check', repository: step.check.repository, subset: step.check.read_data_subset ?? null };
}

/** `keep_within_daily: 14d` is restic's `--keep-within-daily=14d`. */
const flagOf = ([name, value]: [string, string | number]): string =>
  `--${name.replaceAll('_', '-')}=${value}`;

/** Where a job is, for people. */
export function progressOf(
  job: WindowJob,
  phase: Phase,
  at: { readonly number: number; readonly step: WorkStep } | null = null,
  done: ResticProgress | null = null,
): WindowProgress {
  const { window, link, occurrence } = job;
  return {
    window,
    link,
    occurrence,
    phase,
    step:
      at === null
        ? null
        : { number: at.number, of: job.steps.length, name: at.step.kind, repository: at.step.repository },
    files_done: done?.filesDone ?? 0,
    files_total: done?.filesTotal ?? 0,
    bytes_done: done?.bytesDone ?? 0,
    bytes_total: done?.bytesTotal ?? 0,
  };
}
