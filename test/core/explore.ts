/** Walks every reachable situation of one link with every event, and asserts the promises on each step. */
import type { decide as Decide, begin as Begin } from '../../src/core/decide.ts';
import type { Conditions, Decision, Event, State } from '../../src/core/link.ts';
import { latchOf, leaseOf, permissionOf } from '../../src/core/link.ts';
import { millis } from '../../src/core/time.ts';
import { newerPromises } from './newer-promises.ts';
import { policy, type Step } from './step.ts';

/** Times further away than this from now cannot be told apart by any rule. */
const HORIZON = 9;
const ADVANCES = [0, 1, 2, 3, 6];

type Core = { readonly decide: typeof Decide; readonly begin: typeof Begin };

/** Every promise that one step can break. A message means it is broken. */
export const promises: Readonly<Record<string, (step: Step) => boolean>> = {
  'a trip cuts every contact and latches, whatever the state': ({ event, decision }) =>
    event.kind !== 'tripped' || (cutsAll(decision) && latchOf(decision.state) !== null),
  'a latch keeps its first cause': ({ before, event, decision }) => {
    const first = latchOf(before);
    return first === null || event.kind === 'reset-asked' || latchOf(decision.state)?.by === first.by;
  },
  'a latch is lifted only by a reset with presence and fresh proof': ({ before, event, decision }) => {
    if (latchOf(before) === null || latchOf(decision.state) !== null) return true;
    const provenAt = before.at === 'tripped' || before.at === 'stuck' ? before.provenAt : null;
    const fresh = provenAt !== null && event.now - provenAt <= policy.evidenceMaxAgeMs;
    return event.kind === 'reset-asked' && event.presence && fresh && decision.state.at === 'isolated';
  },
  'a connect is commanded only for a lease asked for while freshly proven isolated': ({
    before,
    event,
    decision,
  }) => {
    if (!decision.acts.some((act) => act.kind === 'connect')) return true;
    return (
      event.kind === 'lease-asked' &&
      before.at === 'isolated' &&
      event.now - before.provenAt <= policy.evidenceMaxAgeMs &&
      allows(event.conditions, event.now) &&
      decision.cuts.length === 0
    );
  },
  'a lease appears only where a connect was commanded': ({ before, decision }) =>
    leaseOf(decision.state) === null ||
    leaseOf(before) !== null ||
    decision.acts.some((act) => act.kind === 'connect'),
  'a live lease or session has not ended and was renewed in time': ({ event, decision }) => {
    const lease = permissionOf(decision.state);
    return lease === null || (event.now < lease.endsAt && event.now < lease.renewBy);
  },
  'a lease belongs to whoever asked, and its end never moves away': ({ before, decision }) => {
    const [was, is] = [permissionOf(before), permissionOf(decision.state)];
    return was === null || is === null || (is.id === was.id && is.endsAt <= was.endsAt);
  },
  'a lease ends no later than window, budget and renewal allow': ({ event, decision }) => {
    const lease = leaseOf(decision.state);
    if (lease === null) return true;
    if (lease.renewBy - event.now > policy.leaseTimeoutMs) return false;
    if (event.kind !== 'lease-asked' && event.kind !== 'conditions-sampled') return true;
    if (event.kind === 'lease-asked' && !decision.acts.some((act) => act.kind === 'connect')) return true;
    const { entitledUntil, budgetLeftMs } = event.conditions;
    return (
      entitledUntil !== null && lease.endsAt <= entitledUntil && lease.endsAt - event.now <= budgetLeftMs
    );
  },
  'only the holder renews': ({ before, event, decision }) => {
    const [was, is] = [permissionOf(before), permissionOf(decision.state)];
    if (was === null || is === null || is.renewBy <= was.renewBy) return true;
    return event.kind === 'lease-renewed' && event.leaseId === was.id;
  },
  'a failing permissive, no window or no budget isolates on renewal and on sampling': ({
    before,
    event,
    decision,
  }) => {
    const was = leaseOf(before);
    if (was === null) return true;
    const told =
      (event.kind === 'lease-renewed' && event.leaseId === was.id) || event.kind === 'conditions-sampled';
    return !told || allows(event.conditions, event.now) || leaseOf(decision.state) === null;
  },
  'leaving a lease or a session cuts and tells the holder': ({ before, decision }) => {
    const was = permissionOf(before);
    if (was === null || permissionOf(decision.state) !== null) return true;
    const told = decision.acts.some((act) => act.kind === 'tell-over' && act.leaseId === was.id);
    const cut = decision.state.at === 'proving' ? decision.cuts.length > 0 : cutsAll(decision);
    return cut && told;
  },
  'giving a lease back, or losing its holder, isolates': ({ before, event, decision }) =>
    event.kind !== 'lease-given-back' ||
    permissionOf(before)?.id !== event.leaseId ||
    permissionOf(decision.state) === null,
  'a stop cuts every contact': ({ event, decision }) =>
    event.kind !== 'stop-asked' ||
    (cutsAll(decision) && permissionOf(decision.state) === null && decision.state.at !== 'proving'),
  'connecting does not outlast its time-out': ({ event, decision }) =>
    decision.state.at !== 'connecting' || event.now < decision.state.giveUpAt,
  'connected rests on whole, fresh evidence taken after the connect': ({ before, event, decision }) => {
    if (decision.state.at !== 'connected') return true;
    if (event.now - decision.state.seenAt > policy.evidenceMaxAgeMs && event.kind !== 'seen') return false;
    if (before.at === 'connected') return decision.state.seenAt >= before.seenAt;
    return (
      before.at === 'connecting' &&
      event.kind === 'seen' &&
      event.evidence.position === 'connected' &&
      event.evidence.whole &&
      event.evidence.asOf > before.since
    );
  },
  'connected time stamps move only on whole connected evidence': ({ before, event, decision }) =>
    before.at !== 'connected' ||
    decision.state.at !== 'connected' ||
    decision.state.seenAt === before.seenAt ||
    (event.kind === 'seen' && event.evidence.position === 'connected' && event.evidence.whole),
  'evidence of isolation under a lease ends the lease': ({ before, event, decision }) =>
    before.at !== 'connected' ||
    event.kind !== 'seen' ||
    event.evidence.position !== 'isolated' ||
    event.evidence.asOf < before.seenAt ||
    leaseOf(decision.state) === null,
  'isolated is entered only on isolated evidence taken after the cut, or by a reset': ({
    before,
    event,
    decision,
  }) => {
    if (decision.state.at !== 'isolated' || before.at === 'isolated') return true;
    if (event.kind === 'reset-asked') return true;
    if (event.kind !== 'seen' || event.evidence.position !== 'isolated') return false;
    if (decision.cuts.length > 0) return false;
    return (before.at === 'unproven' || before.at === 'isolating') && event.evidence.asOf > before.cutAt;
  },
  'isolated rests on fresh proof': ({ event, decision }) =>
    decision.state.at !== 'isolated' ||
    event.kind === 'seen' ||
    event.now - decision.state.provenAt <= policy.evidenceMaxAgeMs,
  'latched proof is fresh and taken after the cut': ({ before, event, decision }) => {
    const { state } = decision;
    if (state.at !== 'tripped' && state.at !== 'stuck') return true;
    if (state.provenAt === null) return true;
    if (
      event.kind !== 'seen' &&
      event.now - state.provenAt > policy.evidenceMaxAgeMs &&
      event.kind !== 'tripped'
    )
      return false;
    const provenBefore = before.at === 'tripped' || before.at === 'stuck' ? before.provenAt : null;
    if (provenBefore === state.provenAt) return true;
    return (
      event.kind === 'seen' && event.evidence.position === 'isolated' && event.evidence.asOf > state.cutAt
    );
  },
  'a link that connects unasked is cut and latched': ({ before, event, decision }) =>
    before.at !== 'isolated' ||
    event.kind !== 'seen' ||
    event.evidence.position !== 'connected' ||
    event.evidence.asOf < before.provenAt ||
    event.now - before.provenAt > policy.evidenceMaxAgeMs ||
    (latchOf(decision.state) !== null && decision.cuts.length > 0),
  'lost proof is told and cut again': ({ before, decision }) =>
    before.at !== 'isolated' ||
    decision.state.at !== 'unproven' ||
    (decision.cuts.length > 0 && decision.acts.some((act) => act.kind === 'alarm')),
  'an unproven isolation is commanded again on every tick': ({ event, decision }) => {
    if (event.kind !== 'tick') return true;
    const { state } = decision;
    const waiting =
      state.at === 'unproven' ||
      state.at === 'proving' ||
      state.at === 'isolating' ||
      ((state.at === 'tripped' || state.at === 'stuck') && state.provenAt === null);
    return !waiting || decision.cuts.length > 0;
  },
  'a missed deadline is told; connected evidence past it sticks': ({ before, event, decision }) => {
    if (before.at !== 'isolating' && before.at !== 'unproven' && before.at !== 'tripped') return true;
    if (event.kind !== 'tick' || event.now < before.deadline) return true;
    if (before.at === 'tripped' && before.provenAt !== null) return true;
    if (before.lastSeen === 'connected') return decision.state.at === 'stuck';
    const alreadyTold = before.at !== 'isolating' && before.alarmed;
    return alreadyTold || decision.acts.some((act) => act.kind === 'alarm');
  },
  'who asks is answered': ({ event, decision }) => {
    const answered = (kind: string): boolean => decision.acts.some((act) => act.kind === kind);
    if (event.kind === 'lease-asked') return answered('refuse') || answered('tell-granted');
    if (event.kind === 'lease-renewed') return answered('refuse') || answered('tell-renewed');
    if (event.kind === 'commissioning-asked') return answered('refuse') || answered('tell-granted');
    if (event.kind === 'drive-asked')
      return answered('refuse') || answered('drive') || decision.cuts.length > 0;
    return event.kind !== 'reset-asked' || answered('refuse') || answered('tell-reset');
  },
  'a refusal gives at least one reason, and refuses': ({ before, decision }) => {
    const refusal = decision.acts.find((act) => act.kind === 'refuse');
    if (refusal === undefined) return true;
    if (refusal.refusals.length === 0) return false;
    return (
      !decision.acts.some((act) => act.kind === 'connect' || act.kind === 'drive') &&
      (permissionOf(decision.state)?.endsAt ?? -Infinity) <= (permissionOf(before)?.endsAt ?? -Infinity)
    );
  },
  ...newerPromises,
};

