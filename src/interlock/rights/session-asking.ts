/**
 * Asking for an attended session, and ending one. A session is begun by a right that is verified here (authority.ts), and only where a
 * lease would be granted now; the lease itself is asked for and renewed like any other, and every condition is asked again.
 */
import { randomUUID } from 'node:crypto';
import { refusalsAt } from '../../core/decide.ts';
import { latchOf, type Refusal, type State } from '../../core/link.ts';
import {
  sessionOpen,
  sessionPresenceMissing,
  sessionTooLong,
  stopping,
  trippedAgain,
} from '../../core/refusals.ts';
import { later } from '../../core/time.ts';
import type { SessionBegun } from '../../protocol/authority.ts';
import { UNHELD_MS } from './attended.ts';
import { type RightAsked, rightOf, rightShown } from './authority.ts';
import type { Interlock } from '../interlock.ts';
import type { LinkAtWork } from '../link-at-work.ts';
import { resetBy, standingAgainst, unprovenAt } from './reset.ts';

/** Who asks for a session, and for how long. */
export interface SessionWish extends RightAsked {
  readonly forMs: number;
  /** The cause of a latch that is acknowledged: the link is reset first, by the same right. */
  readonly cause?: string | undefined;
}

/** Begins a session, or says why not. Rejects when the journal cannot be written. */
export async function askSession(
  interlock: Interlock,
  link: LinkAtWork,
  wish: SessionWish,
): Promise<SessionBegun | { readonly refusals: readonly Refusal[] }> {
  const { button, clock, journal } = interlock.parts;
  const { by, reason, forMs } = wish;
  const data = { link: link.name, reason, for_ms: forMs };
  const refuse = (refusals: readonly Refusal[]): { refusals: readonly Refusal[] } => ({
    refusals: interlock.refused('session.refused', by, data, refusals),
  });
  await link.settings.read();
  const { trips } = link.shell;
  const resets = latchOf(link.shell.state) !== null && wish.cause !== undefined;
  const atTheBox = wish.presence || button?.presentFor(link.name, 'connect') === true;
  const unready = [...asksTooMuch(link, forMs), ...unreadyAt(interlock, link, atTheBox, resets)];
  const right = await rightOf(interlock.parts, link.name, 'connect', wish, {
    missing: sessionPresenceMissing,
    standing: resets ? standingAgainst(link, wish, button) : [],
    unready,
  });
  if ('refusals' in right) return refuse(right.refusals);
  const { authority } = right;
  if (authority === null) return refuse([sessionPresenceMissing, ...unready]);
  if (unready.length > 0) return refuse(unready);
  await journal.append({ type: 'session.asked', actor: by, data: { ...data, ...rightShown(authority) } });
  if (resets) {
    const refusals = await resetBy(interlock, link, wish, authority, trips);
    if (refusals.length > 0) return { refusals };
  }
  // From here to the end nothing is awaited: what holds now holds when it begins.
  if (interlock.stopping) return refuse([stopping]);
  if (link.shell.trips !== trips) return refuse([trippedAgain]);
  const standing = unreadyAt(interlock, link, authority.by !== 'approvers', false);
  if (standing.length > 0) return refuse(standing);
  const id = randomUUID();
  const asked = { id, by, reason, forMs, authority };
  const { session, refusals } = link.attended.handle({ kind: 'asked', now: clock.now(), asked });
  if (session?.id !== id) return refuse(refusals);
  return { session: id, ends_in_ms: forMs, take_within_ms: UNHELD_MS, authority: authority.by };
}

/** Ends a session and gives its lease back. One that is over already is none. */
export async function endSession(interlock: Interlock, id: string, actor: string): Promise<void> {
  const link = [...interlock.links.values()].find(({ attended }) => attended.session?.id === id);
  if (link === undefined) return;
  const now = interlock.parts.clock.now();
  link.attended.handle({ kind: 'end-asked', now }, actor);
  const { holding } = link;
  if (holding === null || !('session' in holding.claim) || holding.claim.session !== id) return;
  await link.shell.handle({ kind: 'lease-given-back', now, leaseId: holding.id, why: 'released' });
}

/** What a session asked for from afar lacks now. */
export function sessionNeeds(interlock: Interlock, link: LinkAtWork): readonly Refusal[] {
  const held = interlock.parts.button?.presentFor(link.name, 'connect') === true;
  return [
    ...(held ? [] : [sessionPresenceMissing]),
    ...asksTooMuch(link, 0),
    ...unreadyAt(interlock, link, held, false),
  ];
}

function asksTooMuch({ attended, parts }: LinkAtWork, forMs: number): readonly Refusal[] {
  const longestMs = parts.longestSessionMs ?? 0;
  return [
    ...(attended.session === null ? [] : [sessionOpen(attended.session.by)]),
    ...(forMs > longestMs || longestMs === 0 ? [sessionTooLong(longestMs)] : []),
  ];
}

function unreadyAt(
  interlock: Interlock,
  link: LinkAtWork,
  atTheBox: boolean,
  resets: boolean,
): readonly Refusal[] {
  if (!resets) return readinessOf(interlock, link, atTheBox);
  return [...unprovenAt(link), ...readinessOf(interlock, link, atTheBox, 'isolated')];
}

/**
 * What would refuse a lease that a person asks for now, in this state. Whoever is at the box does not rely on the calendar, and
 * neither on its clock; one-time codes do.
 */
export function readinessOf(
  interlock: Interlock,
  link: LinkAtWork,
  atTheBox: boolean,
  as?: 'isolated',
): readonly Refusal[] {
  const now = interlock.parts.clock.now();
  const state: State = as === undefined ? link.shell.state : { at: as, provenAt: now };
  const conditions = { ...interlock.conditionsNow(link), entitledUntil: later(now, 1) };
  return refusalsAt(state, conditions, now).filter(
    ({ code }) => !atTheBox || code !== 'clock-unsynchronised',
  );
}
