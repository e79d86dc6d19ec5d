import type { Spread } from './record.ts';

/** Thousandths of a ms are noise. */
const rounded = (ms: number): number => Math.round(Math.max(0, ms) * 1_000) / 1_000;

/** Least, middle and greatest of a series, ms. */
export function spreadOf(series: readonly number[]): Spread {
  const sorted = series.toSorted((a, b) => a - b);
  const [min] = sorted;
  const max = sorted.at(-1);
  const p50 = sorted[Math.ceil(sorted.length / 2) - 1];
  if (min === undefined || max === undefined || p50 === undefined) return null;
  return { min: rounded(min), p50: rounded(p50), max: rounded(max), count: sorted.length };
}
