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

/** All of them, beginning with another one each round. */
export function inTurn<Each>(all: readonly Each[], round: number): readonly Each[] {
  const first = all.length === 0 ? 0 : round % all.length;
  return [...all.slice(first), ...all.slice(0, first)];
}

/** The rows of a Markdown table; null is a request that no frame followed, and ratios are to the floor. */
export function tableOf(
  samples: ReadonlyMap<string, readonly (number | null)[]>,
  floorName: string,
): readonly string[] {
  const times = (name: string): readonly number[] =>
    (samples.get(name) ?? []).filter((each): each is number => each !== null);
  const floor = figuresOf(times(floorName));
  const shown = (ms: number, unit = ''): string =>
    Number.isNaN(ms) ? '–' : `${ms.toFixed(unit === '' ? 2 : 1)}${unit}`;
  const rows = [...samples].map(([name, all]) => {
    const { p50, p99, most, count } = figuresOf(times(name));
    const cells = [name, shown(p50), shown(p99), shown(most), shown(p50 / floor.p50, ' ×')];
    return `| ${cells.join(' | ')} | ${all.length - count} of ${all.length} |`;
  });
  return [
    '| | p50, ms | p99, ms | worst, ms | p50 to floor | no frame |',
    '|---|---|---|---|---|---|',
    ...rows,
  ];
}
