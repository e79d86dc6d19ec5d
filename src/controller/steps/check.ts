/** `check`: the structure of the repository each time, and a part of its data if asked for. */
import type { CheckSettings } from '../../config/schema/steps.ts';
import { outcomeOf } from '../restic/outcome.ts';
import type { StepEnd, StepTools } from './step.ts';

/** Checks. The position of `rotate/N` moves on when its part was read to the end; each N has a position of its own. */
export async function check({ read_data_subset: subset }: CheckSettings, tools: StepTools): Promise<StepEnd> {
  const { parts_checked: checked, positions } = tools.record;
  // A position that two rotations shared would let each skip the same parts for ever.
  const parts = subset === undefined ? null : rotationOf(subset);
  const position = parts === null ? 0 : (positions[parts] ?? 0);
  const part = subset === undefined ? null : subsetPart(subset, position);
  const args = ['check', '--json', ...(part === null ? [] : [`--read-data-subset=${part}`])];
  const outcome = outcomeOf(await tools.run({ args, timeoutMs: null }), 'the check');
  const facts = part === null ? {} : { data_read: part };
  if (outcome.kind === 'cut-short') return { outcome, facts };
  const why = 'why' in outcome ? outcome.why : null;
  const last = { at: tools.now().toISOString(), outcome: outcome.kind, why, data_read: part };
  if (outcome.kind !== 'done' || parts === null) return { outcome, facts, learnt: { last_check: last } };
  const moved = { ...positions, [parts]: (position + 1) % Number(parts) };
  return { outcome, facts, learnt: { last_check: last, parts_checked: checked + 1, positions: moved } };
}

/** The N of `rotate/N`, or `null`. */
const rotationOf = (subset: string): string | null => /^rotate\/(\d+)$/.exec(subset)?.[1] ?? null;

/** Which part of `rotate/N` comes next, as restic takes it; other subsets as they are. */
export function subsetPart(subset: string, position: number): string {
  const parts = rotationOf(subset);
  return parts === null ? subset : `${(position % Number(parts)) + 1}/${parts}`;
}
