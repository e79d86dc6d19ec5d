import { millis, type Millis } from '../../core/time.ts';
import type { CommandOutcome, IsolateReceipt } from '../port.ts';
import { type OpenReceipt, openReceipt } from '../seat.ts';

/** ms between an attempt that failed and the next one. It does not grow: the switch may answer again at any moment. */
export const RETRY_PAUSE_MS = 100;

/** What the worker remembers of one port. */
export class PortSeat {
  readonly port: string;
  /** What was last asked from above; `null` before the first command. Never taken for where the port stands. */
  commanded: 'connected' | 'isolated' | null = null;
  /** When the isolate may next be typed; `null` when none is to be typed. */
  dueAt: Millis | null = null;
  /** Typed at, and not yet read shut; `null` when nothing is to be read. */
  typedAt: Millis | null = null;
  /** It was read since, and did not read shut. */
  looked = false;
  /** When it may next be read. */
  lookAt: Millis = millis(0);
  /** Why the switch refused the lines that were typed, for people. */
  typedError: string | null = null;
  /** Attempts in a row that did not end with the port read shut. */
  failures = 0;
  /** Commands to isolate so far: a connect that was asked for before one of them is void. */
  cuts = 0;
  /** The port was read connected after a connect, since the last isolate. */
  confirmed = false;
  /** The port was read shut after an isolate, on this session and since the last connect: one more is a repetition. */
  obeyed = false;
  #unwritten: OpenReceipt[] = [];
  #unanswered: OpenReceipt[] = [];

  constructor(port: string) {
    this.port = port;
  }

  /** Owes an isolate, or the proof of one. */
  get owes(): boolean {
    return this.dueAt !== null || this.typedAt !== null;
  }

  /** Owes an isolate from `now` on. */
  owe(now: Millis): IsolateReceipt {
    const open = openReceipt();
    this.cuts += 1;
    this.#unwritten.push(open);
    // A repeated command neither jumps ahead of ports that obey, nor gives up the proof that is awaited.
    if (this.commanded === 'isolated') {
      this.dueAt = now;
      return open.receipt;
    }
    this.failures = 0;
    this.fallBack(now);
    return open.receipt;
  }

  /** Owes an isolate that nobody waits for. */
  fallBack(now: Millis): void {
    this.commanded = 'isolated';
    this.confirmed = false;
    this.obeyed = false;
    this.dueAt = now;
    this.typedAt = null;
  }

  /** Whether the isolate that is due was typed before: it lets readings through. */
  get isRepetition(): boolean {
    return this.obeyed || this.typedAt !== null;
  }

  /** The lines are with the kernel: receipts so far are written. */
  markTyped(at: Millis): void {
    this.dueAt = null;
    this.typedAt = at;
    this.looked = false;
    this.lookAt = at;
    this.typedError = null;
    for (const open of this.#unwritten) open.written(at);
    this.#unanswered.push(...this.#unwritten);
    this.#unwritten = [];
  }

  /** The port reads shut. */
  proven(at: Millis): void {
    this.typedAt = null;
    this.failures = 0;
    this.obeyed = true;
    this.#settle({ kind: 'done', at });
  }

  /** The attempt came to nothing; another follows. */
  failed(outcome: CommandOutcome, again: Millis): void {
    this.typedAt = null;
    this.failures += 1;
    this.obeyed = false;
    this.dueAt = again;
    this.#settle(outcome);
  }

  /** No session could be had: whoever waits learns it, and the isolate stays owed. */
  unreachable(outcome: CommandOutcome): void {
    for (const open of this.#unwritten) open.acknowledged(outcome);
    this.#settle(outcome);
  }

  /** The driver is closing: nothing is owed any more. */
  release(): void {
    this.dueAt = null;
    this.typedAt = null;
    for (const open of this.#unwritten) open.written(null);
    this.unreachable({ kind: 'unknown', why: 'the driver was closed before anybody answered' });
    this.#unwritten = [];
  }

  #settle(outcome: CommandOutcome): void {
    for (const open of this.#unanswered) open.acknowledged(outcome);
    this.#unanswered = [];
  }
}
