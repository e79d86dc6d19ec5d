/** The work in the vault while it is connected: makes each repository ready, does the steps, one outcome each. */
import type { BackupSettings } from '../../config/schema/steps.ts';
import { ControllerFault } from '../fault.ts';
import type { Ledger } from '../ledger.ts';
import type { StepOutcome } from '../outcome.ts';
import type { StepReport } from '../report.ts';
import { failed } from '../restic/outcome.ts';
import { runRestic } from '../restic/run.ts';
import type { ResticHost, Run } from '../restic/run.ts';
import type { Repository } from '../restic/repository.ts';
import type { ResticProgress } from '../restic/lines.ts';
import type { DrillRecords } from '../steps/drill-records.ts';
import type { Afterwards, BackupWatch, StepEnd } from '../steps/step.ts';
import { perform } from '../steps/table.ts';
import type { Cut, CutSwitch } from './cut.ts';
import type { WindowJob, WorkStep } from './job.ts';
import { settleMarks } from './marks.ts';
import type { MarksBefore } from './marks.ts';
import { namesOf, nextOf, recoveryFor } from './plan.ts';
import type { Standing } from './plan.ts';
import { makeReady } from './ready.ts';
import type { Ready } from './ready.ts';
import type { Look } from './vault.ts';

export interface WorkTools {
  readonly ledger: Ledger;
  readonly host: ResticHost;
  /** Kill now. */
  readonly cut: CutSwitch;
  /** Ask to stop; begin nothing more. */
  readonly wrapUp: CutSwitch;
  readonly now: () => Date;
  /** Environment of the user's programs, with the window in it. */
  readonly env: Readonly<Record<string, string>>;
  readonly scratchDirectory: string;
  readonly records: DrillRecords;
  /** Who looks at the backups of this window, and may throw its cut. */
  readonly watch: (settings: BackupSettings) => Promise<BackupWatch | null>;
  /** Called before every restic. */
  readonly look: Look;
  readonly onStep: (report: StepReport) => void;
  /** `number` counts from 1. */
  readonly onProgress: (number: number, step: WorkStep, progress: ResticProgress | null) => void;
}

/** A step whose rest needs no vault. */
export interface Unfinished {
  /** As far as it came; stands in `Work.reports` until the rest is done. */
  readonly report: StepReport;
  readonly afterwards: Afterwards;
}

export interface Work {
  readonly reports: readonly StepReport[];
  readonly unfinished: readonly Unfinished[];
}

/** Does the steps until they are done or everything has to stop. Leaves the right mark on every repository. */
export async function doWork(job: WindowJob, before: MarksBefore, tools: WorkTools): Promise<Work> {
  const reports: StepReport[] = [];
  const unfinished: Unfinished[] = [];
  const outcomes: StepOutcome[] = [];
  const standings = new Map<string, Standing>();
  const unrecovered = new Set<string>();
  const done = new Map<string, StepOutcome[]>();
  const put = (report: StepReport, names: readonly string[], afterwards: Afterwards | null = null): void => {
    reports.push(report);
    for (const name of names) done.get(name)?.push(report.outcome);
    if (afterwards === null) tools.onStep(report);
    else unfinished.push({ report, afterwards });
  };
  for (;;) {
    const halted = tools.cut.reason() ?? tools.wrapUp.reason();
    const restraints = restraintsOf(job, reports, tools.ledger);
    const next = nextOf({ steps: job.steps, outcomes, standings, restraints, halted });
    if (next.do === 'leave') break;
    if (next.do === 'ready') {
      const name = next.repository;
      done.set(name, []);
      // oxlint-disable-next-line no-await-in-loop -- one thing at a time in a vault
      const ready = await readyOf(job, name, before, tools);
      standings.set(name, ready.standing);
      if (!ready.isRecovered) unrecovered.add(name);
      if (ready.report !== null) put(ready.report, [name]);
      continue;
    }
    const step = job.steps[next.index];
    if (step === undefined) break;
    const { report, afterwards } =
      next.do === 'step'
        ? // oxlint-disable-next-line no-await-in-loop
          await doStep(job, next.index, step, tools)
        : {
            report: { step: step.kind, repository: step.repository, outcome: next.outcome, took_ms: 0 },
            afterwards: null,
          };
    outcomes.push(report.outcome);
    put(report, namesOf(step), afterwards);
  }
  await settleMarks(job, before, done, unrecovered, tools);
  return { reports, unfinished };
}

