/** When windows open, as far as a check of the file needs to know it. */
import cron from 'node-cron';
import type { WindowConfig } from '../schema.ts';

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

const MINUTE_MS = 60_000;
/** Minutes looked at before others get a turn: a month has 44,640. */
const MINUTES_AT_ONCE = 200;

/** Every opening of a stretch of the calendar, ms since 1970, without jitter; empty when schedule or time zone is wrong. Lets others work meanwhile. */
export async function openingsBetween(
  { opens, timezone }: Pick<WindowConfig, 'opens' | 'timezone'>,
  fromMs: number,
  toMs: number,
): Promise<readonly number[]> {
  if (scheduleProblem(opens) !== null || !isTimezone(timezone)) return [];
  const task = cron.createTask(opens, () => {}, { timezone });
  const found: number[] = [];
  try {
    let looked = 0;
    for (let at = Math.ceil(fromMs / MINUTE_MS) * MINUTE_MS; at < toMs; at += MINUTE_MS) {
      if (task.match(new Date(at))) found.push(at);
      looked += 1;
      // oxlint-disable-next-line no-await-in-loop -- one stretch after the other is the point
      if (looked % MINUTES_AT_ONCE === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    return found;
  } finally {
    void task.destroy();
  }
}
