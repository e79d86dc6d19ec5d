/**
 * One worker per console: the only thing that types on it. One console serves the ports of one switch.
 *
 * - One thing at a time; a cut goes before everything else and waits for at most the lines in flight, which their reply
 *   time-out bounds. While a session stands idle the lines of a cut are with the kernel in the tick in which it was asked
 *   for: the one line `shutdown` when the session is parked in the context of that port (it is, while the port is
 *   connected), else that line behind the fewest that lead there.
 * - A switch that prints no error has not obeyed: consoles take a mistyped port for a new one. An isolate is `done` only
 *   when the administrative state of exactly that port was read shut after it. Until then it is owed; it is never given up.
 * - A connect is typed only after the switch has shown, on this session, that the port exists, and one line at a time; its
 *   fence is asked in the tick in which the last line is written. A port that owes an isolate is not connected. A connect
 *   that was not read back is followed by an isolate.
 * - After a time-out or anything unexpected the wire is given up, nothing that it still prints counts, and the next session
 *   starts from an unknown prompt; ports that are to be isolated are isolated first, then read.
 * - Nothing is ever saved: such lines cannot be made (script.ts), and a switch that asks is told no.
 *
 * What remains: lines that reached the switch before the wire died may still be obeyed; hence the isolate first. A port
 * keeps its state when we die: this is a holding contact.
 */
import { later, millis, type Millis } from '../../core/time.ts';
import type { Answer } from '../exchange.ts';
import type { CommandOutcome, Fence, IsolateReceipt } from '../port.ts';
import { Alarm, type Timers } from '../timers.ts';
import type { Transport } from '../transport.ts';
import { MAX_WAIT_MS } from '../waiting.ts';
import type { ConsoleDevice } from './fields.ts';
import { Errands } from './errands.ts';
import { type Asked, type Connecting, Jobs } from './jobs.ts';
import type { Login } from './login.ts';
import { PortSeat, RETRY_PAUSE_MS } from './port-seat.ts';
import type { StateRead } from './printed.ts';
import { Session } from './session.ts';
import { Typist } from './typist.ts';

/** ms between two attempts to log in after one that was refused: switches lock out who tries too often. */
export const LOGIN_PAUSE_MS = 5000;

/** What a console is made of. */
export interface ConsoleParts {
  readonly device: ConsoleDevice;
  readonly transport: Transport;
  readonly timers: Timers;
  readonly login: Login;
}

/** The worker of one console. */
export class ConsoleWorker {
  readonly device: ConsoleDevice;
  readonly #timers: Timers;
  readonly #session: Session;
  readonly #typist: Typist;
  readonly #errands: Errands;
  readonly #seats = new Map<string, PortSeat>();
  readonly #jobs = new Jobs();
  readonly #pause: Alarm;
  readonly #alarm: Alarm;
  #users = 0;
  #lastOpenAt: Millis = millis(0);
  /** An isolate has just failed, or was a repetition: one job goes before the next attempt. */
  #yielding = false;

