/** What the book of the journal holds, as a checkpoint keeps it. */
import { z } from 'zod';

const day = z.object({ exposure_ms: z.number(), connections: z.number(), trips: z.number() });
const trip = z.object({
  link: z.string(),
  at: z.string(),
  by: z.string(),
  reason: z.string(),
  cut_ms: z.number().nullable(),
  contacts_ms: z.record(z.string(), z.number().nullable()),
  proven_ms: z.number().nullable(),
  seq: z.number(),
});
/** The proof test of one contact, or its part of a commissioning. */
export const proofRecord = z.object({
  link: z.string(),
  contact: z.string(),
  at: z.string(),
  outcome: z.enum(['passed', 'failed']),
  basis: z.string(),
  /** ms from the command until isolation was seen; `null` when it was not. */
  took_ms: z.number().nullable(),
  by: z.enum(['window', 'commissioning']),
  seq: z.number(),
});
/** An alarm of a link. */
export const faultRecord = z.object({
  at: z.string(),
  link: z.string(),
  code: z.string(),
  why: z.string(),
  seq: z.number(),
});
const run = z.object({
  window: z.string(),
  link: z.string(),
  occurrence: z.string(),
  opened_at: z.string(),
  closed_at: z.string().nullable(),
  outcome: z.string().nullable(),
  why: z.string().nullable(),
  exposure_ms: z.number().nullable(),
  seq: z.number(),
});
const commissioning = z.object({
  link: z.string(),
  at: z.string(),
  outcome: z.string(),
  by: z.string(),
  seq: z.number(),
});
const moment = z.object({ boot: z.string(), mono: z.number(), calendar_ms: z.number() });
const step = z.object({ at: z.string(), outcome: z.string(), why: z.string().nullable() });

/** The content, as a checkpoint keeps it. */
export const bookContent = z.object({
  /** Entries up to this one are in it. */
  through: z.number(),
  days: z.record(z.string(), z.record(z.string(), day)),
  /** Links that are, or may be, connected: since when. */
  since: z.record(z.string(), moment),
  trips: z.array(trip),
  proofs: z.array(proofRecord),
  faults: z.array(faultRecord),
  runs: z.array(run),
  commissionings: z.array(commissioning),
  /** By `repository step`. */
  steps: z.record(z.string(), step),
  /** Numbers that only grow, by name and labels. */
  counters: z.record(z.string(), z.number()),
  /** Calendar time of the newest proven isolation by link, RFC 3339. */
  isolated: z.record(z.string(), z.string()),
});
export type BookContent = z.infer<typeof bookContent>;

/** A book without entries. */
export const emptyBook = (): BookContent => ({
  through: 0,
  days: {},
  since: {},
  trips: [],
  proofs: [],
  faults: [],
  runs: [],
  commissionings: [],
  steps: {},
  counters: {},
  isolated: {},
});

export type Day = z.infer<typeof day>;
export type Moment = z.infer<typeof moment>;
export type Run = z.infer<typeof run>;
