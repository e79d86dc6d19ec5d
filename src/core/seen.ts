import type { Alone, Evidence } from './evidence.ts';
import type { Decision, Policy, State, Trip, Tripped } from './link.ts';
import type { Millis } from './time.ts';
import { seenAlone } from './proving.ts';
import { alarm, fresh, isolate, isolatedAt, stay, tripped } from './transitions.ts';

/** Evidence not younger than the cut, the connect or the last proof says nothing about what came after. */
export function seen(
  state: State,
  now: Millis,
  evidence: Evidence,
  alone: Alone | null,
  policy: Policy,
): Decision {
  if (state.at === 'proving') return alone === null ? stay(state) : seenAlone(state, now, alone, policy);
  const { position, asOf } = evidence;
  // What is too old to stand for the truth now is no evidence, whenever it arrives.
  if (!fresh(asOf, now, policy)) return stay(state);
  switch (state.at) {
    case 'unproven':
    case 'isolating':
      if (asOf <= state.cutAt) return stay(state);
      return position === 'isolated' ? stay(isolatedAt(asOf)) : stay({ ...state, lastSeen: position });
    case 'isolated':
      if (position === 'unknown' || asOf < state.provenAt) return stay(state);
      if (position === 'isolated') return stay(isolatedAt(asOf));
      return connectedUnasked(now, policy);
    case 'connecting':
      if (position !== 'connected' || !evidence.whole || asOf <= state.since) return stay(state);
      return stay(
        { at: 'connected', lease: state.lease, since: now, seenAt: asOf, turn: state.turn },
        [],
        [{ kind: 'tell-connected', leaseId: state.lease.id }],
      );
    case 'connected':
      if (asOf < state.seenAt) return stay(state);
      if (position === 'isolated') return isolate(state, now, 'connection-lost', policy);
      return position === 'connected' && evidence.whole ? stay({ ...state, seenAt: asOf }) : stay(state);
    case 'commissioning':
      // Whatever is seen belongs to the procedure.
      return stay(state);
    case 'tripped':
      return seenTripped(state, now, position, asOf, policy);
    case 'stuck':
      if (asOf <= (state.provenAt ?? state.cutAt) || position === 'unknown') return stay(state);
      if (position === 'isolated') return stay({ ...state, provenAt: asOf });
      return stay({ ...state, provenAt: null }, [{ why: 'again' }]);
  }
}

function seenTripped(
  state: Tripped,
  now: Millis,
  position: Evidence['position'],
  asOf: Millis,
  policy: Policy,
): Decision {
  if (asOf <= (state.provenAt ?? state.cutAt)) return stay(state);
  if (position === 'isolated') return stay({ ...state, provenAt: asOf, lastSeen: position });
  if (state.provenAt === null) return stay({ ...state, lastSeen: position });
  if (position === 'unknown') return stay(state);
  const again = { ...tripped(now, state.trip, policy), lastSeen: position };
  return stay(again, [{ why: 'again' }], [alarm('connected-unasked')]);
}

/** A link that connects with nobody asking (a ghost command, a hand on the board) is a fault that only a person clears. */
function connectedUnasked(now: Millis, policy: Policy): Decision {
  const cause: Trip = {
    by: 'fault:connected-unasked',
    reason: 'the link reads connected although nobody holds a lease',
  };
  return stay(tripped(now, cause, policy), [{ why: 'tripped' }], [alarm('connected-unasked')]);
}
