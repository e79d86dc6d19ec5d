/** What guards and anomaly rules said in a month, and what people released. */
import type { BookEntry } from '../chronicle/book.ts';
import type { MonthTally } from './tally.ts';
import { text } from './values.ts';

/** Takes in what a guard or an anomaly rule has written; a release counts for an anomaly of the month whenever it comes. */
export function enterWatch(tally: MonthTally, { type, at, data }: BookEntry, isOfMonth: boolean): void {
  if (type === 'controller.guard' && isOfMonth)
    tally.count('guards', `${text(data['window'])}: ${text(data['guard'])} ${text(data['outcome'])}`, at, 1);
  if (type === 'controller.anomaly' && isOfMonth)
    tally.add('anomalies', tally.anomalies, {
      at,
      window: text(data['window']),
      repository: text(data['repository']) || null,
      rule: text(data['rule']),
      action: text(data['action']),
      why: text(data['why']),
      id: text(data['id']) || null,
      released_at: null,
      released_by: null,
    });
  if (type !== 'controller.anomaly-released') return;
  const found = tally.anomalies.find(({ id }) => id !== null && id === text(data['id']));
  if (found === undefined) return;
  found.released_at ??= at;
  found.released_by ??= text(data['by']) || null;
}
