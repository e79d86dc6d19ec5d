/**
 * Work that reads much of the journal waits for its turn: the interlock answers it beside its own work, so that nobody who may
 * read keeps it, or this program, busy with as much as he likes.
 */
import { ApiRefusal } from '../routes/refusal.ts';

const busy = (): ApiRefusal =>
  new ApiRefusal(503, 'busy', 'too much is read from the journal at once', 'try again in a moment', 2_000);

/** So many together; so many wait; whoever else asks is refused (503). */
export class Turns {
  readonly #together: number;
  readonly #most: number;
  readonly #waiting: (() => void)[] = [];
  #working = 0;

  constructor(together: number, waiting: number) {
    this.#together = together;
    this.#most = waiting;
  }

  /** Does the work when its turn has come. Rejects with `ApiRefusal`, or as the work does. */
  async take<T>(work: () => Promise<T>): Promise<T> {
    if (this.#working >= this.#together) {
      if (this.#waiting.length >= this.#most) throw busy();
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    } else this.#working += 1;
    try {
      return await work();
    } finally {
      this.#pass();
    }
  }

  /** A turn at once, or `ApiRefusal`; the answer gives it back, however often it is called. */
  claim(): () => void {
    if (this.#working >= this.#together) throw busy();
    this.#working += 1;
    let isHeld = true;
    return () => {
      if (isHeld) this.#pass();
      isHeld = false;
    };
  }

  /** The turn goes to whoever waited longest. */
  #pass(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#working -= 1;
    else next();
  }
}
