/** The words in which one link is decided about: states, events, policy, and what a decision asks for. */
import type { Alone, Evidence } from './evidence.ts';
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
  | 'proof-ended'
  | 'commissioning'
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
  /** The contact that isolates alone first when this lease ends as planned. */
  readonly turn: string;
}

/** Evidence said connected at `seenAt` (whole evidence), under a live lease. */
export interface Connected {
  readonly at: 'connected';
  readonly lease: Lease;
  readonly since: Millis;
  readonly seenAt: Millis;
  readonly turn: string;
}

/**
 * The lease ended as planned at `cutAt`, and `contact` alone was commanded isolated; all are by `giveUpAt`. Isolation was first
 * shown at `shownAt`, or not yet.
 */
export interface Proving {
  readonly at: 'proving';
  readonly contact: string;
  readonly cutAt: Millis;
  readonly giveUpAt: Millis;
  readonly shownAt: Millis | null;
  readonly basis: Evidence['basis'];
}

/** A person at the box tries the contacts one by one. The lease is a session: renewed, and over at its end. */
export interface Commissioning {
  readonly at: 'commissioning';
  readonly lease: Lease;
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

export type State =
  | Unproven
  | Isolated
  | Connecting
  | Connected
  | Proving
  | Commissioning
  | Isolating
  | Tripped
  | Stuck;

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
  /** `alone`: what the same round says of the contact under proof test; null outside of one. */
  | { readonly kind: 'seen'; readonly evidence: Evidence; readonly alone: Alone | null }
  | {
      readonly kind: 'lease-asked';
      readonly leaseId: string;
      readonly conditions: Conditions;
      /** The contact whose proof is oldest. */
      readonly turn: string;
    }
  | { readonly kind: 'lease-renewed'; readonly leaseId: string; readonly conditions: Conditions }
  | {
      readonly kind: 'lease-given-back';
      readonly leaseId: string;
      readonly why: 'released' | 'holder-gone';
    }
  | { readonly kind: 'conditions-sampled'; readonly conditions: Conditions }
  | {
      readonly kind: 'tripped';
      readonly trip: Trip;
      /** When what trips was received, for the record of how fast the cut was; `now` when nothing came from outside. */
      readonly receivedAt?: Millis | undefined;
    }
  | { readonly kind: 'reset-asked'; readonly presence: boolean }
  | {
      readonly kind: 'commissioning-asked';
      readonly leaseId: string;
      readonly presence: boolean;
      /** Every permissive that must hold for commissioning, too, and fails. */
      readonly failing: readonly Refusal[];
    }
  /** The procedure of this session wants one contact driven. */
  | {
      readonly kind: 'drive-asked';
      readonly leaseId: string;
      readonly contact: string;
      readonly position: 'connected' | 'isolated';
    }
  | { readonly kind: 'stop-asked' }
);

/** Durations of one link, ms. */
export interface Policy {
  readonly connectTimeoutMs: number;
  readonly isolateTimeoutMs: number;
  readonly leaseTimeoutMs: number;
  /** How long a commissioning session may last. */
  readonly commissioningMs: number;
  /** How long one reading stands for the truth when the next ones fail. */
  readonly evidenceMaxAgeMs: number;
}

/** Command contacts to isolated: every one of the link, or `only` this one. Performed before the record. */
export interface Cut {
  readonly why: Why;
  readonly only?: string;
}

/** What came of a proof test. `not-done`: something else cut the link, or another contact let go as well. */
export interface ProofEnded {
  readonly kind: 'proof-ended';
  readonly contact: string;
  readonly outcome: 'passed' | 'failed' | 'not-done';
  /** What showed the isolation. */
  readonly basis: Evidence['basis'];
  /** ms from the command until isolation was seen; null when it was not. */
  readonly tookMs: number | null;
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
  /** Whoever asked for this drive may perform it, under a fence taken when it was decided. */
  | { readonly kind: 'drive'; readonly leaseId: string; readonly contact: string }
  | ProofEnded
  | { readonly kind: 'alarm'; readonly alarm: Alarm };

/** What a person must know about now. */
export type Alarm =
  | 'isolation-unproven'
  | 'proof-lost'
  | 'stuck'
  | 'connected-unasked'
  | 'evidence-lost'
  | 'connection-lost'
  | 'connect-timeout'
  | 'proof-failed';

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

/** What permits a contact to be driven to connected now: a live lease or a commissioning session; else null. */
export const permissionOf = (state: State): Lease | null =>
  state.at === 'commissioning' ? state.lease : leaseOf(state);

/** When time alone will change this state at the latest; null when nothing waits for a moment of its own. */
export const dueAt = (state: State): Millis | null => {
  const permission = permissionOf(state);
  if (permission !== null)
    return permission.renewBy < permission.endsAt ? permission.renewBy : permission.endsAt;
  return state.at === 'proving' ? state.giveUpAt : null;
};

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
    case 'proving':
    case 'commissioning':
    case 'isolating':
      return null;
  }
};
