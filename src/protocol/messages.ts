/**
 * What interlock and controller say to each other: HTTP with JSON over Unix sockets (so that `curl --unix-socket` works
 * for a person). Streams are one JSON object per line. Times are durations in ms, so neither side trusts the other's clock.
 *
 * Two sockets in the runtime directory: `interlock.sock` for the controller (file permission is the identity) and
 * `presence.sock` (mode 0600), whose use counts as presence: only a root shell on the box can connect to it.
 */
import { z } from 'zod';
import { journalStatus } from './journal-status.ts';
import { missedOpening } from './missed-opening.ts';
import { lampsStatus } from './lamps.ts';
import { sessionEnd, sessionStatus } from './authority.ts';

export const INTERLOCK_SOCKET = 'interlock.sock';
export const PRESENCE_SOCKET = 'presence.sock';
/** Request and response header that carries the build id; a lease is refused without it, anything is refused when it differs. */
export const BUILD_HEADER = 'x-portcullis-build';

export const position = z.enum(['connected', 'isolated', 'unknown']);
export const stateName = z.enum([
  'unproven',
  'isolated',
  'connecting',
  'connected',
  'proving',
  'commissioning',
  'isolating',
  'tripped',
  'stuck',
]);

/** Why something was refused: a code for machines, a sentence for people, a way out. */
export const refusal = z.object({ code: z.string(), why: z.string(), hint: z.string() });
export type Refusal = z.infer<typeof refusal>;

const indicator = z.object({
  name: z.string(),
  kind: z.enum(['contact', 'witness']),
  type: z.string(),
  position,
  /** ms since the question was asked; null before the first answer. */
  age_ms: z.number().nullable(),
  detail: z.string(),
});

const trip = z.object({
  /** `source:<name>`, `person:<name>`, `button`, `fault:<code>`. */
  by: z.string(),
  reason: z.string(),
  /** Calendar time, RFC 3339. */
  at: z.string(),
});
export type TripRecord = z.infer<typeof trip>;
const lastTrip = trip.extend({
  /** ms from what tripped it (the request, when there was one) to the last isolate written; null when one was not within the wait. */
  cut_ms: z.number().nullable(),
  /** ms from the decision until isolation was proven by evidence younger than the cut; null while it is not. */
  proven_ms: z.number().nullable(),
  /** What that proof rests on. */
  proof: z.enum(['witness', 'read-back', 'none']),
});
/** `cause` names all of it in a few characters: a reset repeats it. */
const latch = trip.extend({ cause: z.string().exactOptional() });

const proof = z.object({
  contact: z.string(),
  /** `none`: no proof test of this contact is known. */
  outcome: z.enum(['passed', 'failed', 'none']),
  basis: z.enum(['witness', 'read-back', 'none']),
  /** ms from the command until isolation was seen; null when it was not. */
  took_ms: z.number().nullable(),
  /** Calendar time, RFC 3339; null without a proof. */
  at: z.string().nullable(),
  by: z.enum(['window', 'commissioning']).nullable(),
});
export type ContactProof = z.infer<typeof proof>;

const commissioning = z.object({
  /** `outdated`: configuration or profile changed since. `unreadable`: also when its signature is wrong. */
  state: z.enum(['passed', 'failed', 'outdated', 'never', 'unreadable']),
  /** Calendar time, RFC 3339; null without a readable record. */
  at: z.string().nullable(),
  grade: z.enum(['simulated', 'field']).nullable(),
});
export type CommissioningStatus = z.infer<typeof commissioning>;

const heartbeatStatus = z.object({
  /** Name of the source that sends it. */
  heartbeat: z.string(),
  /** `awaited`: not heard since the interlock began, which is not long ago. Only `fresh` permits a connection. */
  state: z.enum(['awaited', 'fresh', 'stale']),
  /** ms since the last that counted; null before the first. */
  age_ms: z.number().nullable(),
  max_age_ms: z.number(),
  /** Losing it while connected trips the link. */
  latch: z.boolean(),
});
export type HeartbeatStatus = z.infer<typeof heartbeatStatus>;

