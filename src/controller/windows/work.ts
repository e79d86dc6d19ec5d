/** The work in the vault while it is connected: makes each repository ready, does the steps, one outcome each. */
import type { Cut, CutSwitch } from './cut.ts';
import type { Ledger, RepositoryMark } from '../ledger.ts';
import type { StepOutcome } from '../outcome.ts';
import type { StepReport } from '../report.ts';
import { runRestic } from '../restic/run.ts';
import type { Repository, ResticHost } from '../restic/run.ts';
import type { ResticProgress } from '../restic/lines.ts';
import { backUp, check, forget, identify, initialise, recover, removeOwnLocks } from '../restic/work.ts';
import type { Run } from '../restic/work.ts';
import type { WindowJob, WorkStep } from './job.ts';
import { markAfter, nextOf, recoveryFor, subsetPart } from './plan.ts';
import type { Standing } from './plan.ts';

export interface WorkTools {
  readonly ledger: Ledger;
  readonly host: ResticHost;
  /** Kill now. */
  readonly cut: CutSwitch;
  /** Ask to stop; begin nothing more. */
  readonly wrapUp: CutSwitch;
  readonly now: () => Date;
  readonly onStep: (report: StepReport) => void;
  /** `number` counts from 1. */
  readonly onProgress: (number: number, step: WorkStep, progress: ResticProgress | null) => void;
}

/** Marks found before this window touched anything, by repository. */
export type MarksBefore = ReadonlyMap<string, RepositoryMark | null>;

const IN_PROGRESS = 'restic was at work when the record ends';

/**
 * Marks every repository of the window as being worked on, before anything touches one. Rejects when that cannot be
 * written; then nothing may touch them.
 */
export async function markAll(job: WindowJob, ledger: Ledger, at: string): Promise<MarksBefore> {
  const names = new Set(job.steps.map((step) => step.repository));
  const before = new Map([...names].map((name) => [name, ledger.repository(name).mark] as const));
  const mark: RepositoryMark = { kind: 'cut', why: IN_PROGRESS, at };
  await ledger.note(Object.fromEntries([...names].map((name) => [name, { mark }])));
  return before;
}

/** Does the steps until they are done or everything has to stop. Leaves the right mark on every repository. */
export async function doWork(
  job: WindowJob,
  before: MarksBefore,
  tools: WorkTools,
): Promise<readonly StepReport[]> {
  const reports: StepReport[] = [];
  const outcomes: StepOutcome[] = [];
  const standings = new Map<string, Standing>();
  const unrecovered = new Set<string>();
  const put = (report: StepReport): void => {
    reports.push(report);
    tools.onStep(report);
  };
  for (;;) {
    const halted = tools.cut.reason() ?? tools.wrapUp.reason();
    const next = nextOf({ steps: job.steps, outcomes, standings, halted });
    if (next.do === 'leave') break;
    if (next.do === 'ready') {
      // oxlint-disable-next-line no-await-in-loop -- one thing at a time in a vault
      const ready = await makeReady(job, next.repository, before, tools);
      standings.set(next.repository, ready.standing);
      if (!ready.isRecovered) unrecovered.add(next.repository);
      if (ready.report !== null) put(ready.report);
      continue;
    }
    const step = job.steps[next.index];
    if (step === undefined) break;
    const report =
      next.do === 'step'
        ? // oxlint-disable-next-line no-await-in-loop
          await doStep(job, next.index, step, tools)
        : { step: step.kind, repository: step.repository, outcome: next.outcome, took_ms: 0 };
    outcomes.push(report.outcome);
    put(report);
  }
  await settleMarks(reports, before, standings, unrecovered, tools);
  return reports;
}

async function settleMarks(
  reports: readonly StepReport[],
  before: MarksBefore,
  standings: ReadonlyMap<string, Standing>,
  unrecovered: ReadonlySet<string>,
  { ledger, now }: WorkTools,
): Promise<void> {
  const changes: Record<string, { mark: RepositoryMark | null }> = {};
  for (const [name, old] of before) {
    const mine = reports.filter((report) => report.repository === name).map((report) => report.outcome);
    const kind = unrecovered.has(name) ? 'cut' : markAfter(mine);
    const last = mine.findLast((outcome) => 'why' in outcome && outcome.kind !== 'skipped');
    const why = last !== undefined && 'why' in last ? last.why : 'not recovered yet';
    const fresh = kind === null ? null : { kind, why, at: now().toISOString() };
    changes[name] = { mark: standings.has(name) ? fresh : old };
  }
  await ledger.note(changes);
}

interface Ready {
  readonly standing: Standing;
  /** False when a cut repository still needs its recovery. */
  readonly isRecovered: boolean;
  readonly report: StepReport | null;
}

