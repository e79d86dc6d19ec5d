/** Reports of windows, from their files. */
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { z } from 'zod';
import { reportName } from '../../controller/report.ts';
import { reportIn } from '../../controller/reports/document.ts';
import { type Report, type ReportsPage, type reportsQuery, type ReportSummary } from './work.ts';

/** What was read of a file, as long as the file is the same. */
interface Remembered {
  readonly mark: string;
  readonly summary: ReportSummary | null;
}
const remembered = new Map<string, Remembered>();

/** One page of reports, newest first. */
export async function reportsOf(
  directory: string,
  { cursor, limit, window }: z.output<typeof reportsQuery>,
): Promise<ReportsPage> {
  const names = (await readdir(directory)).filter((name) => name.endsWith('.json'));
  forgetOthers(new Set(names.map((name) => join(directory, name))));
  const all: ReportSummary[] = [];
  for (const name of names) {
    // oxlint-disable-next-line no-await-in-loop -- a thousand small files are not opened at once
    const summary = await summaryOf(join(directory, name));
    if (summary !== null && (window === undefined || summary.window === window)) all.push(summary);
  }
  const places = all
    .map((summary) => ({ summary, place: placeOf(summary) }))
    .toSorted((a, b) => (a.place < b.place ? 1 : -1));
  const rest = cursor === undefined ? places : places.filter(({ place }) => place < cursor);
  const page = rest.slice(0, limit);
  return {
    reports: page.map(({ summary }) => summary),
    next: rest.length > limit ? (page.at(-1)?.place ?? null) : null,
  };
}

/** What is remembered is what is there: at most as many as reports are kept. */
function forgetOthers(there: ReadonlySet<string>): void {
  for (const path of remembered.keys()) if (!there.has(path)) remembered.delete(path);
}
/** Where a report stands in the list: two windows may begin in the same millisecond, but no window has an occurrence twice. */
const placeOf = ({ started_at, window, occurrence }: ReportSummary): string =>
  `${started_at} ${window} ${occurrence}`;

async function summaryOf(path: string): Promise<ReportSummary | null> {
  const { ino, size, mtimeMs } = await stat(path);
  const mark = `${ino} ${size} ${mtimeMs}`;
  const known = remembered.get(path);
  if (known?.mark === mark) return known.summary;
  const read = await readFileAt(path);
  const summary = read === null ? null : summaryFrom(read);
  remembered.set(path, { mark, summary });
  return summary;
}

function summaryFrom(read: Report): ReportSummary {
  const { window, link, occurrence, actual, outcome, why, exposure_seconds, isolation_proven, steps } = read;
  const added = steps.map((step) => (typeof step['bytes_added'] === 'number' ? step['bytes_added'] : 0));
  return {
    window,
    link,
    occurrence,
    started_at: actual.started_at,
    finished_at: actual.finished_at,
    outcome,
    why: why?.why ?? null,
    exposure_seconds,
    isolation_proven,
    bytes_added: added.reduce((sum, bytes) => sum + bytes, 0),
  };
}

/** One report, or null. The name of its file is made of safe characters only, whatever was asked for. */
export const readReport = (directory: string, window: string, occurrence: string): Promise<Report | null> =>
  readFileAt(join(directory, reportName(window, occurrence)));

async function readFileAt(path: string): Promise<Report | null> {
  try {
    return reportIn(await readFile(path, 'utf8'));
  } catch {
    return null; // gone: as if there were none, like one that is torn or foreign
  }
}
