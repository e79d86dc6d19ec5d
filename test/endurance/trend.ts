/**
 * Whether something grows. Judged by the trend, never by an absolute figure: the median of the slopes between all pairs (Theil and Sen) over the
 * later two thirds, for what begins fills its buffers first. Up to three readings in ten may be anything at all.
 */

/** How much of the beginning says nothing. */
const SETTLED_FROM = 1 / 3;

/** Median growth from one reading to the next, over the later two thirds. */
export function slopeOf(readings: readonly number[]): number {
  const later = readings.slice(Math.floor(readings.length * SETTLED_FROM));
  if (later.length < 3) throw new RangeError(`a trend needs 5 readings, not ${readings.length}`);
  const slopes: number[] = [];
  for (const [i, a] of later.entries())
    for (const [j, b] of later.entries()) if (j > i) slopes.push((b - a) / (j - i));
  slopes.sort((a, b) => a - b);
  const [below, above] = [slopes[(slopes.length - 1) >> 1], slopes[slopes.length >> 1]];
  return ((below ?? Number.NaN) + (above ?? Number.NaN)) / 2;
}

/** The least of every tenth: how much memory is resident depends on when garbage was collected last. */
export function leastOfTenths(readings: readonly number[]): readonly number[] {
  const size = Math.max(1, Math.ceil(readings.length / 10));
  const tenths = Array.from({ length: Math.ceil(readings.length / size) }, (_, i) =>
    readings.slice(i * size, (i + 1) * size),
  );
  return tenths.map((tenth) => Math.min(...tenth));
}

/** What may grow by how much from one window to the next. */
export type Allowed = Readonly<Record<string, number>>;

/** What grows more than allowed, in words; empty when all is flat. `series`: readings by name, one for each window. */
export function growing(
  series: Readonly<Record<string, readonly number[]>>,
  allowed: Allowed,
): readonly string[] {
  return Object.entries(series).flatMap(([name, readings]) => {
    const most = allowed[name];
    if (most === undefined) throw new TypeError(`nobody said how much ${name} may grow`);
    const slope = slopeOf(readings);
    const shown = readings.filter((_, i) => i % Math.ceil(readings.length / 20) === 0);
    return slope <= most
      ? []
      : [`${name} grows by ${slope.toFixed(2)} a window, allowed are ${most}: ${shown.join(' ')}`];
  });
}
