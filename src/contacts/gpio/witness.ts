import type { Reading } from '../../core/evidence.ts';
import type { Witness } from '../port.ts';
import type { Timers } from '../timers.ts';
import type { GpioInput } from './input.ts';
import type { Level } from './lines.ts';

/**
 * A mirror contact on a GPIO input: shows where the relay itself stands, through wires of its own. A broken wire reads
 * as the level of the pull resistor, so that level must be the one that means connected; `check` warns where it is not.
 */
export class GpioWitness implements Witness {
  readonly name: string;
  readonly type = 'gpio';
  readonly #input: GpioInput;
  readonly #isolatedWhen: Level;
  readonly #timers: Timers;

  constructor(parts: {
    readonly name: string;
    readonly input: GpioInput;
    readonly isolatedWhen: Level;
    readonly timers: Timers;
  }) {
    this.name = parts.name;
    this.#input = parts.input;
    this.#isolatedWhen = parts.isolatedWhen;
    this.#timers = parts.timers;
  }

  async read(): Promise<Reading> {
    const takenAt = this.#timers.now();
    const found = this.#input.look();
    if (found.kind === 'unknown') return { position: 'unknown', takenAt, detail: found.why };
    const position = found.level === this.#isolatedWhen ? 'isolated' : 'connected';
    return { position, takenAt, detail: `the mirror contact reads ${found.level}` };
  }

  close(): Promise<void> {
    return this.#input.close();
  }
}
