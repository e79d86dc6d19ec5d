/** What a rule says. */

/** `cut`: clearly wrong, stop at once. `hold`: let it end, and have a person look. `warn`: only say it. */
export type Grade = 'cut' | 'hold' | 'warn';

export const RULES = [
  'canary',
  'random-data',
  'less-compressible',
  'more-random-data',
  'out-of-type',
  'renamed',
  'deleted',
  'many-changed',
  'removed',
  'moved',
  'rewritten',
  'growth',
  'foreign-snapshot',
  'back-dated-snapshot',
  'snapshot-gone',
] as const;
export type Rule = (typeof RULES)[number];

/** Something unusual, in words and figures. */
export interface Finding {
  readonly rule: Rule;
  readonly grade: Grade;
  readonly why: string;
  readonly numbers: Readonly<Record<string, number>>;
}

const GRADES: readonly Grade[] = ['warn', 'hold', 'cut'];

/** True when `grade` is worse than `than`. */
export const isWorse = (grade: Grade, than: Grade | undefined): boolean =>
  than === undefined || GRADES.indexOf(grade) > GRADES.indexOf(than);