/** At least one cut is of every contact. */
const cutsAll = ({ cuts }: Decision): boolean => cuts.some(({ only }) => only === undefined);

const allows = (conditions: Conditions, now: number): boolean =>
  conditions.failing.length === 0 &&
  conditions.entitledUntil !== null &&
  conditions.entitledUntil > now &&
  conditions.budgetLeftMs > 0;

/** Walks the whole space. Throws on the first broken promise; returns what was visited. */
export function explore(core: Core): {
  situations: number;
  steps: number;
  states: Set<string>;
  acts: Set<string>;
  proofs: Set<string>;
} {
  const seen = new Map<string, State>();
  const states = new Set<string>();
  const acts = new Set<string>();
  const proofs = new Set<string>();
  const queue: State[] = [];
  const meet = (state: State, now: number): void => {
    const key = keyOf(state, now);
    if (seen.has(key)) return;
    const rebased = rebase(state, now);
    seen.set(key, rebased);
    queue.push(rebased);
    states.add(rebased.at);
  };
  for (const latch of [null, { by: 'source:before', reason: 'found at start' }]) {
    const first = core.begin(millis(0), latch, policy);
    if (first.cuts.length === 0 || leaseOf(first.state) !== null) throw new Error('begin must isolate');
    if (first.state.at === 'isolated') throw new Error('begin must believe nothing');
    if ((latch !== null) !== (latchOf(first.state) !== null)) throw new Error('begin must keep the latch');
    meet(first.state, 0);
  }
  let steps = 0;
  const kept = Object.values(promises);
  for (let before = queue.pop(); before !== undefined; before = queue.pop()) {
    const frozen = JSON.stringify(before);
    for (const advance of ADVANCES) {
      // Most events change nothing: the very same state again.
      let unchanged: State | null = null;
      for (const event of eventsAt(advance, before.at)) {
        const decision = core.decide(before, event, policy);
        steps += 1;
        const step = { before, event, decision };
        const broken = kept.findIndex((holds) => !holds(step));
        if (broken >= 0)
          throw new Error(`broken: ${Object.keys(promises)[broken]}\n${JSON.stringify(step, null, 1)}`);
        for (const act of decision.acts) {
          acts.add(act.kind);
          if (act.kind === 'proof-ended') proofs.add(act.outcome);
        }
        if (decision.state !== unchanged) meet(decision.state, advance);
        if (decision.state === before) unchanged = before;
      }
    }
    if (JSON.stringify(before) !== frozen) throw new Error('broken: decide changed its input');
  }
  return { situations: seen.size, steps, states, acts, proofs };
}