async function makeReady(
  job: WindowJob,
  name: string,
  before: MarksBefore,
  tools: WorkTools,
): Promise<Ready> {
  const run = runIn(job, name, tools);
  const recovery = recoveryFor(before.get(name)?.kind ?? null);
  const identified = stopped(await claim(run, name, tools.ledger), tools);
  if (identified !== null)
    return {
      standing: { kind: 'unusable', outcome: identified },
      isRecovered: recovery !== 'full',
      report: null,
    };
  if (recovery === 'none') return { standing: { kind: 'usable' }, isRecovered: true, report: null };

  const beganAtMs = performance.now();
  const recovered = recovery === 'full' ? recover(run, tools.host.program.version) : removeOwnLocks(run);
  const outcome = stopped(await recovered, tools) ?? { kind: 'done' as const };
  const report: StepReport = { step: 'recover', repository: name, outcome, took_ms: since(beganAtMs) };
  const isRecovered = outcome.kind === 'done' || recovery !== 'full';
  // Somebody else's lock stands in the way of our check, not of a backup beside it: the check waits for another window.
  if (outcome.kind === 'done' || (outcome.kind === 'failed' && outcome.code === 'locked'))
    return { standing: { kind: 'usable' }, isRecovered, report };
  return {
    standing: {
      kind: 'unusable',
      outcome: { kind: 'skipped', why: 'the repository could not be recovered' },
    },
    isRecovered,
    report,
  };
}

/** Makes sure that this is the repository we know, or a new one. `done`, or why it must not be used. */
async function claim(run: Run, name: string, ledger: Ledger): Promise<StepOutcome> {
  const known = ledger.repository(name).id;
  let identity = await identify(run);
  if (identity.kind === 'missing') {
    if (known !== null)
      return {
        kind: 'failed',
        code: 'repository-gone',
        why: `the repository ${name} (${known.slice(0, 10)}) is not there any more`,
        hint: 'see whether the right vault is connected and mounted; if it was replaced on purpose, remove the repository from ledger.json in the state directory of the controller',
      };
    const made = await initialise(run);
    if (made.kind !== 'done') return made;
    identity = await identify(run);
  }
  if (identity.kind === 'no') return identity.outcome;
  if (identity.kind === 'missing')
    return {
      kind: 'failed',
      code: 'repository-missing',
      why: `the repository ${name} was made and is not there`,
      hint: 'see whether the vault keeps what is written to it',
    };
  if (known === null) await ledger.note({ [name]: { id: identity.id } });
  else if (known !== identity.id)
    return {
      kind: 'failed',
      code: 'other-repository',
      why: `another repository (${identity.id.slice(0, 10)}) answers where ${name} (${known.slice(0, 10)}) was`,
      hint: 'find out who answers at this address; if the vault was replaced on purpose, remove the repository from ledger.json in the state directory of the controller',
    };
  return { kind: 'done' };
}

/** The outcome with the real reason of a stop in it; `null` for done. */
function stopped(outcome: StepOutcome, { cut, wrapUp }: WorkTools): StepOutcome | null {
  if (outcome.kind === 'done') return null;
  return outcome.kind === 'cut-short' ? cutShort(outcome, cut.reason() ?? wrapUp.reason()) : outcome;
}

const cutShort = (outcome: StepOutcome, reason: Cut | null): StepOutcome =>
  reason === null ? outcome : { kind: 'cut-short', code: reason.code, why: reason.why };

const since = (atMs: number): number => Math.round(performance.now() - atMs);

function runIn(job: WindowJob, name: string, tools: WorkTools): Run {
  const repository: Repository | undefined = job.repositories.get(name);
  if (repository === undefined)
    throw new TypeError(`broken invariant: the configuration was checked, but has no repository ${name}`);
  const signals = { cut: tools.cut.signal, wrapUp: tools.wrapUp.signal };
  return (call) => runRestic(tools.host, repository, call, signals);
}

async function doStep(job: WindowJob, index: number, step: WorkStep, tools: WorkTools): Promise<StepReport> {
  const beganAtMs = performance.now();
  const number = index + 1;
  tools.onProgress(number, step, null);
  const run = runIn(job, step.repository, tools);
  const report = (outcome: StepOutcome): StepReport => ({
    step: step.kind,
    repository: step.repository,
    outcome: stopped(outcome, tools) ?? outcome,
    took_ms: since(beganAtMs),
  });
  switch (step.kind) {
    case 'backup': {
      const { outcome, summary, snapshot, missingSources } = await backUp(run, step.task, (progress) =>
        tools.onProgress(number, step, progress),
      );
      if (snapshot !== null && summary !== null && outcome.kind === 'done') {
        const good = { at: tools.now().toISOString(), snapshot, bytes: summary.total_bytes_processed };
        await tools.ledger.note({ [step.repository]: { last_good_backup: good } });
      }
      return {
        ...report(outcome),
        ...(snapshot === null ? {} : { snapshot }),
        ...(summary === null
          ? {}
          : {
              files: summary.total_files_processed,
              bytes: summary.total_bytes_processed,
              bytes_added: summary.data_added,
            }),
        ...(missingSources.length === 0 ? {} : { missing_sources: missingSources }),
      };
    }
    case 'forget':
      return report(await forget(run, step.rules, step.prune));
    case 'check': {
      const { parts_checked } = tools.ledger.repository(step.repository);
      const outcome = await check(run, step.subset === null ? null : subsetPart(step.subset, parts_checked));
      // A part that was not read to its end comes again.
      if (outcome.kind === 'done' && step.subset !== null)
        await tools.ledger.note({ [step.repository]: { parts_checked: parts_checked + 1 } });
      return report(outcome);
    }
  }
}
