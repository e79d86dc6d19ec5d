/**
 * The proof test: when a lease ends as planned, the contact whose turn it is isolates alone, and evidence has to show it
 * before the others follow. Whatever else happens meanwhile cuts all of them at once.
 *
 * Why the promises stand. 1 and 5: an isolate of one contact is commanded in the tick in which the lease ends, and any one
 * contact isolates the link; the others are commanded when isolation is shown or refuted, and at `giveUpAt` at the latest,
 * an isolate time-out after the first. From that tick on no lease is live, no fence is current and no hardware lease is
 * renewed, so nothing lengthens the stretch; it counts as exposure until isolation is proven the usual way.
 *
 * Why a pass means something. The link was seen connected freshly before the cut. Isolation was shown by a reading asked for
 * after the cut, in a round that ended at `shownAt`. Every other contact then read connected to a question asked after
 * `shownAt`; nobody connects anything in this state, so they were connected at `shownAt`, and it was this contact.
 *
 * The bad case that remains: a path that is interrupted elsewhere in that very moment (a cable pulled), or evidence that lies.
 */
import type { Alone } from './evidence.ts';
import type { Connected, Connecting, Decision, Policy, ProofEnded, Proving, Why } from './link.ts';
import { later, type Millis } from './time.ts';
import { alarm, fresh, isolate, isolating, stay, tellOver } from './transitions.ts';

/** Leaves a lease that ended as planned: by a proof test where the link is known to be connected, else by the cut of all. */
export function leave(
  state: Connecting | Connected,
  now: Millis,
  why: 'released' | 'lease-ended',
  policy: Policy,
): Decision {
  if (state.at === 'connecting' || !fresh(state.seenAt, now, policy)) return isolate(state, now, why, policy);
  const proving: Proving = {
    at: 'proving',
    contact: state.turn,
    cutAt: now,
    giveUpAt: later(now, policy.isolateTimeoutMs),
    shownAt: null,
    basis: 'none',
  };
  return stay(proving, [{ why, only: state.turn }], [tellOver(state.lease.id, why)]);
}

/** The evidence of one round on the contact under test. */
export function seenAlone(state: Proving, now: Millis, alone: Alone, policy: Policy): Decision {
  if (alone.contact !== state.contact) return stay(state);
  if (alone.others === 'isolated' && alone.othersAsOf > state.cutAt)
    return endProof(state, now, 'not-done', policy);
  if (alone.asOf <= state.cutAt || !fresh(alone.asOf, now, policy)) return stay(state);
  if (alone.position === 'connected') return stay({ ...state, shownAt: null, basis: 'none' });
  if (alone.position === 'unknown') return stay(state);
  const shown: Proving = { ...state, shownAt: state.shownAt ?? now, basis: alone.basis };
  const othersHold = alone.others === 'connected' && alone.othersAsOf >= (shown.shownAt ?? now);
  return othersHold ? endProof(shown, now, 'passed', policy) : stay(shown);
}

/** At the bound: not shown is failed; shown, but nobody knows whether by this contact alone, is not done. */
export const provingOver = (state: Proving, now: Millis, policy: Policy): Decision =>
  endProof(state, now, state.shownAt === null ? 'failed' : 'not-done', policy);

/** Something else cuts the link: all of it, now. */
export const cutShort = (state: Proving, now: Millis, why: Why, policy: Policy): Decision =>
  stay(isolating(now, why, policy), [{ why }], [notDone(state)]);

/** A test that nobody can judge. */
export const notDone = (state: Proving): ProofEnded => proofEnded(state, 'not-done');

function endProof(state: Proving, now: Millis, outcome: ProofEnded['outcome'], policy: Policy): Decision {
  const acts = [proofEnded(state, outcome), ...(outcome === 'failed' ? [alarm('proof-failed')] : [])];
  return stay(isolating(now, 'proof-ended', policy), [{ why: 'proof-ended' }], acts);
}

const proofEnded = (state: Proving, outcome: ProofEnded['outcome']): ProofEnded => ({
  kind: 'proof-ended',
  contact: state.contact,
  outcome,
  basis: state.basis,
  tookMs: state.shownAt === null ? null : state.shownAt - state.cutAt,
});
