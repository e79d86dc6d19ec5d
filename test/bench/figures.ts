/** Figures of a series of measurements, ms. */
export interface Figures {
  readonly p50: number;
  readonly p99: number;
  readonly least: number;
  readonly most: number;
  readonly count: number;
}

/** Percentiles by the nearest rank. */
export function figuresOf(samples: readonly number[]): Figures {
  const sorted = samples.toSorted((a, b) => a - b);
  const rank = (share: number): number =>
    sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
  return { p50: rank(0.5), p99: rank(0.99), least: rank(0), most: rank(1), count: sorted.length };
}

/** `p50 0.52  p99 1.9  (0.31 to 2.4, 200 samples)` */
export const inWords = ({ p50, p99, least, most, count }: Figures): string =>
  `p50 ${p50.toFixed(3)} ms  p99 ${p99.toFixed(3)} ms  (${least.toFixed(3)} to ${most.toFixed(3)}, ${count} samples)`;

/** Monotonic ms; the same clock in every process of this machine. */
export const nowMs = (): number => Number(process.hrtime.bigint()) / 1e6;
