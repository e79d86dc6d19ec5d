/** What a guard found, and what becomes of it. */
import type { GuardReport } from '../report.ts';

/** Figures of a look, for report and journal. */
export type Numbers = Readonly<Record<string, number>>;

/** `unknown`: it could not be told, which is not in order, but never a reason to latch anything. */
export interface Look {
  readonly found: 'clear' | 'wrong' | 'unknown';
  readonly why: string;
  readonly hint: string;
  readonly numbers: Numbers;
}

export type GuardAction = 'skip' | 'trip' | 'warn';

/** Everything is as it should be. */
export const clear = (numbers: Numbers, why = ''): Look => ({ found: 'clear', why, hint: '', numbers });

/** What a look leads to. */
export function outcomeOf({ found }: Look, action: GuardAction): GuardReport['outcome'] {
  if (found === 'clear') return 'clear';
  switch (action) {
    case 'warn':
      return 'warned';
    case 'skip':
      return 'skipped';
    case 'trip':
      return found === 'wrong' ? 'tripped' : 'skipped';
  }
}
