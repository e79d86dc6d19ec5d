/** A calendar month in the time zone of this machine, as the sums of days are. */
import { monthName } from './month-document.ts';

/** Calendar ms; `toMs` does not belong to it. */
export interface MonthSpan {
  readonly month: string;
  readonly fromMs: number;
  readonly toMs: number;
}

/** The month `2026-11`; null when that is none. */
export function spanOf(month: string): MonthSpan | null {
  if (!monthName.safeParse(month).success) return null;
  const [year = 0, number = 0] = month.split('-').map(Number);
  return {
    month,
    fromMs: new Date(year, number - 1, 1).getTime(),
    toMs: new Date(year, number, 1).getTime(),
  };
}

export const isIn = ({ fromMs, toMs }: MonthSpan, at: string): boolean => {
  const ms = Date.parse(at);
  return ms >= fromMs && ms < toMs;
};

const SCHEDULED = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

/** The time that an opening belongs to: its schedule, which is its name; else (by hand) when it began. */
export const dueAt = (occurrence: string, beganAt: string): string =>
  SCHEDULED.test(occurrence) ? occurrence : beganAt;
