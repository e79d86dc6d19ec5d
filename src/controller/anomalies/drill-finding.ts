/** What a restore drill found: it freezes what is kept, so somebody has to look at it. Pure. */
import type { StepReport } from '../report.ts';

/** What a drill of this window found in `repository`, or `null`. */
export function drillSaid(steps: readonly StepReport[], repository: string): string | null {
  for (const { step, repository: where, outcome } of steps)
    if (step === 'restore_drill' && where === repository && outcome.kind === 'failed')
      if (outcome.code === 'drill-differs') return `a restore drill found: ${outcome.why}`;
  return null;
}
