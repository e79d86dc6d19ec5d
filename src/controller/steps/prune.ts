/** `prune`: removes the data that no snapshot needs any more. */
import type { PruneSettings } from '../../config/schema/steps.ts';
import { outcomeOf } from '../restic/outcome.ts';
import type { StepEnd, StepTools } from './step.ts';

/** Prunes with the limits given; without any, with restic's own. */
export async function prune(
  limits: Pick<PruneSettings, 'max_unused' | 'max_repack_size'>,
  { run }: StepTools,
): Promise<StepEnd> {
  const args = [
    'prune',
    ...(limits.max_unused === undefined ? [] : [`--max-unused=${limits.max_unused}`]),
    ...(limits.max_repack_size === undefined ? [] : [`--max-repack-size=${limits.max_repack_size}`]),
  ];
  return { outcome: outcomeOf(await run({ args, timeoutMs: null }), 'removing unused data') };
}
