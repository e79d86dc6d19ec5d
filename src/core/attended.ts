/**
 * An attended session: the permission for a lease outside of windows, for a restore. Pure. At most one for each link.
 *
 * It is begun only by a right that the interlock has verified, has an absolute end that nothing moves, and is over for good with
 * the first trip, with the lease that is given back or loses its holder, and when nobody holds its lease for a while. What
 * ends a lease otherwise (evidence that was lost, a permissive that failed) leaves the session: whoever works there may ask
 * for the lease again until the end. Every other condition of a lease is asked of it as of any.
 */
import type { Refusal, Why } from './link.ts';
import { sessionPresenceMissing, sessionOpen, sessionTooLong } from './refusals.ts';
import { later, type Millis } from './time.ts';

/** By what right somebody asks for what needs presence: over the presence socket, by a button held, by two people's codes. */
export type Authority =
  | { readonly by: 'box' | 'button' }
  | { readonly by: 'approvers'; readonly approvers: readonly string[] };

/** A session in progress. */
export interface Session {
  readonly id: string;
  /** `person:<name>`. */
  readonly by: string;
  readonly reason: string;
  readonly authority: Authority;
  readonly endsAt: Millis;
  /** Over at this moment unless its lease is taken before; null while somebody holds it. */
  readonly takeBy: Millis | null;
}

/** What is asked for. */
export interface SessionAsked {
  readonly id: string;
  readonly by: string;
  readonly reason: string;
  readonly forMs: number;
  /** Null: none was shown. */
  readonly authority: Authority | null;
}

/** Durations, ms. */
export interface SessionPolicy {
  readonly longestMs: number;
  /** How long it outlives that nobody holds its lease. */
  readonly unheldMs: number;
}

/** Why a session is over. */
export type SessionEnd =
  | 'time-over'
  | 'ended'
  | 'tripped'
  | 'released'
  | 'holder-gone'
  | 'not-held'
  | 'stopping';

/** Everything that can happen to the session of a link. `now` never runs backwards. */
export type SessionEvent = { readonly now: Millis } & (
  | { readonly kind: 'tick' }
  | { readonly kind: 'asked'; readonly asked: SessionAsked }
  /** Its lease was granted. */
  | { readonly kind: 'lease-began' }
  /** Its lease is over. */
  | { readonly kind: 'lease-over'; readonly why: Why }
  /** The link is latched, whoever or whatever tripped it. */
  | { readonly kind: 'latched' }
  | { readonly kind: 'end-asked' }
);

/** The session afterwards; why one ended; why one was refused. */
export interface SessionDecision {
  readonly session: Session | null;
  readonly ended: SessionEnd | null;
  readonly refusals: readonly Refusal[];
}

/** Total: every event has an answer, with and without a session. Time passes first. */
export function decideSession(
  before: Session | null,
  event: SessionEvent,
  policy: SessionPolicy,
): SessionDecision {
  const passed = passTime(before, event.now);
  const { session } = passed;
  if (event.kind === 'asked') {
    const begun = begin(session, event.asked, event.now, policy);
    return { ...begun, ended: passed.ended };
  }
  if (session === null) return passed;
  switch (event.kind) {
    case 'tick':
      return passed;
    case 'lease-began':
      return keep({ ...session, takeBy: null });
    case 'lease-over':
      return leaseOver(session, event.why, event.now, policy);
    case 'latched':
      return over('tripped');
    case 'end-asked':
      return over('ended');
  }
}

/** Until when a session entitles the lease that names it; null when it is not the one in progress. */
export const sessionEntitledUntil = (session: Session | null, id: string, now: Millis): Millis | null =>
  session !== null && session.id === id && now < session.endsAt ? session.endsAt : null;

function passTime(session: Session | null, now: Millis): SessionDecision {
  if (session === null) return { session, ended: null, refusals: [] };
  if (now >= session.endsAt) return over('time-over');
  if (session.takeBy !== null && now >= session.takeBy) return over('not-held');
  return keep(session);
}

function begin(
  before: Session | null,
  { id, by, reason, forMs, authority }: SessionAsked,
  now: Millis,
  { longestMs, unheldMs }: SessionPolicy,
): Omit<SessionDecision, 'ended'> {
  const refusals = [
    ...(before === null ? [] : [sessionOpen(before.by)]),
    ...(forMs > longestMs ? [sessionTooLong(longestMs)] : []),
  ];
  if (authority === null) return { session: before, refusals: [sessionPresenceMissing, ...refusals] };
  if (refusals.length > 0) return { session: before, refusals };
  const session = { id, by, reason, authority, endsAt: later(now, forMs), takeBy: later(now, unheldMs) };
  return { session, refusals };
}

/** How a lease ended says whether whoever held it is still there. */
function leaseOver(session: Session, why: Why, now: Millis, { unheldMs }: SessionPolicy): SessionDecision {
  switch (why) {
    case 'released':
      return over('released');
    case 'holder-gone':
    case 'lease-lapsed':
      return over('holder-gone');
    case 'lease-ended':
      return over('time-over');
    case 'tripped':
      return over('tripped');
    case 'stopping':
      return over('stopping');
    case 'started':
    case 'permissive-failed':
    case 'connect-timeout':
    case 'evidence-lost':
    case 'connection-lost':
    case 'proof-lost':
    case 'proof-ended':
    case 'commissioning':
    case 'again':
      return keep({ ...session, takeBy: later(now, unheldMs) });
  }
}

const over = (ended: SessionEnd): SessionDecision => ({ session: null, ended, refusals: [] });
const keep = (session: Session): SessionDecision => ({ session, ended: null, refusals: [] });
