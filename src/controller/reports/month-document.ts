/** What a month came to, for people who were not there. Everything in it follows from verified entries of the journal, except where it says otherwise. */
import { z } from 'zod';

/** `2026-11` */
export const monthName = z.string().regex(/^20\d\d-(?:0[1-9]|1[0-2])$/);

const windowRow = z.object({
  window: z.string(),
  link: z.string(),
  /** False: the configuration of today does not name it any more, so nothing is known of its schedule. */
  configured: z.boolean(),
  /** Openings that the schedule of today names, as far as the journal reaches. */
  planned: z.number(),
  /** Openings, by the schedule or by hand. */
  run: z.number(),
  by_hand: z.number(),
  done: z.number(),
  partly_done: z.number(),
  failed: z.number(),
  cut_short: z.number(),
  skipped: z.number(),
  /** Opened, and the controller did not say how it went. */
  no_word: z.number(),
  /** The calendar says why it did not open: clock, or still in progress. */
  missed: z.number(),
  /** Planned, and no entry speaks of it. */
  missing: z.number(),
  /** Planned in a time of which no verified entry is here. */
  not_known: z.number(),
});

const exception = z.object({
  window: z.string(),
  /** Its occurrence, or the scheduled time. */
  occurrence: z.string(),
  came_to: z.string(),
  why: z.string().nullable(),
});

const linkRow = z.object({
  link: z.string(),
  /** A board of it is emulated: nothing about hardware is shown. */
  simulated: z.boolean(),
  connections: z.number(),
  exposure_ms: z.number(),
  /** Of 24 hours; null when it is not configured any more. */
  budget_ms: z.number().nullable(),
  longest_day: z.object({ day: z.string(), exposure_ms: z.number() }).nullable(),
  /** Calendar days with more than the budget. */
  days_over_budget: z.array(z.string()),
  /** The journal ends while it was connected: that stretch is not in the sums. */
  still_connected: z.boolean(),
});

const dataRow = z.object({
  repository: z.string(),
  backups: z.number(),
  backups_not_done: z.number(),
  /** New data before compression. */
  bytes_added: z.number(),
  snapshots_copied: z.number(),
  snapshots_removed: z.number(),
  last_good_backup_at: z.string().nullable(),
});

const drillRow = z.object({
  at: z.string(),
  window: z.string(),
  repository: z.string(),
  outcome: z.string(),
  why: z.string().nullable(),
  snapshot: z.string().nullable(),
  files: z.number().nullable(),
  bytes: z.number().nullable(),
  /** How many were compared with the source, with an earlier digest, with nothing but restic's checksums. */
  as_source: z.number().nullable(),
  as_recorded: z.number().nullable(),
  without_reference: z.number().nullable(),
});

const checkRow = z.object({
  at: z.string(),
  window: z.string(),
  repository: z.string(),
  outcome: z.string(),
  why: z.string().nullable(),
  data_read: z.string().nullable(),
});

const proofRow = z.object({
  link: z.string(),
  contact: z.string(),
  passed: z.number(),
  failed: z.number(),
  /** Of those that passed, how many rest on a witness, and not on the board's own word. */
  by_witness: z.number(),
  slowest_ms: z.number().nullable(),
  last_at: z.string(),
});

const tripRow = z.object({
  at: z.string(),
  link: z.string(),
  by: z.string(),
  reason: z.string(),
  /** ms from what tripped it to the last isolate frame; null when a board was not there. */
  cut_ms: z.number().nullable(),
  /** ms from the decision to proven isolation; null when it was not proven. */
  proven_ms: z.number().nullable(),
  reset_at: z.string().nullable(),
  seq: z.number(),
});

const sessionRow = z.object({
  at: z.string(),
  link: z.string(),
  by: z.string(),
  reason: z.string(),
  authority: z.string(),
  lasted_ms: z.number().nullable(),
  ended: z.string().nullable(),
});

