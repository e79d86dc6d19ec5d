/** What happened in a window, as it is kept and shown. Keys are snake_case: people and tools read the file. */
import { join } from 'node:path';
import type { Disk } from '../journal/disk.ts';
import type { OutcomeKind, StepOutcome } from './outcome.ts';
import { type EvidenceReport, type ProofTestReport, reportIn } from './reports/document.ts';

/** What a window can be told to do; `recover` comes by itself. */
export type StepKind = 'backup' | 'copy' | 'forget' | 'prune' | 'check' | 'restore_drill' | 'command';

/** What a restore drill did. */
export interface DrillFacts {
  readonly snapshot: string;
  /** Restored in full. */
  readonly files: number;
  readonly bytes: number;
  /** Files whose content was compared with the source, with a digest of an earlier drill, with nothing but restic's checksums. */
  readonly as_source?: number;
  readonly as_recorded?: number;
  readonly without_reference?: number;
  /** A program of the user's said that it is good. */
  readonly judged_by?: 'verify';
}

/** What a step found out beside its outcome. Sizes in bytes. */
export interface StepFacts {
  readonly snapshot?: string;
  readonly files?: number;
  readonly bytes?: number;
  /** New data, before compression. */
  readonly bytes_added?: number;
  readonly missing_sources?: readonly string[];
  readonly snapshots_copied?: number;
  readonly snapshots_kept?: number;
  readonly snapshots_removed?: number;
  /** The part of the data that a check read. */
  readonly data_read?: string;
  readonly drill?: DrillFacts;
  /** The end of what a program of the user's printed; lines, printable. */
  readonly output?: string;
  /** What a person should know although it is no failure. */
  readonly notes?: readonly string[];
}

/** One step. Durations in ms. */
export interface StepReport extends StepFacts {
  readonly step: StepKind | 'recover';
  /** `null` for a program of the user's. */
  readonly repository: string | null;
  readonly outcome: StepOutcome;
  readonly took_ms: number;
}

/** A hook: a program of the user's before the window connected, or after it was isolated again. */
export interface CommandReport {
  readonly phase: 'prepare' | 'after';
  readonly command: string;
  readonly outcome: 'done' | 'failed' | 'stopped';
  readonly why?: string;
  /** The end of what it printed; lines, printable. */
  readonly output?: string;
  readonly took_ms: number;
}

/** A guard: what was looked at before anything was connected. */
export interface GuardReport {
  readonly guard: 'canary' | 'source_present' | 'change_survey' | 'all_clear';
  readonly outcome: 'clear' | 'warned' | 'skipped' | 'tripped';
  readonly why?: string;
  readonly hint?: string;
  readonly numbers: Readonly<Record<string, number>>;
  readonly took_ms: number;
}

/** Something unusual. `id` is what a person releases it by; a warning holds nothing, and has none. */
export interface AnomalyReport {
  readonly id: string | null;
  readonly rule: string;
  readonly repository: string | null;
  readonly action: 'trip' | 'isolate' | 'hold' | 'skip' | 'warn';
  readonly why: string;
  readonly numbers: Readonly<Record<string, number>>;
  readonly snapshot: string | null;
}

/** One opening of a window. Calendar times RFC 3339, durations in ms. */
export interface WindowReport {
  /** 1 is what version 0.1 wrote. */
  readonly format: 1 | 2;
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
  readonly trip: {
    readonly by: string;
    readonly reason: string;
    readonly at: string;
    /** From what tripped it to the last isolate frame, and from the decision to proven isolation, ms; missing when it is not known. */
    readonly cut_ms?: number | null;
    readonly proven_ms?: number | null;
  } | null;
  readonly steps: readonly StepReport[];
  readonly hooks: readonly CommandReport[];
  /** Missing where none is configured, and in reports from before there were any. */
  readonly guards?: readonly GuardReport[];
  /** Missing where nothing was unusual. */
  readonly anomalies?: readonly AnomalyReport[];
  /** Signed head of the journal when the window was over; null when the interlock gave none. Kept elsewhere, it dates a rewrite. */
  readonly journal_head: string | null;
  /** Of controller and interlock: they are the same. */
  readonly build?: string;
  /** `simulated`: a board of the link is emulated. */
  readonly evidence_grade?: string;
  /** What every contact and witness said. */
  readonly evidence?: readonly EvidenceReport[];
  /** Contacts that isolated the link alone at the end of this window. */
  readonly proof_tests?: readonly ProofTestReport[];
}

const SAFE = /[^A-Za-z0-9._-]/g;

/** File name of the report of one opening. */
export const reportName = (window: string, occurrence: string): string =>
  `${window}-${occurrence}.json`.replaceAll(SAFE, '_').replace(/^\.+/, '_');

/** Keeps a report. Rejects when it cannot be written. */
export async function keepReport(disk: Disk, directory: string, report: WindowReport): Promise<void> {
  const path = join(directory, reportName(report.window, report.occurrence));
  await disk.replace(path, new TextEncoder().encode(`${JSON.stringify(report, null, 2)}\n`));
}

/**
 * Removes the oldest reports beyond the newest `kept`; names end in the time of opening per window, so age is read from the file system.
 * `justKept` goes never: where the clock was ahead for a while, what is written now looks oldest. `ageOf` gives null for what is no file:
 * a link or a directory that somebody put there is nothing of ours.
 */
export async function dropOldReports(
  disk: Disk,
  directory: string,
  kept: number,
  ageOf: (path: string) => Promise<number | null>,
  justKept: Pick<WindowReport, 'window' | 'occurrence'>,
): Promise<void> {
  const names = (await disk.list(directory)).filter((name) => name.endsWith('.json'));
  if (names.length <= kept) return;
  const spared = reportName(justKept.window, justKept.occurrence);
  const aged = await Promise.all(
    names
      .filter((name) => name !== spared)
      .map(async (name) => ({ path: join(directory, name), at: await ageOf(join(directory, name)) })),
  );
  const files = aged.flatMap(({ path, at }) => (at === null ? [] : [{ path, at }]));
  const old = files.toSorted((a, b) => a.at - b.at).slice(0, Math.max(0, files.length + 1 - kept));
  for (const { path } of old) {
    // oxlint-disable-next-line no-await-in-loop -- one at a time keeps the disk free for others
    await disk.remove(path);
  }
}

/** The newest `most` reports of those wanted, newest first. A file that is no report is passed over: it is for people, nothing rests on it. */
export async function recentReports(
  disk: Disk,
  directory: string,
  most: number,
  isWanted: (report: WindowReport) => boolean = () => true,
): Promise<readonly WindowReport[]> {
  let reports: WindowReport[] = [];
  for (const name of (await disk.list(directory)).filter((each) => each.endsWith('.json'))) {
    // oxlint-disable-next-line no-await-in-loop -- a thousand small files are not read at once
    const bytes = await disk.read(join(directory, name));
    // What this program wrote has the fields of what it writes.
    const report = (bytes === null
      ? null
      : reportIn(new TextDecoder().decode(bytes))) as unknown as WindowReport | null;
    if (report !== null && isWanted(report)) reports.push(report);
    // Of thousands of files only these are held at a time.
    if (reports.length > 2 * most) reports = newest(reports, most);
  }
  return newest(reports, most);
}

const newest = (reports: readonly WindowReport[], most: number): WindowReport[] =>
  reports.toSorted((a, b) => b.actual.started_at.localeCompare(a.actual.started_at)).slice(0, most);
