import type { Connected, Connecting, Decision, Lease, Policy, State, Tripped } from './link.ts';
import type { Millis } from './time.ts';
import { leave, provingOver } from './proving.ts';
import { alarm, fresh, isolate, stay, stick, tripped, unproven } from './transitions.ts';

/** What the mere passing of time does: leases end, proof grows old, deadlines are missed. */
export function passTime(state: State, now: Millis, policy: Policy): Decision {
  switch (state.at) {
    case 'unproven':
      if (now < state.deadline) return stay(state);
      if (state.lastSeen === 'connected') return stick(state.cutAt);
      return state.alarmed
        ? stay(state)
        : stay({ ...state, alarmed: true }, [], [alarm('isolation-unproven')]);
    case 'isolated':
      if (fresh(state.provenAt, now, policy)) return stay(state);
      return stay(unproven(now, policy, true), [{ why: 'proof-lost' }], [alarm('proof-lost')]);
    case 'connecting': {
      const over = leaseOver(state, now, policy);
      if (over !== null) return over;
      return now < state.giveUpAt ? stay(state) : isolate(state, now, 'connect-timeout', policy);
    }
    case 'connected': {
      const over = leaseOver(state, now, policy);
      if (over !== null) return over;
      return fresh(state.seenAt, now, policy) ? stay(state) : isolate(state, now, 'evidence-lost', policy);
    }
    case 'proving':
      return now < state.giveUpAt ? stay(state) : provingOver(state, now, policy);
    case 'commissioning': {
      const over = overReason(state.lease, now);
      return over === null ? stay(state) : isolate(state, now, over, policy);
    }
    case 'isolating':
      if (now < state.deadline) return stay(state);
      if (state.lastSeen === 'connected') return stick(state.cutAt);
      return stay({ ...state, at: 'unproven', alarmed: true }, [], [alarm('isolation-unproven')]);
    case 'tripped':
      return passTimeTripped(state, now, policy);
    case 'stuck':
      if (state.provenAt === null || fresh(state.provenAt, now, policy)) return stay(state);
      return stay({ ...state, provenAt: null, cutAt: now }, [{ why: 'proof-lost' }], [alarm('proof-lost')]);
  }
}

function passTimeTripped(state: Tripped, now: Millis, policy: Policy): Decision {
  if (state.provenAt !== null) {
    if (fresh(state.provenAt, now, policy)) return stay(state);
    return stay(tripped(now, state.trip, policy), [{ why: 'proof-lost' }], [alarm('proof-lost')]);
  }
  if (now < state.deadline) return stay(state);
  if (state.lastSeen === 'connected') return stick(state.cutAt, state.trip);
  return state.alarmed ? stay(state) : stay({ ...state, alarmed: true }, [], [alarm('isolation-unproven')]);
}

/** A lease that comes to its end ends as planned; one that lapsed lost its holder. */
function leaseOver(state: Connecting | Connected, now: Millis, policy: Policy): Decision | null {
  const over = overReason(state.lease, now);
  if (over === null) return null;
  return over === 'lease-ended' ? leave(state, now, over, policy) : isolate(state, now, over, policy);
}

const overReason = (lease: Lease, now: Millis): 'lease-ended' | 'lease-lapsed' | null =>
  now >= lease.endsAt ? 'lease-ended' : now >= lease.renewBy ? 'lease-lapsed' : null;
