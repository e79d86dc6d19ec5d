/** `check`: the structure of the repository each time, and a part of its data if asked for. */
import type { CheckSettings } from '../../config/schema-steps.ts';
import { outcomeOf } from '../restic/outcome.ts';
import type { StepEnd, StepTools } from './step.ts';

/** Checks. The position of `rotate/N` moves on when its part was read to the end. */
export async function check({ read_data_subset: subset }: CheckSettings, tools: StepTools): Promise<StepEnd> {
  const { parts_checked: checked } = tools.record;
  const part = subset === undefined ? null : subsetPart(subset, checked);
  const args = ['check', '--json', ...(part === null ? [] : [`--read-data-subset=${part}`])];
  const outcome = outcomeOf(await tools.run({ args, timeoutMs: null }), 'the check');
  const facts = part === null ? {} : { data_read: part };
  if (outcome.kind === 'cut-short') return { outcome, facts };
  const why = 'why' in outcome ? outcome.why : null;
  const last = { at: tools.now().toISOString(), outcome: outcome.kind, why, data_read: part };
  const moves = outcome.kind === 'done' && part !== null;
  return { outcome, facts, learnt: { last_check: last, ...(moves ? { parts_checked: checked + 1 } : {}) } };
}

/** Which part of `rotate/N` comes next, as restic takes it; other subsets as they are. */
export function subsetPart(subset: string, partsChecked: number): string {
  const parts = /^rotate\/(\d+)$/.exec(subset)?.[1];
  return parts === undefined ? subset : `${(partsChecked % Number(parts)) + 1}/${parts}`;
}
