/**
 * One commissioning at work: a session of the link, the person behind the stream, the journal, and at its end the record.
 *
 * The session ends first, so that everything is isolated; then the result is journaled, then the record is kept, then the
 * proofs of its contacts. A session that was ended from outside leaves the record as it was, unless a step had failed by then:
 * what is known to be wrong is not forgotten because somebody tripped the link or pulled his plug.
 */
import { isolationProvenAt, type Refusal } from '../../core/link.ts';
import type { EntryInput, JsonObject } from '../../journal/entry.ts';
import type { CommissioningLine, CommissioningRequest } from '../../protocol/commissioning.ts';
import { calendarText } from '../clock.ts';
import { commission } from '../rights/commissioning-session.ts';
import type { Interlock } from '../interlock.ts';
import type { Holder, LinkAtWork } from '../link-at-work.ts';
import { recordProof } from '../records/proof-record.ts';
import { wrongAtRest } from './at-rest.ts';
import type { LinkPlan } from './book.ts';
import { EndedError } from './bench.ts';
import { cutOff, lostWords, proven, withoutEnd } from './conclusion.ts';
import type { LinkFacts } from './facts.ts';
import type { Answer, Person, Progress, Question } from './person.ts';
import { type Outcome, runProcedure, stepsFor } from './procedure.ts';
import { type CommissioningRecord, RECORD_VERSION, recordDigest, type StepResult } from './record.ts';

/** Where the lines of a session go; `gone` once nobody reads them any more. */
export interface Listener {
  tell(line: CommissioningLine): void;
  gone(): boolean;
}

/** Refused, or over after all its lines were told. */
export type Conducted = { readonly refusals: readonly Refusal[] } | { readonly over: true };

interface Waiting {
  readonly id: number;
  readonly question: Question;
  readonly settle: (answer: Answer) => void;
}

/** One commissioning. Make one, `conduct` it once, pass answers on. */
export class Session implements Person {
  readonly #interlock: Interlock;
  readonly #link: LinkAtWork;
  readonly #plan: LinkPlan;
  readonly #request: CommissioningRequest;
  readonly #by: string;
  readonly #listener: Listener;
  readonly #holder: Holder;
  /** Its id once it was granted; null before. */
  id: string | null = null;
  #waiting: Waiting | null = null;
  #asked = 0;
  #endedBy: string | null = null;
  /** Resolves when the holder was told the end: after it was recorded, so later than the hands are dead. */
  readonly #told = Promise.withResolvers<void>();
  /** What the steps came to so far. */
  readonly #results: StepResult[] = [];
  #begunAt = 0;
  #granted: { readonly endsInMs: number; readonly renewEveryMs: number } | null = null;

