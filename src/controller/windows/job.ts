/** One opening of a window as work to do, from the configuration. Pure. */
import type { Config, WindowConfig } from '../../config/schema.ts';
import type { Command } from '../processes/command.ts';
import type { ResticProgress } from '../restic/lines.ts';
import type { Repository } from '../restic/repository.ts';
import type { Limits } from '../restic/run.ts';
import { repositoryOf, sourcesOf, taskOf } from '../steps/table.ts';
import type { Task } from '../steps/table.ts';
import type { Phase, WindowProgress } from '../voice.ts';
import type { PlannedStep } from './plan.ts';

/** A step, with its task. */
export interface WorkStep extends PlannedStep {
  readonly task: Task;
}

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
  readonly prepare: readonly Command[];
  readonly after: readonly Command[];
  readonly connectTimeoutMs: number;
  readonly settleMs: number;
  readonly reach: { readonly host: string; readonly port: number; readonly timeoutMs: number } | null;
  readonly graceMs: number;
  readonly limits: Limits;
  readonly steps: readonly WorkStep[];
  readonly repositories: ReadonlyMap<string, Repository>;
}

/** The work of an opening; `null` when the configuration has no such window (the interlock read another file). */
export function jobOf(config: Config, opening: Opening, resumed: boolean): WindowJob | null {
  const window = config.windows[opening.window];
  const link = window === undefined ? undefined : config.links[window.link];
  if (window === undefined || link === undefined) return null;
  const repositories = new Map<string, Repository>();
  for (const [name, settings] of Object.entries(config.repositories))
    repositories.set(name, { name, settings });
  const { reach } = window;
  return {
    ...opening,
    link: window.link,
    resumed,
    prepare: window.prepare.map(hookOf),
    after: window.after.map(hookOf),
    connectTimeoutMs: link.connect_timeout,
    settleMs: link.settle,
    reach:
      reach === undefined ? null : { host: reach.tcp.host, port: reach.tcp.port, timeoutMs: reach.timeout },
    graceMs: window.grace,
    limits: {
      nice: window.limits.nice,
      isIdleIo: window.limits.io === 'idle',
      cpus: window.limits.cpus ?? null,
    },
    steps: window.steps.map(taskOf).map(stepOf),
    repositories,
  };
}

const hookOf = ({ command, timeout }: WindowConfig['prepare'][number]): Command => ({
  command,
  timeoutMs: timeout,
});

const stepOf = (task: Task): WorkStep => ({
  kind: task.kind,
  repository: repositoryOf(task),
  reads: sourcesOf(task),
  task,
});

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
        : {
            number: at.number,
            of: job.steps.length,
            name: at.step.kind,
            repository: at.step.repository ?? '',
          },
    files_done: done?.filesDone ?? 0,
    current_files: done?.currentFiles ?? [],
    files_total: done?.filesTotal ?? 0,
    bytes_done: done?.bytesDone ?? 0,
    bytes_total: done?.bytesTotal ?? 0,
  };
}
