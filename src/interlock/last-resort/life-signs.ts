/**
 * Signs of life: to whoever supervises this process, and to the dead-man circuit.
 *
 * The supervisor is told at the end of a round of a link and nowhere else (without links: on the tick), so that a loop
 * that hangs tells nothing. Edges come in a faster beat than rounds; each asks the same rule again, and none is given
 * while no link may be connected. Neither is ever given from here because the other was.
 *
 * When this process dies or blocks, both end with it. What remains: a driver that answers and lies.
 */
import type { EdgeOutput } from '../../contacts/edge-output.ts';
import { type Checked, pulse } from '../../core/pulse.ts';
import type { Millis } from '../../core/time.ts';
import type { Clock } from '../clock.ts';

/** Whoever restarts this process when it is silent: systemd. Nothing here throws or waits. */
export interface Supervisor {
  /** Called once: every link has been looked at, and trips are received. */
  ready(status: string): void;
  /** The next sign of life is due within `watchdogMs` of this one; null when nobody counts. */
  readonly watchdogMs: number | null;
  alive(status: string): void;
  stopping(): void;
}

/** What is looked at for a sign of life. */
export interface Looked {
  /** What the loop of each link has done. */
  checked(): readonly Checked[];
  /** A link is connected, or may be by what was commanded. */
  mayBeConnected(): boolean;
  /** How every link stands, in words. */
  words(): string;
}

/** Least pause between two signs to the supervisor, ms; 64 links end hundreds of rounds a second. */
const SIGN_PAUSE_MS = 500;

/** Gives the signs of life of one interlock. */
export class LifeSigns {
  readonly #clock: Clock;
  readonly #supervisor: Supervisor | null;
  readonly #deadMan: EdgeOutput | null;
  #looked: Looked | null = null;
  #isListening = false;
  #isReady = false;
  #lastSignAt: Millis | null = null;
  #cancelEdge: () => void = () => undefined;

  constructor(clock: Clock, supervisor: Supervisor | null, deadMan: EdgeOutput | null) {
    this.#clock = clock;
    this.#supervisor = supervisor;
    this.#deadMan = deadMan;
  }

  /** Begins. */
  start(looked: Looked): void {
    this.#looked = looked;
    if (this.#deadMan !== null) this.#nextEdge(this.#deadMan);
  }

  /** Trips are received from now on: without that nobody is told that we are ready. */
  listening(): void {
    this.#isListening = true;
  }

  /** A round of a link is over. */
  roundOver(): void {
    const looked = this.#looked;
    const supervisor = this.#supervisor;
    if (looked === null || supervisor === null || !this.#isListening) return;
    const now = this.#clock.now();
    if (this.#lastSignAt !== null && now - this.#lastSignAt < SIGN_PAUSE_MS) return;
    if (pulse(looked.checked(), now).kind === 'withheld') return;
    this.#lastSignAt = now;
    if (!this.#isReady) supervisor.ready(looked.words());
    else supervisor.alive(looked.words());
    this.#isReady = true;
  }

  /** The end was asked for in order. Edges end at once; the watchdog is still fed by rounds while isolation is waited for. */
  stopping(): void {
    this.#cancelEdge();
    this.#supervisor?.stopping();
  }

  #nextEdge(output: EdgeOutput): void {
    this.#cancelEdge = this.#clock.after(output.edgePauseMs, () => {
      const looked = this.#looked;
      const isDue = looked !== null && looked.mayBeConnected();
      if (isDue && pulse(looked.checked(), this.#clock.now()).kind === 'given') output.edge();
      this.#nextEdge(output);
    });
  }
}
