/** What the journal shows of the last days. */
import { dayBegins, dayOf } from '../../controller/chronicle/days.ts';
import type { ControllerFace } from '../../controller/face.ts';
import type { History } from './journal.ts';

/** The history of the last `days` calendar days, oldest first. */
export function historyOf({ chronicle, config }: ControllerFace, days: number): History {
  const first = dayBegins(Date.now(), days - 1);
  const firstDay = dayOf(first);
  const today = dayOf(Date.now());
  const from = new Date(first).toISOString();
  const { book } = chronicle;
  const links = [...new Set([...Object.keys(config.links), ...Object.keys(book.days)])];
  return {
    timezone: chronicle.timezone,
    days,
    through_seq: chronicle.through,
    complete: chronicle.isComplete,
    links: links.map((link) => ({
      link,
      budget_ms: config.links[link]?.exposure_budget ?? null,
      days: Object.entries(chronicle.daysOf(link))
        .filter(([day]) => day >= firstDay && day <= today)
        .map(([day, sums]) => ({ day, ...sums }))
        .toSorted((a, b) => a.day.localeCompare(b.day)),
    })),
    trips: book.trips.filter(({ at }) => at >= from),
    proofs: book.proofs.filter(({ at }) => at >= from),
    faults: book.faults.filter(({ at }) => at >= from),
    windows: book.runs.filter(({ opened_at }) => opened_at >= from).map(({ why: _why, ...each }) => each),
    commissionings: book.commissionings.filter(({ at }) => at >= from),
  };
}
