/**
 * One worker per command bus: runs one program at a time.
 *
 * - An isolate goes before everything else. A read that is running is killed and not waited for. A connect that is running
 *   is killed and its end awaited, for at most KILL_WAIT_MS; when it hangs in the kernel the isolate starts beside it, and
 *   once more when it has ended, for nobody knows in which order the kernel carried the two out. An isolate of another
 *   contact is waited for; its time-out bounds that. Contacts that must not wait for each other have a bus each.
 * - An isolate that is only repeated, for its program has said that it was done, takes turns with reads and kills nothing:
 *   else nobody could ever read that it was done.
 * - An isolate is owed until its program has said that it is done. It is never given up and never rate-limited, apart from
 *   the pause between two attempts.
 * - A connect asks its fence in the tick in which its program is started. A cut takes queued connects out. A connect that
 *   was not confirmed is followed by an isolate.
 */
import { later, type Millis } from '../../core/time.ts';
import type { CommandOutcome, Fence, IsolateReceipt } from '../port.ts';
import { type OpenReceipt, openReceipt } from '../seat.ts';
import { Alarm, type Timers } from '../timers.ts';
import { bears, endText, type Sign } from './meaning.ts';
import { type Ended, run, type Running } from './process.ts';

/** ms between an attempt to isolate that failed and the next one. */
export const RETRY_PAUSE_MS = 250;
/** Most reads and connects that may wait for one bus. */
export const MAX_WAITING = 64;
/** ms that a read or connect may wait for its turn. */
export const MAX_WAIT_MS = 10_000;

/** Why a queued connect that was cut is dropped. */
const FENCED = 'fenced';

/** A program to run. */
export interface Call {
  readonly argv: readonly string[];
  readonly timeoutMs: number;
}

/** What moves one contact, and the signs by which its programs say that it is done. */
export interface Switch {
  readonly connect: Call & { readonly done: Sign };
  readonly isolate: Call & { readonly done: Sign };
}

/** What a worker remembers of one contact. */
class CommandSeat {
  readonly calls: Switch;
  commanded: 'connected' | 'isolated' | null = null;
  /** When the isolate may next be started; `null` when none is owed. */
  dueAt: Millis | null = null;
  failures = 0;
  confirmed = false;
  /** Its program has said that it is isolated, since the last connect. */
  obeyed = false;
  unstarted: OpenReceipt[] = [];
  unanswered: OpenReceipt[] = [];

  constructor(calls: Switch) {
    this.calls = calls;
  }
}

interface Job {
  readonly kind: 'connect' | 'read';
  readonly seat: CommandSeat;
  readonly until: Millis;
  /** Starts it in this tick, or ends it without starting. */
  readonly launch: () => void;
  readonly drop: (why: string) => void;
}

/** How a read ended, and when it was started. */
export interface Report {
  readonly ended: Ended;
  readonly startedAt: Millis;
}

/** Runs the programs of one bus. */
export class CommandWorker {
  readonly #timers: Timers;
  readonly #seats = new Map<Switch, CommandSeat>();
  #jobs: readonly Job[] = [];
  #present: { readonly kind: 'isolate' | Job['kind']; readonly running: Running } | null = null;
  /** An isolate was only repeated: one job goes before the next such. */
  #yielding = false;
  readonly #wake: Alarm;

  constructor(timers: Timers) {
    this.#timers = timers;
    this.#wake = new Alarm(timers, () => this.#step());
  }

  attach(calls: Switch): void {
    this.#seats.set(calls, new CommandSeat(calls));
  }

