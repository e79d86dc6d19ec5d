/** What happened, in words, for the reader of a failing seed. Only the last lines are kept. */

const LINES_KEPT = 60;

export class Story {
  readonly #now: () => number;
  #lines: string[] = [];
  /** Everything that was met, for the account of what the simulation visited. */
  readonly met = new Map<string, number>();

  constructor(now: () => number) {
    this.#now = now;
  }

  tell(line: string): void {
    this.#lines.push(`${this.#now().toFixed(1).padStart(10)} ms  ${line}`);
    if (this.#lines.length > LINES_KEPT * 2) this.#lines = this.#lines.slice(-LINES_KEPT);
  }

  /** Counts a thing that was visited. */
  meet(what: string): void {
    this.met.set(what, (this.met.get(what) ?? 0) + 1);
  }

  toString(): string {
    return this.#lines.slice(-LINES_KEPT).join('\n');
  }
}
