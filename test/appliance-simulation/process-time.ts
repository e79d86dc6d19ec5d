/** Time as one simulated process has it: it stands still while the process is stopped, and for ever when it is dead. */
import type { Hold, Time } from '../../src/protocol/time.ts';
import { pauseBy } from '../../src/protocol/time.ts';
import { BEGINNING_MS, lapsedMs } from '../simulation/virtual-time.ts';
import type { World } from '../simulation/world.ts';

export class ProcessTime implements Time {
  alive = true;
  readonly #world: World;
  readonly #beganAt: number;
  /** What has fallen due while the process was stopped; null while it runs. */
  #held: (() => void)[] | null = null;

  constructor(world: World) {
    this.#world = world;
    this.#beganAt = this.#trueNow();
  }

  /** SIGSTOP, a machine that swaps: nothing happens until `thaw`. */
  freeze(): void {
    this.#held ??= [];
  }

  thaw(): void {
    const held = this.#held;
    this.#held = null;
    for (const what of held ?? []) this.enter(what);
  }

  get isFrozen(): boolean {
    return this.#held !== null;
  }

  /** Something from outside reaches the process. */
  enter(what: () => void): void {
    if (!this.alive) return;
    if (this.#held !== null) this.#held.push(what);
    else what();
  }

  now(): number {
    return this.#trueNow() - this.#beganAt;
  }

  date(): Date {
    return new Date(Math.floor(BEGINNING_MS + this.#trueNow() + this.#world.calendar.offsetMs));
  }

  after(ms: number, what: () => void): () => void {
    let isCancelled = false;
    const cancel = this.#world.time.after(ms, () => this.enter(() => (isCancelled ? undefined : what())));
    return () => {
      isCancelled = true;
      cancel();
    };
  }

  every(ms: number, what: () => void): () => void {
    let cancel: () => void = () => undefined;
    const again = (): void => {
      cancel = this.after(ms, () => {
        again();
        what();
      });
    };
    again();
    return () => cancel();
  }

  /** Never resolves for a process that has died meanwhile. */
  pause(ms: number, stop?: AbortSignal, hold?: Hold): Promise<void> {
    return pauseBy(this, ms, stop, hold);
  }

  #trueNow(): number {
    const { calendar, time } = this.#world;
    return time.now + lapsedMs(calendar, time.now);
  }
}
