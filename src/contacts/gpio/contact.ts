/**
 * A relay on a GPIO line.
 *
 * - `isolate` writes in the tick in which it is called. It needs no bus: nothing else is ever in its way.
 * - An isolate that failed is owed, and tried again every RETRY_PAUSE_MS for ever. A connect is not written meanwhile.
 * - A connect lets input that already waits (a trip among it) go first; then it asks its fence in the tick of its write.
 * - The first write sets direction and level in one step, so that starting never shows the other level.
 * - A line that was lost while commanded isolated is driven to isolated as soon as it can be claimed again. One that was
 *   commanded connected is never driven to connected from here.
 *
 * What remains: the pin is all that is seen from here. A relay without supply, a welded contact, a broken wire read as
 * commanded. Only a witness sees those.
 */
import type { Reading } from '../../core/evidence.ts';
import { later, type Millis } from '../../core/time.ts';
import type { CommandOutcome, Contact, Fence, IsolateReceipt } from '../port.ts';
import { RETRY_PAUSE_MS } from '../seats.ts';
import { Alarm, type Timers } from '../timers.ts';
import type { GpioAccess, Level, LinePlace, OutputLine } from './lines.ts';
import { opposite } from './lines.ts';

const MAX_DETAIL = 200;
const CLOSED = { kind: 'unknown', why: 'the driver was closed' } as const;

/** Where a GPIO contact is and what it may do. */
export interface GpioContactParts {
  readonly name: string;
  readonly kind: 'fail-safe' | 'holding';
  /** Finds the way into the kernel; asked for each claim, and may throw. */
  readonly access: () => GpioAccess;
  readonly place: LinePlace;
  /** The level of the pin that connects: 1 for an active-high board. */
  readonly connectedLevel: Level;
  readonly timers: Timers;
}

/** Isolates that wait for the same attempt. */
interface Pending {
  readonly written: PromiseWithResolvers<Millis | null>;
  acknowledged: PromiseWithResolvers<CommandOutcome>;
}

/** One relay on a GPIO line. What it reads is the level of the pin, not where the contact is. */
export class GpioContact implements Contact {
  readonly name: string;
  readonly kind: 'fail-safe' | 'holding';
  readonly hardwareLeaseMs = null;
  readonly #parts: GpioContactParts;
  readonly #retry: Alarm;
  #line: OutputLine | null = null;
  /** What was last asked from above; never taken for where the contact stands. */
  #commanded: 'connected' | 'isolated' | null = null;
  /** Isolates so far: a connect that was asked for before one of them is void. */
  #cuts = 0;
  #owed = false;
  /** A connect was read back since the last isolate. */
  #confirmed = false;
  /** Set while an isolate could not be written. */
  #pending: Pending | null = null;
  #unverified: Pending[] = [];
  #closed = false;

  constructor(parts: GpioContactParts) {
    this.name = parts.name;
    this.kind = parts.kind;
    this.#parts = parts;
    this.#retry = new Alarm(parts.timers, () => this.#attempt());
  }