const anomalyRow = z.object({
  at: z.string(),
  window: z.string(),
  repository: z.string().nullable(),
  rule: z.string(),
  action: z.string(),
  why: z.string(),
  /** What a person releases it by; null for a warning, which holds nothing. */
  id: z.string().nullable(),
  released_at: z.string().nullable(),
  released_by: z.string().nullable(),
});

const counted = z.object({ what: z.string(), count: z.number(), last_at: z.string() });

const journalPart = z.object({
  /** `verified`: every entry of the month, and nothing contradicts it. */
  state: z.enum(['verified', 'not-verified']),
  /** Read from the files of the box, or as the interlock gave them. */
  read_from: z.enum(['files', 'socket']),
  /** The entries of the month that were verified. */
  first_seq: z.number().nullable(),
  last_seq: z.number().nullable(),
  entries: z.number(),
  /** The chain was followed from and to these entries. */
  chain_from_seq: z.number().nullable(),
  chain_through_seq: z.number(),
  head: z.object({ size: z.number(), hash: z.string() }),
  problems: z.array(z.string()),
  heads_confirmed: z.array(z.string()),
  heads_contradicted: z.array(z.string()),
  heads_unchecked: z.array(z.string()),
  /** Entries whose calendar time came from a clock that was not synchronised. */
  clock_not_synchronised: z.number(),
  /** The head when this was made: keep it elsewhere; `journal verify --head` compares. Null: the interlock gave none. */
  signed_head: z.string().nullable(),
});

export const monthDocument = z
  .object({
    format: z.literal(1),
    month: monthName,
    timezone: z.string(),
    /** RFC 3339; `until` is the end of the month, or now when it is not over. */
    from: z.string(),
    until: z.string(),
    is_over: z.boolean(),
    made_at: z.string(),
    build: z.string(),
    /** Links of which nothing here proves anything about hardware. */
    simulated: z.array(z.string()),
    journal: journalPart,
    /** What this does not show, in sentences. */
    not_verified: z.array(z.string()),
    windows: z.array(windowRow),
    /** Openings that did not end well, or were none. */
    exceptions: z.array(exception),
    links: z.array(linkRow),
    data: z.array(dataRow),
    drills: z.array(drillRow),
    checks: z.array(checkRow),
    proof_tests: z.array(proofRow),
    commissionings: z.array(
      z.object({ at: z.string(), link: z.string(), outcome: z.string(), by: z.string() }),
    ),
    trips: z.array(tripRow),
    sessions: z.array(sessionRow),
    anomalies: z.array(anomalyRow),
    /** By window, guard and what it said. */
    guards: z.array(counted),
    /** Messages that went the whole way and were meant to cut nothing. */
    alarm_drills: z.array(counted),
    refusals: z.array(counted),
    faults: z.array(counted),
    interlock_starts: z.number(),
    reports: z.object({
      kept: z.number(),
      /** What report and journal do not agree on. */
      disagreements: z.array(z.string()),
      /** Finished windows whose report is not here (the newest thousand are kept). */
      not_here: z.number(),
    }),
    /** Lists that are longer than what is kept of them. */
    shortened: z.array(z.string()),
  })
  .meta({ id: 'Month' });
export type MonthDocument = z.infer<typeof monthDocument>;
export type WindowRow = z.infer<typeof windowRow>;
export type Exception = z.infer<typeof exception>;
export type DataRow = z.infer<typeof dataRow>;
export type DrillRow = z.infer<typeof drillRow>;
export type CheckRow = z.infer<typeof checkRow>;
export type ProofRow = z.infer<typeof proofRow>;
export type TripRow = z.infer<typeof tripRow>;
export type SessionRow = z.infer<typeof sessionRow>;
export type LinkRow = z.infer<typeof linkRow>;
export type Counted = z.infer<typeof counted>;
export type AnomalyRow = z.infer<typeof anomalyRow>;
