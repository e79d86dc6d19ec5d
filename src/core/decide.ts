/**
 * The decision for one link: a total function of state and event.
 *
 * It never reads a clock, never waits, never touches a device: time arrives in events as monotonic ms, and what is to be
 * done leaves as data. The shell performs `cuts`, then records, then performs `acts`; that order is the product.
 *
 * What it never does: move to `isolated` without evidence taken after the cut; connect without a lease it has just
 * granted, or a contact without the commissioning session that asks; lengthen the end of either; leave a latch without
 * presence and proof; give up isolating.
 *
 * When a lease or a session ends, everything is cut at once, with one exception: a lease that was given back or came to its
 * end begins the proof test, in which one contact isolates alone and the rest follows within the isolate time-out
 * (proving.ts says why that keeps the promises). A trip, a stop, a lost holder, a lapse, failing permissives and lost or
 * contradicting evidence never begin one, and a trip, a stop or failing permissives end one by cutting everything.
 *
 * On restart it begins in `unproven` (or `tripped`, when a latch was found) with a cut: nothing is believed, not even
 * that the program was shut down in order.
 *
 * The bad case that remains: evidence that lies. A board that reports isolated while its contact is welded is believed
 * unless a witness contradicts it; that is why links want witnesses and why proof tests exist.
 */
import { commissioningAsked, driveAsked, sessionRenewed } from './commissioning.ts';
import {
  type Commissioning,
  type Conditions,
  type Connected,
  type Connecting,
  type Decision,
  type Event,
  latchOf,
  type Lease,
  type Policy,
  type Refusal,
  type State,
  type Trip,
} from './link.ts';
import { passTime } from './pass-time.ts';
import { cutShort, leave, notDone } from './proving.ts';
import {
  budgetSpent,
  leaseUnknown,
  notLatched,
  outsideWindow,
  presenceMissing,
  refusalAt,
  resetUnproven,
} from './refusals.ts';
import { seen } from './seen.ts';
import { later, type Millis, millis } from './time.ts';
import { isolate, isolatedAt, refuse, stay, tellOver, tripped, unproven } from './transitions.ts';

/** The first decision of a link: isolate, believe nothing. `latch` is what the latch file holds for it. */
export function begin(now: Millis, latch: Trip | null, policy: Policy): Decision {
  const state: State =
    latch === null ? unproven(now, policy, false) : { ...tripped(now, latch, policy), alarmed: false };
  return { state, cuts: [{ why: 'started' }], acts: [] };
}

/** Every state answers every event. A trip outranks them all; then time passes; then the event has its say. */
export function decide(state: State, event: Event, policy: Policy): Decision {
  if (event.kind === 'tripped') return trip(state, event.now, event.trip, policy);
  const passed = passTime(state, event.now, policy);
  const answered = answer(passed.state, event, policy);
  return {
    state: answered.state,
    cuts: [...passed.cuts, ...answered.cuts],
    acts: [...passed.acts, ...answered.acts],
  };
}

/** A trip outranks every state: cut, latch. A latched link is cut again and keeps its first cause. */
function trip(state: State, now: Millis, cause: Trip, policy: Policy): Decision {
  const cuts = [{ why: 'tripped' as const }];
  switch (state.at) {
    case 'stuck':
    case 'tripped':
      return { state, cuts, acts: [] };
    case 'connecting':
    case 'connected':
    case 'commissioning':
      return {
        state: tripped(now, cause, policy),
        cuts,
        acts: [tellOver(state.lease.id, 'tripped')],
      };
    case 'proving':
      return { state: tripped(now, cause, policy), cuts, acts: [notDone(state)] };
    case 'unproven':
    case 'isolated':
    case 'isolating':
      return { state: tripped(now, cause, policy), cuts, acts: [] };
  }
}

function answer(state: State, event: Exclude<Event, { kind: 'tripped' }>, policy: Policy): Decision {
  switch (event.kind) {
    case 'tick':
      return stay(state, commandedAgain(state));
    case 'seen':
      return seen(state, event.now, event.evidence, event.alone, policy);
    case 'lease-asked':
      return leaseAsked(state, event, policy);
    case 'lease-renewed':
      return leaseRenewed(state, event.now, event.leaseId, event.conditions, policy);
    case 'lease-given-back':
      return givenBack(state, event, policy);
    case 'conditions-sampled':
      return conditionsSampled(state, event.now, event.conditions, policy);
    case 'reset-asked':
      return resetAsked(state, event.presence);
    case 'stop-asked':
      if (isPermitted(state)) return isolate(state, event.now, 'stopping', policy);
      if (state.at === 'proving') return cutShort(state, event.now, 'stopping', policy);
      return stay(state, [{ why: 'stopping' }]);
    case 'commissioning-asked':
      return commissioningAsked(state, event, policy);
    case 'drive-asked':
      return driveAsked(state, event);
  }
}