  isolate(): IsolateReceipt {
    if (this.#closed) return { written: Promise.resolve(null), acknowledged: Promise.resolve(CLOSED) };
    // Only news may cut a pause short: whoever repeats a command at once must not make us spin.
    const news = this.#commanded !== 'isolated';
    this.#cuts += 1;
    this.#fallBack();
    const { written, acknowledged } = this.#waiting();
    if (news || !this.#retry.set) this.#attempt();
    return { written: written.promise, acknowledged: acknowledged.promise };
  }

  connect(fence: Fence): Promise<CommandOutcome> {
    const cuts = this.#cuts;
    return new Promise((resolve) => {
      this.#parts.timers.soon(() => resolve(this.#connectNow(fence, cuts)));
    });
  }

  async read(): Promise<Reading> {
    const takenAt = this.#parts.timers.now();
    if (this.#closed) return { position: 'unknown', takenAt, detail: CLOSED.why };
    try {
      const level = this.#claimed().read();
      const position = level === this.#parts.connectedLevel ? 'connected' : 'isolated';
      return { position, takenAt, detail: `the pin reads ${level} (as commanded, not the contact itself)` };
    } catch (error) {
      const detail = this.#lose(error);
      return { position: 'unknown', takenAt, detail };
    }
  }

  async settingsProblems(): Promise<readonly string[]> {
    if (this.#closed) return [`the line could not be read: ${CLOSED.why}`];
    try {
      return this.#claimed().problems();
    } catch (error) {
      const why = this.#lose(error);
      return [why.includes('could not be read') ? why : `the line could not be read: ${why}`];
    }
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#retry.clear();
    this.#line?.release();
    this.#line = null;
    this.#pending?.written.resolve(null);
    this.#settle([...this.#unverified, ...(this.#pending === null ? [] : [this.#pending])], CLOSED);
    this.#unverified = [];
    this.#pending = null;
  }

  #claimed(): OutputLine {
    this.#line ??= this.#parts.access().claimOutput(this.#parts.place);
    return this.#line;
  }

  /** What every caller gets whose isolate is not yet written. */
  #waiting(): Pending {
    this.#pending ??= { written: Promise.withResolvers(), acknowledged: Promise.withResolvers() };
    return this.#pending;
  }

  #fallBack(): void {
    this.#commanded = 'isolated';
    this.#confirmed = false;
    this.#owed = true;
  }

  /** Writes the isolate that is owed. */
  #attempt(): void {
    this.#retry.clear();
    try {
      this.#claimed().drive(opposite(this.#parts.connectedLevel));
    } catch (error) {
      this.#failed(this.#lose(error));
      return;
    }
    const at = this.#parts.timers.now();
    const pending = this.#pending;
    this.#pending = null;
    if (pending !== null) {
      pending.written.resolve(at);
      this.#unverified.push(pending);
    }
    // Other contacts of the same cut are written before this one is read back.
    queueMicrotask(() => this.#verify());
  }

  #verify(): void {
    if (this.#closed || !this.#owed || this.#commanded !== 'isolated') return;
    const waiting = this.#unverified;
    this.#unverified = [];
    const why = this.#readBack(opposite(this.#parts.connectedLevel));
    if (why === null) {
      this.#owed = false;
      this.#settle(waiting, { kind: 'done', at: this.#parts.timers.now() });
      return;
    }
    this.#settle(waiting, { kind: 'unknown', why });
    this.#failed(why);
  }

  /** Why the pin does not show `level`, or `null`. */
  #readBack(level: Level): string | null {
    try {
      const found = this.#claimed().read();
      return found === level ? null : `the pin reads ${found} after ${level} was written: is it shorted?`;
    } catch (error) {
      return this.#lose(error);
    }
  }

  /** An isolate came to nothing: those who wait are told, and it is tried again. */
  #failed(why: string): void {
    this.#owed = true;
    if (this.#pending !== null) {
      this.#settle([this.#pending], { kind: 'unknown', why });
      this.#pending.acknowledged = Promise.withResolvers();
    }
    this.#retryLater();
  }

  #retryLater(): void {
    this.#retry.at(later(this.#parts.timers.now(), RETRY_PAUSE_MS));
  }

  #settle(waiting: readonly Pending[], outcome: CommandOutcome): void {
    for (const each of waiting) each.acknowledged.resolve(outcome);
  }

  #connectNow(fence: Fence, cuts: number): CommandOutcome {
    if (this.#closed) return { kind: 'unknown', why: `not written: ${CLOSED.why}` };
    if (!fence.isCurrent() || this.#cuts !== cuts) return { kind: 'fenced' };
    if (this.#owed)
      return { kind: 'unknown', why: 'not written: the isolate before it has not been carried out' };
    this.#commanded = 'connected';
    let why: string | null;
    try {
      this.#claimed().drive(this.#parts.connectedLevel);
      why = this.#readBack(this.#parts.connectedLevel);
    } catch (error) {
      why = this.#lose(error);
    }
    if (why === null) {
      this.#confirmed = true;
      return { kind: 'done', at: this.#parts.timers.now() };
    }
    // Nobody knows whether it was obeyed. What never was connected goes back to isolated.
    if (!this.#confirmed) {
      this.#fallBack();
      this.#attempt();
    }
    return { kind: 'unknown', why };
  }

  /** The line is not to be trusted any more: it is claimed anew with the next use. Returns why, for people. */
  #lose(error: unknown): string {
    this.#line?.release();
    this.#line = null;
    // A chip that comes back brings its pins as its reset left them.
    if (this.#commanded === 'isolated' && !this.#owed) {
      this.#owed = true;
      this.#retryLater();
    }
    return (error instanceof Error ? error.message : String(error)).slice(0, MAX_DETAIL);
  }
}
