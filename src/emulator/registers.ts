/** The registers of an emulated board: those that its profile checks at start, and no others. */
import type { ModbusProfile } from '../contacts/modbus/profile.ts';

/** Registers by address, holding what the start-up checks expect. */
export class Registers {
  readonly #values: Map<number, number>;

  constructor(checks: ModbusProfile['startup_checks']) {
    this.#values = new Map(
      checks.flatMap(({ address, quantity, every }) =>
        Array.from({ length: quantity }, (_, index) => [address + index, every] as const),
      ),
    );
  }

  /** Whether all of these are there. */
  has(address: number, quantity: number): boolean {
    return Array.from({ length: quantity }, (_, index) => address + index).every((each) =>
      this.#values.has(each),
    );
  }

  /** `null` when one of them is not there. */
  read(address: number, quantity: number): readonly number[] | null {
    if (!this.has(address, quantity)) return null;
    return Array.from({ length: quantity }, (_, index) => this.#values.get(address + index) ?? 0);
  }

  /** Ask `has` first: this would make registers that no board has. */
  write(address: number, values: readonly number[]): void {
    for (const [index, value] of values.entries()) this.#values.set(address + index, value);
  }
}
