/**
 * The loop that looks: asks every contact and witness of one link, round after round, and tells the shell what they say
 * together. Hardware leases are renewed here and nowhere else, right after the evidence was checked, so that a loop that
 * hangs stops renewing.
 */
import { own } from '../core/names.ts';
import type { Contact, Witness } from '../contacts/port.ts';
import { aloneOf, combine, type Evidence, type Indication, type Reading } from '../core/evidence.ts';
import { type Conditions, leaseOf, permissionOf, type State } from '../core/link.ts';
import type { Checked } from '../core/pulse.ts';
import type { Millis } from '../core/time.ts';
import type { Clock } from './clock.ts';
import type { Look } from './commissioning/hands.ts';
import type { LinkShell } from './link-shell.ts';

/** Longest that one round waits for an indicator, ms; whoever has not answered by then is unknown in this round. */
export const ROUND_WAIT_MS = 1_500;
/** Pause between rounds while something is awaited, ms. */
const AWAITING_PAUSE_MS = 100;
/** Pause between rounds while connected, ms. */
const CONNECTED_PAUSE_MS = 500;
/** Pause between rounds while isolation stands proven, ms. */
const PROVEN_PAUSE_MS = 1_000;
/** A round must come this many times within the age at which evidence stops counting. */
const ROUNDS_PER_AGE = 3;

/** One contact or witness and what it last said. */
export interface Watched {
  readonly kind: Indication['kind'];
  readonly name: string;
  readonly type: string;
  reading: Reading | null;
}

interface Watchable {
  readonly watched: Watched;
  readonly indication: (reading: Reading | null) => Indication;
  readonly read: () => Promise<Reading>;
  /** Since when a question is on its way; null while none is. */
  askingSince: Millis | null;
  /** An answer that came after its round; it counts in the next one. */
  late: Reading | null;
}

/** Looks at one link, round after round, until stopped. */
export class Watch {
  readonly #shell: LinkShell;
  readonly #clock: Clock;
  readonly #conditions: () => Conditions;
  readonly #longestPauseMs: number;
  readonly #indicators: readonly Watchable[];
  readonly #roundOver: () => void;
  #evidence: Evidence = combine([]);
  #checkedAt: Millis | null = null;
  #stopped = false;
  #poked = false;
  #wake: () => void = () => undefined;
  /** Who waits for a round that has not begun yet. */
  #looking: ((look: Look) => void)[] = [];
  #done: Promise<void> = Promise.resolve();