export const linkStatus = z.object({
  link: z.string(),
  state: stateName,
  /** Calendar time at which this state was entered, RFC 3339. */
  since: z.string(),
  commanded: z.enum(['connected', 'isolated']),
  observed: position,
  /** What the proof rests on: an independent witness, only the device's own word about its commanded state, or nothing. */
  proof: z.enum(['witness', 'read-back', 'none']),
  /** True when a contact of this link is played by the emulator or its profile is not bench-proven: shown wherever the proof is. */
  evidence_grade: z.enum(['paper', 'simulated', 'bench', 'field']),
  indicators: z.array(indicator),
  /** How far each contact may be trusted, by its name. Holding: an extra layer that is never trusted alone. */
  ratings: z.record(z.string(), z.enum(['fail-safe-independent', 'fail-safe-indirect', 'holding'])),
  lease: z.object({ id: z.string(), holder: z.string(), ends_in_ms: z.number() }).nullable(),
  latch: latch.nullable(),
  /** The newest trip since the interlock began; older ones are in the journal (`link.tripped`). */
  last_trip: lastTrip.nullable(),
  /** The attended session in progress. */
  session: sessionStatus.nullable(),
  /** What a reset asked for from afar lacks now, one for each thing to do; empty when it would do, or nothing is latched. */
  reset_needs: z.array(refusal),
  /** What an attended session asked for from afar lacks now. */
  session_needs: z.array(refusal),
  /** The last proof test of every contact: whether it alone was seen to isolate the link. */
  proofs: z.array(proof),
  /** What its commissioning came to. */
  commissioning,
  /** The heartbeats without which it is not connected. */
  heartbeats: z.array(heartbeatStatus),
  /** Everything that would refuse a lease now. */
  refusals: z.array(refusal),
  exposure: z.object({ last_24h_ms: z.number(), budget_ms: z.number() }),
});
export type LinkStatus = z.infer<typeof linkStatus>;

export const windowStatus = z.object({
  window: z.string(),
  link: z.string(),
  /** RFC 3339, or null when the schedule has no further run. Without jitter. */
  next_opens: z.string().nullable(),
  /** Set while the window is open. `occurrence` is unique per opening. */
  open: z.object({ occurrence: z.string(), ends_in_ms: z.number() }).nullable(),
  /** Who may run it by hand: somebody with presence, two approvers as well, or nobody. */
  by_hand: z.enum(['presence', 'approved', 'never']),
  /** What running it now from afar lacks. That its link would refuse the lease is said by the link. */
  run_needs: z.array(refusal),
  /** The newest scheduled opening, when no lease was granted in it or since. */
  missed: missedOpening.exactOptional(),
});
export type WindowStatus = z.infer<typeof windowStatus>;

const sourceStatus = z.object({
  source: z.string(),
  /** `null` for a heartbeat whose body does not matter. */
  format: z.string().nullable(),
  /** What a request of this source proves: 0 secret in the URL, 1 secret in a header, 2 body or connection signed, 3 body and time signed. */
  tier: z.number(),
  heartbeat: z.boolean(),
  last: z
    .object({
      /** Calendar time, RFC 3339. */
      at: z.string(),
      verdict: z.enum(['trip', 'drill', 'annotate', 'refuse', 'beat', 'unverified']),
      /** Its signed time was out of tolerance. */
      note: z.string().nullable(),
    })
    .nullable(),
  /** Requests in its name that did not verify, since the interlock began. */
  unverified: z.number(),
});
export type SourceStatus = z.infer<typeof sourceStatus>;

const button = z.object({
  state: z.enum(['unknown', 'released', 'pressed', 'dead']),
  /** Why it is not known; else empty. */
  why: z.string(),
  /** A hold has just given presence. */
  present: z.boolean(),
});
export type ButtonStatus = z.infer<typeof button>;

export const status = z.object({
  build: z.string(),
  boot_id: z.string(),
  /** Calendar time, RFC 3339. */
  at: z.string(),
  clock: z.object({ synchronised: z.boolean(), detail: z.string() }),
  journal: journalStatus,
  links: z.array(linkStatus),
  windows: z.array(windowStatus),
  /** Missing when the box has none. */
  button: button.exactOptional(),
  lamps: lampsStatus.exactOptional(),
  sources: z.array(sourceStatus),
  /** Names of the people whose one-time codes count. */
  approvers: z.array(z.string()),
});
export type Status = z.infer<typeof status>;