  constructor(parts: ConsoleParts) {
    this.device = parts.device;
    this.#timers = parts.timers;
    this.#pause = new Alarm(parts.timers, () => this.#step());
    this.#alarm = new Alarm(parts.timers, () => this.#step());
    const owner = {
      ready: () => this.#ready(),
      unreachable: (why: string, refused: boolean) => this.#unreachable(why, refused),
      lost: (why: string) => this.#lost(why),
    };
    this.#session = new Session({ ...parts, owner });
    this.#typist = new Typist(parts.device, this.#session, () => this.#step());
    this.#errands = new Errands({
      typist: this.#typist,
      jobs: this.#jobs,
      timers: parts.timers,
      settleMs: parts.device.timings.settle_ms,
      next: () => this.#step(),
      failed: () => {
        this.#yielding = true;
      },
    });
  }

  /** Makes a port known; nothing is typed. */
  attach(port: string): void {
    if (this.#seats.has(port)) throw new Error(`port ${port} is already on this console`);
    this.#seats.set(port, new PortSeat(port));
    this.retain();
  }

  /** Forgets a port without moving it. Leaves the session with its last user. */
  async detach(port: string): Promise<void> {
    const seat = this.#seats.get(port);
    if (seat === undefined) return;
    this.#seats.delete(port);
    this.#jobs.drop((job) => job.kind === 'connect' && job.seat === seat, CLOSED);
    this.#jobs.drop((job) => job.kind === 'question' && job.port === port, CLOSED);
    seat.release();
    await this.release();
  }

  /** Counts a user that only asks questions, such as a witness. */
  retain(): void {
    this.#users += 1;
  }

  /** Ends what `retain` began. Bounded in time. */
  async release(): Promise<void> {
    this.#users -= 1;
    if (this.#users > 0) return;
    this.#jobs.drop(() => true, CLOSED);
    this.#pause.clear();
    this.#alarm.clear();
    await this.#session.close();
  }

  /** Owes an isolate and types it in this tick if the session stands idle. Never throws. */
  isolate(port: string): IsolateReceipt {
    const known = this.#seats.get(port);
    const seat = known ?? new PortSeat(port);
    // Only news may cut a pause short: whoever repeats a command at once must not make us spin.
    if (known !== undefined && seat.commanded !== 'isolated') {
      this.#pause.clear();
      this.#yielding = false;
    }
    const receipt = seat.owe(this.#timers.now());
    if (known === undefined) seat.release();
    this.#jobs.drop((job) => job.kind === 'connect' && job.seat === seat && job.typedAt === null, {
      kind: 'fenced',
    });
    this.#jobs.drop((job) => job.kind === 'connect' && job.seat === seat, {
      kind: 'unknown',
      why: 'cut before the switch had shown the port connected',
    });
    this.#step();
    return receipt;
  }

  /** Types the connect when its turn comes, if the fence still allows it in that tick. Never rejects. */
  connect(port: string, fence: Fence): Promise<CommandOutcome> {
    const seat = this.#seats.get(port);
    if (seat === undefined) return Promise.resolve({ kind: 'unknown', why: `not typed: ${CLOSED.why}` });
    return new Promise((resolve) => {
      const job: Connecting = {
        kind: 'connect',
        seat,
        fence,
        cuts: seat.cuts,
        until: later(this.#timers.now(), MAX_WAIT_MS),
        exists: false,
        typedAt: null,
        end: (outcome) => {
          this.#jobs.remove(job);
          this.#yielding = false;
          // Nobody knows whether it was obeyed, or will be. What never was connected goes back to isolated.
          const open = outcome.kind !== 'done' && job.typedAt !== null && seat.commanded === 'connected';
          if (open && !seat.confirmed) seat.fallBack(this.#timers.now());
          resolve(outcome);
        },
      };
      this.#jobs.add(job);
      this.#step();
    });
  }

  /** Asks something about a port. A question that still waits is shared with whoever asks it again. Never rejects. */
  ask(asked: Asked, port: string): Promise<Answer<StateRead>> {
    if (this.#users <= 0) return Promise.resolve(CLOSED);
    const shared = this.#jobs.waiting(asked, port);
    if (shared !== undefined) return shared.answer;
    const { promise, resolve } = Promise.withResolvers<Answer<StateRead>>();
    const until = later(this.#timers.now(), MAX_WAIT_MS);
    const end = (answer: Answer<StateRead>): void => {
      this.#yielding = false;
      resolve(answer);
    };
    this.#jobs.add({ kind: 'question', asked, port, until, answer: promise, end, isTyped: false });
    this.#step();
    return promise;
  }

  /** The one place where something to type is chosen. */
  #step(): void {
    if (this.#users <= 0) return;
    const next = this.#jobs.expire(this.#timers.now());
    if (next !== null) this.#alarm.at(next);
    switch (this.#session.state) {
      case 'closed':
        if (this.#pause.set || !this.#hasWork()) return;
        this.#lastOpenAt = this.#timers.now();
        this.#session.open();
        return;
      case 'idle':
        this.#work();
        return;
      case 'opening':
      case 'waking':
      case 'busy':
        return;
    }
  }

  #hasWork(): boolean {
    const seats = [...this.#seats.values()];
    return !this.#jobs.empty || seats.some((seat) => seat.owes || seat.commanded === 'connected');
  }

  #work(): void {
    const now = this.#timers.now();
    const due = this.#nextDue(now);
    const job = this.#jobs.first;
    // Isolates are repeated until somebody reads that they were obeyed: they must let the readings through.
    const waits =
      (due !== null && due.typedAt !== null && !due.looked) || (this.#yielding && job !== undefined);
    if (due !== null && !waits) {
      if (due.isRepetition) this.#yielding = true;
      this.#typist.cut(due);
      return;
    }
    if (!this.#session.prepared) {
      this.#typist.prepare();
      return;
    }
    const typed = [...this.#seats.values()].find((seat) => seat.typedAt !== null && seat.lookAt <= now);
    if (typed !== undefined) this.#errands.prove(typed);
    else if (job?.kind === 'question') this.#errands.question(job);
    else if (job?.kind === 'connect') this.#errands.connect(job);
    else this.#typist.park(this.#lastConnected());
  }

  /** The seat that is to be isolated now, repetitions last and failed ones before them; arranges to be woken for the rest. */
  #nextDue(now: Millis): PortSeat | null {
    let best: PortSeat | null = null;
    for (const seat of this.#seats.values()) {
      if (seat.typedAt !== null && seat.lookAt > now) this.#alarm.at(seat.lookAt);
      if (seat.dueAt === null) continue;
      if (seat.dueAt > now) this.#alarm.at(seat.dueAt);
      else if (best === null || urgency(seat) < urgency(best)) best = seat;
    }
    return best;
  }

  #lastConnected(): string | null {
    return [...this.#seats.values()].findLast((seat) => seat.commanded === 'connected')?.port ?? null;
  }

  #ready(): void {
    this.#typist.restart();
    this.#oweAll();
    this.#step();
  }

  /** What was commanded isolated may stand otherwise: nobody watched. */
  #oweAll(): void {
    const now = this.#timers.now();
    for (const seat of this.#seats.values()) if (seat.commanded === 'isolated') seat.fallBack(now);
  }

  #unreachable(why: string, loginRefused: boolean): void {
    this.#nobodyAnswers(why);
    this.#pause.at(later(this.#timers.now(), loginRefused ? LOGIN_PAUSE_MS : RETRY_PAUSE_MS));
  }

  /** Everybody who waits is told; isolates stay owed. */
  #nobodyAnswers(why: string): void {
    const outcome = { kind: 'unknown', why } as const;
    this.#jobs.drop(() => true, outcome);
    this.#oweAll();
    for (const seat of this.#seats.values()) seat.unreachable(outcome);
  }

  #lost(why: string): void {
    this.#nobodyAnswers(why);
    const now = this.#timers.now();
    const next = later(this.#lastOpenAt, RETRY_PAUSE_MS);
    if (next > now) this.#pause.at(next);
    this.#step();
  }
}

const urgency = (seat: PortSeat): number => (seat.isRepetition ? Number.POSITIVE_INFINITY : seat.failures);

const CLOSED = { kind: 'unknown', why: 'the driver was closed' } as const;
