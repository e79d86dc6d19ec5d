/**
 * The lamps at work: looks four times a second at what is known and tells every output what it shows (core/lamps.ts).
 *
 * What it never does: stand in the way of a cut. Nothing here is called by a trip, no contact is on a wire of a lamp, no order
 * is waited for, and a lamp that does not obey is said once and tried again. An order to be dark never waits for one to be lit.
 *
 * When its process dies, a lamp stays as it was unless its output has a timer; `portcullis isolate --all` and the next start
 * darken it. The bad case that remains: an output that keeps a lamp lit and takes no orders. Hence the fault lamp, and the
 * rule that the lamps are read together.
 */
import type { LampOutput } from '../../contacts/lamp-output.ts';
import type { CommandOutcome } from '../../contacts/port.ts';
import {
  isLit,
  LAMP_NAMES,
  type LampFacts,
  lampMeaning,
  type LampPatterns,
  lampsFor,
} from '../../core/lamps.ts';
import type { Refusal } from '../../core/link.ts';
import type { EntryInput } from '../../journal/entry.ts';
import type { LampsStatus } from '../../protocol/lamps.ts';
import { printable } from '../../sources/excerpt.ts';
import type { Clock } from '../clock.ts';

/** How often everything is looked at: half a period of the fast blink, ms. */
const LOOK_MS = 250;
/** An output is told again what it was told at least this often, so that one that lost its supply is found, ms. */
const AGAIN_MS = 5_000;
/** An output with a timer is told this many times within it. */
const TOLD_PER_LEASE = 3;
/** An output that failed is told again after this long, ms. */
const RETRY_MS = 1_000;
/** So many failures in a row are told; fewer are noise on a wire. */
const FAILURES_TOLD = 3;
/** It must have obeyed for this long to count as mended, so that a loose wire does not fill the journal, ms. */
const MENDED_AFTER_MS = 60_000;
/** A lamp test hides what the lamps say for this long, ms. */
const TEST_MS = 2_000;
/** Between the end of a lamp test and the next one, ms: many in a row must not hide anything either. */
const TEST_REST_MS = 10_000;
/** The end waits for this long for the lamps to be dark, ms. */
const DARK_WAIT_MS = 500;
const MAX_WHY_CHARS = 200;

/** Lamps as configured. */
export interface LampsParts {
  readonly clock: Clock;
  readonly outputs: readonly LampOutput[];
  /** What would blink is lit. */
  readonly steady: boolean;
}

/** What the lamps see of the rest of the interlock. */
export interface LampsHands {
  facts(): Omit<LampFacts, 'lampFailing' | 'testing'>;
  note(entry: EntryInput): void;
}

/** One lamp and what its output was told. */
interface Lamp {
  readonly output: LampOutput;
  /** What it was told last. */
  told: boolean | null;
  /** The order that is under way. */
  asking: 'lit' | 'dark' | null;
  orders: number;
  /** When it is told again although nothing changed. */
  againAt: number;
  failures: number;
  obeysSince: number | null;
  problem: string | null;
}

/** All lamps of the box. */
export class Lamps {
  readonly #parts: LampsParts;
  readonly #lamps: readonly Lamp[];
  #hands: LampsHands | null = null;
  #cancel: () => void = () => undefined;
  #patterns: LampPatterns = { isolated: 'dark', connected: 'dark', tripped: 'dark', fault: 'dark' };
  /** End of the last lamp test. */
  #testUntil = Number.NEGATIVE_INFINITY;
  /** Links that were latched when it began. */
  #latchedBefore = 0;

