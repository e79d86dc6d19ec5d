/** One step of the exploration, and the durations it is taken with. */
import type { Decision, Event, Policy, State } from '../../src/core/link.ts';

/** Small numbers keep the space finite; what matters is their order, and that every pair of them differs. */
export const policy: Policy = {
  connectTimeoutMs: 5,
  isolateTimeoutMs: 3,
  leaseTimeoutMs: 4,
  commissioningMs: 7,
  evidenceMaxAgeMs: 2,
};

/** A state, what happened, and what was decided. */
export interface Step {
  readonly before: State;
  readonly event: Event;
  readonly decision: Decision;
}
