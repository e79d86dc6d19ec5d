import type { Millis } from '../core/time.ts';
import type { Board, Exchange } from './exchange.ts';
import type { CommandOutcome } from './port.ts';
import type { Seat } from './seat.ts';

/** Most questions and connects that may wait for one bus; beyond that the answer is `unknown` at once. */
export const MAX_WAITING = 256;

/** ms that a job may wait for its turn: boards that fail for ever in turn must not keep it for ever. */
export const MAX_WAIT_MS = 10_000;

/** Why a job left the queue without being written. */
export type Dropped = Extract<CommandOutcome, { kind: 'unknown' | 'fenced' }>;

/** A question or a connect that waits for its turn. */
export interface Job {
  readonly board: Board;
  /** The channel that a connect moves; `null` for a question. */
  readonly seat: Seat | null;
  /** What is asked, so that a question that still waits can be shared; `null` for a connect. */
  readonly question: Exchange<unknown> | null;
  /** When it is dropped if its turn has not come. */
  readonly until: Millis;
  /** Writes it in this tick, or ends it without writing. */
  readonly launch: () => void;
  readonly drop: (reason: Dropped) => void;
}

/** Everything that waits for one bus, apart from isolates, which do not wait here. */
export class Waiting {
  #jobs: readonly Job[] = [];

  get empty(): boolean {
    return this.#jobs.length === 0;
  }

  /** Connects renew leases and go before questions; among themselves first come, first served. False: no room, and dropped. */
  add(job: Job): boolean {
    if (this.#jobs.length >= MAX_WAITING) {
      job.drop({ kind: 'unknown', why: `not written: ${MAX_WAITING} requests already wait for this bus` });
      return false;
    }
    const behind = job.seat === null ? -1 : this.#jobs.findIndex((other) => other.seat === null);
    this.#jobs = this.#jobs.toSpliced(behind === -1 ? this.#jobs.length : behind, 0, job);
    return true;
  }

  /** Puts a job before all others. */
  putFirst(job: Job): void {
    this.#jobs = [job, ...this.#jobs];
  }

  /** Whether a question still waits. */
  asks(question: Exchange<unknown>): boolean {
    return this.#jobs.some((job) => job.question === question);
  }

  /** The first job that fulfils `which`; it stays. */
  first(which: (job: Job) => boolean): Job | undefined {
    return this.#jobs.find(which);
  }

  remove(job: Job): void {
    this.#jobs = this.#jobs.filter((other) => other !== job);
  }

  /** Drops what has waited too long. */
  expire(now: Millis): void {
    if (!this.#jobs.some((job) => job.until <= now)) return;
    this.drop((job) => job.until <= now, {
      kind: 'unknown',
      why: `not written: its turn did not come within ${MAX_WAIT_MS} ms`,
    });
  }

  /** When the next job will have waited too long. */
  soonestLimit(): Millis | null {
    return this.#jobs.reduce<Millis | null>(
      (soonest, { until }) => (soonest === null || until < soonest ? until : soonest),
      null,
    );
  }

  /** Ends every job that fulfils `which` without writing it. */
  drop(which: (job: Job) => boolean, reason: Dropped): void {
    const dropped = this.#jobs.filter(which);
    this.#jobs = this.#jobs.filter((job) => !which(job));
    for (const job of dropped) job.drop(reason);
  }
}
