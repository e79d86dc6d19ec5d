/** One step of a commissioning as data: its name, what it is about, what a person is told, and what it does. */
import type { Bench } from './bench.ts';
import type { StepResult } from './record.ts';

/** How a step ended that found nothing wrong. */
export type StepEnd =
  | { readonly kind: 'passed'; readonly says: string }
  | {
      readonly kind: 'not-tried';
      readonly because: NonNullable<StepResult['not_tried']>;
      readonly says: string;
    };

/** A step. `run` throws `WrongError` for what is wrong with the link, and leaves the rest to the procedure. */
export interface Step {
  readonly name: string;
  /** The contact or supply it is about; null for the whole link. */
  readonly about: string | null;
  /** What is going to happen, for a person. */
  readonly what: string;
  run(bench: Bench): Promise<StepEnd>;
}

/** A step that found nothing wrong. */
export const passed = (says: string): StepEnd => ({ kind: 'passed', says });
/** A step that shows nothing, and why. */
export const notTried = (because: NonNullable<StepResult['not_tried']>, says: string): StepEnd => ({
  kind: 'not-tried',
  because,
  says,
});
