/**
 * Walks every situation of a link that is connected by attended sessions only: `decide` and `decideSession` side by side, put together
 * as the interlock does it, with an account kept beside them of what was asked and by what right.
 */
import type {
  Authority,
  decideSession,
  Session,
  SessionDecision,
  sessionEntitledUntil,
  SessionPolicy,
} from '../../src/core/attended.ts';
import { begin, decide } from '../../src/core/decide.ts';
import { type Conditions, type Event, latchOf, leaseOf, type State } from '../../src/core/link.ts';
import { type Millis, millis } from '../../src/core/time.ts';
import { policy } from './step.ts';

/** What is explored: the real functions, or mutants of them. */
export interface Subject {
  readonly decideSession: typeof decideSession;
  readonly sessionEntitledUntil: typeof sessionEntitledUntil;
}

/** Small numbers that differ; a session outlasts a lease that is not renewed. */
export const sessionPolicy: SessionPolicy = { longestMs: 6, unheldMs: 2 };
const LONGER = sessionPolicy.longestMs + 1;
const HORIZON = 9;
const ADVANCES = [0, 1, 2, 4] as const;
const IDS = ['a', 'b'] as const;

/** What a person beside the box would know. */
interface Account {
  /** The end that was granted to the session in progress, by whose right. */
  readonly endsAt: Millis | null;
  /** Ids that were in progress and are over. */
  readonly over: readonly string[];
  /** Since when nobody holds the lease of the session in progress. */
  readonly unheldSince: Millis | null;
}

interface Situation {
  readonly link: State;
  readonly session: Session | null;
  readonly account: Account;
}

type Ask =
  | {
      readonly kind: 'asked';
      readonly id: string;
      readonly forMs: number;
      readonly authority: Authority | null;
    }
  | { readonly kind: 'lease-asked'; readonly session: string }
  | { readonly kind: 'end-asked' }
  | { readonly kind: 'link'; readonly event: Event };

interface Step {
  readonly before: Situation;
  readonly now: Millis;
  readonly ask: Ask;
  readonly after: Situation;
  readonly ended: readonly string[];
}

/** What holds on every step. */
export const promises: Readonly<Record<string, (step: Step) => boolean>> = {
  'a session begins only by a verified right, for no longer than is configured, while there is none': ({
    before,
    now,
    ask,
    after,
    ended,
  }) => {
    if (after.session === null || after.session.id === before.session?.id) return true;
    const none = before.session === null || ended.length > 0;
    return (
      none &&
      ask.kind === 'asked' &&
      ask.authority !== null &&
      ask.forMs <= sessionPolicy.longestMs &&
      after.session.endsAt === now + ask.forMs
    );
  },
  'its end never moves, and it is over then': ({ now, after }) =>
    after.session === null || (after.session.endsAt === after.account.endsAt && now < after.session.endsAt),
  'a lease rests on a session in progress and ends with it': ({ after }) => {
    const lease = leaseOf(after.link);
    return lease === null || (after.session !== null && lease.endsAt <= after.session.endsAt);
  },
  'a lease is granted only to whoever names the session in progress': ({ before, ask, after }) =>
    leaseOf(after.link) === null ||
    leaseOf(before.link) !== null ||
    (ask.kind === 'lease-asked' && ask.session === after.session?.id),
  'a latched link has none': ({ after }) => latchOf(after.link) === null || after.session === null,
  'whoever gives its lease back, is gone or lapses has ended it': ({ now, before, ask, after }) => {
    const lease = leaseOf(before.link);
    if (lease === null) return true;
    const lapsed = now >= lease.renewBy || now >= lease.endsAt;
    const givenBack = ask.kind === 'link' && ask.event.kind === 'lease-given-back';
    return !(lapsed || givenBack) || after.session === null || after.session.id !== before.session?.id;
  },
  'what ended the lease otherwise has not': ({ now, before, ask, after }) => {
    const lease = leaseOf(before.link);
    if (lease === null || ask.kind !== 'link' || now >= lease.renewBy || now >= lease.endsAt) return true;
    if (ask.event.kind === 'tripped' || ask.event.kind === 'lease-given-back') return true;
    return latchOf(after.link) !== null || after.session?.id === before.session?.id;
  },
  'it outlives that nobody holds its lease for a while only': ({ now, after }) =>
    after.session === null ||
    after.account.unheldSince === null ||
    now - after.account.unheldSince < sessionPolicy.unheldMs,
  'asked to end, it ends': ({ ask, after }) =>
    ask.kind !== 'end-asked' || (after.session === null && leaseOf(after.link) === null),
  'what ended never comes back': ({ before, ask, after }) =>
    after.session === null || ask.kind === 'asked' || !before.account.over.includes(after.session.id),
};

/** Every situation that can be reached. Throws at the first promise that is broken. */
export function explore(subject: Subject): {
  readonly situations: number;
  readonly steps: number;
  readonly ends: ReadonlySet<string>;
} {
  const start: Situation = {
    link: begin(millis(0), null, policy).state,
    session: null,
    account: { endsAt: null, over: [], unheldSince: null },
  };
  const known = new Set<string>();
  const ends = new Set<string>();
  const waiting = [start];
  let steps = 0;
  for (let before = waiting.pop(); before !== undefined; before = waiting.pop()) {
    for (const now of ADVANCES.map(millis)) {
      for (const ask of asksAt(now, before)) {
        steps += 1;
        const { after, ended } = taken(subject, before, now, ask);
        for (const end of ended) ends.add(end);
        for (const [promise, holds] of Object.entries(promises))
          if (!holds({ before, now, ask, after, ended }))
            throw new Error(`broken: ${promise}\n${JSON.stringify({ before, now, ask, after }, null, 1)}`);
        const next = rebase(after, now);
        const key = JSON.stringify(next);
        if (known.has(key)) continue;
        known.add(key);
        waiting.push(next);
      }
    }
  }
  return { situations: known.size, steps, ends };
}