/** What keeps anything from being removed from a repository now. */
function restraintsOf(
  job: WindowJob,
  reports: readonly StepReport[],
  ledger: Ledger,
): ReadonlyMap<string, string> {
  const restraints = new Map<string, string>();
  for (const name of job.steps.flatMap(namesOf)) {
    const frozen = ledger.frozen(name);
    const missing = reports.find(
      (report) => report.repository === name && report.missing_sources !== undefined,
    );
    if (missing !== undefined) restraints.set(name, 'a source was missing in this window');
    if (frozen !== null)
      restraints.set(name, `something unusual was found and nobody has released it: ${frozen}`);
  }
  return restraints;
}

async function readyOf(job: WindowJob, name: string, before: MarksBefore, tools: WorkTools): Promise<Ready> {
  const recovery = recoveryFor(before.get(name)?.kind ?? null);
  const copied = job.steps.find(({ kind, repository }) => kind === 'copy' && repository === name);
  const alike = copied?.reads?.[0];
  try {
    return await makeReady({
      name,
      run: runIn(job, name, tools),
      recovery,
      version: tools.host.program.version,
      ledger: tools.ledger,
      time: tools.host.programs.time,
      isAppendOnly: repositoryIn(job, name).settings.append_only,
      mayMake: job.steps.some((step) => step.repository === name),
      alike: alike === undefined ? null : repositoryIn(job, alike),
      unlessDone: (outcome) => (outcome.kind === 'done' ? null : withReason(outcome, tools)),
    });
  } catch (error) {
    const standing = { kind: 'unusable' as const, outcome: faultOutcome(error) };
    return { standing, isRecovered: recovery !== 'full', report: null };
  }
}

/** The failure of what cannot even be begun: a secret that cannot be read. Throws what is a broken invariant. */
function faultOutcome(error: unknown): StepOutcome {
  if (error instanceof ControllerFault) return failed(error.code, error.message, error.hint);
  throw error;
}

/** With the real reason of a stop. */
function withReason(outcome: StepOutcome, { cut, wrapUp }: WorkTools): StepOutcome {
  if (outcome.kind !== 'cut-short') return outcome;
  const reason: Cut | null = cut.reason() ?? wrapUp.reason();
  return reason === null ? outcome : { kind: 'cut-short', code: reason.code, why: reason.why };
}

function repositoryIn(job: WindowJob, name: string): Repository {
  const repository = job.repositories.get(name);
  if (repository !== undefined) return repository;
  throw new TypeError(`broken invariant: the configuration was checked, but has no repository ${name}`);
}

function runIn(job: WindowJob, name: string, tools: WorkTools): Run {
  const repository = repositoryIn(job, name);
  const signals = { cut: tools.cut.signal, wrapUp: tools.wrapUp.signal };
  return async (call) => {
    await tools.look(name);
    return runRestic(tools.host, repository, call, signals);
  };
}

const NO_REPOSITORY: Run = () =>
  Promise.reject(new TypeError('broken invariant: this step has no repository'));

async function doStep(
  job: WindowJob,
  index: number,
  step: WorkStep,
  tools: WorkTools,
): Promise<{ readonly report: StepReport; readonly afterwards: Afterwards | null }> {
  const { programs } = tools.host;
  const { time } = programs;
  const beganAtMs = time.now();
  const number = index + 1;
  tools.onProgress(number, step, null);
  const { repository } = step;
  const end = await perform(step.task, {
    run: repository === null ? NO_REPOSITORY : runIn(job, repository, tools),
    version: tools.host.program.version,
    record: tools.ledger.repository(repository ?? ''),
    note: (learnt) => learn(repository, { outcome: { kind: 'done' }, learnt }, tools.ledger),
    now: tools.now,
    programs,
    env: { ...tools.env, PORTCULLIS_PHASE: 'connected' },
    stop: AbortSignal.any([tools.cut.signal, tools.wrapUp.signal]),
    scratchDirectory: tools.scratchDirectory,
    records: tools.records,
    watch: step.task.kind === 'backup' ? await tools.watch(step.task.settings) : null,
    onProgress: (progress) => tools.onProgress(number, step, progress),
    other: (name) => ({ repository: repositoryIn(job, name), run: runIn(job, name, tools) }),
  }).catch((error: unknown): StepEnd => ({ outcome: faultOutcome(error) }));
  await learn(repository, end, tools.ledger);
  const report: StepReport = {
    ...end.facts,
    step: step.kind,
    repository,
    outcome: withReason(end.outcome, tools),
    took_ms: Math.round(time.now() - beganAtMs),
  };
  return { report, afterwards: end.afterwards ?? null };
}

/** Writes down what a step found out. Rejects when that cannot be written. */
export async function learn(repository: string | null, { learnt }: StepEnd, ledger: Ledger): Promise<void> {
  if (repository !== null && learnt !== undefined) await ledger.note({ [repository]: learnt });
}
