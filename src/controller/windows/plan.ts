/** What comes next in a window, given what has happened so far. Pure. */
import type { OutcomeKind, StepOutcome } from '../outcome.ts';

export type StepKind = 'backup' | 'forget' | 'check';

export interface PlannedStep {
  readonly kind: StepKind;
  readonly repository: string;
}

/** What a repository needs before its first step: nothing, only our lock removed, or lock, index and a check. */
export type Recovery = 'none' | 'unlock' | 'full';

/** Where a repository stands in this window. */
export type Standing =
  | { readonly kind: 'untouched' }
  | { readonly kind: 'usable' }
  | { readonly kind: 'unusable'; readonly outcome: StepOutcome };

export interface Situation {
  readonly steps: readonly PlannedStep[];
  /** Outcomes of the steps so far, in order. */
  readonly outcomes: readonly StepOutcome[];
  readonly standings: ReadonlyMap<string, Standing>;
  /** Why nothing more may be begun, or `null`. */
  readonly halted: { readonly code: string; readonly why: string } | null;
}

export type Next =
  /** See that the repository is the right one, make it if it never was, recover it if it was cut. */
  | { readonly do: 'ready'; readonly repository: string }
  | { readonly do: 'step'; readonly index: number }
  /** Put down this outcome for the step without doing it. */
  | { readonly do: 'record'; readonly index: number; readonly outcome: StepOutcome }
  | { readonly do: 'leave' };

/** The next thing to do. */
export function nextOf(situation: Situation): Next {
  const index = situation.outcomes.length;
  const step = situation.steps[index];
  if (step === undefined) return { do: 'leave' };
  const skip = (why: string): Next => ({ do: 'record', index, outcome: { kind: 'skipped', why } });
  if (situation.halted !== null) return skip(situation.halted.why);

  const standing = situation.standings.get(step.repository) ?? { kind: 'untouched' };
  switch (standing.kind) {
    case 'untouched':
      return { do: 'ready', repository: step.repository };
    case 'unusable':
      // The first step of the repository carries the reason as its own outcome, the others refer to it.
      return isFirstOf(situation, index)
        ? { do: 'record', index, outcome: standing.outcome }
        : skip(`the repository ${step.repository} cannot be used in this window`);
    case 'usable':
      break;
  }
  if (step.kind === 'forget' && hasBadBackup(situation, step.repository))
    return skip(`nothing is forgotten in ${step.repository} when its backup did not succeed`);
  return { do: 'step', index };
}

const isFirstOf = ({ steps }: Situation, index: number): boolean =>
  steps.findIndex((step) => step.repository === steps[index]?.repository) === index;

/** A backup before it in this window left no snapshot: then old ones may be all there is. */
const hasBadBackup = ({ steps, outcomes }: Situation, repository: string): boolean =>
  outcomes.some(
    (outcome, index) =>
      steps[index]?.kind === 'backup' &&
      steps[index].repository === repository &&
      !HAS_SNAPSHOT.has(outcome.kind),
  );

const HAS_SNAPSHOT: ReadonlySet<OutcomeKind> = new Set(['done', 'partly-done']);

/** What a repository with such a mark needs before its first step. */
export function recoveryFor(markKind: 'cut' | 'failed' | null): Recovery {
  switch (markKind) {
    case null:
      return 'none';
    case 'failed':
      return 'unlock';
    case 'cut':
      return 'full';
  }
}

/** Which mark a step leaves on its repository; `null` when restic ended well, so nothing of ours can be left there. */
export function markAfter(outcomes: readonly StepOutcome[]): 'cut' | 'failed' | null {
  if (outcomes.some((outcome) => outcome.kind === 'cut-short')) return 'cut';
  return outcomes.some((outcome) => outcome.kind === 'failed') ? 'failed' : null;
}

/** Which part of `rotate/N` comes next, as restic takes it; other subsets as they are. */
export function subsetPart(subset: string, partsChecked: number): string {
  const parts = /^rotate\/(\d+)$/.exec(subset)?.[1];
  return parts === undefined ? subset : `${(partsChecked % Number(parts)) + 1}/${parts}`;
}