/** `POST /v1/leases`, within a window or an attended session. Answer 200: a stream of `leaseLine`; 409: `refused`. Closing it ends the lease. */
export const leaseRequest = z.union([
  z.strictObject({ link: z.string(), window: z.string(), occurrence: z.string() }),
  z.strictObject({ link: z.string(), session: z.string() }),
]);
export type LeaseRequest = z.infer<typeof leaseRequest>;
export const leaseLine = z.discriminatedUnion('event', [
  z.object({
    event: z.literal('granted'),
    lease: z.string(),
    ends_in_ms: z.number(),
    renew_every_ms: z.number(),
  }),
  /** Evidence says connected. Not before this may anything touch the vault. */
  z.object({ event: z.literal('connected') }),
  /** Last line. `why` is a code such as `released`, `tripped`, `window-ended`. */
  z.object({ event: z.literal('over'), why: z.string() }),
]);
export type LeaseLine = z.infer<typeof leaseLine>;
export const refused = z.object({ refusals: z.array(refusal) });
/** `POST /v1/leases/:id/renewal` answers 200 with this, or 409 with `refused`. `DELETE /v1/leases/:id` releases. */
export const renewed = z.object({ ends_in_ms: z.number() });

/** `GET /v1/events`: a stream that begins with `hello` and says `alive` at least every second. */
export const eventLine = z.discriminatedUnion('event', [
  z.object({ event: z.literal('hello'), status }),
  /** `journal_size`: sequence number of its newest entry; also in the status of `hello`. */
  z.object({ event: z.literal('alive'), journal_size: z.number() }),
  z.object({
    event: z.literal('window-opened'),
    window: z.string(),
    link: z.string(),
    occurrence: z.string(),
    ends_in_ms: z.number(),
    /** Set when a person opened it by hand. */
    by_hand: z.string().nullable(),
  }),
  z.object({
    event: z.literal('window-closed'),
    window: z.string(),
    occurrence: z.string(),
    why: z.string(),
  }),
  z.object({ event: z.literal('link'), link: linkStatus }),
  /** Told once per latch, when its frames are written or were waited for. `cut_ms` as in `last_trip`. */
  z.object({ event: z.literal('tripped'), link: z.string(), trip, cut_ms: z.number().nullable() }),
  z.object({ event: z.literal('session-began'), link: z.string(), session: sessionStatus }),
  z.object({ event: z.literal('session-ended'), link: z.string(), session: z.string(), why: sessionEnd }),
  z.object({
    event: z.literal('alarm'),
    link: z.string(),
    code: z.string(),
    why: z.string(),
    hint: z.string(),
  }),
]);
export type EventLine = z.infer<typeof eventLine>;

/** `POST /v1/trip` (either socket): no links means all. */
export const tripRequest = z.strictObject({
  links: z.array(z.string()).max(64).default([]),
  by: z.string().min(1).max(100),
  reason: z.string().min(1).max(500),
});
/** What a trip did: ms until the last isolate frame of each link was written, null while a wire is not there. */
export const tripDone = z.object({
  links: z.array(z.object({ link: z.string(), written_ms: z.number().nullable() })),
});
export type TripDone = z.infer<typeof tripDone>;
/** `POST /v1/sources/:name/drill` (either socket): a message goes all the way, up to the contacts, and cuts nothing. */
export const drillRequest = z.strictObject({
  by: z.string().min(1).max(100),
  /** As the sender would send them; names in small letters. */
  headers: z.record(z.string().max(100), z.string().max(4_096)).default({}),
  path_secret: z.string().max(1_000).nullable().default(null),
  body_base64: z.base64().max(1_500_000),
  /** Set when only the sender could sign it: the message is then judged without verification, which the report says. */
  unsigned: z.boolean().default(false),
});
const drillContact = z.object({
  contact: z.string(),
  /** What the contact reads; it was asked, not commanded. */
  position,
  /** ms from the request to the answer of the board; null when there was none in time. */
  answered_ms: z.number().nullable(),
});
export const drillReport = z.object({
  source: z.string(),
  /** Null when it was not verified: `why_not` says why. */
  tier: z.number().nullable(),
  why_not: z.string().nullable(),
  note: z.string().nullable(),
  /** What the message would have done; null when it did not verify. */
  verdict: z.enum(['trip', 'drill', 'annotate', 'refuse', 'beat']).nullable(),
  reason: z.string(),
  /** ms from the request to the decision. */
  decided_ms: z.number(),
  /** The links it would cut. */
  links: z.array(z.object({ link: z.string(), contacts: z.array(drillContact) })),
});
export type DrillReport = z.infer<typeof drillReport>;
