/** What happened in a window, as it is kept and shown. Keys are snake_case: people and tools read the file. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Disk } from '../journal/disk.ts';
import type { OutcomeKind, StepOutcome } from './outcome.ts';
import type { StepKind } from './windows/plan.ts';

const REPORTS_KEPT = 1_000;

/** One step. Durations in ms, sizes in bytes. */
export interface StepReport {
  readonly step: StepKind | 'recover';
  readonly repository: string;
  readonly outcome: StepOutcome;
  readonly took_ms: number;
  readonly snapshot?: string;
  readonly files?: number;
  readonly bytes?: number;
  /** New data, before compression. */
  readonly bytes_added?: number;
  readonly missing_sources?: readonly string[];
}

/** One opening of a window. Calendar times RFC 3339, durations in ms. */
export interface WindowReport {
  readonly format: 1;
  readonly window: string;
  readonly link: string;
  readonly occurrence: string;
  /** Set when a person began it by hand. */
  readonly by_hand: string | null;
  /** True when an earlier controller died in the same opening. */
  readonly resumed: boolean;
  readonly planned: { readonly began_at: string; readonly ends_at: string };
  readonly actual: {
    readonly started_at: string;
    readonly granted_at: string | null;
    readonly isolated_at: string | null;
    readonly finished_at: string;
  };
  /** From the grant of the lease to proven isolation; `isolation_proven` false: to when we stopped waiting for proof. */
  readonly exposure_seconds: number;
  readonly isolation_proven: boolean;
  readonly outcome: OutcomeKind;
  /** Why the window ended as it did, when not by finishing its work. */
  readonly why: { readonly code: string; readonly why: string; readonly hint?: string } | null;
  readonly trip: { readonly by: string; readonly reason: string; readonly at: string } | null;
  readonly steps: readonly StepReport[];
  /** Signed head of the journal when the window was over; null when the interlock gave none. Kept elsewhere, it dates a rewrite. */
  readonly journal_head: string | null;
}

const SAFE = /[^A-Za-z0-9._-]/g;

/** File name of the report of one opening. */
export const reportName = (window: string, occurrence: string): string =>
  `${window}-${occurrence}.json`.replaceAll(SAFE, '_').replace(/^\.+/, '_');

/** Keeps a report, and only the newest thousand. Rejects when it cannot be written. */
export async function keepReport(disk: Disk, directory: string, report: WindowReport): Promise<void> {
  const path = join(directory, reportName(report.window, report.occurrence));
  await disk.replace(path, new TextEncoder().encode(`${JSON.stringify(report, null, 2)}\n`));
}

/** Removes the oldest reports beyond the limit; names end in the time of opening per window, so age is read from the file system. */
export async function dropOldReports(
  disk: Disk,
  directory: string,
  ageOf: (path: string) => Promise<number>,
): Promise<void> {
  const names = (await readdir(directory)).filter((name) => name.endsWith('.json'));
  if (names.length <= REPORTS_KEPT) return;
  const aged = await Promise.all(
    names.map(async (name) => ({ path: join(directory, name), at: await ageOf(join(directory, name)) })),
  );
  const old = aged.toSorted((a, b) => a.at - b.at).slice(0, names.length - REPORTS_KEPT);
  for (const { path } of old) {
    // oxlint-disable-next-line no-await-in-loop -- one at a time keeps the disk free for others
    await disk.remove(path);
  }
}

/** The newest `most` reports, newest first. A file that is no report is passed over: it is for people, nothing rests on it. */
export async function recentReports(
  disk: Disk,
  directory: string,
  most: number,
): Promise<readonly WindowReport[]> {
  const reports: WindowReport[] = [];
  for (const name of (await disk.list(directory)).filter((each) => each.endsWith('.json'))) {
    // oxlint-disable-next-line no-await-in-loop -- a thousand small files are not read at once
    const bytes = await disk.read(join(directory, name));
    const report = bytes === null ? null : reportIn(new TextDecoder().decode(bytes));
    if (report !== null) reports.push(report);
  }
  return reports.toSorted((a, b) => b.actual.started_at.localeCompare(a.actual.started_at)).slice(0, most);
}

function reportIn(text: string): WindowReport | null {
  try {
    const value: unknown = JSON.parse(text);
    return isReport(value) ? value : null;
  } catch {
    return null; // torn or foreign
  }
}

/** Written by this program alone; the format number and the one field that is sorted by are looked at. */
const isReport = (value: unknown): value is WindowReport =>
  typeof value === 'object' &&
  value !== null &&
  (value as WindowReport).format === 1 &&
  typeof (value as WindowReport).actual.started_at === 'string';
