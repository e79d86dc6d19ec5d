/**
 * One worker per bus: the only thing that writes to its wire.
 *
 * - One exchange at a time; requests never interleave.
 * - An isolate goes before everything else and waits for at most the exchange in flight, which its reply time-out bounds.
 *   On an idle wire it is with the kernel in the tick in which it was asked for.
 * - An isolate is owed until a checked answer came; it is never given up and never rate-limited. A connect of a channel
 *   that owes an isolate is not written at all.
 * - A connect asks its fence in the tick of its write. A cut also takes queued connects out.
 * - After a time-out or a fault nothing that was written may be delivered later and nothing that arrives may count: the
 *   wire is discarded, and on a fresh one the first thing is the isolate of every channel commanded isolated. A connect
 *   that went down with its wire is never repeated from here.
 * - Where frames carry no ids a fresh wire is listened to until no late reply can arrive any more. Isolates are written
 *   meanwhile, unjudged, and once more afterwards with the answer checked.
 *
 * What remains: bytes that had already reached the device when the wire died may still be obeyed; hence the isolate first.
 */
import { later, millis, type Millis } from '../core/time.ts';
import type { Answer, Board, Channel, Exchange } from './exchange.ts';
import { Line } from './line.ts';
import type { CommandOutcome, Fence, IsolateReceipt } from './port.ts';
import { Seat } from './seat.ts';
import type { Timers } from './timers.ts';
import type { Transport } from './transport.ts';

/** ms between an attempt that failed and the next one. It does not grow: the cable may come back at any moment. */
export const RETRY_PAUSE_MS = 100;
/** Most reads and connects that may wait; beyond that the answer is `unknown` at once. */
export const MAX_WAITING = 256;

/** What a bus is made of. */
export interface BusParts {
  readonly transport: Transport;
  readonly timers: Timers;
  /** True when an answer carries an id of its request. Without ids a fresh wire must be listened to first. */
  readonly framesHaveIds: boolean;
}

/** Why a job left the queue without being written. */
type Dropped = Extract<CommandOutcome, { kind: 'unknown' | 'fenced' }>;

/** A question or a connect that waits for its turn. */
interface Job {
  readonly board: Board;
  /** The channel that a connect moves; `null` for a question. */
  readonly seat: Seat | null;
  /** What is asked, so that a question that still waits can be shared; `null` for a connect. */
  readonly question: Exchange<unknown> | null;
  /** Writes it in this tick, or ends it without writing. */
  readonly launch: () => void;
  readonly drop: (reason: Dropped) => void;
}

/** The worker of one bus. */
export class Bus {
  readonly #transport: Transport;
  readonly #timers: Timers;
  readonly #framesHaveIds: boolean;
  readonly #line: Line;
  readonly #seats = new Map<Channel, Seat>();
  /** Attempts in a row to isolate on a board that came to nothing. */
  readonly #failures = new Map<Board, number>();
  readonly #shared = new WeakMap<Exchange<unknown>, Promise<unknown>>();
  #jobs: Job[] = [];
  #users = 0;
  #worstReplyDelayMs = 0;
  /** Rest between frames lasts until then. */
  #nextWriteAt: Millis = millis(0);
  #lastOpenAt: Millis = millis(0);
  /** Set while a fresh wire is only listened to. */
  #listenUntil: Millis | null = null;
  /** Input that waited in the kernel has been taken since the last write. */
  #inputTaken = false;
  #takingInput = false;
  /** A retry has just failed: one question to a healthy board goes first. */
  #yielding = false;
  #paused: (() => void) | null = null;
  #wake: { readonly at: Millis; readonly cancel: () => void } | null = null;

