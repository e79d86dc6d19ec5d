/** The pieces that decisions are made of: states entered, cuts, acts. */
import type {
  Act,
  Alarm,
  Commissioning,
  Connected,
  Connecting,
  Decision,
  Isolated,
  Isolating,
  Policy,
  Refusal,
  State,
  Stuck,
  Trip,
  Tripped,
  Why,
} from './link.ts';
import { later, type Millis } from './time.ts';

/** Leaves a lease or a session: cuts everything, tells its holder, and awaits proof. */
export function isolate(
  state: Connecting | Connected | Commissioning,
  now: Millis,
  why: Why,
  policy: Policy,
): Decision {
  return {
    state: isolating(now, why, policy),
    cuts: [{ why }],
    acts: [tellOver(state.lease.id, why), ...alarmsFor(why)],
  };
}

/** Everything is commanded isolated at `now`; proof is due within the isolate time-out. */
export const isolating = (now: Millis, why: Why, policy: Policy): Isolating => ({
  at: 'isolating',
  why,
  cutAt: now,
  deadline: later(now, policy.isolateTimeoutMs),
  lastSeen: 'unknown',
});

const alarmsFor = (why: Why): readonly Act[] =>
  why === 'evidence-lost' || why === 'connection-lost' || why === 'connect-timeout' ? [alarm(why)] : [];

/** Told to isolate and still connected after the deadline: latched, cut again. */
export const stick = (cutAt: Millis, cause?: Trip): Decision => {
  const fault: Trip = {
    by: 'fault:stuck',
    reason: 'told to isolate, the evidence still says connected',
  };
  const state: Stuck = { at: 'stuck', trip: cause ?? fault, cutAt, provenAt: null };
  return { state, cuts: [{ why: 'again' }], acts: [alarm('stuck')] };
};

/** Nothing is known from `now` on; proof is due within the isolate time-out. `alarmed`: a person was told already. */
export const unproven = (now: Millis, policy: Policy, alarmed: boolean): State => ({
  at: 'unproven',
  cutAt: now,
  deadline: later(now, policy.isolateTimeoutMs),
  lastSeen: 'unknown',
  alarmed,
});

/** Latched at `now`; proof is due within the isolate time-out. */
export const tripped = (now: Millis, cause: Trip, policy: Policy): Tripped => ({
  at: 'tripped',
  trip: cause,
  cutAt: now,
  deadline: later(now, policy.isolateTimeoutMs),
  lastSeen: 'unknown',
  provenAt: null,
  alarmed: false,
});

/** Proven isolated by evidence as old as `provenAt`. */
export const isolatedAt = (provenAt: Millis): Isolated => ({ at: 'isolated', provenAt });

/** Evidence of this age still stands for the truth. */
export const fresh = (at: Millis, now: Millis, policy: Policy): boolean =>
  now - at <= policy.evidenceMaxAgeMs;

/** A decision for this state. */
export const stay = (state: State, cuts: Decision['cuts'] = [], acts: Decision['acts'] = []): Decision => ({
  state,
  cuts,
  acts,
});

/** A person must know. */
export const alarm = (what: Alarm): Act => ({ kind: 'alarm', alarm: what });
/** Whoever asked is told why not. */
export const refuse = (refusals: readonly Refusal[]): Act => ({ kind: 'refuse', refusals });
/** The holder is told that its lease is over. */
export const tellOver = (leaseId: string, why: Why): Act => ({ kind: 'tell-over', leaseId, why });