/** The same events again and again: made once, and frozen so that nobody changes them. */
const made = new Map<string, readonly Event[]>();
function eventsAt(now: number, where: State['at']): readonly Event[] {
  const key = `${now} ${where}`;
  const known = made.get(key) ?? immutable(events(now, where));
  made.set(key, known);
  return known;
}

function immutable<T>(value: T): T {
  if (value === null || typeof value !== 'object') return value;
  for (const each of Object.values(value)) immutable(each);
  return Object.freeze(value);
}

/** The contact whose turn it is. */
const TURN = 'k';

function events(now: number, at: State['at']): Event[] {
  const here = { now: millis(now) };
  const fine: Conditions = { failing: [], entitledUntil: millis(now + 6), budgetLeftMs: 8 };
  const conditions: Conditions[] = [
    fine,
    { ...fine, entitledUntil: millis(now + 1) },
    { ...fine, entitledUntil: millis(now) },
    { ...fine, entitledUntil: null },
    { ...fine, budgetLeftMs: 2 },
    { ...fine, budgetLeftMs: 0 },
    { ...fine, failing: [{ code: 'x', why: 'x', hint: 'x' }] },
  ];
  const sightings = (['connected', 'isolated', 'unknown'] as const).flatMap((position) =>
    [0, 1, 4].flatMap((ageMs) =>
      [true, false].map((whole): Event => ({
        ...here,
        kind: 'seen',
        evidence: { position, asOf: millis(now - ageMs), basis: 'witness', whole },
        alone: null,
      })),
    ),
  );
  return [
    { ...here, kind: 'tick' },
    { ...here, kind: 'stop-asked' },
    { ...here, kind: 'tripped', trip: { by: 'source:test', reason: 'test' } },
    { ...here, kind: 'reset-asked', presence: true },
    { ...here, kind: 'reset-asked', presence: false },
    ...sightings,
    ...(['a', 'b'] as const).flatMap((leaseId) => [
      ...conditions.map((each): Event => ({
        ...here,
        kind: 'lease-asked',
        leaseId,
        conditions: each,
        turn: TURN,
      })),
      ...conditions.map((each): Event => ({
        ...here,
        kind: 'lease-renewed',
        leaseId,
        conditions: each,
      })),
      { ...here, kind: 'lease-given-back' as const, leaseId, why: 'released' as const },
      { ...here, kind: 'lease-given-back' as const, leaseId, why: 'holder-gone' as const },
      ...(['connected', 'isolated'] as const).map((position): Event => ({
        ...here,
        kind: 'drive-asked',
        leaseId,
        contact: 'x',
        position,
      })),
    ]),
    ...[true, false].flatMap((presence) =>
      [[], [{ code: 'x', why: 'x', hint: 'x' }]].map((failing): Event => ({
        ...here,
        kind: 'commissioning-asked',
        leaseId: 'a',
        presence,
        failing,
      })),
    ),
    ...(at === 'proving' ? sightingsAlone(now) : []),
    ...conditions.map((each): Event => ({ ...here, kind: 'conditions-sampled', conditions: each })),
  ];
}

