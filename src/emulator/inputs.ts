/** The digital inputs of an emulated board: set by hand, or wired to a mirror contact of a channel. */

/** Inputs in order from 1. */
export class Inputs {
  readonly #board: string;
  readonly #isConnected: (channel: number) => boolean;
  readonly #values: boolean[];
  readonly #mirrors = new Map<number, number>();

  constructor(board: string, quantity: number, isConnected: (channel: number) => boolean) {
    this.#board = board;
    this.#isConnected = isConnected;
    this.#values = Array.from({ length: quantity }, () => false);
  }

  /** Makes `input` read 1 while the contact of `channel` is isolated. Throws `RangeError` for what the board does not have. */
  mirror(channel: number, input: number): void {
    this.#isConnected(channel);
    this.#require(input);
    this.#mirrors.set(input, channel);
  }

  /** Throws `RangeError` for an input that the board does not have. */
  set(input: number, value: boolean): void {
    this.#require(input);
    this.#values[input - 1] = value;
  }

  /** What every input reads. */
  list(): readonly boolean[] {
    return this.#values.map((value, index) => {
      const mirrored = this.#mirrors.get(index + 1);
      return mirrored === undefined ? value : !this.#isConnected(mirrored);
    });
  }

  #require(input: number): void {
    if (input >= 1 && input <= this.#values.length) return;
    const has = this.#values.length === 0 ? 'no inputs' : `inputs 1 to ${this.#values.length}`;
    throw new RangeError(`${this.#board} has ${has}, not ${input}`);
  }
}