  constructor(parts: LampsParts) {
    this.#parts = parts;
    this.#lamps = parts.outputs.map((output) => ({
      output,
      told: null,
      asking: null,
      orders: 0,
      againAt: 0,
      failures: 0,
      obeysSince: null,
      problem: null,
    }));
  }

  /** Begins with a lamp test. */
  start(hands: LampsHands): void {
    this.#hands = hands;
    this.#beginTest('interlock');
    this.#look();
  }

  /** Darkens them, as far as their outputs obey in a moment. Resolves in any case. */
  async stop(): Promise<void> {
    this.#hands = null;
    this.#cancel();
    const dark = this.#lamps.map(({ output }) => output.show(false));
    await Promise.race([Promise.all(dark), this.#parts.clock.pause(DARK_WAIT_MS)]);
  }

  /** Lights all of them for a moment; or why not. */
  test(by: string): Refusal | null {
    if (this.#parts.clock.now() < this.#testUntil + TEST_REST_MS) return testedJustNow;
    this.#beginTest(by);
    this.#cancel();
    this.#look();
    return null;
  }

  status(simulated: boolean): LampsStatus {
    const now = this.#parts.clock.now();
    const testing = now < this.#testUntil;
    return {
      lamps: LAMP_NAMES.flatMap((name) => {
        const lamp = this.#lamps.find(({ output }) => output.lamp === name);
        if (lamp === undefined) return [];
        const shows = this.#patterns[name];
        return [{ lamp: name, shows, says: lampMeaning(name, shows, testing), problem: lamp.problem }];
      }),
      test_ends_in_ms: testing ? Math.round(this.#testUntil - now) : null,
      simulated,
    };
  }

  #beginTest(by: string): void {
    const hands = this.#hands;
    if (hands === null) return;
    this.#testUntil = this.#parts.clock.now() + TEST_MS;
    this.#latchedBefore = latchedIn(hands.facts());
    hands.note({ type: 'lamps.tested', actor: by, data: { ms: TEST_MS } });
  }

  #look(): void {
    const { clock, steady } = this.#parts;
    const hands = this.#hands;
    if (hands === null) return;
    const now = clock.now();
    const facts = hands.facts();
    // A test hides no trip.
    if (latchedIn(facts) > this.#latchedBefore) this.#testUntil = Math.min(this.#testUntil, now);
    const lampFailing = this.#lamps.some(({ problem }) => problem !== null);
    this.#patterns = lampsFor({ ...facts, lampFailing, testing: now < this.#testUntil });
    for (const lamp of this.#lamps)
      this.#drive(lamp, isLit(this.#patterns[lamp.output.lamp], now, steady), now);
    this.#cancel = clock.after(LOOK_MS, () => this.#look());
  }

  #drive(lamp: Lamp, lit: boolean, now: number): void {
    const { output, asking, told, againAt } = lamp;
    if (asking === 'dark' || (asking === 'lit' && lit)) return;
    if (now < againAt && (told === lit || (lit && lamp.failures > 0))) return;
    lamp.told = lit;
    lamp.asking = lit ? 'lit' : 'dark';
    lamp.orders += 1;
    const order = lamp.orders;
    lamp.againAt = now + Math.min(AGAIN_MS, (output.leaseMs ?? Infinity) / TOLD_PER_LEASE);
    void output.show(lit).then((outcome) => {
      if (order === lamp.orders) this.#ended(lamp, outcome);
    });
  }

  #ended(lamp: Lamp, outcome: CommandOutcome): void {
    const now = this.#parts.clock.now();
    lamp.asking = null;
    if (outcome.kind === 'fenced') return;
    if (outcome.kind === 'done') {
      lamp.failures = 0;
      lamp.obeysSince ??= now;
      if (lamp.problem === null || now - lamp.obeysSince < MENDED_AFTER_MS) return;
      lamp.problem = null;
      this.#note('lamps.mended', { lamp: lamp.output.lamp });
      return;
    }
    lamp.againAt = now + RETRY_MS;
    lamp.failures += 1;
    lamp.obeysSince = null;
    if (lamp.failures < FAILURES_TOLD || lamp.problem !== null) return;
    lamp.problem = printable(outcome.why, MAX_WHY_CHARS);
    this.#note('lamps.failed', { lamp: lamp.output.lamp, why: lamp.problem });
  }

  #note(type: string, data: EntryInput['data']): void {
    this.#hands?.note({ type, actor: 'interlock', data });
  }
}

const latchedIn = ({ links }: Pick<LampFacts, 'links'>): number =>
  links.filter(({ latched }) => latched).length;

const testedJustNow: Refusal = {
  code: 'lamps-tested-just-now',
  why: 'the lamps were tested just now, and a test hides what they say',
  hint: 'try again in ten seconds',
};