/** What a round may say of the contact under proof test. The rest of its evidence must not matter. */
function sightingsAlone(now: number): Event[] {
  const evidence = { position: 'connected', asOf: millis(now), basis: 'witness', whole: true } as const;
  return (['connected', 'isolated', 'unknown'] as const).flatMap((position) =>
    (['connected', 'isolated', 'unknown'] as const).flatMap((others) =>
      [0, 1, 4].flatMap((ageMs) =>
        [-1, 0, 1, 3].flatMap((othersAgeMs) =>
          [TURN, 'x'].map((contact): Event => ({
            now: millis(now),
            kind: 'seen',
            evidence,
            alone: {
              contact,
              position,
              asOf: millis(now - ageMs),
              basis: position === 'unknown' ? 'none' : 'witness',
              others,
              // Nobody else: as fresh as can be.
              othersAsOf: millis(othersAgeMs < 0 ? Infinity : now - othersAgeMs),
            },
          })),
        ),
      ),
    ),
  );
}

const shifted = (time: number, now: number): number => Math.max(-HORIZON, Math.min(HORIZON, time - now));

/** What tells a situation from others, as `rebase` makes it; half a million are asked for, and few are new. */
function keyOf(value: unknown, now: number): string {
  if (typeof value === 'number') return `${shifted(value, now)}`;
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  const parts = value as Readonly<Record<string, unknown>>;
  let text = Array.isArray(value) ? '[' : '{';
  for (const name of Object.keys(parts))
    if (parts[name] !== undefined) text += `${name}:${keyOf(parts[name], now)},`;
  return text;
}

/** The same situation with `now` at zero; far-away times are folded onto the horizon. */
function rebase(state: State, now: number): State {
  const shift = (value: unknown): unknown => {
    if (typeof value === 'number') return shifted(value, now);
    if (value === null || typeof value !== 'object') return value;
    return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, shift(each)]));
  };
  return shift(state) as State;
}
