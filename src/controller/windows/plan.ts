/** What comes next in a window, given what has happened so far. Pure. */
import type { OutcomeKind, StepOutcome } from '../outcome.ts';
import type { StepKind } from '../report.ts';

export interface PlannedStep {
  readonly kind: StepKind;
  /** `null`: it needs none. */
  readonly repository: string | null;
  /** Repositories that it only reads. */
  readonly reads?: readonly string[];
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
  /** Why nothing may be removed from a repository: an open anomaly, a source that was missing. */
  readonly restraints: ReadonlyMap<string, string>;
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

  for (const name of namesOf(step)) {
    const standing = situation.standings.get(name) ?? { kind: 'untouched' };
    switch (standing.kind) {
      case 'untouched':
        return { do: 'ready', repository: name };
      case 'unusable':
        // The first step of the repository carries the reason as its own outcome, the others refer to it.
        return isFirstOf(situation, index, name)
          ? { do: 'record', index, outcome: standing.outcome }
          : skip(`the repository ${name} cannot be used in this window`);
      case 'usable':
    }
  }
  if (REMOVES.has(step.kind) && step.repository !== null) {
    if (hasBadBackup(situation, step.repository))
      return skip(`nothing is removed from ${step.repository} when its backup did not succeed`);
    const restraint = situation.restraints.get(step.repository);
    if (restraint !== undefined) return skip(`nothing is removed from ${step.repository}: ${restraint}`);
  }
  return { do: 'step', index };
}

const REMOVES: ReadonlySet<StepKind> = new Set(['forget', 'prune']);

/** Every repository that a step needs, those that it only reads first. */
export const namesOf = ({ repository, reads = [] }: PlannedStep): readonly string[] =>
  repository === null ? reads : [...reads, repository];

const isFirstOf = ({ steps }: Situation, index: number, name: string): boolean =>
  steps.findIndex((step) => namesOf(step).includes(name)) === index;

/** A backup before it in this window left no snapshot: then old ones may be all there is. */
const hasBadBackup = ({ steps, outcomes }: Situation, repository: string): boolean =>
  outcomes.some(
    (outcome, index) =>
      BRINGS.has(steps[index]?.kind) &&
      steps[index]?.repository === repository &&
      !HAS_SNAPSHOT.has(outcome.kind),
  );

const BRINGS: ReadonlySet<StepKind | undefined> = new Set(['backup', 'copy']);
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
