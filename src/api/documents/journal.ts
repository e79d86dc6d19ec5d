/** Journal and history: what happened, and what follows from it. */
import { z } from 'zod';
import { faultRecord, proofRecord } from '../../controller/chronicle/book-content.ts';
import { keptEntry } from '../../protocol/journal.ts';
import { tripRecord } from './state-document.ts';

/** One entry of the journal, as the interlock keeps it. */
export const entry = keptEntry.meta({ id: 'JournalEntry' });
export type JournalEntry = z.infer<typeof entry>;

/** `GET /journal`: newest first. Filters are combined. */
export const journalQuery = z.strictObject({
  /** Where to go on: `next` of the page before. */
  cursor: z.string().max(40).exactOptional(),
  limit: z.coerce.number().int().min(1).max(500).default(100),
  /** Beginning of the type, such as `link.`. */
  type: z.string().max(100).exactOptional(),
  /** Beginning of the actor, such as `person:`. */
  actor: z.string().max(200).exactOptional(),
  /** Entries whose data names this link. */
  link: z.string().max(100).exactOptional(),
  /** Text anywhere in type, actor or data; capitals do not matter. */
  text: z.string().max(200).exactOptional(),
  /** Not older, not newer: RFC 3339. */
  from: z.iso.datetime({ offset: true }).exactOptional(),
  to: z.iso.datetime({ offset: true }).exactOptional(),
});
export type JournalQuery = z.input<typeof journalQuery>;

/** One page of the journal, newest first. `next` is set also when this page is empty and the search is not through. */
export const journalPage = z
  .object({
    entries: z.array(entry),
    next: z.string().nullable(),
    size: z.number(),
    head: z.string(),
  })
  .meta({ id: 'JournalPage' });
export type JournalPage = z.infer<typeof journalPage>;

/** A proof that the journal is whole: under way, or what it came to. */
export const verification = z
  .object({
    state: z.enum(['running', 'verified', 'broken', 'failed']),
    by: z.string(),
    began_at: z.string(),
    ended_at: z.string().nullable(),
    /** Entries looked at so far, of so many. */
    entries: z.number(),
    of: z.number(),
    /** Where the chain ended; `null` while running. */
    head: z.object({ size: z.number(), hash: z.string() }).nullable(),
    /** What is wrong, each with its place. `failed`: why it could not be done. */
    problems: z.array(z.string()),
    /** What this does not show, in words. */
    note: z.string(),
  })
  .meta({ id: 'Verification' });
export type Verification = z.infer<typeof verification>;

/** `POST /journal/verification`: also compares with a signed head that was kept elsewhere. */
export const verificationRequest = z.strictObject({ head: z.string().max(4_096).exactOptional() });

/** `GET /journal/export` */
export const exportQuery = z.strictObject({
  format: z.enum(['jsonl', 'csv']).default('jsonl'),
  from_seq: z.coerce.number().int().min(1).exactOptional(),
  to_seq: z.coerce.number().int().min(1).exactOptional(),
});

/** `GET /history` */
export const historyQuery = z.strictObject({ days: z.coerce.number().int().min(1).max(400).default(30) });

const dayOfLink = z.object({
  /** Calendar day in the timezone of the document, `2026-11-21`. */
  day: z.string(),
  exposure_ms: z.number(),
  /** How often it was connected. */
  connections: z.number(),
  trips: z.number(),
});

const windowRecord = z.object({
  window: z.string(),
  link: z.string(),
  occurrence: z.string(),
  opened_at: z.string(),
  closed_at: z.string().nullable(),
  /** `null` until the controller has said how it went. */
  outcome: z.string().nullable(),
  exposure_ms: z.number().nullable(),
  seq: z.number(),
});

const commissioningRecord = z.object({
  link: z.string(),
  at: z.string(),
  outcome: z.string(),
  by: z.string(),
  seq: z.number(),
});

/** `GET /history`: what the journal shows of the last days, oldest first. */
export const history = z
  .object({
    timezone: z.string(),
    days: z.number(),
    /** The journal was read up to this entry; `complete` when that is its end. */
    through_seq: z.number(),
    complete: z.boolean(),
    links: z.array(
      z.object({ link: z.string(), budget_ms: z.number().nullable(), days: z.array(dayOfLink) }),
    ),
    trips: z.array(tripRecord),
    proofs: z.array(proofRecord),
    faults: z.array(faultRecord),
    windows: z.array(windowRecord),
    commissionings: z.array(commissioningRecord),
  })
  .meta({ id: 'History' });
export type History = z.infer<typeof history>;