function leaseAsked(state: State, event: Extract<Event, { kind: 'lease-asked' }>, policy: Policy): Decision {
  const { now, leaseId, conditions, turn } = event;
  if (state.at !== 'isolated')
    return stay(state, [], [refuse([refusalAt(state.at), ...refusalsOf(conditions, now)])]);
  const refusals = refusalsOf(conditions, now);
  const endsAt = endOf(conditions, now);
  if (refusals.length > 0 || endsAt === null) return stay(state, [], [refuse(refusals)]);
  const lease: Lease = { id: leaseId, endsAt, renewBy: later(now, policy.leaseTimeoutMs) };
  return stay(
    { at: 'connecting', lease, since: now, giveUpAt: later(now, policy.connectTimeoutMs), turn },
    [],
    [
      { kind: 'tell-granted', lease },
      { kind: 'connect', leaseId },
    ],
  );
}

function leaseRenewed(
  state: State,
  now: Millis,
  leaseId: string,
  conditions: Conditions,
  policy: Policy,
): Decision {
  if (!holds(state, leaseId)) return stay(state, [], [refuse([leaseUnknown])]);
  if (state.at === 'commissioning') return sessionRenewed(state, now, conditions.failing, policy);
  const refusals = refusalsOf(conditions, now);
  const endsAt = endOf(conditions, now);
  if (refusals.length > 0 || endsAt === null) {
    const isolated = isolate(state, now, 'permissive-failed', policy);
    return { ...isolated, acts: [...isolated.acts, refuse(refusals)] };
  }
  const lease: Lease = {
    id: leaseId,
    endsAt: earlier(state.lease.endsAt, endsAt),
    renewBy: later(now, policy.leaseTimeoutMs),
  };
  return stay({ ...state, lease }, [], [{ kind: 'tell-renewed', lease }]);
}

/** Work that is done leaves by the proof test; a holder that is gone, and any session, by the cut of all. */
function givenBack(
  state: State,
  { leaseId, now, why }: Extract<Event, { kind: 'lease-given-back' }>,
  policy: Policy,
): Decision {
  if (!holds(state, leaseId)) return stay(state);
  if (state.at === 'commissioning' || why === 'holder-gone') return isolate(state, now, why, policy);
  return leave(state, now, why, policy);
}

function conditionsSampled(state: State, now: Millis, conditions: Conditions, policy: Policy): Decision {
  // Neither a session nor what is left of a lease needs a window or a budget; what must hold all the time must hold here.
  if (state.at === 'commissioning' || state.at === 'proving') {
    if (conditions.failing.length === 0) return stay(state);
    return state.at === 'proving'
      ? cutShort(state, now, 'permissive-failed', policy)
      : isolate(state, now, 'permissive-failed', policy);
  }
  if (state.at !== 'connecting' && state.at !== 'connected') return stay(state);
  const endsAt = endOf(conditions, now);
  if (refusalsOf(conditions, now).length > 0 || endsAt === null)
    return isolate(state, now, 'permissive-failed', policy);
  return stay({ ...state, lease: { ...state.lease, endsAt: earlier(state.lease.endsAt, endsAt) } });
}

function resetAsked(state: State, presence: boolean): Decision {
  if (state.at !== 'tripped' && state.at !== 'stuck') return stay(state, [], [refuse([notLatched])]);
  const refusals = [
    ...(presence ? [] : [presenceMissing]),
    ...(state.provenAt === null ? [resetUnproven] : []),
  ];
  if (refusals.length > 0 || state.provenAt === null) return stay(state, [], [refuse(refusals)]);
  return stay(isolatedAt(state.provenAt), [], [{ kind: 'tell-reset' }]);
}

/** What would refuse a lease under these conditions, in any state. */
const refusalsOf = (conditions: Conditions, now: Millis): readonly Refusal[] => [
  ...conditions.failing,
  ...(conditions.entitledUntil === null || conditions.entitledUntil <= now ? [outsideWindow] : []),
  // As a time, for what is left may be too little to end later than now.
  ...(later(now, conditions.budgetLeftMs) <= now ? [budgetSpent] : []),
];

/** The end that conditions allow from `now`, or null when that is not in the future. */
function endOf(conditions: Conditions, now: Millis): Millis | null {
  if (conditions.entitledUntil === null) return null;
  const endsAt = earlier(conditions.entitledUntil, later(now, conditions.budgetLeftMs));
  return endsAt > now ? endsAt : null;
}

/** Everything that would refuse a lease in this state and under these conditions: for status pages. */
export const refusalsAt = (state: State, conditions: Conditions, now: Millis): readonly Refusal[] => [
  ...(state.at === 'isolated' ? [] : [refusalAt(state.at)]),
  ...refusalsOf(conditions, now),
];

/** What is commanded isolated and not proven is commanded again. */
function commandedAgain(state: State): Decision['cuts'] {
  if (state.at === 'proving') return [{ why: 'again', only: state.contact }];
  const awaited =
    state.at === 'unproven' || state.at === 'isolating' || (latchOf(state) !== null && proofMissing(state));
  return awaited ? [{ why: 'again' }] : [];
}

const proofMissing = (state: State): boolean =>
  (state.at === 'tripped' || state.at === 'stuck') && state.provenAt === null;

const isPermitted = (state: State): state is Connecting | Connected | Commissioning =>
  state.at === 'connecting' || state.at === 'connected' || state.at === 'commissioning';

const holds = (state: State, leaseId: string): state is Connecting | Connected | Commissioning =>
  isPermitted(state) && state.lease.id === leaseId;

const earlier = (a: Millis, b: Millis): Millis => millis(Math.min(a, b));
