/**
 * One link on the bench: drives its contacts, looks, keeps hardware leases alive, and writes down every figure. Whatever
 * it waits for is bounded, and it throws `EndedError` as soon as the session behind its hands is over.
 */
import type { CommissioningHands } from './hands.ts';
import type { ContactFacts, LinkFacts } from './facts.ts';
import { FigureBook } from './figure-book.ts';
import type { Answer, Person, Progress, Question } from './person.ts';
import {
  asExpected,
  type Commanded,
  type Expected,
  pathOf,
  type Readings,
  type Sight,
  sightOf,
} from './sight.ts';
import type { Finding } from './wiring.ts';

/** The commissioning was ended from outside; everything has been told to isolate. */
export class EndedError extends Error {
  override readonly name = 'EndedError';
}

/** A step found something wrong. */
export class WrongError extends Error {
  override readonly name = 'WrongError';
  readonly finding: Finding;

  constructor(finding: Finding) {
    super(finding.what);
    this.finding = finding;
  }
}

/** Pause between two looks, ms. */
const LOOK_EVERY_MS = 25;
/** How often the keeper of hardware leases looks at its watch, ms. */
const KEEP_EVERY_MS = 50;
/** A hardware lease is renewed when this part of it has gone by. */
const RENEWED_AT = 0.3;
/** An isolate whose answer does not come this soon has no figure; it is repeated by its bus all the same, ms. */
const ACKNOWLEDGED_WITHIN_MS = 1_000;
/** The link may be connected for at most this long over the whole procedure, ms. */
export const MAX_CONNECTED_MS = 20 * 60_000;

/** When something was commanded: between these two, monotonic ms. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

/** One link and everything that was seen of it. */
export class Bench {
  readonly facts: LinkFacts;
  readonly figures: FigureBook;
  readonly #hands: CommissioningHands;
  readonly #person: Person;
  readonly #commanded = new Map<string, Commanded>();
  /** Contacts whose hardware lease is kept alive, and when it last was. */
  readonly #kept = new Map<string, number>();
  #connectedSince: number | null = null;
  #connectedMs = 0;
  #isOver = false;
  /** ms that the slowest witness took to see the path; null until it was seen once. */
  pathMs: number | null = null;

  constructor(facts: LinkFacts, hands: CommissioningHands, person: Person) {
    this.facts = facts;
    this.figures = new FigureBook(facts);
    this.#hands = hands;
    this.#person = person;
  }

  get names(): readonly string[] {
    return this.facts.contacts.map(({ name }) => name);
  }

  now(): number {
    return this.#hands.now();
  }

  /** How long the link was, or may have been, connected so far, ms. */
  connectedMs(): number {
    return this.#connectedMs + (this.#connectedSince === null ? 0 : this.now() - this.#connectedSince);
  }

  /** Keeps hardware leases alive until `finish`; never rejects. */
  async keepLeases(): Promise<void> {
    while (!this.#isOver && this.#hands.live()) {
      const now = this.now();
      for (const { name, hardwareLeaseMs } of this.facts.contacts) {
        const at = this.#kept.get(name);
        if (at === undefined || hardwareLeaseMs === null || now - at < hardwareLeaseMs * RENEWED_AT) continue;
        this.#kept.set(name, now);
        void this.#hands.renewHardware(name);
      }
      await this.#hands.pause(KEEP_EVERY_MS);
    }
  }

  finish(): void {
    this.#isOver = true;
  }

  async pass(ms: number): Promise<void> {
    await this.#hands.pause(ms);
    this.#alive();
  }

