/** What is known of a run while it runs, and the report that it becomes. */
import { InterlockError } from '../../protocol/interlock-error.ts';
import type { LinkStatus } from '../../protocol/messages.ts';
import { ControllerFault } from '../fault.ts';
import { worstOf } from '../outcome.ts';
import type { OutcomeKind } from '../outcome.ts';
import type { Cut } from './cut.ts';
import type { AnomalyReport, CommandReport, GuardReport, StepReport, WindowReport } from '../report.ts';
import { type EvidenceReport, REPORT_FORMAT } from '../reports/document.ts';
import { proofTestsOf, tripWithTimes } from './evidence.ts';
import type { WindowJob } from './job.ts';
import type { Unfinished } from './work.ts';

/** Why a window did not do its work. */
export interface Halt {
  readonly code: string;
  readonly why: string;
  readonly hint?: string;
}

/** A run so far. Times of day are labels; durations come from the monotonic `…Ms`. */
export interface Draft {
  readonly startedAt: Date;
  granted: { readonly at: Date; readonly atMs: number } | null;
  isolated: { readonly at: Date | null; readonly exposureMs: number; readonly isProven: boolean } | null;
  /** In the order in which it was asked for. */
  evidence: readonly EvidenceReport[];
  steps: readonly StepReport[];
  /** Steps whose rest needs no vault. */
  unfinished: readonly Unfinished[];
  hooks: readonly CommandReport[];
  guards: readonly GuardReport[];
  anomalies: readonly AnomalyReport[];
  halt: Halt | null;
  /** True when the work was cut or asked to stop. */
  isStopped: boolean;
}

/** How a run stood when it ended. */
export interface RunEnd {
  readonly at: Date;
  readonly cut: Cut | null;
  /** The last word about the link. */
  readonly status: LinkStatus | null;
  /** Signed head of the journal, as the interlock gave it. */
  readonly head: string | null;
  readonly build: string;
}

/** The halt that an error means. Throws what is a broken invariant. */
export function haltOf(error: unknown): Halt {
  if (error instanceof InterlockError) {
    const [first] = error.refusals;
    return { code: first?.code ?? error.code, why: error.message, hint: error.hint };
  }
  if (error instanceof ControllerFault) return { code: error.code, why: error.message, hint: error.hint };
  // What the ledger could not write. Anything else is a broken invariant and travels on.
  const { code, message } = error as NodeJS.ErrnoException;
  if (typeof code !== 'string') throw error;
  return {
    code: 'STATE_UNWRITABLE',
    why: message,
    hint: 'see whether the state directory of the controller is full or read-only',
  };
}

/** The halt that guards mean: the first that tripped, else the first that bars. */
export function haltBy(guards: readonly GuardReport[]): Halt | null {
  const bars =
    guards.find(({ outcome }) => outcome === 'tripped') ??
    guards.find(({ outcome }) => outcome === 'skipped');
  if (bars === undefined) return null;
  const why = `the guard ${bars.guard} bars the window: ${bars.why ?? ''}`;
  return { code: 'guard', why, ...(bars.hint === undefined ? {} : { hint: bars.hint }) };
}

/** How the window ended. A hook that failed afterwards is a failure, too: it may have been the copy of the report to somewhere safe. */
export function outcomeOf(draft: Draft): OutcomeKind {
  const didAfter = draft.hooks.every(({ phase, outcome }) => phase !== 'after' || outcome === 'done');
  if (draft.granted === null) return didAfter ? 'skipped' : 'failed';
  const kinds = draft.steps.map((step) => step.outcome.kind);
  const ofSteps = worstOf(didAfter ? kinds : [...kinds, 'failed']);
  if (draft.halt === null) return ofSteps;
  // A cut that came after the last step took nothing away.
  const wasWhole = draft.steps.length > 0 && draft.steps.every((step) => step.outcome.kind !== 'skipped');
  if (!draft.isStopped) return 'failed';
  return wasWhole ? ofSteps : 'cut-short';
}

/** The report of a run that has ended. */
export function reportOf(job: WindowJob, draft: Draft, end: RunEnd): WindowReport {
  const { window, link, occurrence, byHand, resumed, endsInMs } = job;
  const latch = end.status?.latch ?? null;
  return {
    format: REPORT_FORMAT,
    window,
    link,
    occurrence,
    by_hand: byHand,
    resumed,
    planned: {
      began_at: draft.startedAt.toISOString(),
      ends_at: new Date(draft.startedAt.getTime() + endsInMs).toISOString(),
    },
    actual: {
      started_at: draft.startedAt.toISOString(),
      granted_at: draft.granted?.at.toISOString() ?? null,
      isolated_at: draft.isolated?.at?.toISOString() ?? null,
      finished_at: end.at.toISOString(),
    },
    exposure_seconds: Math.round(draft.isolated?.exposureMs ?? 0) / 1_000,
    isolation_proven: draft.isolated?.isProven ?? draft.granted === null,
    outcome: outcomeOf(draft),
    why: draft.halt === null ? null : { ...draft.halt },
    trip: tripWithTimes(end.cut?.trip ?? latch, end.status),
    steps: draft.steps,
    hooks: draft.hooks,
    ...(draft.guards.length === 0 ? {} : { guards: draft.guards }),
    ...(draft.anomalies.length === 0 ? {} : { anomalies: draft.anomalies }),
    journal_head: end.head,
    build: end.build,
    ...(end.status === null ? {} : { evidence_grade: end.status.evidence_grade }),
    evidence: draft.evidence,
    proof_tests: proofTestsOf(end.status, draft.granted?.at ?? null),
  };
}

/** The part of a report that goes into the journal. */
export function summaryOf(report: WindowReport): Readonly<Record<string, unknown>> {
  const { window, occurrence, link, outcome, exposure_seconds, isolation_proven, why, steps } = report;
  const snapshots = steps.flatMap((step) => (step.snapshot === undefined ? [] : [step.snapshot]));
  return { window, occurrence, link, outcome, exposure_seconds, isolation_proven, why, snapshots };
}
