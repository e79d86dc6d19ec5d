/** Walks every situation of the button with every event, and holds each step against an account kept beside it. */
import type {
  buttonAtStart,
  ButtonDecision,
  ButtonEvent,
  ButtonPolicy,
  ButtonState,
  decideButton,
  isPresent,
} from '../../src/core/button.ts';
import { type Millis, millis } from '../../src/core/time.ts';

/** Small numbers keep the space finite; their order is what matters. */
export const policy: ButtonPolicy = {
  debounceMs: 2,
  deadMs: 6,
  holdMs: 4,
  longestHoldMs: 9,
  presenceMs: 3,
};

/** What is explored: the real functions, or mutants of them. */
export interface Subject {
  readonly buttonAtStart: typeof buttonAtStart;
  readonly decideButton: typeof decideButton;
  readonly isPresent: typeof isPresent;
}

/** What a person beside the box would know, kept without the function under test. */
interface Account {
  /** Since when nothing but the released level was told; null otherwise. */
  readonly still: Millis | null;
  /** The last valid reading, or the start. */
  readonly seen: Millis;
  /** When the press in progress began, and whether it may become a gesture. */
  readonly pressed: { readonly at: Millis; readonly honest: boolean } | null;
  /** Until when presence was given. */
  readonly presentUntil: Millis | null;
  /** It was seen released for long enough since the last sign of anything else. */
  readonly settled: boolean;
}

interface Situation {
  readonly now: Millis;
  readonly state: ButtonState;
  readonly account: Account;
}

const ADVANCES = [0, 1, 2, 5] as const;
const DEPTH_MS = 12;
const FLAGS = [true, false] as const;

const eventsAt = (now: Millis): readonly ButtonEvent[] => [
  ...FLAGS.flatMap((pressed) =>
    FLAGS.flatMap((latched): ButtonEvent[] => [
      { now, kind: 'edge', pressed, latched },
      { now, kind: 'level', pressed, latched },
    ]),
  ),
  { now, kind: 'lost', why: 'x' },
  { now, kind: 'tick', watchedSince: millis(0) },
  { now, kind: 'tick', watchedSince: now },
];

/** Times as ages, none older than matters; equal keys behave alike. */
function keyOf({ now, state, account }: Situation): string {
  const age = (at: Millis | null): number | null => (at === null ? null : Math.min(now - at, DEPTH_MS));
  const ages = JSON.stringify(state, (name, value: unknown) =>
    typeof value === 'number' ? age(millis(value)) : name === 'why' ? '' : value,
  );
  const { pressed } = account;
  return JSON.stringify([
    ages,
    age(account.still),
    age(account.seen),
    pressed === null ? null : [age(pressed.at), pressed.honest],
    age(account.presentUntil),
    account.settled,
  ]);
}

const trips = ({ acts }: ButtonDecision): readonly string[] =>
  acts.flatMap((act) => (act.kind === 'trip' ? [act.cause] : []));

/** The account after an event; what it says follows from the events alone. */
function accounted(before: Account, event: ButtonEvent): Account {
  switch (event.kind) {
    case 'lost':
      return {
        ...before,
        still: null,
        settled: false,
        presentUntil: null,
        pressed: before.pressed === null ? null : { ...before.pressed, honest: false },
      };
    case 'tick':
      return before;
    case 'level':
      if (!event.pressed)
        return settledIn({ ...before, seen: event.now, still: before.still ?? event.now }, event.now);
      return pressedIn({ ...before, seen: event.now }, event, null);
    case 'edge':
      // Long still and nobody looked: the press before was over. What was never read as released is not settled by it.
      return pressedIn(
        { ...(before.pressed === null ? before : settledIn(before, event.now)), seen: event.now },
        event,
        event.pressed ? null : event.now,
      );
  }
}

function settledIn(account: Account, now: Millis): Account {
  const { still, pressed } = account;
  if (account.settled || still === null || now - still < policy.debounceMs) return account;
  const held = pressed === null ? -1 : still - pressed.at;
  const given = pressed?.honest === true && held >= policy.holdMs && held <= policy.longestHoldMs;
  return {
    ...account,
    settled: true,
    pressed: null,
    presentUntil: given ? millis(still + policy.presenceMs) : null,
  };
}

