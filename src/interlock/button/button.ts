/**
 * The button at work: reads its input for ever, and does at once what the gestures (core/button.ts) say.
 *
 * A press trips in the tick in which it is told: every isolate command is on its wire before anything is awaited, like any
 * trip. While the button is pressed, dead or not yet known, no link that it trips is connected, and none is reset.
 */
import type { ButtonInput, ButtonReading } from '../../contacts/button-input.ts';
import {
  buttonAtStart,
  type ButtonEvent,
  type ButtonPolicy,
  type ButtonState,
  decideButton,
  isPresent,
} from '../../core/button.ts';
import type { Refusal, Trip } from '../../core/link.ts';
import type { EntryInput } from '../../journal/entry.ts';
import type { ButtonStatus } from '../../protocol/messages.ts';
import { printable } from '../../sources/excerpt.ts';
import type { Clock } from '../clock.ts';

const MAX_WHY_CHARS = 200;
/** Looks that came this many times later than they should: the process was stopped, and silence says nothing. */
const LATE_LOOKS = 5;

/** A button as configured. */
export interface ButtonParts {
  readonly clock: Clock;
  readonly input: ButtonInput;
  readonly policy: ButtonPolicy;
  /** What the input reads while the button is released and its wire is whole. */
  readonly releasedWhen: 0 | 1;
  /** Links that it trips. */
  readonly trips: 'all' | readonly string[];
  /** What a hold counts as presence for: for a reset only, or whatever needs it. */
  readonly holdGives: 'presence' | 'reset' | 'nothing';
}

/** What the button does to the rest of the interlock. */
export interface ButtonHands {
  /** Cuts and latches; all links when none is named. */
  trip(links: readonly string[], trip: Trip): void;
  /** Every one of these links is latched already. */
  latched(trips: 'all' | readonly string[]): boolean;
  note(entry: EntryInput): void;
  /** Journals that it is in another state now; what is said again and again is counted. */
  moved(to: ButtonState['at'], why: string): void;
  /** Writes what was counted. */
  stop(): void;
}

/** The one button of the box. */
export class Button {
  readonly #parts: ButtonParts;
  #hands: ButtonHands | null = null;
  #state: ButtonState;
  #asking = false;
  #lookedAt: number;
  #watchedSince: ReturnType<Clock['now']>;
  #cancel: () => void = () => undefined;

  constructor(parts: ButtonParts) {
    this.#parts = parts;
    const now = parts.clock.now();
    this.#state = buttonAtStart(now);
    this.#lookedAt = now;
    this.#watchedSince = now;
  }

  get state(): ButtonState {
    return this.#state;
  }

  /** Begins to look and to listen. */
  start(hands: ButtonHands): void {
    const { clock, input } = this.#parts;
    this.#hands = hands;
    this.#watchedSince = clock.now();
    this.#lookedAt = this.#watchedSince;
    input.listen((level) => this.#told('edge', level));
    this.#look();
  }

  stop(): void {
    this.#cancel();
    this.#hands?.stop();
    this.#hands = null;
  }

  /** Why this link is neither connected nor reset now, or null. */
  refusal(link: string): Refusal | null {
    const { trips } = this.#parts;
    if (trips !== 'all' && !trips.includes(link)) return null;
    switch (this.#state.at) {
      case 'released':
        return null;
      case 'pressed':
        return pressed;
      case 'unknown':
      case 'dead':
        return unknown(this.#state.why);
    }
  }

  /** Somebody has just held the button, and that counts as presence for such a use of this link. */
  presentFor(link: string, use: 'reset' | 'connect'): boolean {
    const { clock, holdGives, trips } = this.#parts;
    const counts = holdGives === 'presence' || (holdGives === 'reset' && use === 'reset');
    return counts && (trips === 'all' || trips.includes(link)) && isPresent(this.#state, clock.now());
  }

  status(): ButtonStatus {
    const why = 'why' in this.#state ? printable(this.#state.why, MAX_WHY_CHARS) : '';
    return { state: this.#state.at, why, present: isPresent(this.#state, this.#parts.clock.now()) };
  }

  #look(): void {
    const { clock, input } = this.#parts;
    const now = clock.now();
    if (now - this.#lookedAt > LATE_LOOKS * input.pollMs) this.#watchedSince = now;
    this.#lookedAt = now;
    if (!this.#asking) {
      this.#asking = true;
      void input.read().then((reading) => {
        this.#asking = false;
        this.#read(reading);
      });
    }
    this.#handle({ kind: 'tick', now, watchedSince: this.#watchedSince });
    this.#cancel = clock.after(input.pollMs, () => this.#look());
  }

  #read(reading: ButtonReading): void {
    if (reading.kind === 'level') this.#told('level', reading.level);
    else this.#handle({ kind: 'lost', now: this.#parts.clock.now(), why: reading.why });
  }

  #told(kind: 'edge' | 'level', level: 0 | 1): void {
    const { clock, releasedWhen, trips } = this.#parts;
    const latched = this.#hands?.latched(trips) ?? false;
    this.#handle({ kind, now: clock.now(), pressed: level !== releasedWhen, latched });
  }

  #handle(event: ButtonEvent): void {
    const hands = this.#hands;
    if (hands === null) return;
    const { state, acts } = decideButton(this.#state, event, this.#parts.policy);
    const before = this.#state;
    this.#state = state;
    for (const act of acts) {
      if (act.kind === 'trip') {
        const { trips } = this.#parts;
        const reason = printable(act.why, MAX_WHY_CHARS);
        hands.trip(trips === 'all' ? [] : trips, { by: 'button', reason });
      } else hands.note({ type: 'button.held', actor: 'button', data: {} });
    }
    if (before.at !== state.at) {
      hands.moved(state.at, 'why' in state ? printable(state.why, MAX_WHY_CHARS) : '');
    }
  }
}

const pressed: Refusal = {
  code: 'button-pressed',
  why: 'the button is pressed, or its wire is broken',
  hint: 'release it (a mushroom that latches is turned or pulled), or look at its wire',
};

const unknown = (why: string): Refusal => ({
  code: 'button-unknown',
  why: `whether the button is pressed is not known: ${printable(why, MAX_WHY_CHARS)}`,
  hint: 'look at the input of the button, its supply and its cable; see `button` in the configuration',
});
