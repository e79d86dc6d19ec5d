/**
 * One worker per bus: the only thing that writes to its wire.
 *
 * - One exchange at a time; requests never interleave.
 * - An isolate goes before everything else and waits for at most the exchange in flight, which its reply time-out bounds.
 *   On an idle wire it is with the kernel in the tick in which it was asked for.
 * - An isolate is owed until a checked answer came; it is never given up and never rate-limited. A connect of a channel
 *   that owes an isolate is not written at all. On a board that can never answer, an isolate that was written whole goes on
 *   being repeated until a connect is asked for, and counts as unknown.
 * - A connect asks its fence in the tick of its write. A cut also takes queued connects out.
 * - A connect is written only right after its board answered on the same wire. A frame written into a dead cable does not
 *   die with its socket: the kernel keeps it beside the unresolved neighbour for seconds and delivers it when the cable
 *   returns (measured; RST does not help). A connect that was not confirmed is followed by an isolate.
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
import { outcomeOf, RETRY_PAUSE_MS, Seats } from './seats.ts';
import { Alarm, type Timers } from './timers.ts';
import { Tempo } from './tempo.ts';
import type { Transport } from './transport.ts';
import { type Job, MAX_WAIT_MS, Waiting } from './waiting.ts';

/** What a bus is made of. */
export interface BusParts {
  readonly transport: Transport;
  readonly timers: Timers;
  /** True when an answer carries an id of its request. Without ids a fresh wire must be listened to first. */
  readonly framesHaveIds: boolean;
}

/** The worker of one bus. */
export class Bus {
  readonly #timers: Timers;
  readonly #framesHaveIds: boolean;
  readonly #line: Line;
  readonly #seats = new Seats();
  readonly #waiting = new Waiting();
  readonly #shared = new WeakMap<Exchange<unknown>, Promise<unknown>>();
  readonly #tempo: Tempo;
  #users = 0;
  #worstReplyDelayMs = 0;
  #lastOpenAt: Millis = millis(0);
  /** Set while a fresh wire is only listened to. */
  #listenUntil: Millis | null = null;
  /** Input that waited in the kernel has been taken since the last write. */
  #inputTaken = false;
  #takingInput = false;
  /** An isolate has just failed, or was a repetition: one job of a board that owes none goes before the next one. */
  #yielding = false;
  /** Set until the next attempt to open a wire. */
  readonly #pause: Alarm;
  readonly #wake: Alarm;

