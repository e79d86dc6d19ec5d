import type { CommandOutcome, IsolateReceipt } from './port.ts';
import type { Millis } from '../core/time.ts';
import type { Channel } from './exchange.ts';

/** The two promises of an isolate receipt, from the side that keeps them. */
export interface OpenReceipt {
  readonly receipt: IsolateReceipt;
  readonly written: (at: Millis | null) => void;
  readonly acknowledged: (outcome: CommandOutcome) => void;
}

/** An isolate receipt that is still to be kept. */
export function openReceipt(): OpenReceipt {
  const written = Promise.withResolvers<Millis | null>();
  const acknowledged = Promise.withResolvers<CommandOutcome>();
  return {
    receipt: { written: written.promise, acknowledged: acknowledged.promise },
    written: written.resolve,
    acknowledged: acknowledged.resolve,
  };
}

/** What a bus remembers of one channel. */
export class Seat {
  readonly channel: Channel;
  /** What was last asked from above; `null` before the first command. Never taken for where the contact stands. */
  commanded: 'connected' | 'isolated' | null = null;
  /** When the isolate may next be written; `null` when none is to be. */
  dueAt: Millis | null = null;
  /** The isolate that is due is a repetition: the last one was written whole to a board that can never answer. */
  repeats = false;
  /** Attempts in a row that nobody answered for. A channel that keeps failing goes behind those that do not. */
  failures = 0;
  /** Commands to isolate so far: a connect that was asked for before one of them is void. */
  cuts = 0;
  /** The board has confirmed a connect since the last isolate. */
  confirmed = false;
  /** The board has confirmed an isolate since the last connect, on the present wire: one more is a repetition. */
  obeyed = false;
  /** Written on the present wire while its input was not yet to be trusted. */
  blind = false;
  #unwritten: OpenReceipt[] = [];
  #unanswered: OpenReceipt[] = [];

  constructor(channel: Channel) {
    this.channel = channel;
  }

  /** Whether an isolate must be written before anything else may happen to this channel. */
  get owes(): boolean {
    return this.dueAt !== null && !this.repeats;
  }

  /** Whether an isolate is due that the board has not confirmed just before. */
  get presses(): boolean {
    return this.dueAt !== null && !this.obeyed;
  }

  /** A connect is about to be written. */
  beginConnect(): void {
    this.commanded = 'connected';
    this.obeyed = false;
    this.dueAt = null;
    this.repeats = false;
  }

  /** Owes an isolate from `now` on. */
  owe(now: Millis): IsolateReceipt {
    const open = openReceipt();
    // A repeated command does not jump ahead of boards that answer, nor does it write twice while a wire is listened to.
    if (this.commanded !== 'isolated') {
      this.failures = 0;
      this.blind = false;
    }
    this.cuts += 1;
    this.fallBack(now);
    this.#unwritten.push(open);
    return open.receipt;
  }

  /** Owes an isolate that nobody waits for. */
  fallBack(now: Millis): void {
    this.commanded = 'isolated';
    this.confirmed = false;
    this.repeats = false;
    this.dueAt = now;
  }

  /** The frame is with the kernel: receipts so far are written. */
  markWritten(at: Millis): void {
    for (const open of this.#unwritten) open.written(at);
    this.#unanswered.push(...this.#unwritten);
    this.#unwritten = [];
  }

  /** The attempt that was written ended. Receipts that were not part of it stay. */
  settle(outcome: CommandOutcome): void {
    for (const open of this.#unanswered) open.acknowledged(outcome);
    this.#unanswered = [];
  }

  /** No wire could be had: the caller learns that nobody answered, and the isolate stays owed. */
  settleUnwritten(outcome: CommandOutcome): void {
    for (const open of this.#unwritten) open.acknowledged(outcome);
    this.settle(outcome);
  }

  /** The driver is closing: nothing is owed any more. */
  release(): void {
    this.dueAt = null;
    for (const open of this.#unwritten) open.written(null);
    this.settleUnwritten({ kind: 'unknown', why: 'the driver was closed before anybody answered' });
    this.#unwritten = [];
  }
}
