/** Whoever stands at the box during a commissioning: asked what only a hand or an eye can do, told everything else. */
import type { StepResult } from './record.ts';

/** What a person answers; `late` when nobody did in time. */
export type Answer = 'done' | 'yes' | 'no' | 'skip' | 'late';

/** Something that only a person can do or see. */
export interface Question {
  readonly kind: 'pull-supply' | 'restore-supply' | 'is-it-dark';
  /** The supply or link it is about. */
  readonly about: string;
  readonly text: string;
  readonly answers: readonly Exclude<Answer, 'late'>[];
  /** No answer within so many ms is an answer too. */
  readonly withinMs: number;
}

/** What is told while the procedure goes on. */
export type Progress =
  | { readonly event: 'step'; readonly step: string; readonly about: string | null; readonly what: string }
  | { readonly event: 'cycle'; readonly cycle: number; readonly of: number }
  | { readonly event: 'result'; readonly result: StepResult };

/** The person. `ask` never rejects: it resolves `late` also when the commissioning has ended. */
export interface Person {
  ask(question: Question): Promise<Answer>;
  tell(progress: Progress): void;
}
