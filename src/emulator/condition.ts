import type { BoardEvent, BoardState } from './board.ts';
import { FaultList, type Fault, type FaultName } from './faults.ts';
import { Happenings } from './happenings.ts';
import { type BoardTimers, Relays } from './relays.ts';

/** What a board is, whatever it speaks. */
interface BoardFacts {
  readonly channels: number;
  readonly power_on: { readonly position: Parameters<Relays['powerCycle']>[0] };
}

/** The condition that an emulated board is in: its relays, its faults, who is told, and whether it is starting anew. */
export class BoardCondition {
  readonly relays: Relays;
  readonly faults = new FaultList();
  readonly happenings = new Happenings();
  readonly #facts: BoardFacts;
  readonly #timers: BoardTimers;
  #deafUntil: (() => void) | null = null;

  constructor(facts: BoardFacts, timers: BoardTimers) {
    this.#facts = facts;
    this.#timers = timers;
    this.relays = new Relays(facts.channels, timers, this.faults, (channel, position, { kind, frame }) =>
      this.emit({ event: 'contact', at: timers.now(), channel, position, cause: kind, frame }),
    );
  }

  /** It is starting anew and hears nothing. */
  get isDeaf(): boolean {
    return this.#deafUntil !== null;
  }

  /** Tells the watchers. */
  emit(event: BoardEvent): void {
    this.happenings.emit(event);
  }

  /** `problem`: why this board cannot have the fault. Throws it as RangeError. */
  addFault(fault: Fault, problem: string | null): void {
    if (problem !== null) throw new RangeError(problem);
    if (fault.name === 'reboot') this.#reboot(fault.value);
    else if (fault.name === 'drop-connections') this.happenings.drop();
    else {
      this.faults.add(fault);
      this.relays.settle();
    }
    this.#emitFaults();
  }

  /** Clears one kind of fault, or all. Contacts go where their coils say. */
  clearFaults(name?: FaultName): void {
    this.faults.clear(name);
    this.relays.settle();
    this.#emitFaults();
  }

  state(inputs: readonly boolean[]): BoardState {
    return {
      coils: this.relays.coils(),
      contacts: this.relays.contacts(),
      leases: this.relays.leases(),
      inputs,
      faults: this.faults.list(),
    };
  }

  /** Ends every timer. */
  close(): void {
    this.relays.close();
    this.#deafUntil?.();
    this.#deafUntil = null;
  }

  #reboot(deafMs: number): void {
    this.relays.powerCycle(this.#facts.power_on.position);
    this.#deafUntil?.();
    this.#deafUntil = this.#timers.after(deafMs, () => {
      this.#deafUntil = null;
    });
    this.happenings.drop();
  }

  #emitFaults(): void {
    this.emit({ event: 'fault', at: this.#timers.now(), faults: this.faults.list() });
  }
}