  constructor(
    interlock: Interlock,
    link: LinkAtWork,
    plan: LinkPlan,
    request: CommissioningRequest,
    by: string,
    listener: Listener,
  ) {
    this.#interlock = interlock;
    this.#link = link;
    this.#plan = plan;
    this.#request = request;
    this.#by = by;
    this.#listener = listener;
    this.#holder = {
      tell: (line) => {
        if (line.event === 'granted')
          this.#granted = { endsInMs: line.ends_in_ms, renewEveryMs: line.renew_every_ms };
        if (line.event === 'over') this.#over(line.why);
      },
      gone: () => listener.gone(),
    };
  }

  /** Nobody reads the stream any more: everything is isolated in this tick. */
  holderGone(): void {
    this.#interlock.holderGone(this.#holder);
  }

  /** Takes an answer to the question that waits; false when it is of no such question. */
  answer(question: number, answer: Answer): boolean {
    const waiting = this.#waiting;
    if (waiting === null || waiting.id !== question) return false;
    if (!waiting.question.answers.some((each) => each === answer)) return false;
    this.#settle(answer);
    return true;
  }

  /** Runs the procedure to its end. */
  async conduct(): Promise<Conducted> {
    const reason = this.#request.unattended ? 'commissioning, unattended' : 'commissioning';
    const asked = { presence: true, by: this.#by, reason };
    const answer = await commission(this.#interlock, this.#link, asked, this.#holder);
    const facts: LinkFacts = { ...this.#plan.facts, unattended: this.#request.unattended };
    const { shell, watch } = this.#link;
    if ('refusals' in answer)
      return { refusals: [...answer.refusals, ...wrongAtRest(facts, shell.state, watch.indicators)] };
    this.id = answer.id;
    this.#begunAt = this.#interlock.parts.clock.now();
    const simulated = this.#plan.facts.simulated;
    this.#listener.tell({
      event: 'begun',
      commissioning: answer.id,
      link: facts.link,
      simulated,
      ends_in_ms: this.#granted?.endsInMs ?? 0,
      renew_every_ms: this.#granted?.renewEveryMs ?? 0,
      steps: stepsFor(facts).map(({ name, about, what }) => ({ step: name, about, what })),
    });
    try {
      const outcome = await runProcedure(facts, answer.hands, this);
      await this.#interlock.endLease(answer.id, 'released');
      await this.#conclude((await this.#isolatedInTime()) ? outcome : withoutEnd(outcome));
    } catch (error) {
      await this.#interlock.endLease(answer.id, 'released');
      if (!(error instanceof EndedError)) throw error;
      await this.#endedFromOutside();
    }
    return { over: true };
  }

  ask(question: Question): Promise<Answer> {
    const { promise, resolve } = Promise.withResolvers<Answer>();
    if (this.#endedBy !== null) return Promise.resolve('late');
    this.#asked += 1;
    const id = this.#asked;
    const cancel = this.#interlock.parts.clock.after(question.withinMs, () => this.#settle('late'));
    this.#waiting = {
      id,
      question,
      settle: (answer) => {
        cancel();
        resolve(answer);
      },
    };
    const { kind, about, text, answers, withinMs } = question;
    this.#listener.tell({
      event: 'question',
      question: id,
      kind,
      about,
      text,
      answers: [...answers],
      within_ms: withinMs,
    });
    return promise;
  }

  tell(progress: Progress): void {
    if (progress.event !== 'result') return this.#listener.tell(progress);
    this.#results.push(progress.result);
    this.#listener.tell({ event: 'result', ...progress.result });
    this.#interlock.note({
      type: 'commissioning.result',
      actor: this.#by,
      data: this.#entry(progress.result),
    });
  }

  /** The session is over; whether its link is proven isolated within the isolate time-out. */
  async #isolatedInTime(): Promise<boolean> {
    const { clock } = this.#interlock.parts;
    const until = clock.now() + this.#plan.facts.isolateTimeoutMs;
    while (isolationProvenAt(this.#link.shell.state) === null) {
      if (clock.now() >= until) return false;
      await clock.pause(LOOK_PAUSE_MS);
    }
    return true;
  }

  #entry({ step, about, verdict, not_tried, code, says }: StepResult): JsonObject {
    return { link: this.#link.name, step, about, verdict, not_tried, code, says };
  }

  #settle(answer: Answer): void {
    const waiting = this.#waiting;
    this.#waiting = null;
    waiting?.settle(answer);
  }

  #over(why: string): void {
    this.#endedBy = why;
    this.#told.resolve();
    this.#settle('late');
  }

  /** Journal, record, proofs: in this order. */
  async #conclude(outcome: Outcome): Promise<void> {
    const { clock, build } = this.#interlock.parts;
    const record: CommissioningRecord = {
      version: RECORD_VERSION,
      link: this.#link.name,
      at: calendarText(clock.calendarMs()),
      by: { actor: this.#by, uid: this.#request.uid },
      build,
      grade: this.#plan.facts.simulated ? 'simulated' : 'field',
      digests: { ...this.#plan.digests },
      steps: [...outcome.steps],
      contacts: [...outcome.contacts],
      witnesses: [...outcome.witnesses],
      connected_ms: outcome.connectedMs,
      verdict: outcome.verdict,
      reasons: [...outcome.reasons],
    };
    const digest = recordDigest(record);
    const { verdict, reasons, grade } = record;
    const data = { link: record.link, grade, reasons, record: digest, connected_ms: record.connected_ms };
    const why = await this.#kept(record, { type: `commissioning.${verdict}`, actor: this.#by, data });
    if (why !== null)
      this.#interlock.note({
        type: 'commissioning.not-kept',
        actor: this.#by,
        data: { link: record.link, why },
      });
    this.#listener.tell({
      event: 'over',
      verdict: why === null ? verdict : 'not-kept',
      simulated: this.#plan.facts.simulated,
      reasons:
        why === null ? reasons : [...reasons, `the record could not be kept: ${why}; ${lostWords(verdict)}`],
      contacts: record.contacts,
      connected_ms: record.connected_ms,
      record: digest,
    });
  }

  /** Why the record could not be kept, or null. */
  async #kept(record: CommissioningRecord, entry: EntryInput): Promise<string | null> {
    const { clock, journal, commissionings, proofs } = this.#interlock.parts;
    try {
      // What failed is kept, or at least known, also when the journal cannot say so.
      const journaled = journal.append(entry);
      if (record.verdict === 'passed') await journaled;
      await Promise.all([journaled, commissionings.save(record)]);
      // In force from here on; proofs that cannot be written refuse by themselves, and are written again until they are.
      if (record.verdict === 'passed')
        await recordProof(proofs, record.link, proven(record), clock.calendarMs()).catch(() => undefined);
      return null;
    } catch (error) {
      return String(error).slice(0, MAX_WHY_CHARS);
    }
  }

  async #endedFromOutside(): Promise<void> {
    await Promise.race([this.#told.promise, this.#interlock.parts.clock.pause(TOLD_WITHIN_MS)]);
    const why = this.#endedBy ?? 'unknown';
    this.#interlock.note({
      type: 'commissioning.ended',
      actor: this.#by,
      data: { link: this.#link.name, why },
    });
    const lastedMs = this.#interlock.parts.clock.now() - this.#begunAt;
    const failed = cutOff(this.#results, why, lastedMs);
    if (failed !== null) return this.#conclude(failed);
    const reasons = [`ended from outside (${why}); everything was isolated, and nothing is recorded`];
    this.#listener.tell({
      event: 'over',
      verdict: 'ended',
      simulated: this.#plan.facts.simulated,
      reasons,
      contacts: [],
      connected_ms: null,
      record: null,
    });
  }
}

const MAX_WHY_CHARS = 300;
const LOOK_PAUSE_MS = 20;
/** How long the reason of an end is waited for, ms: its record may take a slow disk a while. */
const TOLD_WITHIN_MS = 5_000;
