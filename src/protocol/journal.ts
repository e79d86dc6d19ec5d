/** The journal over the sockets: entries written by the controller, entries as kept, the signed head. */
import { z } from 'zod';

/** `POST /v1/journal`: the controller's entries; `type` must begin with `controller.`. */
export const journalRequest = z.strictObject({
  type: z.string().regex(/^controller\.[a-z0-9.-]{1,60}$/),
  data: z.record(z.string(), z.json()),
});
export type JournalRequest = z.infer<typeof journalRequest>;
export const journaled = z.object({ seq: z.number() });

/** `GET /v1/head`: the signed head of the journal as it stands (C2SP checkpoint text). Keep it where this box cannot reach. */
export const signedHead = z.object({ head: z.string() });

/** Most entries in one answer; fewer are given when they are long. */
export const MOST_ENTRIES = 500;
/** An entry as kept: printed as canonical JSON it is its line. */
export const keptEntry = z.object({
  seq: z.int(),
  boot: z.string(),
  /** Monotonic ms within `boot`. */
  mono: z.number(),
  /** Calendar time, RFC 3339. */
  at: z.string(),
  clock: z.enum(['synchronised', 'unsynchronised', 'assumed']),
  /** Dotted name, such as `link.tripped`. */
  type: z.string(),
  /** `source:<name>`, `person:<name>`, `button`, `interlock`, `controller`, … */
  actor: z.string(),
  data: z.record(z.string(), z.json()),
  /** SHA-256 of the line before, 64 hex digits. */
  prev: z.string(),
});
export type KeptEntry = z.infer<typeof keptEntry>;
/** Query of `GET /v1/journal` (either socket): entries behind `after`; `after=0` begins with the oldest. */
export const pageRequest = z.strictObject({
  after: z.coerce.number().int().min(0).default(0),
  limit: z.coerce.number().int().min(1).max(MOST_ENTRIES).default(200),
});
/** Ask again with `after=next_after` while `next_after < size`. Only entries that survive power loss are given. */
export const journalPage = z.object({
  entries: z.array(keptEntry),
  next_after: z.int(),
  /** Sequence number of the newest entry. */
  size: z.int(),
  /** Entries behind `after` that are not there any more, or cannot be read. `entries` go on behind `to`. */
  missing: z.object({ from: z.int(), to: z.int(), why: z.string() }).nullable(),
});
export type JournalPage = z.infer<typeof journalPage>;