  /** Forgets a contact without moving it. What runs is killed when nobody is left. */
  detach(calls: Switch): void {
    const seat = this.#seats.get(calls);
    if (seat === undefined) return;
    this.#seats.delete(calls);
    this.#drop((job) => job.seat === seat, 'the driver was closed');
    seat.dueAt = null;
    for (const open of seat.unstarted) open.written(null);
    settle(seat, { kind: 'unknown', why: 'the driver was closed before it was done' });
    if (this.#seats.size > 0) return;
    this.#wake.clear();
    this.#present?.running.kill('the driver was closed');
  }

  /** Owes an isolate and starts it in this tick when nothing else that counts is running. Never throws. */
  isolate(calls: Switch): IsolateReceipt {
    const open = openReceipt();
    const seat = this.#seats.get(calls);
    if (seat === undefined) {
      open.written(null);
      open.acknowledged({ kind: 'unknown', why: 'the driver was closed' });
      return open.receipt;
    }
    this.#drop((job) => job.seat === seat && job.kind === 'connect', FENCED);
    seat.unstarted.push(open);
    if (seat.commanded !== 'isolated') seat.failures = 0;
    // Whoever repeats a command at once must not make us spin: a pause between attempts is kept.
    if (seat.commanded !== 'isolated' || seat.dueAt === null) this.#owe(seat, this.#timers.now());
    this.#step();
    return open.receipt;
  }

  /** Starts the connect when its turn comes, if the fence still allows it in that tick. */
  connect(calls: Switch, fence: Fence): Promise<CommandOutcome> {
    const { promise, resolve } = Promise.withResolvers<CommandOutcome>();
    this.#queue(calls, {
      kind: 'connect',
      drop: (why) => resolve(why === FENCED ? { kind: 'fenced' } : { kind: 'unknown', why }),
      launch: (seat) => {
        if (!fence.isCurrent()) resolve({ kind: 'fenced' });
        else if (seat.dueAt !== null) {
          resolve({ kind: 'unknown', why: 'not started: the isolate before it is not done' });
        } else this.#startConnect(seat, resolve);
      },
    });
    return promise;
  }

  #startConnect(seat: CommandSeat, end: (outcome: CommandOutcome) => void): void {
    seat.commanded = 'connected';
    seat.obeyed = false;
    const call = seat.calls.connect;
    const running = this.#start('connect', call, (ended) => {
      const outcome = outcomeOf(ended, call.done, this.#timers.now());
      end(outcome);
      if (seat.commanded !== 'connected') return;
      if (outcome.kind === 'done') seat.confirmed = true;
      else if (!seat.confirmed) this.#owe(seat, this.#timers.now());
    });
    // It may end long after we stopped waiting: then an isolate that was done before proves nothing.
    void running.gone.then(() => {
      if (this.#present?.running === running || seat.commanded !== 'isolated') return;
      seat.obeyed = false;
      this.#owe(seat, this.#timers.now());
      this.#step();
    });
  }

  /** Runs a read when its turn comes. */
  read(calls: Switch, call: Call): Promise<Report> {
    const { promise, resolve } = Promise.withResolvers<Report>();
    this.#queue(calls, {
      kind: 'read',
      drop: (why) => resolve({ ended: { kind: 'lost', why }, startedAt: this.#timers.now() }),
      launch: () => {
        const { startedAt } = this.#start('read', call, (ended) => resolve({ ended, startedAt }));
      },
    });
    return promise;
  }

  #queue(
    calls: Switch,
    parts: Pick<Job, 'kind' | 'drop'> & { readonly launch: (seat: CommandSeat) => void },
  ): void {
    const seat = this.#seats.get(calls);
    if (seat === undefined) parts.drop('not started: the driver was closed');
    else if (this.#jobs.length >= MAX_WAITING)
      parts.drop(`not started: ${MAX_WAITING} requests already wait`);
    else {
      const until = later(this.#timers.now(), MAX_WAIT_MS);
      const job: Job = { ...parts, seat, until, launch: () => parts.launch(seat) };
      const behind = parts.kind === 'read' ? -1 : this.#jobs.findIndex((other) => other.kind === 'read');
      this.#jobs = this.#jobs.toSpliced(behind === -1 ? this.#jobs.length : behind, 0, job);
      this.#step();
    }
  }

  #owe(seat: CommandSeat, at: Millis): void {
    seat.commanded = 'isolated';
    seat.confirmed = false;
    seat.dueAt = at;
  }

  #step(): void {
    const now = this.#timers.now();
    this.#drop((job) => job.until <= now, `not started: its turn did not come within ${MAX_WAIT_MS} ms`);
    const owed = this.#owed(now);
    if (owed !== null && !owed.obeyed) this.#makeWay();
    while (this.#present === null) {
      const seat = this.#owed(now);
      const yields = seat?.obeyed === true && this.#yielding && this.#jobs.length > 0;
      if (seat !== null && !yields) this.#startIsolate(seat);
      else if (!this.#launchNext()) break;
    }
    for (const job of this.#jobs) this.#wake.at(job.until);
  }

  /** Kills what runs and is no isolate. */
  #makeWay(): void {
    const present = this.#present;
    if (present === null || present.kind === 'isolate') return;
    if (present.kind === 'read') this.#present = null;
    present.running.kill('it was killed to isolate');
  }

  /** The seat whose isolate is owed now; arranges to be woken when one is owed later. */
  #owed(now: Millis): CommandSeat | null {
    let best: CommandSeat | null = null;
    for (const seat of this.#seats.values()) {
      if (seat.dueAt === null) continue;
      if (seat.dueAt > now) this.#wake.at(seat.dueAt);
      else if (best === null || urgency(seat) < urgency(best)) best = seat;
    }
    return best;
  }

  #launchNext(): boolean {
    const [job, ...rest] = this.#jobs;
    if (job === undefined) return false;
    this.#jobs = rest;
    this.#yielding = false;
    job.launch();
    return true;
  }

  #startIsolate(seat: CommandSeat): void {
    const call = seat.calls.isolate;
    seat.dueAt = null;
    this.#yielding = seat.obeyed;
    const { startedAt } = this.#start('isolate', call, (ended) => {
      const outcome = outcomeOf(ended, call.done, this.#timers.now());
      const answered = seat.unanswered;
      seat.unanswered = [];
      for (const open of answered) open.acknowledged(outcome);
      if (!this.#seats.has(seat.calls)) return;
      seat.failures = outcome.kind === 'done' ? 0 : seat.failures + 1;
      seat.obeyed = outcome.kind === 'done' && seat.commanded === 'isolated';
      if (outcome.kind !== 'done') seat.dueAt ??= later(this.#timers.now(), RETRY_PAUSE_MS);
    });
    for (const open of seat.unstarted) open.written(startedAt);
    seat.unanswered.push(...seat.unstarted);
    seat.unstarted = [];
  }

  #start(kind: 'isolate' | Job['kind'], call: Call, end: (ended: Ended) => void): Running {
    const running = run(call.argv, call.timeoutMs, this.#timers);
    const present = { kind, running };
    this.#present = present;
    void running.ended.then((ended) => {
      if (this.#present === present) this.#present = null;
      end(ended);
      this.#step();
    });
    return running;
  }

  #drop(which: (job: Job) => boolean, why: string): void {
    const dropped = this.#jobs.filter(which);
    if (dropped.length === 0) return;
    this.#jobs = this.#jobs.filter((job) => !which(job));
    for (const job of dropped) job.drop(why);
  }
}

/** Those that did not fail before those that did, and a repetition after all of them. */
const urgency = (seat: CommandSeat): number => (seat.obeyed ? Number.POSITIVE_INFINITY : seat.failures);

function settle(seat: CommandSeat, outcome: CommandOutcome): void {
  for (const open of [...seat.unstarted, ...seat.unanswered]) open.acknowledged(outcome);
  seat.unstarted = [];
  seat.unanswered = [];
}

/** A program that ended without the sign has said no; one that was killed has said nothing. */
function outcomeOf(ended: Ended, done: Sign, at: Millis): CommandOutcome {
  if (bears(ended, done)) return { kind: 'done', at };
  return { kind: ended.kind === 'lost' ? 'unknown' : 'refused', why: endText(ended) };
}
