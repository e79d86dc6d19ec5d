/** The thread that proves the journal: reads every entry over the socket, prints its line again and follows the chain. */
import { setTimeout as pause } from 'node:timers/promises';
import { parentPort, workerData } from 'node:worker_threads';
import canonicalize from 'canonicalize';
import { createVerifier, type Verifier } from '../../journal/chain.ts';
import { verifyHead } from '../../journal/heads.ts';
import { interlockClient } from '../../protocol/client.ts';
import { MOST_ENTRIES } from '../../protocol/journal.ts';
import type { VerificationTask, VerificationWord } from './verifications.ts';

/** ms between pages: the interlock has more important work. */
const BREATH_MS = 2;
/** The newest entries may not have reached the disk yet: so often they are asked for again, and how long between, ms. */
const MOST_AGAIN = 10;
const AGAIN_MS = 100;

const task = workerData as VerificationTask;
// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
const say = (word: VerificationWord): void => parentPort?.postMessage(word);

/** The head that was kept elsewhere, or why it cannot be used. */
function keptHead({ head, vkey }: VerificationTask): { size: number; hash: string } | string | null {
  if (head === null) return null;
  if (vkey === null)
    return 'the verification key cannot be read: use `portcullis journal verify --head FILE --vkey KEY`';
  const verified = verifyHead(head, vkey);
  return verified.ok ? verified.head : `the head that was kept elsewhere: ${verified.why}`;
}

async function prove(): Promise<VerificationWord> {
  const kept = keptHead(task);
  if (typeof kept === 'string') return { kind: 'failed', why: kept };
  const client = interlockClient(task);
  const problems: string[] = [];
  let verifier: Verifier | null = null;
  let entries = 0;
  let after = 0;
  // What the interlock itself has written, as it remembers: files that were changed under it show.
  const { size: until, head: written } = (await client.status()).journal;
  let again = 0;
  let confirmed = kept === null;
  while (after < until) {
    // oxlint-disable-next-line no-await-in-loop -- the chain goes one way
    const page = await client.entries(after, MOST_ENTRIES);
    if (page.missing !== null)
      // Older files may have been pruned; anything else that is missing breaks the chain.
      if (entries > 0 || page.missing.from !== 1) {
        problems.push(`entries ${page.missing.from} to ${page.missing.to}: ${page.missing.why}`);
        break;
      }
    for (const entry of page.entries) {
      verifier ??= createVerifier(entry.seq === 1 ? { size: 0, hash: '0'.repeat(64) } : null);
      const fed = verifier.feed(canonicalize(entry) ?? '');
      if (fed.broken !== undefined) {
        problems.push(`entry ${fed.broken.seq}: ${fed.broken.why}`);
        return over(false);
      }
      entries += 1;
      if (entry.seq === until && verifier.head().hash !== written)
        problems.push(`entry ${until} is another one than the interlock wrote: the files were changed`);
      if (entry.seq === kept?.size) {
        confirmed = verifier.head().hash === kept.hash;
        if (!confirmed)
          problems.push(`entry ${entry.seq} is another one than the head that was kept elsewhere says`);
      }
    }
    if (page.next_after <= after) {
      if ((again += 1) > MOST_AGAIN) break;
      // oxlint-disable-next-line no-await-in-loop
      await pause(AGAIN_MS);
      continue;
    }
    after = page.next_after;
    say({ kind: 'progress', entries, of: until });
    // oxlint-disable-next-line no-await-in-loop
    await pause(BREATH_MS);
  }
  const reached = verifier?.head().size ?? 0;
  if (reached < until && problems.length === 0)
    problems.push(`entries ${reached + 1} to ${until} are not there, and the interlock has written them`);
  if (!confirmed && problems.length === 0)
    problems.push(`the head that was kept elsewhere names entry ${kept?.size ?? 0}, which is not here`);
  return over(problems.length === 0);

  function over(ok: boolean): VerificationWord {
    const head = verifier?.head() ?? { size: 0, hash: '0'.repeat(64) };
    return { kind: 'over', ok, entries, head, problems };
  }
}

say(
  await prove().catch((error: unknown): VerificationWord => ({
    kind: 'failed',
    why: error instanceof Error ? error.message : String(error),
  })),
);
