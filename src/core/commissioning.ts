/**
 * Commissioning: a person at the box tries the contacts one by one. No evidence trips or ends a session, for a supply that is
 * pulled and a contact that is connected alone are part of it; what bounds it is its lease: renewed by whoever is alive,
 * over after a time that nothing moves, and cut by everything that cuts a lease.
 */
import type { Commissioning, Decision, Event, Policy, Refusal, State } from './link.ts';
import { commissioningPresenceMissing, leaseUnknown, refusalAt } from './refusals.ts';
import { later, type Millis } from './time.ts';
import { isolate, refuse, stay } from './transitions.ts';

/** Begins a session, from proven isolation and nothing else. */
export function commissioningAsked(
  state: State,
  event: Extract<Event, { kind: 'commissioning-asked' }>,
  policy: Policy,
): Decision {
  const refusals = [
    ...(state.at === 'isolated' ? [] : [refusalAt(state.at)]),
    ...(event.presence ? [] : [commissioningPresenceMissing]),
    ...event.failing,
  ];
  if (refusals.length > 0) return stay(state, [], [refuse(refusals)]);
  const lease = {
    id: event.leaseId,
    endsAt: later(event.now, policy.commissioningMs),
    renewBy: later(event.now, policy.leaseTimeoutMs),
  };
  return stay({ at: 'commissioning', lease }, [], [{ kind: 'tell-granted', lease }]);
}

/** Drives one contact for the session that asks, and for nobody else. */
export function driveAsked(state: State, event: Extract<Event, { kind: 'drive-asked' }>): Decision {
  const { contact, leaseId } = event;
  if (state.at !== 'commissioning' || state.lease.id !== leaseId)
    return stay(state, [], [refuse([leaseUnknown])]);
  if (event.position === 'isolated') return stay(state, [{ why: 'commissioning', only: contact }]);
  return stay(state, [], [{ kind: 'drive', leaseId, contact }]);
}

/** A sign of life of the session. Its end stays where it is. */
export function sessionRenewed(
  state: Commissioning,
  now: Millis,
  failing: readonly Refusal[],
  policy: Policy,
): Decision {
  if (failing.length > 0) {
    const isolated = isolate(state, now, 'permissive-failed', policy);
    return { ...isolated, acts: [...isolated.acts, refuse(failing)] };
  }
  const lease = { ...state.lease, renewBy: later(now, policy.leaseTimeoutMs) };
  return stay({ ...state, lease }, [], [{ kind: 'tell-renewed', lease }]);
}
