/**
 * What nobody may ask from afar on his own word: a reset, a window run by hand, an attended session. Each needs presence at the
 * box (`presence.sock`, or its button that was held), or the one-time codes of two people; the interlock itself verifies them.
 */
import { z } from 'zod';

const by = z.string().min(1).max(100);
const reason = z.string().min(1).max(500);
const approval = z.strictObject({ name: z.string().max(100), code: z.string().max(20) });
/** Somebody's one-time code. */
export type Approval = z.infer<typeof approval>;
const approvals = z.array(approval).max(8).exactOptional();
/** The cause that is acknowledged, as status names it. Without it the answer says what it is. */
const cause = z.string().max(100).exactOptional();

/** By what right: over the presence socket, by the button that was held, by two approvers. */
export const authority = z.enum(['box', 'button', 'approvers']);
export type AuthorityKind = z.infer<typeof authority>;

/** `POST /v1/reset` (either socket) answers 200 with `{}`, or 409 with `refused`. */
export const resetRequest = z.strictObject({ link: z.string(), cause, approvals, by, reason });

/** `POST /v1/windows/:name/run` (either socket): opens a window by hand, as far as its `by_hand` allows. */
export const runRequest = z.strictObject({ by, reason, approvals });
export const opened = z.object({ occurrence: z.string(), ends_in_ms: z.number() });

/**
 * `POST /v1/sessions` (either socket): permits a lease outside of windows, for restores. Answers 200 with `sessionBegun`, or 409
 * with `refused`. With `cause` a latched link is reset first, by the same right; without it a latched link is refused.
 *
 * The session is the permission; whoever works holds the lease: `POST /v1/leases {link, session}`, on `presence.sock` when the
 * session was begun there. `DELETE /v1/sessions/:id` (either socket, nothing needed) ends it and isolates. It is over, too, at
 * its end, by a trip, when its lease is given back, lapses or loses its holder, and when nobody holds its lease for
 * `take_within_ms`. A lease that a permissive or lost evidence ended may be asked for again within the session.
 */
export const sessionRequest = z.strictObject({
  link: z.string(),
  reason,
  /** No longer than `attended.longest` of the link. */
  for_ms: z.int().min(1_000),
  by,
  cause,
  approvals,
});
export const sessionBegun = z.object({
  session: z.string(),
  ends_in_ms: z.number(),
  /** The lease must have been asked for within this. */
  take_within_ms: z.number(),
  authority,
});
export type SessionBegun = z.infer<typeof sessionBegun>;

/** An attended session in progress. */
export const sessionStatus = z.object({
  session: z.string(),
  by: z.string(),
  reason: z.string(),
  authority,
  /** Who approved it; empty unless `authority` is `approvers`. */
  approvers: z.array(z.string()),
  /** Calendar time at which it began, RFC 3339. */
  since: z.string(),
  ends_in_ms: z.number(),
  /** ms after which it is over unless somebody holds its lease; null while somebody does. */
  take_within_ms: z.number().nullable(),
});
export type SessionStatus = z.infer<typeof sessionStatus>;

/** Why a session is over. */
export const sessionEnd = z.enum([
  'time-over',
  'ended',
  'tripped',
  'released',
  'holder-gone',
  'not-held',
  'stopping',
]);
export type SessionEnd = z.infer<typeof sessionEnd>;
