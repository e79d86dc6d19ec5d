/** What an emulated board keeps besides its relays and inputs: the settings that its profile checks at start, and no others. */
import { passes, soundValue, type StartupCheck, unsoundValue } from '../contacts/modbus/settings.ts';
import type { FaultList } from './faults.ts';

/** Where a value lives: coils, discrete inputs or holding registers, by the function that reads them. */
export type Space = StartupCheck['function'];

/** Values by space and address, holding what the start-up checks expect. */
export class Settings {
  readonly #checks: readonly StartupCheck[];
  readonly #faults: FaultList;
  readonly #values: Readonly<Record<Space, Map<number, number>>> = {
    1: new Map(),
    2: new Map(),
    3: new Map(),
  };

  constructor(checks: readonly StartupCheck[], faults: FaultList) {
    this.#checks = checks;
    this.#faults = faults;
    for (const check of checks) {
      for (let index = 0; index < check.quantity; index += 1)
        this.#values[check.function].set(check.address + index, soundValue(check, index));
    }
  }

  /** Whether there is anything in this space. */
  knows(space: Space): boolean {
    return this.#values[space].size > 0;
  }

  /** Whether all of these are there. */
  has(space: Space, address: number, quantity: number): boolean {
    return Array.from({ length: quantity }, (_, index) => address + index).every((each) =>
      this.#values[space].has(each),
    );
  }

  /** `null` when one of them is not there. The fault `wrong-setting` changes what is read, not what is kept. */
  read(space: Space, address: number, quantity: number): readonly number[] | null {
    if (!this.has(space, address, quantity)) return null;
    return Array.from({ length: quantity }, (_, index) => this.#read(space, address + index));
  }

  #read(space: Space, address: number): number {
    const wrong = this.#checks.find(
      (check, index) =>
        check.function === space && check.address === address && this.#faults.has('wrong-setting', index + 1),
    );
    return wrong === undefined ? (this.#values[space].get(address) ?? 0) : unsoundValue(wrong);
  }

  /** Ask `has` first: this would make values that no board has. */
  write(space: Space, address: number, values: readonly number[]): void {
    for (const [index, value] of values.entries()) this.#values[space].set(address + index, value);
  }

  /** Whether every one of these checks would pass. */
  pass(names: readonly string[]): boolean {
    return this.#checks
      .filter(({ name }) => names.includes(name))
      .every((check) => passes(check, this.read(check.function, check.address, check.quantity) ?? []));
  }

  /** The first value that a check reads; `null` when there is no such check. */
  valueOf(name: string): number | null {
    const check = this.#checks.find((each) => each.name === name);
    return check === undefined ? null : this.#read(check.function, check.address);
  }
}
