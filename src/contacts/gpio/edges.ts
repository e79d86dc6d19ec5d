/** Edges on a GPIO line. It claims nothing before its first edge, and leaves the level where it is when it is closed. */
import type { EdgeOutput } from '../edge-output.ts';
import type { DeadManSettings } from '../hardware-settings.ts';
import type { Timers } from '../timers.ts';
import { gpioAccess } from './access.ts';
import type { GpioAccess, Level, OutputLine } from './lines.ts';
import { opposite } from './lines.ts';

const EDGES_PER_PERIOD = 2;
const MAX_WHY_CHARS = 200;

/** The line of the dead-man circuit. */
export class GpioEdges implements EdgeOutput {
  readonly edgePauseMs: number;
  readonly #place: { readonly chip: string; readonly line: number };
  readonly #access: () => GpioAccess;
  #line: OutputLine | null = null;
  #level: Level = 0;
  #problem: string | null = null;
  #closed = false;

  constructor(
    { chip, line, period, access }: DeadManSettings,
    timers: Timers,
    into: () => GpioAccess = () => gpioAccess(access, timers),
  ) {
    this.edgePauseMs = period / EDGES_PER_PERIOD;
    this.#place = { chip, line };
    this.#access = into;
  }

  get problem(): string | null {
    return this.#problem;
  }

  edge(): void {
    if (this.#closed) return;
    const level = opposite(this.#level);
    try {
      this.#line ??= this.#access().claimOutput(this.#place);
      this.#line.drive(level);
      this.#level = level;
      this.#problem = null;
    } catch (error) {
      this.#problem = (error instanceof Error ? error.message : String(error)).slice(0, MAX_WHY_CHARS);
      // With the next edge it is claimed anew.
      this.#line?.release();
      this.#line = null;
    }
  }

  close(): void {
    this.#closed = true;
    this.#line?.release();
    this.#line = null;
  }
}
