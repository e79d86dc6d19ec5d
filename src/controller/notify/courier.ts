/** Brings the notices of one queue to one destination, in order, again and again until each is taken or given up. */
import type { Time } from '../../protocol/time.ts';
import type { Notice } from './notice.ts';
import { withDelivered, withGivenUp } from './queue.ts';
import { MOST_ATTEMPTS, MOST_REFUSALS, waitMs, type Attempt, type Pace } from './retry.ts';
import type { Sender } from './senders.ts';
import type { Store } from './store.ts';

/** ms that a delivery waits for its notice to be on disk. A disk that hangs must not silence an alarm. */
const DISK_PATIENCE_MS = 2_000;

/** How a destination does. Calendar times RFC 3339. */
export interface DestinationStatus {
  readonly name: string;
  readonly type: string;
  readonly waiting: number;
  readonly last_delivered_at: string | null;
  /** Failures of the notice that is next, since it was first tried. */
  readonly failures: number;
  /** What the last failure was; null since a delivery. */
  readonly problem: string | null;
}

/** What becomes of notices. */
export interface CourierEvents {
  readonly delivered: (notice: Notice, attempts: number, answer: string) => void;
  /** The first failure of a notice; later ones are in the status. */
  readonly failed: (notice: Notice, why: string) => void;
  readonly givenUp: (notice: Notice, attempts: number, why: string) => void;
}

export interface CourierParts {
  readonly name: string;
  readonly type: string;
  readonly store: Store;
  readonly send: Sender;
  readonly pace: Pace;
  readonly events: CourierEvents;
  readonly time: Time;
  readonly dice: () => number;
}

/** One queue, one destination, one notice at a time. */
export class Courier {
  readonly #parts: CourierParts;
  readonly #stopping = new AbortController();
  /** Something came that should not wait until a destination that was away would be asked again. */
  #urgent = Promise.withResolvers<void>();
  #flying: string | null = null;
  #working: Promise<void> | null = null;
  #failures = 0;
  #problem: string | null = null;
  #deliveredAt: string | null = null;

  constructor(parts: CourierParts) {
    this.#parts = parts;
  }

  /** The notice that is being sent, or waits to be sent again. */
  get flying(): string | null {
    return this.#flying;
  }

  get status(): DestinationStatus {
    const { name, type, store } = this.#parts;
    return {
      name,
      type,
      waiting: store.queueOf(name).waiting.length,
      last_delivered_at: this.#deliveredAt,
      failures: this.#failures,
      problem: this.#problem,
    };
  }

  /** There may be something to deliver. `urgent`: what waits to be sent again is tried now, for that may be over. */
  poke(urgent = false): void {
    if (this.#stopping.signal.aborted) return;
    if (urgent) this.#urgent.resolve();
    this.#working ??= this.#work().finally(() => {
      this.#working = null;
      // Added between the last look and here.
      if (this.#next() !== undefined) this.poke();
    });
  }

  /** Resolves when nothing waits, or only what has failed. */
  async idle(): Promise<void> {
    while (this.#working !== null && this.#failures === 0 && !this.#stopping.signal.aborted)
      // oxlint-disable-next-line no-await-in-loop -- polled: bounded by whoever waits
      await this.#parts.time.pause(20, undefined, 'idle');
  }

  /** Breaks off what is on its way; it is sent again after the next start. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#working;
  }

  #next(): Notice | undefined {
    return this.#stopping.signal.aborted ? undefined : this.#parts.store.queueOf(this.#parts.name).waiting[0];
  }

  async #work(): Promise<void> {
    for (let notice = this.#next(); notice !== undefined; notice = this.#next()) {
      this.#flying = notice.id;
      // On disk first, each of them: also the one that came while another was being sent.
      const patience = this.#parts.time.pause(DISK_PATIENCE_MS, undefined, 'idle');
      // oxlint-disable-next-line no-await-in-loop -- in order
      await Promise.race([this.#parts.store.settled(), patience]);
      // oxlint-disable-next-line no-await-in-loop
      if (!this.#stopping.signal.aborted) await this.#deliver(notice);
      this.#flying = null;
    }
  }

  async #deliver(notice: Notice): Promise<void> {
    const { name, store, events, send, pace, dice, time } = this.#parts;
    const { signal } = this.#stopping;
    let refusals = 0;
    this.#failures = 0;
    for (;;) {
      // oxlint-disable-next-line no-await-in-loop -- one attempt after the other
      const attempt: Attempt = await send(notice, signal);
      const attempts = this.#failures + 1;
      if (attempt.kind === 'taken') {
        this.#failures = 0;
        this.#problem = null;
        this.#deliveredAt = time.date().toISOString();
        store.put(name, withDelivered(store.queueOf(name), notice.id));
        return events.delivered(notice, attempts, attempt.answer);
      }
      if (signal.aborted) return;
      this.#failures = attempts;
      this.#problem = attempt.why;
      if (attempts === 1) events.failed(notice, attempt.why);
      refusals += attempt.kind === 'refused' ? 1 : 0;
      if (refusals >= MOST_REFUSALS || attempts >= MOST_ATTEMPTS) {
        store.put(name, withGivenUp(store.queueOf(name), notice.id));
        return events.givenUp(notice, attempts, attempt.why);
      }
      const askedMs = attempt.kind === 'later' ? attempt.afterMs : null;
      // oxlint-disable-next-line no-await-in-loop
      await this.#wait(waitMs(attempts, askedMs, dice(), pace));
      if (signal.aborted) return;
    }
  }

  /** Until `ms` have passed, or something urgent has come since the last wait, or the end. */
  async #wait(ms: number): Promise<void> {
    const over = new AbortController();
    const signal = AbortSignal.any([this.#stopping.signal, over.signal]);
    const passed = this.#parts.time.pause(ms, signal);
    await Promise.race([passed, this.#urgent.promise]);
    over.abort();
    this.#urgent = Promise.withResolvers();
  }
}
