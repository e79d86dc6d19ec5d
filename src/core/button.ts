/**
 * The button: a pure function of edges, levels and times.
 *
 * Any edge is a hand on the button, whatever level it is said to have: a short press may be told as two edges of the same
 * level (sysfs reads the level after the event), and debouncing would delay the cut. So the first edge trips, and only
 * what follows is debounced: the press lasts until the released level has been still for `debounceMs`.
 *
 * The contact is normally closed, so a broken wire reads as pressed and trips as such. A device that gives no valid reading
 * for `deadMs` trips as well; until it has given one, the button is unknown and nothing may be connected.
 *
 * Holding is a gesture of its own: released first, then pressed while everything the button trips was latched already, for
 * at least `holdMs` and at most `longestHoldMs`, then released. A press that raised the alarm never gives presence, and
 * neither does a mushroom that stays in.
 */
import { later, type Millis } from './time.ts';

/** Durations, ms. */
export interface ButtonPolicy {
  readonly debounceMs: number;
  /** No valid reading for this long: the input device is dead. */
  readonly deadMs: number;
  readonly holdMs: number;
  /** A press that lasts longer is a mushroom that was left in, no gesture. */
  readonly longestHoldMs: number;
  /** How long the presence lasts that a hold gives, from its release. */
  readonly presenceMs: number;
}

/** No level has been still for long enough yet, or the device has fallen silent. */
export interface ButtonUnknown {
  readonly at: 'unknown';
  /** The last valid reading, or the start. */
  readonly seenAt: Millis;
  readonly why: string;
  /** Since when the released level has been seen and nothing else. */
  readonly stillSince: Millis | null;
}

export interface ButtonReleased {
  readonly at: 'released';
  readonly seenAt: Millis;
  /** End of the presence that the last hold gave. */
  readonly presentUntil: Millis | null;
}

export interface ButtonPressed {
  readonly at: 'pressed';
  readonly seenAt: Millis;
  readonly since: Millis;
  readonly stillSince: Millis | null;
  /** It began from a settled release and tripped nothing that was not latched already. */
  readonly gesture: boolean;
}

/** No valid reading for `deadMs`; it has tripped. */
export interface ButtonDead {
  readonly at: 'dead';
  readonly seenAt: Millis;
  readonly why: string;
}

export type ButtonState = ButtonUnknown | ButtonReleased | ButtonPressed | ButtonDead;

/** What the input says. `pressed`: the level is not the released one. `now` never runs backwards. */
export type ButtonEvent = { readonly now: Millis } & (
  | {
      readonly kind: 'edge';
      readonly pressed: boolean;
      /** Everything that the button trips is latched already. */
      readonly latched: boolean;
    }
  | { readonly kind: 'level'; readonly pressed: boolean; readonly latched: boolean }
  /** The device cannot be read at this moment. */
  | { readonly kind: 'lost'; readonly why: string }
  /** `watchedSince`: since when it has been looked at without a gap. Silence while nobody looked is nobody's fault. */
  | { readonly kind: 'tick'; readonly watchedSince: Millis }
);

/** Why the button trips. */
export type ButtonCause = 'pressed' | 'dead';

/** What is to be done: a trip is performed at once, before anything is awaited. */
export type ButtonAct =
  | { readonly kind: 'trip'; readonly cause: ButtonCause; readonly why: string }
  | { readonly kind: 'presence'; readonly until: Millis };

export interface ButtonDecision {
  readonly state: ButtonState;
  readonly acts: readonly ButtonAct[];
}

/** Before the first look. */
export const buttonAtStart = (now: Millis): ButtonState => ({
  at: 'unknown',
  seenAt: now,
  why: 'the button was not read yet',
  stillSince: null,
});

/** What the button is now, and what follows from it. */
export function decideButton(state: ButtonState, event: ButtonEvent, policy: ButtonPolicy): ButtonDecision {
  switch (event.kind) {
    case 'edge':
      return edgeTold(state, event, policy);
    case 'level':
      return levelRead(state, event, policy);
    case 'lost':
      return stay(blind(state, event.why));
    case 'tick':
      return timePassed(state, event.now, event.watchedSince, policy);
  }
}

type Told = Extract<ButtonEvent, { kind: 'edge' | 'level' }>;

