/** What a session makes of its outcome when something else had a say in it. Pure. */
import type { recordProof } from '../records/proof-record.ts';
import type { Outcome } from './procedure.ts';
import type { CommissioningRecord, StepResult } from './record.ts';

/** Whatever went well before: a link that is not proven isolated in the end did not pass. */
export const withoutEnd = (outcome: Outcome): Outcome => ({
  ...outcome,
  verdict: 'failed',
  reasons: [
    ...outcome.reasons,
    'isolation was not proven in time when the session was over; see `portcullis status`',
  ],
});

/**
 * What a session came to that was ended from outside after a step had failed; null when none had. Its figures are gone, and
 * its link was not connected for longer than it `lastedMs`.
 */
export function cutOff(steps: readonly StepResult[], why: string, lastedMs: number): Outcome | null {
  const failed = steps.filter(({ verdict }) => verdict === 'failed').map(({ says }) => says);
  if (failed.length === 0) return null;
  return {
    steps,
    contacts: [],
    witnesses: [],
    connectedMs: lastedMs,
    verdict: 'failed',
    reasons: [...failed, `ended from outside (${why}) after that; everything was isolated`],
  };
}

/** What follows from a record of this verdict that is not on the disk. */
export const lostWords = (verdict: Outcome['verdict']): string =>
  verdict === 'failed'
    ? 'no window is opened until the interlock is started again; then what was recorded before counts'
    : 'nothing has changed';

/** The contacts that a record which passed proves, as the record of proofs takes them. */
export const proven = (record: CommissioningRecord): Parameters<typeof recordProof>[2] =>
  record.contacts.flatMap(({ name, isolates_alone, isolates_alone_by, isolates_alone_ms }) =>
    isolates_alone === 'proven' && isolates_alone_by !== 'none'
      ? [{ contact: name, basis: isolates_alone_by, tookMs: isolates_alone_ms ?? 0 }]
      : [],
  );
