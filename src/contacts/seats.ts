import { later, type Millis } from '../core/time.ts';
import type { Answer, Board, Channel, Exchange } from './exchange.ts';
import type { CommandOutcome } from './port.ts';
import { Seat } from './seat.ts';

/** ms between an attempt that failed and the next one. It does not grow: the cable may come back at any moment. */
export const RETRY_PAUSE_MS = 100;

/** ms between two isolates to a board that can never answer. Each is a whole attempt: one lost byte costs this much. */
export const REPEAT_MS = 1000;

/** One frame and every seat that it isolates. */
export interface IsolateFrame {
  readonly exchange: Exchange<null>;
  readonly seats: readonly Seat[];
}

/** The isolate that comes next, or when there will be one; `null` when none is owed. */
export type NextOwed =
  | { readonly kind: 'now'; readonly seat: Seat }
  | { readonly kind: 'later'; readonly at: Millis }
  | null;

/** All channels of one bus, and which of them are owed an isolate. */
export class Seats {
  readonly #seats = new Map<Channel, Seat>();
  /** Attempts in a row to isolate on a board that came to nothing. */
  readonly #failures = new Map<Board, number>();

  add(channel: Channel): void {
    if (this.#seats.has(channel)) throw new Error(`channel ${channel.name} is already on this bus`);
    this.#seats.set(channel, new Seat(channel));
  }

  get(channel: Channel): Seat | undefined {
    return this.#seats.get(channel);
  }

  remove(channel: Channel): void {
    this.#seats.delete(channel);
  }

  /** Whether any channel is owed an isolate. */
  owing(): boolean {
    return [...this.#seats.values()].some((seat) => seat.dueAt !== null);
  }

  /** The isolate that comes next: those that did not fail before those that did, and a repetition after all of them. */
  next(now: Millis, which: (seat: Seat) => boolean): NextOwed {
    let best: Seat | null = null;
    let soonest: Millis | null = null;
    for (const seat of this.#seats.values()) {
      if (seat.dueAt === null || !which(seat)) continue;
      if (seat.dueAt > now) {
        if (soonest === null || seat.dueAt < soonest) soonest = seat.dueAt;
      } else if (best === null || urgency(seat) < urgency(best)) best = seat;
    }
    if (best !== null) return { kind: 'now', seat: best };
    return soonest === null ? null : { kind: 'later', at: soonest };
  }

  /** Whether any channel of `board` is owed an isolate, now or after a pause, that is no mere repetition. */
  owingOn(board: Board): boolean {
    return [...this.#seats.values()].some((seat) => seat.channel.board === board && seat.presses);
  }

  /** One frame for the whole board where every channel of it that we have is to be isolated; else one for the seat. */
  frameFor(seat: Seat): IsolateFrame {
    const { board } = seat.channel;
    const single = { exchange: seat.channel.isolate, seats: [seat] };
    // Every other attempt after a failure is a plain one, in case the board does not know the other.
    if (board.isolateAll === null || (this.#failures.get(board) ?? 0) % 2 === 1) return single;
    const mates = [...this.#seats.values()].filter((other) => other.channel.board === board);
    const owing = mates.filter((other) => other.dueAt !== null);
    if (owing.length < 2 || mates.some((other) => other.commanded !== 'isolated')) return single;
    return { exchange: board.isolateAll, seats: owing };
  }

  /** An attempt ended: receipts are settled, and what came to nothing stays owed. */
  ended(frame: IsolateFrame, answer: Answer<null>, now: Millis): void {
    const { board } = frame.exchange;
    const failed = answer.kind === 'refused' || answer.kind === 'unknown';
    this.#failures.set(board, failed ? (this.#failures.get(board) ?? 0) + 1 : 0);
    for (const seat of frame.seats) {
      seat.failures = failed ? seat.failures + 1 : 0;
      seat.obeyed = answer.kind === 'answer' && seat.commanded === 'isolated';
      if (failed) seat.dueAt ??= later(now, RETRY_PAUSE_MS);
      if (answer.kind === 'unconfirmed' && seat.dueAt === null) {
        seat.repeats = true;
        seat.dueAt = later(now, REPEAT_MS);
      }
      seat.settle(outcomeOf(answer));
    }
  }

  /** The wire is another one: every channel commanded isolated is owed an isolate, whatever was answered before. */
  oweAll(now: Millis): void {
    for (const seat of this.#seats.values()) {
      seat.blind = false;
      seat.obeyed = false;
      if (seat.commanded !== 'isolated') continue;
      seat.dueAt = now;
      seat.repeats = false;
    }
  }

  /** No wire could be had: callers learn that nobody answered; what is owed stays owed. */
  unreachable(outcome: CommandOutcome): void {
    for (const seat of this.#seats.values()) seat.settleUnwritten(outcome);
  }
}

const urgency = (seat: Seat): number => (seat.presses ? seat.failures : Number.POSITIVE_INFINITY);

/** How a command ended, from the answer to its exchange. */
export function outcomeOf(answer: Answer<unknown>): CommandOutcome {
  switch (answer.kind) {
    case 'answer':
      return { kind: 'done', at: answer.at };
    case 'unconfirmed':
      return { kind: 'unknown', why: answer.why };
    case 'refused':
    case 'unknown':
      return answer;
  }
}
