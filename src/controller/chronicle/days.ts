/** Calendar days in the time zone of this machine, for sums that people read. Never decides anything. */

/** IANA name of that time zone. */
export const timezone = (): string => Intl.DateTimeFormat().resolvedOptions().timeZone;

/** `2026-11-21` */
export function dayOf(calendarMs: number): string {
  const date = new Date(calendarMs);
  const two = (number: number): string => String(number).padStart(2, '0');
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}

/** Midnight at which the day `daysBefore` days before that of `calendarMs` began. A day may have 23 or 25 hours. */
export function dayBegins(calendarMs: number, daysBefore = 0): number {
  const date = new Date(calendarMs);
  return new Date(date.getFullYear(), date.getMonth(), date.getDate() - daysBefore).getTime();
}

/** Splits a stretch at midnights: ms by day. */
export function byDay(beganMs: number, lastedMs: number): ReadonlyMap<string, number> {
  const parts = new Map<string, number>();
  let from = beganMs;
  let left = lastedMs;
  while (left > 0) {
    const until = dayBegins(from, -1);
    const part = Math.min(left, Math.max(1, until - from));
    const day = dayOf(from);
    parts.set(day, (parts.get(day) ?? 0) + part);
    from += part;
    left -= part;
  }
  return parts;
}