  constructor(parts: BusParts) {
    this.#timers = parts.timers;
    this.#framesHaveIds = parts.framesHaveIds;
    this.#tempo = new Tempo(parts.transport.quietMs);
    this.#pause = new Alarm(parts.timers, () => this.#step());
    this.#wake = new Alarm(parts.timers, () => this.#step());
    this.#line = new Line(parts.transport, parts.timers, {
      opened: () => this.#opened(),
      unreachable: (why) => this.#unreachable(why),
      stray: () => this.#stray(),
      free: (board) => this.#free(board),
      lost: (why, board) => this.#lost(why, board),
    });
  }

  /** Makes a channel known; nothing is written. */
  attach(channel: Channel): void {
    this.#seats.add(channel);
    this.retain(channel.board);
  }

  /** Forgets a channel without moving it. The wire is discarded with its last user. */
  detach(channel: Channel): void {
    const seat = this.#seats.get(channel);
    if (seat === undefined) return;
    this.#seats.remove(channel);
    this.#waiting.drop((job) => job.seat === seat, { kind: 'unknown', why: 'the driver was closed' });
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
    this.#waiting.drop(() => true, { kind: 'unknown', why: 'the driver was closed' });
    if (this.#line.state !== 'closed') this.#line.fail('the driver was closed');
    this.#pause.clear();
    this.#wake.clear();
  }

  /**
   * Owes an isolate for each channel and writes the first frame in this tick if the wire is idle. Never throws.
   * A channel that is not attached gets a receipt that says that nothing was written.
   */
  isolate(channels: readonly Channel[]): readonly IsolateReceipt[] {
    const now = this.#timers.now();
    // Only news may cut a pause short: whoever repeats a command at once must not make us spin.
    if (channels.some((channel) => this.#seats.get(channel)?.commanded !== 'isolated')) this.#pause.clear();
    const receipts = channels.map((channel) => {
      const known = this.#seats.get(channel);
      const seat = known ?? new Seat(channel);
      const receipt = seat.owe(now);
      if (known === undefined) seat.release();
      else this.#waiting.drop((job) => job.seat === seat, { kind: 'fenced' });
      return receipt;
    });
    this.#step();
    return receipts;
  }

  /** Writes the channel's connect when its turn comes, if the fence still allows it in that tick. */
  connect(channel: Channel, fence: Fence): Promise<CommandOutcome> {
    const seat = this.#seats.get(channel);
    if (seat === undefined)
      return Promise.resolve({ kind: 'unknown', why: 'not written: the driver was closed' });
    const { promise, resolve } = Promise.withResolvers<CommandOutcome>();
    const { cuts } = seat;
    const launch = (): void => {
      if (!fence.isCurrent() || seat.cuts !== cuts) {
        resolve({ kind: 'fenced' });
      } else if (this.#seats.get(channel) !== seat) {
        resolve({ kind: 'unknown', why: 'not written: the driver was closed' });
      } else if (seat.owes) {
        resolve({ kind: 'unknown', why: 'not written: the isolate before it is still unanswered' });
      } else if (channel.probe === null || this.#tempo.heard(channel.board, this.#timers.now())) {
        this.#writeConnect(seat, resolve);
      } else {
        this.#line.send(channel.probe, ignore, (answer) => {
          // A refusal is a sign of life too.
          if (answer.kind === 'unknown') {
            resolve({ kind: 'unknown', why: `not written: ${answer.why}` });
            return;
          }
          this.#waiting.putFirst(job);
          // Another attempt on a dead board in between would cost the wire, and this answer with it.
          this.#yielding = true;
        });
      }
    };
    const until = this.#waitLimit();
    const job: Job = { board: channel.board, seat, question: null, until, launch, drop: resolve };
    this.#queue(job);
    return promise;
  }

  #writeConnect(seat: Seat, end: (outcome: CommandOutcome) => void): void {
    seat.beginConnect();
    this.#line.send(seat.channel.connect, ignore, (answer) => {
      end(outcomeOf(answer));
      if (seat.commanded !== 'connected') return;
      if (answer.kind === 'answer') seat.confirmed = true;
      // The board never answers anything: whether it obeyed is for a witness to say.
      else if (answer.kind === 'unconfirmed') return;
      // Nobody knows whether it was obeyed, or will be. What never was connected goes back to isolated.
      else if (!seat.confirmed) seat.fallBack(this.#timers.now());
    });
  }

  /** Asks a board something. A question that still waits is shared with whoever asks it again. */
  ask<A>(exchange: Exchange<A>): Promise<Answer<A>> {
    if (this.#users <= 0) return Promise.resolve({ kind: 'unknown', why: 'the driver was closed' });
    const shared = this.#waiting.asks(exchange) ? this.#shared.get(exchange) : undefined;
    // The map is keyed by the exchange, whose type fixes the answer's.
    if (shared !== undefined) return shared as Promise<Answer<A>>;
    const { promise, resolve } = Promise.withResolvers<Answer<A>>();
    this.#queue({
      board: exchange.board,
      seat: null,
      question: exchange,
      until: this.#waitLimit(),
      launch: () => this.#line.send(exchange, ignore, resolve),
      drop: (reason) => resolve(reason.kind === 'unknown' ? reason : { kind: 'unknown', why: reason.kind }),
    });
    this.#shared.set(exchange, promise);
    return promise;
  }

  #waitLimit(): Millis {
    return later(this.#timers.now(), MAX_WAIT_MS);
  }

  #queue(job: Job): void {
    if (this.#waiting.add(job)) this.#step();
  }

  #step(): void {
    this.#waiting.expire(this.#timers.now());
    this.#proceed();
    const limit = this.#waiting.soonestLimit();
    if (limit !== null) this.#wake.at(limit);
  }

  #proceed(): void {
    switch (this.#line.state) {
      case 'opening':
      case 'busy':
        return;
      case 'closed':
        if (!this.#pause.set && this.#users > 0 && this.#hasWork()) {
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
    return !this.#waiting.empty || this.#seats.owing();
  }

  /** The line is idle and its input is to be trusted: writes what comes next, or arranges to be woken. */
  #work(): void {
    while (this.#line.state === 'idle' && this.#listenUntil === null) {
      const owed = this.#owed(() => true);
      const job = this.#waiting.first((each) => owed === null || !this.#seats.owingOn(each.board));
      // A board that never answers must not keep the others on its bus from being read; nor must isolates that are
      // repeated until somebody reads that they were obeyed.
      const pressing = owed !== null && owed.presses && owed.failures === 0;
      const isolating = owed !== null && (pressing || !this.#yielding || job === undefined);
      if (!isolating && job === undefined) return;
      // A frame with an id finds its way through any buffer; the rest is comfort, for which a cut does not wait.
      const rested = this.#timers.now() >= this.#tempo.nextWriteAt || (isolating && this.#framesHaveIds);
      if (!rested) {
        this.#wake.at(this.#tempo.nextWriteAt);
        return;
      }
      if (owed !== null && isolating) this.#isolate(owed);
      else if (job === undefined || !this.#launched(job)) return;
    }
  }

  /** False: input that waits in the kernel has to be taken first. */
  #launched(job: Job): boolean {
    if (!this.#trustsInput()) return false;
    this.#yielding = false;
    this.#inputTaken = false;
    this.#waiting.remove(job);
    job.launch();
    return true;
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

  /** The seat whose isolate is owed now; arranges to be woken when one is owed later. */
  #owed(which: (seat: Seat) => boolean): Seat | null {
    const next = this.#seats.next(this.#timers.now(), which);
    if (next?.kind === 'later') this.#wake.at(next.at);
    return next?.kind === 'now' ? next.seat : null;
  }

  #isolate(seat: Seat): void {
    const frame = this.#seats.frameFor(seat);
    const isRepetition = !frame.seats.some((each) => each.presses);
    for (const each of frame.seats) each.dueAt = null;
    this.#line.drain();
    this.#inputTaken = false;
    const written = (at: Millis): void => frame.seats.forEach((each) => each.markWritten(at));
    this.#line.send(frame.exchange, written, (answer) => {
      this.#yielding = isRepetition || answer.kind !== 'answer';
      this.#seats.ended(frame, answer, this.#timers.now());
    });
  }

  /** The wire is fresh and a late answer may still come in: only isolates, unjudged, until silence is certain. */
  #listen(until: Millis): void {
    const seat = this.#owed((each) => !each.blind);
    const now = this.#timers.now();
    if (seat !== null && now < this.#tempo.nextWriteAt) {
      this.#wake.at(this.#tempo.nextWriteAt);
    } else if (seat !== null) {
      const { exchange, seats } = this.#seats.frameFor(seat);
      const sent = this.#line.writeBlind(exchange);
      if (sent === null) return;
      for (const each of seats) {
        each.markWritten(sent.at);
        each.blind = true;
      }
      this.#tempo.wroteBlind(exchange.board, sent.at, 2 * this.#line.bytesMs(sent.bytes));
      this.#listenUntil = later(sent.at, this.#worstReplyDelayMs);
      this.#step();
    } else if (now < until) {
      this.#wake.at(until);
    } else {
      this.#line.drain();
      this.#listenUntil = null;
      this.#step();
    }
  }

  #free(board: Board): void {
    this.#tempo.answered(board, this.#timers.now());
    this.#step();
  }

  #opened(): void {
    const now = this.#timers.now();
    this.#tempo.restart(now);
    this.#inputTaken = false;
    this.#seats.oweAll(now);
    if (!this.#framesHaveIds) this.#listenUntil = later(now, this.#worstReplyDelayMs);
    this.#step();
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
    this.#nobodyAnswers(why);
    this.#pause.at(later(this.#timers.now(), RETRY_PAUSE_MS));
  }

  /** Everybody who waits is told; isolates stay owed. */
  #nobodyAnswers(why: string): void {
    const outcome = { kind: 'unknown', why } as const;
    this.#waiting.drop(() => true, outcome);
    this.#seats.unreachable(outcome);
  }

  #lost(why: string, board: Board | null): void {
    const now = this.#timers.now();
    // A peer that hangs up on every unjudged frame would otherwise keep everybody waiting for ever.
    if (this.#listenUntil !== null) this.#nobodyAnswers(why);
    this.#listenUntil = null;
    this.#seats.oweAll(now);
    // They would each wait out a time-out of their own before being told the same.
    if (board !== null) {
      this.#waiting.drop((job) => job.board === board, { kind: 'unknown', why: `not written: ${why}` });
    }
    const next = later(this.#lastOpenAt, RETRY_PAUSE_MS);
    if (next > now) this.#pause.at(next);
    this.#step();
  }
}

function ignore(): void {}
