/** Which repository is it? */
import { z } from 'zod';
import { printable } from '../../sources/excerpt.ts';
import type { StepOutcome } from '../outcome.ts';
import { jsonOf } from './lines.ts';
import { failed, outcomeOf, SMALL_TIMEOUT_MS } from './outcome.ts';
import type { Repository } from './repository.ts';
import type { Run } from './run.ts';

const repositoryConfig = z.object({
  id: z.string().regex(/^[0-9a-f]{16,64}$/),
  /** How files are cut into pieces; equal pieces are stored once only where this is equal. */
  chunker_polynomial: z.string().max(100).default(''),
});

/** Who the repository says it is. `missing` only when restic positively said that there is none. */
export type Identity =
  | { readonly kind: 'known'; readonly id: string; readonly chunker: string }
  | { readonly kind: 'missing' }
  | { readonly kind: 'no'; readonly outcome: StepOutcome };

/** Reads the identity of the repository, past any lock, not from the cache. */
export async function identify(run: Run): Promise<Identity> {
  const end = await run({ args: ['cat', 'config', '--no-lock', '--no-cache'], timeoutMs: SMALL_TIMEOUT_MS });
  if (end.verdict === 'repository-missing') return { kind: 'missing' };
  if (end.verdict !== 'done') return { kind: 'no', outcome: outcomeOf(end, 'reading the repository') };
  const config = repositoryConfig.safeParse(jsonOf(end.output));
  if (config.success) return { kind: 'known', id: config.data.id, chunker: config.data.chunker_polynomial };
  const outcome = failed(
    'restic-unreadable',
    `restic did not print the repository's id: ${printable(end.output.trim(), 200)}`,
    'report this with the version of restic',
  );
  return { kind: 'no', outcome };
}

/**
 * Makes a new repository. Only ever called when restic said that there is none and none was known. One that is copied into gets the
 * chunker parameters of `from`: else a file that is copied and one that is backed up would share no data.
 */
export async function initialise(run: Run, from: Repository | null): Promise<StepOutcome> {
  const call =
    from === null
      ? { args: ['init', '--json'] }
      : { args: ['init', '--json', '--copy-chunker-params'], from };
  return outcomeOf(await run({ ...call, timeoutMs: SMALL_TIMEOUT_MS }), 'making the repository');
}
