import { later, type Millis } from '../../core/time.ts';
import type { CommandOutcome } from '../port.ts';
import type { Timers } from '../timers.ts';
import type { Connecting, Jobs, Question } from './jobs.ts';
import { type PortSeat, RETRY_PAUSE_MS } from './port-seat.ts';
import type { StateRead } from './printed.ts';
import type { Typist } from './typist.ts';

/** ms between two readings of a port that is still to change. */
const LOOK_AGAIN_MS = 50;

/** What errands need. */
export interface ErrandParts {
  readonly typist: Typist;
  readonly jobs: Jobs;
  readonly timers: Timers;
  /** ms that a port may take to change after the line. */
  readonly settleMs: number;
  /** Chooses what is next. */
  readonly next: () => void;
  /** An isolate came to nothing. */
  readonly failed: () => void;
}

/** The next thing to type for a proof, a question or a connect. Each call types at most once. */
export class Errands {
  readonly #parts: ErrandParts;

  constructor(parts: ErrandParts) {
    this.#parts = parts;
  }

  /** Reads whether a port that was told to isolate is shut. */
  prove(seat: PortSeat): void {
    const { typedAt } = seat;
    this.#parts.typist.read('administrative', seat.port, ({ read }) => {
      // Another cut in between began anew.
      if (seat.typedAt !== typedAt || typedAt === null) return;
      const now = this.#parts.timers.now();
      if (read.kind === 'isolated') {
        seat.proven(now);
      } else if (
        read.kind === 'connected' &&
        seat.typedError === null &&
        now < typedAt + this.#parts.settleMs
      ) {
        seat.looked = true;
        seat.lookAt = later(now, LOOK_AGAIN_MS);
      } else {
        this.#parts.failed();
        seat.failed(unproven(read, seat.typedError), later(now, RETRY_PAUSE_MS));
      }
    });
  }

  /** Types a question, or leaves the context in which it cannot be asked. */
  question(job: Question): void {
    const asked = this.#parts.typist.read(job.asked, job.port, ({ read, askedAt, answeredAt }) => {
      this.#parts.jobs.remove(job);
      job.end({ kind: 'answer', answer: read, askedAt, at: answeredAt });
    });
    // Once typed it is too old for whoever asks from now on.
    if (asked) job.isTyped = true;
  }

  /** The port is read, its context entered, the lines typed, the port read again: whichever is next. */
  connect(job: Connecting): void {
    const { seat } = job;
    const { typist } = this.#parts;
    const refused = (why: string): void => job.end({ kind: 'refused', why });
    if (job.typedAt !== null) this.#confirm(job, job.typedAt);
    else if (!job.fence.isCurrent() || seat.cuts !== job.cuts) this.#over(job, { kind: 'fenced' });
    else if (seat.owes)
      this.#over(job, { kind: 'unknown', why: 'not typed: the isolate before it is still unanswered' });
    else if (!job.exists) this.#probe(job);
    // Where entering fails without a word, the lines must not meet the context of another port.
    else if (typist.isAtAnother(seat.port)) typist.leave();
    else if (!typist.isAt(seat.port)) typist.enter(seat.port, (why) => refused(`not typed: ${why}`));
    else {
      const typed = (at: Millis): void => {
        job.typedAt = at;
        seat.commanded = 'connected';
      };
      typist.connect(seat.port, typed, refused);
    }
  }

  #over(job: Connecting, outcome: CommandOutcome): void {
    job.end(outcome);
    this.#parts.next();
  }

  /** Nothing is connected that was not seen to be there. */
  #probe(job: Connecting): void {
    this.#parts.typist.read('administrative', job.seat.port, ({ read }) => {
      if (read.kind === 'absent') job.end({ kind: 'refused', why: `not typed: ${read.why}` });
      else if (read.kind === 'unknown') job.end({ kind: 'unknown', why: `not typed: ${read.why}` });
      else job.exists = true;
    });
  }

  #confirm(job: Connecting, typedAt: Millis): void {
    this.#parts.typist.read('administrative', job.seat.port, ({ read }) => {
      if (!this.#parts.jobs.has(job)) return;
      const now = this.#parts.timers.now();
      if (read.kind === 'connected') {
        job.seat.confirmed = true;
        job.end({ kind: 'done', at: now });
      } else if (read.kind !== 'isolated') job.end({ kind: 'unknown', why: read.why });
      // Read again until it had its time; the switch itself is the pause between two readings.
      else if (now >= typedAt + this.#parts.settleMs)
        job.end({ kind: 'refused', why: 'the port still reads shut' });
    });
  }
}

function unproven(read: StateRead, typedError: string | null): CommandOutcome {
  const said = typedError === null ? '' : ` (${typedError})`;
  switch (read.kind) {
    case 'unknown':
      return { kind: 'unknown', why: `${read.why}${said}` };
    case 'absent':
      return { kind: 'refused', why: `${read.why}${said}` };
    case 'connected':
    case 'isolated':
      return { kind: 'refused', why: `the port does not read shut${said}` };
  }
}
