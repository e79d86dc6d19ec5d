/** What `restic diff` says between two snapshots, counted line by line: a renamed million needs no memory. */
import { z } from 'zod';
import { jsonOf } from '../restic/lines.ts';
import type { Run } from '../restic/run.ts';
import type { Difference } from './after-rules.ts';

/** ms; `diff` reads every changed directory from the vault. */
const TIMEOUT_MS = 600_000;

const change = z.object({ message_type: z.literal('change'), path: z.string(), modifier: z.string() });

/** Compares; `null` when restic could not. Must be called while the vault is connected. */
export async function differenceBetween(run: Run, before: string, after: string): Promise<Difference | null> {
  const counts = { added: 0, removed: 0, modified: 0 };
  const end = await run({
    args: ['diff', '--json', '--no-lock', before, after],
    timeoutMs: TIMEOUT_MS,
    onLine: (line) => {
      const read = change.safeParse(jsonOf(line));
      if (!read.success || read.data.path.endsWith('/')) return;
      const { modifier } = read.data;
      if (modifier.includes('+')) counts.added += 1;
      else if (modifier.includes('-')) counts.removed += 1;
      else if (modifier.includes('M')) counts.modified += 1;
    },
  });
  return end.verdict === 'done' ? counts : null;
}
