/** The document of a report, as it is written to a file and read again: by this program, by older and newer ones, by others. */
import { z } from 'zod';

/** The format that is written. Format 1 (version 0.1) lacks what is optional here. */
export const REPORT_FORMAT = 2;

const reading = z.looseObject({
  name: z.string(),
  kind: z.enum(['contact', 'witness']),
  type: z.string(),
  position: z.enum(['connected', 'isolated', 'unknown']),
  /** ms since the board was asked; null when it never answered. */
  age_ms: z.number().nullable(),
  detail: z.string(),
  /** How far a contact may be trusted: `fail-safe-independent`, `fail-safe-indirect` or `holding`. */
  rating: z.string().exactOptional(),
});

/** What contacts and witnesses said when the vault was about to be used, and when it was isolated again. */
export const evidence = z.looseObject({
  when: z.enum(['connected', 'isolated']),
  /** When it was asked for, RFC 3339. */
  at: z.string(),
  observed: z.enum(['connected', 'isolated', 'unknown']),
  /** What it rests on. */
  proof: z.enum(['witness', 'read-back', 'none']),
  readings: z.array(reading),
});
export type EvidenceReport = z.infer<typeof evidence>;

/** One contact that was told to isolate the link alone. */
export const proofTest = z.looseObject({
  contact: z.string(),
  outcome: z.enum(['passed', 'failed', 'none']),
  basis: z.enum(['witness', 'read-back', 'none']),
  took_ms: z.number().nullable(),
  at: z.string().nullable(),
});
export type ProofTestReport = z.infer<typeof proofTest>;

const step = z.looseObject({
  step: z.string(),
  repository: z.string().nullable().exactOptional(),
  outcome: z.looseObject({ kind: z.string() }),
  took_ms: z.number(),
});

/** One opening of a window. What is not named here (guards, anomalies, what comes later) is kept and shown as it is. */
export const reportDocument = z.looseObject({
  format: z.union([z.literal(1), z.literal(REPORT_FORMAT)]),
  window: z.string(),
  link: z.string(),
  occurrence: z.string(),
  by_hand: z.string().nullable(),
  resumed: z.boolean(),
  planned: z.looseObject({ began_at: z.string(), ends_at: z.string() }),
  actual: z.looseObject({
    started_at: z.string(),
    granted_at: z.string().nullable(),
    isolated_at: z.string().nullable(),
    finished_at: z.string(),
  }),
  exposure_seconds: z.number(),
  isolation_proven: z.boolean(),
  outcome: z.string(),
  why: z.looseObject({ code: z.string(), why: z.string() }).nullable(),
  trip: z
    .looseObject({
      by: z.string(),
      reason: z.string(),
      at: z.string(),
      /** ms from what tripped it to the last isolate frame; from the decision to proven isolation. */
      cut_ms: z.number().nullable().exactOptional(),
      proven_ms: z.number().nullable().exactOptional(),
    })
    .nullable(),
  steps: z.array(step),
  /** Signed head of the journal when the window was over. */
  journal_head: z.string().nullable(),
  /** Build of the controller and the interlock. */
  build: z.string().exactOptional(),
  /** The weakest evidence behind the profiles of the link; `simulated`: a board is emulated, and nothing about hardware is shown. */
  evidence_grade: z.string().exactOptional(),
  evidence: z.array(evidence).exactOptional(),
  proof_tests: z.array(proofTest).exactOptional(),
});
/** A report as read. */
export type ReportDocument = z.infer<typeof reportDocument>;

/** The report in this text, or null: torn, foreign, of a format that is not known here. */
export function reportIn(text: string): ReportDocument | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null; // torn
  }
  return reportDocument.safeParse(value).data ?? null;
}