  /** Connects contacts together; throws `WrongError` when one does not answer for it. Returns when they were told. */
  async connect(names: readonly string[]): Promise<Span> {
    if (this.connectedMs() > MAX_CONNECTED_MS) throw new WrongError(tooLong);
    const from = this.now();
    this.#connectedSince ??= from;
    const driven = await Promise.all(
      names.map(async (name) => ({ name, ...(await this.#hands.connect(name)) })),
    );
    this.#alive();
    let to = from;
    for (const { name, commandedAt, writtenMs, outcome } of driven) {
      const { answers } = this.#contact(name);
      if (outcome.kind !== 'done' && (answers || outcome.kind !== 'unknown'))
        throw new WrongError(notAnswered(name, 'connect', outcome));
      this.#commanded.set(name, 'connected');
      if (this.#contact(name).hardwareLeaseMs !== null) this.#kept.set(name, this.now());
      if (writtenMs !== null) this.figures.written(name, 'connected', writtenMs);
      if (outcome.kind === 'done') this.figures.acknowledged(name, 'connected', outcome.at - commandedAt);
      to = Math.max(to, outcome.kind === 'done' ? outcome.at : this.now());
    }
    return { from: Math.min(...driven.map(({ commandedAt }) => commandedAt)), to };
  }

  /** Isolates contacts in one tick; everything that was waited for is over. Throws nothing but `EndedError`. */
  async isolate(names: readonly string[]): Promise<Span> {
    const from = this.now();
    const driving = names.map((name) => {
      this.#commanded.set(name, 'isolated');
      this.#kept.delete(name);
      return this.#hands.isolate(name).then((driven) => ({ name, driven }));
    });
    const all = await Promise.all(driving);
    this.#alive();
    for (const { name, driven } of all) {
      if (driven === null) continue;
      if (driven.writtenMs !== null) this.figures.written(name, 'isolated', driven.writtenMs);
      const outcome = await Promise.race([driven.acknowledged, this.pass(ACKNOWLEDGED_WITHIN_MS)]);
      if (outcome?.kind === 'done')
        this.figures.acknowledged(name, 'isolated', outcome.at - driven.commandedAt);
    }
    return { from, to: this.now() };
  }

  /** Renews the hardware lease of a contact now. */
  async renew(name: string): Promise<Span> {
    const from = this.now();
    const outcome = await this.#hands.renewHardware(name);
    this.#alive();
    const { answers } = this.#contact(name);
    if (outcome.kind !== 'done' && (answers || outcome.kind !== 'unknown'))
      throw new WrongError(notAnswered(name, 'renewal of its hardware lease', outcome));
    return { from, to: this.now() };
  }

  /** From now on nobody renews the hardware lease of this contact but `renew`. */
  leave(name: string): void {
    this.#kept.delete(name);
  }

  /** Looks at everything once. */
  async look(expected: Expected, since: number): Promise<Sight> {
    const { indicators } = await this.#hands.look();
    this.#alive();
    const reading: Readings = (kind, name) =>
      indicators.find((each) => each.kind === kind && each.name === name)?.reading ?? null;
    const sight = sightOf(this.facts, reading, expected, since);
    this.figures.looked(sight);
    return sight;
  }

  /** Looks until everything is as expected, or for so long; the last sight, with when each first was as expected. */
  async awaited(expected: Expected, since: number, withinMs: number): Promise<Sight> {
    const first = new Map<string, number>();
    const until = this.now() + withinMs;
    for (;;) {
      const sight = await this.look(expected, since);
      for (const { name, kind, afterMs } of sight) {
        const key = `${kind} ${name}`;
        if (afterMs === null) first.delete(key);
        else if (!first.has(key)) first.set(key, afterMs);
      }
      const fits = asExpected(sight);
      if (fits) this.#provenIsolated(expected);
      if (fits || this.now() >= until) {
        const told = sight.map((each) => ({
          ...each,
          afterMs: first.get(`${each.kind} ${each.name}`) ?? null,
        }));
        this.figures.settled(told);
        return told;
      }
      await this.pass(LOOK_EVERY_MS);
    }
  }

  /** Looks for so long; the first sight that is not as expected, else the last. */
  async held(expected: Expected, forMs: number): Promise<Sight> {
    const since = this.now();
    for (;;) {
      const sight = await this.look(expected, since);
      if (!asExpected(sight) || this.now() - since >= forMs) return sight;
      await this.pass(LOOK_EVERY_MS);
    }
  }

  /** Asks the person, and goes on looking meanwhile: the answer, and every position that the path was seen in. */
  async ask(
    question: Question,
    expected: Expected,
  ): Promise<{ answer: Answer; paths: ReadonlySet<Commanded> }> {
    let answer: Answer | null = null;
    const asked = this.#person.ask(question).then((given) => {
      answer = given;
    });
    const since = this.now();
    const paths = new Set<Commanded>();
    while (answer === null) {
      const path = pathOf(await this.look(expected, since));
      if (path !== 'unknown') paths.add(path);
      await Promise.race([asked, this.pass(LOOK_EVERY_MS)]);
      this.#alive();
      if (answer === null && this.now() - since > question.withinMs) answer = 'late';
    }
    return { answer, paths };
  }

  /** Settings of the boards that are not as their profiles demand. */
  async settingsProblems(): Promise<readonly string[]> {
    const problems = await this.#hands.settingsProblems();
    this.#alive();
    return problems;
  }

  /** Tells the person what is going on. */
  told(progress: Progress): void {
    this.#person.tell(progress);
  }

  /** What is to be seen when the contacts stand as they were told. */
  expected(): Expected {
    const contacts = Object.fromEntries(
      this.names.map((name) => [name, this.#commanded.get(name) ?? 'isolated']),
    );
    return { contacts, path: null };
  }

  /** Everything was told to isolate, and everything says that it is. */
  #provenIsolated({ contacts }: Expected): void {
    if (this.#connectedSince === null || Object.values(contacts).includes('connected')) return;
    this.#connectedMs += this.now() - this.#connectedSince;
    this.#connectedSince = null;
  }

  #contact(name: string): ContactFacts {
    const found = this.facts.contacts.find((each) => each.name === name);
    if (found === undefined) throw new TypeError(`${name} is no contact of ${this.facts.link}`);
    return found;
  }

  #alive(): void {
    if (!this.#hands.live()) throw new EndedError('the commissioning was ended from outside');
  }
}

const notAnswered = (
  contact: string,
  what: string,
  outcome: { readonly kind: string; readonly why?: string },
): Finding => ({
  code: outcome.kind === 'refused' ? 'refused-by-board' : 'not-answered',
  what: `contact ${contact}: the ${what} was ${outcome.kind === 'refused' ? 'refused by the board' : 'not confirmed'}: ${outcome.why ?? outcome.kind}`,
  todo: 'look at its cable, its supply, its address and channel, and the dangers of its profile',
});

const tooLong: Finding = {
  code: 'connected-too-long',
  what: `the link has been connected for ${MAX_CONNECTED_MS / 60_000} minutes over this procedure`,
  todo: 'begin again, and answer the questions sooner',
};
