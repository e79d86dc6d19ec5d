/** A verified copy of a journal for people and other programs. */
import type { Buffer } from 'node:buffer';
import type { Entry } from './entry.ts';
import { walkJournal, type KnownHead, type Verification } from './reading.ts';

/** `jsonl` gives the very bytes of the journal; `csv` (RFC 4180) is for spreadsheets. */
export type ExportFormat = 'jsonl' | 'csv';

/** The columns of a CSV export. */
export const CSV_COLUMNS = [
  'seq',
  'at',
  'clock',
  'mono_ms',
  'boot',
  'type',
  'actor',
  'data',
  'prev',
  'hash',
] as const;

/** A CSV field. A spreadsheet takes a text that begins like a formula for one: an apostrophe keeps it a text. */
function csvField(value: string): string {
  const inert = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(inert) ? `"${inert.replaceAll('"', '""')}"` : inert;
}

const csvRow = (fields: readonly string[]): string => `${fields.map(csvField).join(',')}\r\n`;

/** The first line of a CSV export. */
export const CSV_HEAD = csvRow(CSV_COLUMNS);

/** An entry as a line of a CSV export; `hash` is that of its own line. */
export function entryRow(entry: Entry, hash: string): string {
  const { seq, at, clock, mono, boot, type, actor, data, prev } = entry;
  return csvRow([String(seq), at, clock, String(mono), boot, type, actor, JSON.stringify(data), prev, hash]);
}

/** Which entries to export; both ends belong to it. */
export interface ExportRange {
  readonly fromSeq?: number;
  readonly toSeq?: number;
}

/**
 * Writes the verified entries of a range, in order, and says whether the whole journal verifies. Stops writing at the first
 * problem: nothing unproven is exported. Waits for `write`, so memory stays bounded.
 */
export async function exportJournal(
  directory: string,
  format: ExportFormat,
  write: (text: string) => void | Promise<void>,
  options: ExportRange & { readonly heads?: readonly KnownHead[] } = {},
): Promise<Verification> {
  const { fromSeq = 1, toSeq = Number.MAX_SAFE_INTEGER, heads = [] } = options;
  let pending = format === 'csv' ? CSV_HEAD : '';
  return walkJournal(directory, heads, {
    entry(entry: Entry, line: Buffer, hash: string) {
      if (entry.seq < fromSeq || entry.seq > toSeq) return;
      pending += format === 'csv' ? entryRow(entry, hash) : `${line.toString('utf8')}\n`;
    },
    async chunk() {
      const text = pending;
      pending = '';
      if (text !== '') await write(text);
    },
  });
}
