/** The words in which one link is decided about: states, events, policy, and what a decision asks for. */
import type { Evidence } from './evidence.ts';
import type { Millis } from './time.ts';

/** Why something was refused: a code for machines, a sentence for people, a way out. */
export interface Refusal {
  readonly code: string;
  readonly why: string;
  readonly hint: string;
}

/** A permission to be connected. It ends at `endsAt` whatever happens, and at `renewBy` unless renewed before. */
export interface Lease {
  readonly id: string;
  readonly endsAt: Millis;
  readonly renewBy: Millis;
}

/** What latched a link. `by` is `source:<name>`, `person:<name>`, `button` or `fault:<code>`. */
export interface Trip {
  readonly by: string;
  readonly reason: string;
}

/** Why a link is being isolated. */
export type Why =
  | 'started'
  | 'released'
  | 'holder-gone'
  | 'lease-lapsed'
  | 'lease-ended'
  | 'permissive-failed'
  | 'connect-timeout'
  | 'evidence-lost'
  | 'connection-lost'
  | 'proof-lost'
  | 'stopping'
  | 'tripped'
  | 'again';

/** Nothing is known; commanded isolated; only evidence moves on. Also where an isolation nobody confirmed ends. */
export interface Unproven {
  readonly at: 'unproven';
  readonly cutAt: Millis;
  readonly deadline: Millis;
  readonly lastSeen: Evidence['position'];
  readonly alarmed: boolean;
}

/** Proven isolated at `provenAt`, and proven again all the time. */
export interface Isolated {
  readonly at: 'isolated';
  readonly provenAt: Millis;
}

/** A lease was granted and connect commanded; evidence is awaited. */
export interface Connecting {
  readonly at: 'connecting';
  readonly lease: Lease;
  readonly since: Millis;
  readonly giveUpAt: Millis;
}

/** Evidence said connected at `seenAt` (whole evidence), under a live lease. */
export interface Connected {
  readonly at: 'connected';
  readonly lease: Lease;
  readonly since: Millis;
  readonly seenAt: Millis;
}

/** Commanded isolated at `cutAt`; proof is due by `deadline`. */
export interface Isolating {
  readonly at: 'isolating';
  readonly why: Why;
  readonly cutAt: Millis;
  readonly deadline: Millis;
  readonly lastSeen: Evidence['position'];
}

/** Latched. `provenAt` is null until isolation was proven after `cutAt`. */
export interface Tripped {
  readonly at: 'tripped';
  readonly trip: Trip;
  readonly cutAt: Millis;
  readonly deadline: Millis;
  readonly lastSeen: Evidence['position'];
  readonly provenAt: Millis | null;
  readonly alarmed: boolean;
}

/** Latched: told to isolate, evidence said connected after the deadline. A welded contact or a lying board. */
export interface Stuck {
  readonly at: 'stuck';
  readonly trip: Trip;
  readonly cutAt: Millis;
  readonly provenAt: Millis | null;
}

export type State = Unproven | Isolated | Connecting | Connected | Isolating | Tripped | Stuck;

/** What must hold for a lease to be granted or renewed, as the interlock itself knows it at this moment. */
export interface Conditions {
  /** Every permissive that fails. Unknown counts as failing. */
  readonly failing: readonly Refusal[];
  /** End of the window or attended session that entitles this link now; null outside of any. */
  readonly entitledUntil: Millis | null;
  /** Exposure left of the budget, ms. */
  readonly budgetLeftMs: number;
}

/** Everything that can happen to a link. `now` never runs backwards. */
export type Event = { readonly now: Millis } & (
  | { readonly kind: 'tick' }
  | { readonly kind: 'seen'; readonly evidence: Evidence }
  | { readonly kind: 'lease-asked'; readonly leaseId: string; readonly conditions: Conditions }
  | { readonly kind: 'lease-renewed'; readonly leaseId: string; readonly conditions: Conditions }
  | {
      readonly kind: 'lease-given-back';
      readonly leaseId: string;
      readonly why: 'released' | 'holder-gone';
    }
  | { readonly kind: 'conditions-sampled'; readonly conditions: Conditions }
  | { readonly kind: 'tripped'; readonly trip: Trip }
  | { readonly kind: 'reset-asked'; readonly presence: boolean }
  | { readonly kind: 'stop-asked' }
);

/** Durations of one link, ms. */
export interface Policy {
  readonly connectTimeoutMs: number;
  readonly isolateTimeoutMs: number;
  readonly leaseTimeoutMs: number;
  /** How long one reading stands for the truth when the next ones fail. */
  readonly evidenceMaxAgeMs: number;
}

/** Command every contact of the link to isolated. Performed before the record. */
export interface Cut {
  readonly why: Why;
}

/** Performed after the record, in order. */
export type Act =
  | { readonly kind: 'connect'; readonly leaseId: string }
  | { readonly kind: 'tell-granted'; readonly lease: Lease }
  | { readonly kind: 'tell-renewed'; readonly lease: Lease }
  | { readonly kind: 'tell-connected'; readonly leaseId: string }
  | { readonly kind: 'tell-over'; readonly leaseId: string; readonly why: Why }
  | { readonly kind: 'refuse'; readonly refusals: readonly Refusal[] }
  | { readonly kind: 'tell-reset' }
  | { readonly kind: 'alarm'; readonly alarm: Alarm };

/** What a person must know about now. */
export type Alarm =
  | 'isolation-unproven'
  | 'proof-lost'
  | 'stuck'
  | 'connected-unasked'
  | 'evidence-lost'
  | 'connection-lost'
  | 'connect-timeout';

/** A decision: the next state, what to do before the record, what to do after it. */
export interface Decision {
  readonly state: State;
  readonly cuts: readonly Cut[];
  readonly acts: readonly Act[];
}

/** What a trip left behind, or null. It must survive power loss for as long as the state is latched. */
export const latchOf = (state: State): Trip | null =>
  state.at === 'tripped' || state.at === 'stuck' ? state.trip : null;

/** The live lease, or null. */
export const leaseOf = (state: State): Lease | null =>
  state.at === 'connecting' || state.at === 'connected' ? state.lease : null;

/** When isolation was last proven, or null when it is not proven now. */
export const isolationProvenAt = (state: State): Millis | null => {
  switch (state.at) {
    case 'isolated':
      return state.provenAt;
    case 'tripped':
    case 'stuck':
      return state.provenAt;
    case 'unproven':
    case 'connecting':
    case 'connected':
    case 'isolating':
      return null;
  }
};
