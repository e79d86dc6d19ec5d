/** What steps of windows came to in a month: data, checks, restore drills. */
import type { BookEntry } from '../chronicle/book.ts';
import type { DataRow } from './month-document.ts';
import type { MonthTally } from './tally.ts';
import { MOST_LINES, number, record, text } from './values.ts';

const BACKUPS: ReadonlySet<string> = new Set(['backup', 'copy']);
/** There is a snapshot. */
const GOOD: ReadonlySet<string> = new Set(['done', 'partly-done']);

/** Takes an entry `controller.step` in. */
export function enterStep(tally: MonthTally, { at, data }: BookEntry): void {
  const kind = text(data['step']);
  const repository = text(data['repository']);
  const outcome = text(record(data['outcome'])['kind']);
  const why = text(record(data['outcome'])['why']) || null;
  const common = { at, window: text(data['window']), repository, outcome, why };
  if (kind === 'check')
    tally.add('checks', tally.checks, { ...common, data_read: text(data['data_read']) || null });
  if (kind === 'restore_drill') {
    const drill = record(data['drill']);
    tally.add('drills', tally.drills, {
      ...common,
      snapshot: text(drill['snapshot']) || null,
      files: number(drill['files']),
      bytes: number(drill['bytes']),
      as_source: number(drill['as_source']),
      as_recorded: number(drill['as_recorded']),
      without_reference: number(drill['without_reference']),
    });
  }
  if (repository !== '') enterData(tally, kind, at, data, outcome);
}

function enterData(
  tally: MonthTally,
  kind: string,
  at: string,
  data: BookEntry['data'],
  outcome: string,
): void {
  const repository = text(data['repository']);
  const row = tally.data.get(repository) ?? newRow(repository);
  if (tally.data.size >= MOST_LINES && !tally.data.has(repository)) return void tally.shortened.add('data');
  tally.data.set(repository, row);
  row.bytes_added += number(data['bytes_added']) ?? 0;
  row.snapshots_copied += number(data['snapshots_copied']) ?? 0;
  row.snapshots_removed += number(data['snapshots_removed']) ?? 0;
  if (!BACKUPS.has(kind)) return;
  if (GOOD.has(outcome)) row.backups += 1;
  else row.backups_not_done += 1;
  if (outcome === 'done') row.last_good_backup_at = at;
}

const newRow = (repository: string): DataRow => ({
  repository,
  backups: 0,
  backups_not_done: 0,
  bytes_added: 0,
  snapshots_copied: 0,
  snapshots_removed: 0,
  last_good_backup_at: null,
});