function asksAt(now: Millis, { link, session: inProgress }: Situation): readonly Ask[] {
  const seen = (['connected', 'isolated'] as const).map((position): Event => ({
    now,
    kind: 'seen',
    evidence: { position, asOf: now, basis: 'witness', whole: true },
    alone: null,
  }));
  const events: Event[] = [
    { now, kind: 'tick' },
    { now, kind: 'tripped', trip: { by: 'button', reason: 'pressed' } },
    { now, kind: 'reset-asked', presence: true },
    ...seen,
    ...(leaseOf(link) === null
      ? []
      : (['released', 'holder-gone'] as const).map((why): Event => ({
          now,
          kind: 'lease-given-back',
          leaseId: 'l',
          why,
        }))),
  ];
  return [
    // Ids are never used twice; the two here are enough to tell one session from another.
    ...IDS.filter((id) => id !== inProgress?.id).flatMap((id) =>
      [3, LONGER - 1, LONGER].flatMap((forMs) =>
        [null, { by: 'box' } as const].map((authority): Ask => ({ kind: 'asked', id, forMs, authority })),
      ),
    ),
    ...IDS.map((session): Ask => ({ kind: 'lease-asked', session })),
    { kind: 'end-asked' },
    ...events.map((event): Ask => ({ kind: 'link', event })),
    { kind: 'link', event: { now, kind: 'conditions-sampled', conditions: unmet } },
  ];
}

const unmet: Conditions = {
  failing: [{ code: 'x', why: 'x', hint: 'x' }],
  entitledUntil: null,
  budgetLeftMs: 0,
};

/** One step as the interlock takes it: time passes for both, what the link lost ends the session, and a latch does. */
function taken(
  { decideSession: decided, sessionEntitledUntil: entitled }: Subject,
  before: Situation,
  now: Millis,
  ask: Ask,
): { after: Situation; ended: string[] } {
  const ended: string[] = [];
  let { link, session } = before;
  const tell = (told: SessionDecision): void => {
    session = told.session;
    if (told.ended !== null) ended.push(told.ended);
  };
  const drive = (event: Event): void => {
    const { state, acts } = decide(link, event, policy);
    link = state;
    for (const act of acts)
      if (act.kind === 'tell-over')
        tell(decided(session, { now, kind: 'lease-over', why: act.why }, sessionPolicy));
    if (latchOf(link) !== null) tell(decided(session, { now, kind: 'latched' }, sessionPolicy));
  };
  drive({ now, kind: 'tick' });
  tell(decided(session, { now, kind: 'tick' }, sessionPolicy));
  if (ask.kind === 'link') drive(ask.event);
  else if (ask.kind === 'end-asked') {
    tell(decided(session, { now, kind: 'end-asked' }, sessionPolicy));
    if (leaseOf(link) !== null) drive({ now, kind: 'lease-given-back', leaseId: 'l', why: 'released' });
  } else if (ask.kind === 'asked') {
    const asked = { ...ask, by: 'person:p', reason: 'r' };
    if (latchOf(link) === null) tell(decided(session, { now, kind: 'asked', asked }, sessionPolicy));
  } else {
    const entitledUntil = entitled(session, ask.session, now);
    const conditions: Conditions = { failing: [], entitledUntil, budgetLeftMs: LONGER };
    const had = leaseOf(link) !== null;
    drive({ now, kind: 'lease-asked', leaseId: 'l', conditions, turn: 'k' });
    if (!had && leaseOf(link) !== null) tell(decided(session, { now, kind: 'lease-began' }, sessionPolicy));
  }
  return { after: { link, session, account: accounted(before, session, link, now, ask) }, ended };
}

function accounted(before: Situation, session: Session | null, link: State, now: Millis, ask: Ask): Account {
  const isNew = session !== null && session.id !== before.session?.id;
  const wasOver = before.session !== null && session?.id !== before.session.id ? [before.session.id] : [];
  const over = [...new Set([...before.account.over, ...wasOver])].filter(
    (id) => !(isNew && id === session?.id),
  );
  const endsAt = isNew && ask.kind === 'asked' ? millis(now + ask.forMs) : before.account.endsAt;
  const held = leaseOf(link) !== null;
  const unheldSince = session === null || held ? null : isNew ? now : (before.account.unheldSince ?? now);
  return { endsAt: session === null ? null : endsAt, over: over.toSorted(), unheldSince };
}

/** The same situation with `now` at zero; far-away times are folded onto the horizon. */
function rebase(situation: Situation, now: number): Situation {
  const shift = (value: unknown): unknown => {
    if (typeof value === 'number') return Math.max(-HORIZON, Math.min(HORIZON, value - now));
    if (Array.isArray(value)) return value;
    if (value === null || typeof value !== 'object') return value;
    return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, shift(each)]));
  };
  return shift(situation) as Situation;
}
