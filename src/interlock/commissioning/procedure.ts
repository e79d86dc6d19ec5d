/**
 * Commissioning one link: the steps one after the other, until one finds something wrong.
 *
 * Whatever a step finds, every contact is told to isolate before anything is reported, and what could not be tried after
 * that is recorded as not tried. Nothing that nobody did is recorded as passed.
 */
import type { CommissioningHands } from './hands.ts';
import { Bench, WrongError } from './bench.ts';
import type { LinkFacts } from './facts.ts';
import type { Person } from './person.ts';
import type { ContactResult, StepResult, WitnessResult } from './record.ts';
import { allIsolated, wiringSteps } from './steps-wiring.ts';
import { leaseSteps } from './steps-lease.ts';
import { supplySteps } from './steps-supply.ts';
import { asExpected, type Sight } from './sight.ts';
import type { Step, StepEnd } from './step.ts';
import { judge } from './wiring.ts';

/** What the procedure came to. */
export interface Outcome {
  readonly steps: readonly StepResult[];
  readonly contacts: readonly ContactResult[];
  readonly witnesses: readonly WitnessResult[];
  readonly connectedMs: number;
  readonly verdict: 'passed' | 'failed';
  readonly reasons: readonly string[];
}

/** The steps for this link, in order. */
export const stepsFor = (facts: LinkFacts): readonly Step[] => [
  ...wiringSteps(facts),
  ...leaseSteps(facts),
  ...supplySteps(facts),
];

/** Runs every step. Rejects with `EndedError` when the commissioning was ended from outside. */
export async function runProcedure(
  facts: LinkFacts,
  hands: CommissioningHands,
  person: Person,
): Promise<Outcome> {
  const bench = new Bench(facts, hands, person);
  const keeper = bench.keepLeases();
  const steps: StepResult[] = [];
  try {
    for (const step of stepsFor(facts)) {
      const result = failedIn(steps) ? leftOut(step) : await tried(bench, step);
      steps.push(result);
      bench.told({ event: 'result', result });
    }
    const last = await allIsolated(bench);
    if (!failedIn(steps) && !asExpected(last)) steps.push(notIsolatedAtLast(last));
  } finally {
    bench.finish();
    await keeper;
  }
  const reasons = steps.flatMap(reasonOf);
  return {
    steps,
    contacts: bench.figures.contacts(),
    witnesses: bench.figures.witnesses(),
    connectedMs: bench.connectedMs(),
    verdict: reasons.length === 0 ? 'passed' : 'failed',
    reasons,
  };
}

const failedIn = (steps: readonly StepResult[]): boolean => steps.some(({ verdict }) => verdict === 'failed');

async function tried(bench: Bench, step: Step): Promise<StepResult> {
  const { name, about, what } = step;
  bench.told({ event: 'step', step: name, about, what });
  try {
    return resultOf(step, await step.run(bench));
  } catch (error) {
    if (!(error instanceof WrongError)) throw error;
    const { code, what: wrong, todo } = error.finding;
    const says = `${wrong}; ${todo}`;
    const result: StepResult = { step: name, about, verdict: 'failed', not_tried: null, code, says };
    // Isolated first, reported afterwards; ended from outside it is isolated, and what was found must not be lost.
    await allIsolated(bench).catch((reason: unknown) => {
      bench.told({ event: 'result', result });
      throw reason;
    });
    return result;
  }
}

function resultOf({ name, about }: Step, end: StepEnd): StepResult {
  const base = { step: name, about, code: null, says: end.says };
  return end.kind === 'passed'
    ? { ...base, verdict: 'passed', not_tried: null }
    : { ...base, verdict: 'not-tried', not_tried: end.because };
}

const notIsolatedAtLast = (sight: Sight): StepResult => {
  const { code, what, todo } = judge({ step: 'at-rest', moved: null, sight });
  return { step: 'at-last', about: null, verdict: 'failed', not_tried: null, code, says: `${what}; ${todo}` };
};

const leftOut = ({ name, about }: Step): StepResult => ({
  step: name,
  about,
  verdict: 'not-tried',
  not_tried: 'earlier-failure',
  code: null,
  says: 'not tried: an earlier step failed',
});

/** Why this step keeps the link from passing. */
function reasonOf({ step, about, verdict, not_tried, says }: StepResult): string[] {
  if (verdict === 'failed') return [says];
  if (not_tried !== 'skipped') return [];
  return [`${step}${about === null ? '' : ` of ${about}`} was skipped: ${says}`];
}