  constructor(parts: BusParts) {
    this.#transport = parts.transport;
    this.#timers = parts.timers;
    this.#framesHaveIds = parts.framesHaveIds;
    this.#line = new Line(parts.transport, parts.timers, {
      opened: () => this.#opened(),
      unreachable: (why) => this.#unreachable(why),
      stray: () => this.#stray(),
      free: (board) => this.#free(board),
      lost: (board) => this.#lost(board),
    });
  }

  /** Makes a channel known; nothing is written. */
  attach(channel: Channel): void {
    if (this.#seats.has(channel)) throw new Error(`channel ${channel.name} is already on this bus`);
    this.#seats.set(channel, new Seat(channel));
    this.retain(channel.board);
  }

  /** Forgets a channel without moving it. The wire is discarded with its last user. */
  detach(channel: Channel): void {
    const seat = this.#seats.get(channel);
    if (seat === undefined) return;
    this.#seats.delete(channel);
    this.#dropJobs((job) => job.seat === seat, { kind: 'unknown', why: 'the driver was closed' });
    seat.release();
    this.release();
  }

  /** Counts a user that only asks questions of a board, such as a witness. */
  retain(board: Board): void {
    this.#users += 1;
    this.#worstReplyDelayMs = Math.max(this.#worstReplyDelayMs, board.worstReplyDelayMs);
  }

  /** Ends what `retain` began. */
  release(): void {
    this.#users -= 1;
    if (this.#users > 0) return;
    this.#dropJobs(() => true, { kind: 'unknown', why: 'the driver was closed' });
    this.#pause(0);
    this.#wake?.cancel();
    this.#wake = null;
    if (this.#line.state !== 'closed') this.#line.fail('the driver was closed');
  }

  /**
   * Owes an isolate for each channel and writes the first frame in this tick if the wire is idle. Never throws.
   * A channel that is not attached gets a receipt that says that nothing was written.
   */
  isolate(channels: readonly Channel[]): readonly IsolateReceipt[] {
    const now = this.#timers.now();
    const receipts = channels.map((channel) => {
      const seat = this.#seats.get(channel) ?? new Seat(channel);
      const receipt = seat.owe(now);
      if (!this.#seats.has(channel)) seat.release();
      else this.#dropJobs((job) => job.seat === seat, { kind: 'fenced' });
      return receipt;
    });
    this.#pause(0);
    return receipts;
  }

  /** Writes the channel's connect when its turn comes, if the fence still allows it in that tick. */
  connect(channel: Channel, fence: Fence): Promise<CommandOutcome> {
    const seat = this.#seats.get(channel);
    if (seat === undefined)
      return Promise.resolve({ kind: 'unknown', why: 'not written: the driver was closed' });
    const { promise, resolve } = Promise.withResolvers<CommandOutcome>();
    const launch = (): void => {
      if (!fence.isCurrent()) {
        resolve({ kind: 'fenced' });
      } else if (seat.dueAt !== null) {
        resolve({ kind: 'unknown', why: 'not written: the isolate before it is still unanswered' });
      } else {
        seat.commanded = 'connected';
        this.#line.send(channel.connect, ignore, (answer) => resolve(outcomeOf(answer)));
      }
    };
    this.#queue({ board: channel.board, seat, question: null, launch, drop: resolve });
    return promise;
  }

  /** Asks a board something. A question that still waits is shared with whoever asks it again. */
  ask<A>(exchange: Exchange<A>): Promise<Answer<A>> {
    if (this.#users <= 0) return Promise.resolve({ kind: 'unknown', why: 'the driver was closed' });
    const shared = this.#jobs.some((job) => job.question === exchange)
      ? this.#shared.get(exchange)
      : undefined;
    // The map is keyed by the exchange, whose type fixes the answer's.
    if (shared !== undefined) return shared as Promise<Answer<A>>;
    const { promise, resolve } = Promise.withResolvers<Answer<A>>();
    this.#queue({
      board: exchange.board,
      seat: null,
      question: exchange,
      launch: () => this.#line.send(exchange, ignore, resolve),
      drop: (reason) => resolve(reason.kind === 'unknown' ? reason : { kind: 'unknown', why: reason.kind }),
    });
    this.#shared.set(exchange, promise);
    return promise;
  }

  #queue(job: Job): void {
    if (this.#jobs.length >= MAX_WAITING) {
      job.drop({ kind: 'unknown', why: `not written: ${MAX_WAITING} requests already wait for this bus` });
      return;
    }
    // Connects renew leases and go before questions; among themselves first come, first served.
    const behind = job.seat === null ? -1 : this.#jobs.findIndex((other) => other.seat === null);
    if (behind === -1) this.#jobs.push(job);
    else this.#jobs.splice(behind, 0, job);
    this.#step();
  }

  #dropJobs(which: (job: Job) => boolean, reason: Dropped): void {
    const dropped = this.#jobs.filter(which);
    this.#jobs = this.#jobs.filter((job) => !which(job));
    for (const job of dropped) job.drop(reason);
  }

  #step(): void {
    switch (this.#line.state) {
      case 'opening':
      case 'busy':
        return;
      case 'closed':
        if (this.#paused === null && this.#users > 0 && this.#hasWork()) {
          this.#lastOpenAt = this.#timers.now();
          this.#line.open();
        }
        return;
      case 'idle':
        if (this.#listenUntil !== null) this.#listen(this.#listenUntil);
        else this.#work();
    }
  }

  #hasWork(): boolean {
    return this.#jobs.length > 0 || [...this.#seats.values()].some((seat) => seat.dueAt !== null);
  }

  /** The line is idle and its input is to be trusted: writes what comes next, or arranges to be woken. */
  #work(): void {
    while (this.#line.state === 'idle' && this.#listenUntil === null) {
      const owed = this.#owed(() => true);
      const job = this.#jobs.find((other) => owed === null || (this.#failures.get(other.board) ?? 0) === 0);
      // A board that never answers must not keep the healthy ones on its bus from being read.
      const isolating = owed !== null && (owed.failures === 0 || !this.#yielding || job === undefined);
      if (!isolating && job === undefined) return;
      // A frame with an id finds its way through any buffer; the rest is comfort, for which a cut does not wait.
      const rested = this.#timers.now() >= this.#nextWriteAt || (isolating && this.#framesHaveIds);
      if (!rested) {
        this.#wakeAt(this.#nextWriteAt);
        return;
      }
      if (owed !== null && isolating) {
        this.#line.drain();
        this.#isolate(owed);
      } else if (job !== undefined) {
        if (!this.#trustsInput()) return;
        this.#yielding = false;
        this.#inputTaken = false;
        this.#jobs = this.#jobs.filter((other) => other !== job);
        job.launch();
      }
    }
  }

  /** Takes whatever waits in the kernel before a request whose answer has no id. False: not yet, or there was something. */
  #trustsInput(): boolean {
    if (this.#framesHaveIds) return true;
    if (this.#inputTaken) {
      if (this.#line.drain() === 0) return true;
      this.#stray();
      return false;
    }
    if (!this.#takingInput) {
      this.#takingInput = true;
      this.#timers.soon(() => {
        this.#takingInput = false;
        this.#inputTaken = true;
        this.#step();
      });
    }
    return false;
  }

  /** The isolate that is owed next: those that did not fail before those that did. Arranges to be woken for a later one. */
  #owed(which: (seat: Seat) => boolean): Seat | null {
    const now = this.#timers.now();
    let next: Seat | null = null;
    for (const seat of this.#seats.values()) {
      if (seat.dueAt === null || !which(seat)) continue;
      if (seat.dueAt > now) this.#wakeAt(seat.dueAt);
      else if (next === null || seat.failures < next.failures) next = seat;
    }
    return next;
  }

  /** One frame for the whole board where every channel of it that we have is to be isolated; else one for the seat. */
  #frameFor(seat: Seat): { readonly exchange: Exchange<null>; readonly seats: readonly Seat[] } {
    const { board } = seat.channel;
    const single = { exchange: seat.channel.isolate, seats: [seat] };
    // Every other attempt after a failure is a plain one, in case the board does not know the other.
    if (board.isolateAll === null || (this.#failures.get(board) ?? 0) % 2 === 1) return single;
    const mates = [...this.#seats.values()].filter((other) => other.channel.board === board);
    const owing = mates.filter((other) => other.dueAt !== null);
    if (owing.length < 2 || mates.some((other) => other.commanded !== 'isolated')) return single;
    return { exchange: board.isolateAll, seats: owing };
  }

  #isolate(seat: Seat): void {
    const { exchange, seats } = this.#frameFor(seat);
    for (const each of seats) each.dueAt = null;
    this.#inputTaken = false;
    const written = (at: Millis): void => seats.forEach((each) => each.markWritten(at));
    this.#line.send(exchange, written, (answer) => {
      const { board } = exchange;
      this.#yielding = answer.kind !== 'answer';
      this.#failures.set(board, answer.kind === 'answer' ? 0 : (this.#failures.get(board) ?? 0) + 1);
      for (const each of seats) {
        each.failures = answer.kind === 'answer' ? 0 : each.failures + 1;
        if (answer.kind !== 'answer') each.dueAt ??= later(this.#timers.now(), RETRY_PAUSE_MS);
        each.settle(outcomeOf(answer));
      }
    });
  }

  /** The wire is fresh and a late answer may still come in: only isolates, unjudged, until silence is certain. */
  #listen(until: Millis): void {
    const seat = this.#owed((each) => !each.blind);
    const now = this.#timers.now();
    if (seat !== null && now < this.#nextWriteAt) {
      this.#wakeAt(this.#nextWriteAt);
    } else if (seat !== null) {
      const { exchange, seats } = this.#frameFor(seat);
      const sent = this.#line.writeBlind(exchange);
      if (sent === null) return;
      for (const each of seats) {
        each.markWritten(sent.at);
        each.blind = true;
      }
      // Room for the board's answer, which would otherwise meet the next frame on the line.
      this.#nextWriteAt = later(sent.at, 2 * this.#line.bytesMs(sent.bytes) + this.#restMs(exchange.board));
      this.#listenUntil = later(sent.at, this.#worstReplyDelayMs);
      this.#step();
    } else if (now < until) {
      this.#wakeAt(until);
    } else {
      this.#line.drain();
      this.#listenUntil = null;
      this.#step();
    }
  }

  #restMs(board: Board): number {
    return Math.max(board.gapMs, this.#transport.quietMs);
  }

  #free(board: Board): void {
    this.#nextWriteAt = later(this.#timers.now(), this.#restMs(board));
    this.#step();
  }

  #opened(): void {
    const now = this.#timers.now();
    this.#nextWriteAt = now;
    this.#inputTaken = false;
    this.#oweAll(now);
    if (!this.#framesHaveIds) this.#listenUntil = later(now, this.#worstReplyDelayMs);
    this.#step();
  }

  /** Whatever was written on the last wire, every channel commanded isolated is isolated again, first. */
  #oweAll(now: Millis): void {
    for (const seat of this.#seats.values()) {
      seat.blind = false;
      if (seat.commanded === 'isolated') seat.dueAt = now;
    }
  }

  #stray(): void {
    if (this.#framesHaveIds) {
      this.#line.fail('bytes came that nobody asked for');
    } else if (this.#listenUntil === null) {
      this.#listenUntil = later(this.#timers.now(), this.#worstReplyDelayMs);
      this.#step();
    }
  }

  #unreachable(why: string): void {
    const outcome = { kind: 'unknown', why } as const;
    this.#dropJobs(() => true, outcome);
    for (const seat of this.#seats.values()) seat.settleUnwritten(outcome);
    this.#pause(RETRY_PAUSE_MS);
  }

  #lost(board: Board | null): void {
    const now = this.#timers.now();
    this.#listenUntil = null;
    this.#oweAll(now);
    // They would each wait out a time-out of their own before being told the same.
    if (board !== null) {
      this.#dropJobs((job) => job.board === board, {
        kind: 'unknown',
        why: `not written: ${board.label} is not answering`,
      });
    }
    this.#pause(RETRY_PAUSE_MS - (now - this.#lastOpenAt));
  }

  #pause(ms: number): void {
    this.#paused?.();
    this.#paused = null;
    if (ms > 0 && this.#users > 0) {
      this.#paused = this.#timers.after(ms, () => {
        this.#paused = null;
        this.#step();
      });
      return;
    }
    this.#step();
  }

  #wakeAt(at: Millis): void {
    if (this.#wake !== null && this.#wake.at <= at) return;
    this.#wake?.cancel();
    const cancel = this.#timers.after(at - this.#timers.now(), () => {
      this.#wake = null;
      this.#step();
    });
    this.#wake = { at, cancel };
  }
}

function ignore(): void {}

function outcomeOf(answer: Answer<unknown>): CommandOutcome {
  return answer.kind === 'answer' ? { kind: 'done', at: answer.at } : answer;
}