const pressedIn = (
  account: Account,
  event: { readonly now: Millis; readonly latched: boolean },
  still: Millis | null,
): Account => ({
  ...account,
  still,
  settled: false,
  presentUntil: null,
  pressed: account.pressed ?? { at: event.now, honest: account.settled && event.latched },
});

const dies = (account: Account, event: ButtonEvent): boolean =>
  event.kind === 'tick' && event.now - Math.max(account.seen, event.watchedSince) >= policy.deadMs;

interface Step {
  readonly subject: Subject;
  readonly before: Situation;
  readonly event: ButtonEvent;
  readonly decision: ButtonDecision;
  readonly account: Account;
}

const isSign = (event: ButtonEvent): boolean =>
  event.kind === 'edge' || (event.kind === 'level' && event.pressed);

/** What holds on every step. */
export const promises: Readonly<Record<string, (step: Step) => boolean>> = {
  'the first edge, or a pressed level, trips at once': ({ before, event, decision }) =>
    !isSign(event) || before.state.at === 'pressed' || trips(decision).includes('pressed'),
  'within a press nothing trips again': ({ before, event, decision, account }) =>
    before.state.at !== 'pressed' ||
    event.kind === 'tick' ||
    account.pressed?.at === event.now ||
    trips(decision).length === 0,
  'a press that follows a settled release trips again': ({ event, decision, account }) =>
    !isSign(event) ||
    account.pressed?.at !== event.now ||
    trips(decision).includes('pressed') ||
    decision.state.at === 'pressed',
  'it counts as released only after it was still': ({ decision, account }) =>
    decision.state.at !== 'released' || account.settled,
  'what was still for long enough counts as released': ({ event, decision, account }) =>
    event.kind !== 'level' ||
    !account.settled ||
    decision.state.at === 'released' ||
    account.pressed !== null,
  'a sign of a hand leaves it pressed': ({ event, decision }) =>
    !isSign(event) || decision.state.at === 'pressed',
  'presence is given by an honest hold and lasts as long as it says': ({
    subject,
    event,
    decision,
    account,
  }) =>
    subject.isPresent(decision.state, event.now) ===
    (decision.state.at === 'released' && account.presentUntil !== null && event.now < account.presentUntil),
  'silence trips, once': ({ before, event, decision }) =>
    trips(decision).includes('dead') === (dies(before.account, event) && before.state.at !== 'dead'),
  'a dead device is not believed before it was still again': ({ before, decision }) =>
    before.state.at !== 'dead' || decision.state.at !== 'released',
  'what is lost is not released': ({ event, decision }) =>
    event.kind !== 'lost' || decision.state.at !== 'released',
  'nothing but a reading makes it released': ({ before, event, decision }) =>
    event.kind === 'level' || decision.state.at !== 'released' || before.state.at === 'released',
};

/** Every situation that can be reached, each promise on each step. Throws at the first that is broken. */
export function explore(subject: Subject): {
  readonly situations: number;
  readonly steps: number;
  readonly states: ReadonlySet<string>;
  readonly acts: ReadonlySet<string>;
} {
  const start = millis(0);
  const nothing: Account = { still: null, seen: start, pressed: null, presentUntil: null, settled: false };
  const first: Situation = { now: start, state: subject.buttonAtStart(start), account: nothing };
  const known = new Set([keyOf(first)]);
  const states = new Set<string>();
  const acts = new Set<string>();
  const waiting = [first];
  let steps = 0;
  for (let situation = waiting.pop(); situation !== undefined; situation = waiting.pop()) {
    const before = situation;
    for (const event of ADVANCES.flatMap((ms) => eventsAt(millis(before.now + ms)))) {
      steps += 1;
      const decision = subject.decideButton(before.state, event, policy);
      const died = dies(before.account, event);
      const account = died
        ? { ...before.account, still: null, settled: false, presentUntil: null, pressed: null }
        : accounted(before.account, event);
      const step: Step = { subject, before, event, decision, account };
      for (const [promise, holds] of Object.entries(promises))
        if (!holds(step))
          throw new Error(`broken: ${promise}\n${JSON.stringify({ before, event, decision, account })}`);
      states.add(decision.state.at);
      for (const act of decision.acts) acts.add(act.kind === 'trip' ? act.cause : act.kind);
      const after: Situation = { now: event.now, state: decision.state, account };
      const key = keyOf(after);
      if (known.has(key)) continue;
      known.add(key);
      waiting.push(after);
    }
  }
  return { situations: known.size, steps, states, acts };
}