  /**
   * `sees`: per witness the contacts whose isolation it shows; a witness that is not named sees the whole path.
   * `roundOver` is called at the end of each whole round, and nowhere else.
   */
  constructor(
    shell: LinkShell,
    witnesses: readonly Witness[],
    evidenceMaxAgeMs: number,
    clock: Clock,
    conditions: () => Conditions,
    sees: Readonly<Record<string, readonly string[]>> = {},
    roundOver: () => void = () => undefined,
  ) {
    this.#roundOver = roundOver;
    this.#shell = shell;
    this.#clock = clock;
    this.#conditions = conditions;
    this.#longestPauseMs = evidenceMaxAgeMs / ROUNDS_PER_AGE;
    this.#indicators = [
      ...shell.contacts.map(contactOf),
      ...witnesses.map((witness) => witnessOf(witness, own(sees, witness.name) ?? null)),
    ];
  }

  /** What every indicator last said, for people. */
  get indicators(): readonly Watched[] {
    return this.#indicators.map((each) => each.watched);
  }

  /** What they said together in the last round. */
  get evidence(): Evidence {
    return this.#evidence;
  }

  /** How far the loop has come, for signs of life. */
  get checked(): Checked {
    const asking = this.#indicators.flatMap(({ askingSince }) => (askingSince === null ? [] : [askingSince]));
    const oldest = asking.toSorted((a, b) => a - b)[0] ?? null;
    return { link: this.#shell.link, at: this.#checkedAt, askingSince: oldest };
  }

  start(): void {
    this.#done = this.#run();
  }

  /** Begins the next round at once: something was commanded, and the answer is wanted now. */
  poke(): void {
    this.#poked = true;
    this.#wake();
  }

  /** What a round finds that begins after this call. */
  look(): Promise<Look> {
    return new Promise((resolve) => {
      this.#looking.push(resolve);
      this.poke();
    });
  }

  /** Ends after the round in progress. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#wake();
    await this.#done;
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      this.#poked = false;
      await this.#round();
      this.#checkedAt = this.#clock.now();
      this.#roundOver();
      if (!this.#poked && !this.#stopped) await this.#rest(pauseMs(this.#shell.state));
    }
  }

  async #round(): Promise<void> {
    const looking = this.#looking.splice(0);
    const readings = await Promise.all(this.#indicators.map((each) => this.#ask(each)));
    const indications = this.#indicators.map((each, i) => each.indication(readings[i] ?? null));
    this.#evidence = combine(indications);
    const { state } = this.#shell;
    const alone = state.at === 'proving' ? aloneOf(indications, state.contact) : null;
    void this.#shell.handle({ kind: 'seen', now: this.#clock.now(), evidence: this.#evidence, alone });
    for (const tell of looking) tell({ evidence: this.#evidence, indicators: this.#looked(readings) });
    if (permissionOf(this.#shell.state) === null && this.#shell.state.at !== 'proving') return;
    // Sampling may trip, which must not lie after what follows.
    const conditions = this.#conditions();
    void this.#shell.handle({ kind: 'conditions-sampled', now: this.#clock.now(), conditions });
    // A commissioning session renews what it wants renewed.
    if (leaseOf(this.#shell.state) === null) return;
    await Promise.race([this.#shell.renewHardware(), this.#clock.pause(ROUND_WAIT_MS)]);
  }

  #looked(readings: readonly (Reading | null)[]): Look['indicators'] {
    return this.#indicators.map(({ watched: { kind, name, type } }, i) => ({
      kind,
      name,
      type,
      reading: readings[i] ?? null,
    }));
  }

  /** One question at a time per indicator: one that hangs holds up a single round, and is asked again once it has answered. */
  async #ask(indicator: Watchable): Promise<Reading | null> {
    const { late } = indicator;
    indicator.late = null;
    if (late !== null || indicator.askingSince !== null) return late;
    indicator.askingSince = this.#clock.now();
    let over = false;
    const answer = indicator.read().then((reading) => {
      indicator.askingSince = null;
      indicator.watched.reading = reading;
      if (over) {
        indicator.late = reading;
        this.poke();
      }
      return reading;
    });
    const inTime = await Promise.race([answer, this.#clock.pause(ROUND_WAIT_MS).then(() => null)]);
    over = true;
    return inTime;
  }

  #rest(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.#clock.after(Math.min(ms, this.#longestPauseMs), resolve);
      this.#wake = () => {
        cancel();
        resolve();
      };
    });
  }
}

function pauseMs(state: State): number {
  switch (state.at) {
    case 'isolated':
      return PROVEN_PAUSE_MS;
    case 'connected':
      return CONNECTED_PAUSE_MS;
    case 'tripped':
    case 'stuck':
      return state.provenAt === null ? AWAITING_PAUSE_MS : PROVEN_PAUSE_MS;
    case 'unproven':
    case 'connecting':
    case 'proving':
    case 'commissioning':
    case 'isolating':
      return AWAITING_PAUSE_MS;
  }
}

const contactOf = (contact: Contact): Watchable => ({
  watched: { kind: 'contact', name: contact.name, type: contact.kind, reading: null },
  indication: (reading) => ({ kind: 'contact', name: contact.name, reading }),
  read: () => contact.read(),
  askingSince: null,
  late: null,
});

const witnessOf = (witness: Witness, sees: readonly string[] | null): Watchable => ({
  watched: { kind: 'witness', name: witness.name, type: witness.type, reading: null },
  indication: (reading) => ({
    kind: 'witness',
    sees,
    showsIsolation: witness.showsIsolation ?? true,
    reading,
  }),
  read: () => witness.read(),
  askingSince: null,
  late: null,
});
