/** When windows open, as far as a check of the file needs to know it. */
import cron from 'node-cron';
import type { WindowConfig } from './schema.ts';

/** Openings looked at per window: more than a year of nightly ones, more than a day of one every five minutes. */
const OPENINGS_CHECKED = 400;

/** Why `expression` is not a schedule, or `null`. */
export function scheduleProblem(expression: string): string | null {
  const fields = expression.trim().split(/\s+/);
  if (fields.length !== 5 || expression.trim() === '') {
    return `a schedule has five fields (minute hour day month weekday), this has ${expression.trim() === '' ? 0 : fields.length}`;
  }
  const { valid, errors } = cron.validateDetailed(expression);
  if (valid) return null;
  const [first] = errors;
  return first === undefined ? 'not a schedule' : `the field "${first.field}" is wrong: ${first.message}`;
}

/** Whether the runtime knows this IANA time zone. */
export function isTimezone(zone: string): boolean {
  if (!/^[A-Za-z]/.test(zone)) return false;
  try {
    return new Intl.DateTimeFormat('en', { timeZone: zone }).resolvedOptions().timeZone !== '';
  } catch (failure) {
    if (failure instanceof RangeError) return false;
    throw failure;
  }
}

/** The next openings, ms since 1970, without jitter; empty when the schedule or the time zone is wrong. */
export function nextOpenings({
  opens,
  timezone,
}: Pick<WindowConfig, 'opens' | 'timezone'>): readonly number[] {
  if (scheduleProblem(opens) !== null || !isTimezone(timezone)) return [];
  const task = cron.createTask(opens, () => {}, { timezone });
  try {
    return task.getNextRuns(OPENINGS_CHECKED).map((run) => run.getTime());
  } finally {
    void task.destroy();
  }
}
