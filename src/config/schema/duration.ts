/** Durations as people write them: whole numbers with units, largest first, as in `90s` or `1h30m`. */

const MS_PER: Readonly<Record<string, number>> = {
  d: 86_400_000,
  h: 3_600_000,
  m: 60_000,
  s: 1_000,
  ms: 1,
};
const UNITS = ['d', 'h', 'm', 's', 'ms'] as const;
const DURATION = /^(?:(\d{1,6})d)?(?:(\d{1,6})h)?(?:(\d{1,6})m)?(?:(\d{1,6})s)?(?:(\d{1,9})ms)?$/;
/** ms. The longest duration of a setting that names no other: setTimeout cannot wait longer than about 24.8 days. */
export const LONGEST_DURATION_MS = 24 * 86_400_000;

/** ms, or `null` when `text` is not a duration such as `500ms`, `10s`, `2m`, `4h`, `1h30m`, `1d`. */
export function parseDuration(text: string): number | null {
  const match = DURATION.exec(text);
  if (match === null || text === '') return null;
  return UNITS.reduce((sum, unit, index) => sum + Number(match[index + 1] ?? 0) * (MS_PER[unit] ?? 0), 0);
}

/** The shortest text that `parseDuration` reads back as `ms` (a whole number, not negative). */
export function formatDuration(ms: number): string {
  let rest = ms;
  let text = '';
  for (const unit of UNITS) {
    const size = MS_PER[unit] ?? 1;
    const count = Math.floor(rest / size);
    if (count > 0) text += `${count}${unit}`;
    rest -= count * size;
  }
  return text === '' ? '0s' : text;
}
