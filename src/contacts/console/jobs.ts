import type { Millis } from '../../core/time.ts';
import type { Answer } from '../exchange.ts';
import type { CommandOutcome, Fence } from '../port.ts';
import { MAX_WAIT_MS, MAX_WAITING } from '../waiting.ts';
import type { PortSeat } from './port-seat.ts';
import type { StateRead } from './printed.ts';

/** What can be asked about a port. */
export type Asked = 'administrative' | 'operational' | 'stored';

/** A question that waits, and everybody who asked it. */
export interface Question {
  readonly kind: 'question';
  readonly asked: Asked;
  readonly port: string;
  readonly until: Millis;
  readonly answer: Promise<Answer<StateRead>>;
  readonly end: (answer: Answer<StateRead>) => void;
  isTyped: boolean;
}

/** A connect on its way: the port is read, its context entered, the lines typed, the port read again. */
export interface Connecting {
  readonly kind: 'connect';
  readonly seat: PortSeat;
  readonly fence: Fence;
  /** Isolates of the port when this was asked for; one more makes it void. */
  readonly cuts: number;
  readonly until: Millis;
  readonly end: (outcome: CommandOutcome) => void;
  /** The port is known to exist since this session stands. */
  exists: boolean;
  /** When the lines were typed; `null` before. */
  typedAt: Millis | null;
}

/** Something that waits for the console, apart from isolates. */
export type Job = Question | Connecting;

/** Why a job ended without being carried out. */
export type Dropped = Extract<CommandOutcome, { kind: 'unknown' | 'fenced' }>;

function end(job: Job, why: Dropped): void {
  if (job.kind === 'connect') job.end(why);
  else job.end(why.kind === 'unknown' ? why : { kind: 'unknown', why: 'overtaken by a cut' });
}

/** What waits for one console. Connects go before questions; among themselves first come, first served. */
export class Jobs {
  #jobs: readonly Job[] = [];

  get empty(): boolean {
    return this.#jobs.length === 0;
  }

  get first(): Job | undefined {
    return this.#jobs[0];
  }

  /** A question of the same content that still waits. */
  waiting(asked: Asked, port: string): Question | undefined {
    return this.#jobs.find(
      (job): job is Question =>
        job.kind === 'question' && !job.isTyped && job.asked === asked && job.port === port,
    );
  }

  add(job: Job): void {
    if (this.#jobs.length >= MAX_WAITING) {
      end(job, { kind: 'unknown', why: `not asked: ${MAX_WAITING} requests already wait for this console` });
      return;
    }
    const behind = job.kind === 'question' ? -1 : this.#jobs.findIndex((other) => other.kind === 'question');
    this.#jobs = this.#jobs.toSpliced(behind === -1 ? this.#jobs.length : behind, 0, job);
  }

  remove(job: Job): void {
    this.#jobs = this.#jobs.filter((other) => other !== job);
  }

  has(job: Job): boolean {
    return this.#jobs.includes(job);
  }

  /** Ends what has waited too long; returns when the next one will have. */
  expire(now: Millis): Millis | null {
    this.drop((job) => job.until <= now, {
      kind: 'unknown',
      why: `its turn did not come within ${MAX_WAIT_MS} ms`,
    });
    return this.#jobs.reduce<Millis | null>(
      (soonest, { until }) => (soonest === null || until < soonest ? until : soonest),
      null,
    );
  }

  /** Ends every job that fulfils `which`. */
  drop(which: (job: Job) => boolean, why: Dropped): void {
    const dropped = this.#jobs.filter(which);
    if (dropped.length === 0) return;
    this.#jobs = this.#jobs.filter((job) => !which(job));
    for (const job of dropped) end(job, why);
  }
}