/** Any edge starts a press; within a press it starts the stillness anew. */
function edgeTold(state: ButtonState, event: Told, policy: ButtonPolicy): ButtonDecision {
  const stillSince = event.pressed ? null : event.now;
  if (state.at !== 'pressed') return press(state, event, stillSince);
  const { state: settled, acts } = settle(state, event.now, policy);
  // It was still for long enough before this edge, though nobody had looked: this is another press.
  if (settled.at === 'released') {
    const again = press(settled, event, stillSince);
    return { state: again.state, acts: [...acts, ...again.acts] };
  }
  return stay({ ...state, seenAt: event.now, stillSince });
}

function levelRead(state: ButtonState, event: Told, policy: ButtonPolicy): ButtonDecision {
  const { now } = event;
  switch (state.at) {
    case 'dead':
      return event.pressed ? press(state, event, null) : stay(found(now));
    case 'unknown':
      if (event.pressed) return press(state, event, null);
      return settle({ ...state, seenAt: now, stillSince: state.stillSince ?? now }, now, policy);
    case 'released':
      return event.pressed ? press(state, event, null) : stay({ ...state, seenAt: now });
    case 'pressed': {
      if (event.pressed) return stay({ ...state, seenAt: now, stillSince: null });
      return settle({ ...state, seenAt: now, stillSince: state.stillSince ?? now }, now, policy);
    }
  }
}

/** The device answers again: released as it seems, but not for long enough to be believed. */
const found = (now: Millis): ButtonUnknown => ({
  at: 'unknown',
  seenAt: now,
  why: 'the button was not still for long enough yet',
  stillSince: now,
});

function press(
  before: Exclude<ButtonState, ButtonPressed>,
  { now, latched }: Told,
  stillSince: Millis | null,
): ButtonDecision {
  const gesture = before.at === 'released' && latched;
  const why =
    before.at === 'released' ? 'the button was pressed' : 'the button is pressed, or its wire is broken';
  return {
    state: { at: 'pressed', seenAt: now, since: now, stillSince, gesture },
    acts: [{ kind: 'trip', cause: 'pressed', why }],
  };
}

/** Released, once that level has been still for `debounceMs`. */
function settle(
  state: ButtonUnknown | ButtonPressed,
  now: Millis,
  { debounceMs, holdMs, longestHoldMs, presenceMs }: ButtonPolicy,
): ButtonDecision {
  const { stillSince, seenAt } = state;
  if (stillSince === null || now - stillSince < debounceMs) return stay(state);
  if (state.at === 'unknown') return stay({ at: 'released', seenAt, presentUntil: null });
  const heldMs = stillSince - state.since;
  if (!state.gesture || heldMs < holdMs || heldMs > longestHoldMs)
    return stay({ at: 'released', seenAt, presentUntil: null });
  const until = later(stillSince, presenceMs);
  return { state: { at: 'released', seenAt, presentUntil: until }, acts: [{ kind: 'presence', until }] };
}

/** The level is not known any more. A press stays a press: nobody has seen it end, and it is no gesture. */
function blind(state: ButtonState, why: string): ButtonState {
  switch (state.at) {
    case 'released':
      return { at: 'unknown', seenAt: state.seenAt, why, stillSince: null };
    case 'unknown':
      return { ...state, why, stillSince: null };
    case 'pressed':
      return { ...state, stillSince: null, gesture: false };
    case 'dead':
      return state;
  }
}

function timePassed(
  state: ButtonState,
  now: Millis,
  watchedSince: Millis,
  { deadMs }: ButtonPolicy,
): ButtonDecision {
  const since = watchedSince > state.seenAt ? watchedSince : state.seenAt;
  if (state.at === 'dead' || now - since < deadMs) return stay(state);
  const because = state.at === 'unknown' ? state.why : 'it does not answer';
  const why = `the input of the button gave no valid reading for ${deadMs} ms: ${because}`;
  return {
    state: { at: 'dead', seenAt: state.seenAt, why },
    acts: [{ kind: 'trip', cause: 'dead', why }],
  };
}

const stay = (state: ButtonState): ButtonDecision => ({ state, acts: [] });

/** True while the presence of a hold lasts. */
export const isPresent = (state: ButtonState, now: Millis): boolean =>
  state.at === 'released' && state.presentUntil !== null && now < state.presentUntil;
