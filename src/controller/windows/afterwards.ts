/** What is done when the link is isolated again: the rest of steps that needs no vault, and the user's own programs. */
import { runHooks } from '../processes/hooks.ts';
import type { CommandReport, StepReport } from '../report.ts';
import { failed } from '../restic/outcome.ts';
import type { WindowJob } from './job.ts';
import type { Draft } from './record.ts';
import type { WindowTools } from './run.ts';
import { learn } from './work.ts';
import type { Unfinished } from './work.ts';

/** The window as the user's programs see it. */
export const windowEnv = (job: WindowJob, hookEnv: Readonly<Record<string, string>>) => ({
  ...hookEnv,
  PORTCULLIS_WINDOW: job.window,
  PORTCULLIS_OCCURRENCE: job.occurrence,
  PORTCULLIS_LINK: job.link,
});

/** Brings what the vault is no longer needed for to its end. `stop` aborts when the program is told to stop. */
export async function finishSteps(
  unfinished: readonly Unfinished[],
  steps: readonly StepReport[],
  { ledger, programs: { time } }: Pick<WindowTools, 'ledger' | 'programs'>,
  stop: AbortSignal,
): Promise<readonly StepReport[]> {
  const finished = new Map<StepReport, StepReport>();
  for (const { report, afterwards } of unfinished) {
    const beganAtMs = time.now();
    // oxlint-disable-next-line no-await-in-loop -- in order, and one at a time
    const end = await afterwards(stop).catch((error: unknown) => {
      const { code, message } = error as NodeJS.ErrnoException;
      if (typeof code !== 'string') throw error;
      return { outcome: failed('STATE_UNWRITABLE', message, 'see whether the state directory is full') };
    });
    // oxlint-disable-next-line no-await-in-loop
    await learn(report.repository, end, ledger);
    const took_ms = report.took_ms + Math.round(time.now() - beganAtMs);
    finished.set(report, { ...report, ...('facts' in end ? end.facts : {}), outcome: end.outcome, took_ms });
  }
  return steps.map((step) => finished.get(step) ?? step);
}

/** Runs the `after` hooks with what is known of the window. */
export async function runAfter(
  job: WindowJob,
  draft: Draft,
  outcome: string,
  { hookEnv, programs }: Pick<WindowTools, 'hookEnv' | 'programs'>,
  stop: AbortSignal,
): Promise<readonly CommandReport[]> {
  const snapshots = draft.steps.flatMap(({ snapshot }) => (snapshot === undefined ? [] : [snapshot]));
  const env = {
    ...windowEnv(job, hookEnv),
    PORTCULLIS_OUTCOME: outcome,
    PORTCULLIS_SNAPSHOTS: [...new Set(snapshots)].join(' '),
    PORTCULLIS_EXPOSURE_SECONDS: String(Math.round((draft.isolated?.exposureMs ?? 0) / 1_000)),
    PORTCULLIS_ISOLATION_PROVEN: String(draft.isolated?.isProven ?? draft.granted === null),
  };
  const { reports } = await runHooks('after', job.after, env, stop, programs);
  return reports;
}
