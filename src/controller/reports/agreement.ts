/** Whether reports and journal tell the same. They are written by two processes, for two users. Pure. */
import type { ReportDocument } from './document.ts';
import type { RunTally } from './tally.ts';

/** Both come from one figure; a report has it in thousandths. */
const SAME_SECONDS = 0.0015;

/** What a summary looks at in a report. */
export type KeptReport = Pick<
  ReportDocument,
  'window' | 'link' | 'occurrence' | 'outcome' | 'exposure_seconds' | 'evidence_grade' | 'journal_head'
> & { readonly actual: { readonly started_at: string } };

/** Where they differ, in sentences. `runs` by `window occurrence`. */
export function disagreementsOf(
  runs: ReadonlyMap<string, RunTally>,
  reports: readonly KeptReport[],
): { readonly disagreements: string[]; readonly notHere: number } {
  const disagreements: string[] = [];
  const reported = new Set<string>();
  for (const { window, occurrence, outcome, exposure_seconds } of reports) {
    const key = `${window} ${occurrence}`;
    reported.add(key);
    const run = runs.get(key);
    if (run === undefined || run.outcome === null) {
      disagreements.push(`${key}: there is a report, and no verified entry says that it ended`);
      continue;
    }
    if (run.outcome !== outcome)
      disagreements.push(`${key}: the report says ${outcome}, the journal ${run.outcome}`);
    if (run.exposureSeconds !== null && Math.abs(run.exposureSeconds - exposure_seconds) > SAME_SECONDS)
      disagreements.push(
        `${key}: the report says ${exposure_seconds} s of exposure, the journal ${run.exposureSeconds} s`,
      );
  }
  const finished = [...runs.entries()].filter(([, { outcome }]) => outcome !== null);
  return {
    disagreements: disagreements.toSorted(),
    notHere: finished.filter(([key]) => !reported.has(key)).length,
  };
}
