/** What the interlock says about a link, as a report keeps it. Pure. */
import type { LinkStatus, TripRecord } from '../../protocol/messages.ts';
import type { EvidenceReport, ProofTestReport } from '../reports/document.ts';

/** What every contact and witness reads. */
export const evidenceOf = (
  when: EvidenceReport['when'],
  { observed, proof, indicators, ratings }: LinkStatus,
  at: Date,
): EvidenceReport => ({
  when,
  at: at.toISOString(),
  observed,
  proof,
  readings: indicators.map(({ name, kind, type, position, age_ms, detail }) => {
    const rating = kind === 'contact' ? ratings[name] : undefined;
    return { name, kind, type, position, age_ms, detail, ...(rating === undefined ? {} : { rating }) };
  }),
});

/** The proof tests of this opening: a link keeps the last of every contact, also older ones. */
export const proofTestsOf = (status: LinkStatus | null, since: Date | null): readonly ProofTestReport[] =>
  (status?.proofs ?? []).flatMap(({ contact, outcome, basis, took_ms, at, by }) =>
    since !== null && by === 'window' && at !== null && Date.parse(at) >= since.getTime()
      ? [{ contact, outcome, basis, took_ms, at }]
      : [],
  );

/** A trip with how fast it was cut and proven, as far as the interlock knows that of this very trip. */
export function tripWithTimes(trip: TripRecord | null, status: LinkStatus | null) {
  if (trip === null) return null;
  const { by, reason, at } = trip;
  const last = status?.last_trip ?? null;
  const times = last?.at === at ? { cut_ms: last.cut_ms, proven_ms: last.proven_ms } : {};
  return { by, reason, at, ...times };
}
