/**
 * A relay board as its profile describes it: what was commanded (coils) and where the contacts really are, kept apart.
 * No I/O and no clock of its own.
 *
 * What a timer lease does is our assumption, unproven on hardware: a repeated lease starts the time anew, a plain
 * isolate ends it at once, a plain connect ends the timer and leaves the contact connected (the worst case for us).
 * The faults `lease-not-renewable` and `isolate-ignored-during-lease` turn the first two round. Nothing that runs
 * against this board proves anything about a real one.
 */
import type { Reply, Request } from '../contacts/modbus/pdu.ts';
import type { Framing, ModbusProfile } from '../contacts/modbus/profile.ts';
import type { Millis } from '../core/time.ts';
import { FaultList, type Fault, type FaultName, type RequestKind } from './faults.ts';
import { Happenings } from './happenings.ts';
import { Inputs } from './inputs.ts';
import type { BoardSession, PlayedBoard, SessionWire } from './played.ts';
import { Registers } from './registers.ts';
import { channelAt, COIL_RELEASED, COIL_SET, requestKind } from './request-kind.ts';
import { Session } from './session.ts';
import { Relays, type BoardTimers, type Cause, type ContactPosition } from './relays.ts';

const ILLEGAL_FUNCTION = 1;
const ILLEGAL_ADDRESS = 2;
const ILLEGAL_VALUE = 3;

/** What happened on or to the board. `at` is monotonic ms, comparable between processes of one machine. */
export type BoardEvent =
  | { readonly event: 'frame'; readonly at: Millis; readonly kind: RequestKind; readonly frame: string }
  | { readonly event: 'reply'; readonly at: Millis; readonly frame: string }
  | {
      readonly event: 'contact';
      readonly at: Millis;
      readonly channel: number;
      readonly position: ContactPosition;
      readonly cause: Cause['kind'];
      /** The request that did it, `null` for other causes. */
      readonly frame: string | null;
    }
  | { readonly event: 'fault'; readonly at: Millis; readonly faults: readonly Fault[] }
  | {
      readonly event: 'cable';
      readonly at: Millis;
      readonly host: string;
      readonly port: number;
      /** Why a cable whose contacts are connected cannot have its port again yet. */
      readonly why: string;
    }
  | {
      readonly event: 'connection';
      readonly at: Millis;
      readonly peer: string;
      readonly state: 'accepted' | 'gone';
    };

/** The board's answer to one request, with what the faults make of its delivery; `null` when it stays silent. */
export interface Answer {
  readonly reply: Reply;
  /** The value that a faulty echo shows instead of the right one. */
  readonly wrongEcho: boolean;
  readonly lateMs: number;
  readonly garbled: boolean;
  readonly twice: boolean;
}

/** Everything about the board at one moment; channels and inputs in order from 1. */
export interface BoardState {
  readonly coils: readonly ContactPosition[];
  readonly contacts: readonly ContactPosition[];
  /** ms until the running lease of each channel ends, `null` without one. */
  readonly leases: readonly (number | null)[];
  readonly inputs: readonly boolean[];
  readonly faults: readonly Fault[];
}

const exception = (code: number): Reply => ({ kind: 'exception', code });
const ECHO: Reply = { kind: 'echo' };

/** The board. Methods throw `RangeError` for a channel, input or register that the profile does not have. */
export class Board implements PlayedBoard {
  readonly profile: ModbusProfile;
  readonly timers: BoardTimers;
  readonly #relays: Relays;
  readonly #inputs: Inputs;
  readonly #registers: Registers;
  readonly #faults = new FaultList();
  readonly #happenings = new Happenings();
  #deafUntil: (() => void) | null = null;

  constructor(profile: ModbusProfile, timers: BoardTimers) {
    this.profile = profile;
    this.timers = timers;
    this.#relays = new Relays(profile.channels, timers, this.#faults, (channel, position, { kind, frame }) =>
      this.emit({ event: 'contact', at: timers.now(), channel, position, cause: kind, frame }),
    );
    this.#inputs = new Inputs(profile.id, profile.inputs?.quantity ?? 0, (channel) =>
      this.#relays.isConnected(channel),
    );
    this.#registers = new Registers(profile.startup_checks);
  }

  faultProblem(name: FaultName): string | null {
    return name === 'asleep' ? 'asleep is for serial boards' : null;
  }

  session(wire: SessionWire, framing: Framing): BoardSession {
    return new Session(this, framing, wire);
  }

  watch(watcher: (event: BoardEvent) => void): () => void {
    return this.#happenings.watch(watcher);
  }

  onDrop(breaker: () => void): () => void {
    return this.#happenings.onDrop(breaker);
  }

  /** Tells the watchers. */
  emit(event: BoardEvent): void {
    this.#happenings.emit(event);
  }

  /** Makes `input` read 1 while the contact of `channel` is isolated, as a force-guided normally-closed contact does. */
  mirror(channel: number, input: number): void {
    this.#inputs.mirror(channel, input);
  }

  setInput(input: number, value: boolean): void {
    this.#inputs.set(input, value);
  }

  /** Sets a register that the profile checks at start. */
  setRegister(address: number, value: number): void {
    if (!this.#registers.has(address, 1))
      throw new RangeError(`${this.profile.id} has no register ${address}`);
    this.#registers.write(address, [value]);
  }

  /** Whether the contact of `channel` (from 1) really is connected. */
  isConnected(channel: number): boolean {
    return this.#relays.isConnected(channel);
  }

  /** Whether a fault stands. */
  hasFault(name: FaultName): boolean {
    return this.#faults.has(name);
  }

  addFault(fault: Fault): void {
    const problem = this.faultProblem(fault.name);
    if (problem !== null) throw new RangeError(problem);
    if (fault.name === 'reboot') this.#reboot(fault.value);
    else if (fault.name === 'drop-connections') this.#happenings.drop();
    else {
      this.#faults.add(fault);
      this.#relays.settle();
    }
    this.#emitFaults();
  }

  /** Clears one kind of fault, or all. Contacts go where their coils say. */
  clearFaults(name?: FaultName): void {
    this.#faults.clear(name);
    this.#relays.settle();
    this.#emitFaults();
  }

  state(): BoardState {
    return {
      coils: this.#relays.coils(),
      contacts: this.#relays.contacts(),
      leases: this.#relays.leases(),
      inputs: this.#inputs.list(),
      faults: this.#faults.list(),
    };
  }

  /** Ends every timer. */
  close(): void {
    this.#relays.close();
    this.#deafUntil?.();
    this.#deafUntil = null;
  }

  /** Hears one request addressed to this board; `frame` is what came over the wire. Never waits. */
  hear(request: Request, frame: string): Answer | null {
    const kind = requestKind(this.profile, request);
    this.emit({ event: 'frame', at: this.timers.now(), kind, frame });
    if (this.#deafUntil !== null || this.#faults.strike('silence', kind) !== null) return null;
    const refusal = this.#faults.strike('exception', kind);
    const reply = refusal === null ? this.#execute(request, frame) : exception(refusal.value);
    if (this.#faults.strike('mute', kind) !== null) return null;
    return {
      reply,
      wrongEcho: reply.kind === 'echo' && this.#faults.strike('wrong-echo', kind) !== null,
      lateMs: this.#faults.strike('late-reply', kind)?.value ?? 0,
      garbled: this.#faults.strike('garbled-reply', kind) !== null,
      twice: this.#faults.strike('duplicate-reply', kind) !== null,
    };
  }

  #execute(request: Request, frame: string): Reply {
    switch (request.function) {
      case 1: {
        const lying = this.#faults.has('lying-read-back');
        return this.#bits(
          request,
          this.profile.read.address,
          this.#relays.coils().map((coil) => coil === 'connected' && !lying),
        );
      }
      case 2:
        if (this.profile.inputs === undefined) return exception(ILLEGAL_FUNCTION);
        return this.#bits(request, this.profile.inputs.address, this.#inputs.list());
      case 3:
        return this.#readRegisters(request.address, request.quantity);
      case 4:
        return exception(ILLEGAL_FUNCTION);
      case 5:
        return this.#writeCoil(request.address, request.value, { kind: 'frame', frame });
      case 6:
        return this.#writeRegisters(request.address, [request.value]);
      case 15:
        return this.#writeCoils(request.address, request.bits, { kind: 'frame', frame });
      case 16:
        return this.#writeRegisters(request.address, request.values);
    }
  }

  #bits(
    { address, quantity }: { address: number; quantity: number },
    base: number,
    all: readonly boolean[],
  ): Reply {
    const first = address - base;
    if (first < 0 || quantity < 1 || first + quantity > all.length) return exception(ILLEGAL_ADDRESS);
    return { kind: 'bits', bits: all.slice(first, first + quantity) };
  }

  #readRegisters(address: number, quantity: number): Reply {
    if (quantity === 0) return exception(ILLEGAL_VALUE);
    const values = this.#registers.read(address, quantity);
    return values === null ? exception(ILLEGAL_ADDRESS) : { kind: 'registers', values };
  }

  #writeRegisters(address: number, values: readonly number[]): Reply {
    if (!this.#registers.has(address, values.length)) return exception(ILLEGAL_ADDRESS);
    if (!this.#faults.has('echo-only')) this.#registers.write(address, values);
    return ECHO;
  }

  #writeCoil(address: number, value: number, cause: Cause): Reply {
    const { connect, hardware_lease: lease, isolate_all: all } = this.profile;
    const leased = lease === undefined ? null : channelAt(this.profile, address, lease.address);
    if (lease !== undefined && leased !== null) {
      if (value < lease.min || value > lease.max) return exception(ILLEGAL_VALUE);
      this.#relays.lease(leased, value * lease.unit_ms, cause);
      return ECHO;
    }
    const single = channelAt(this.profile, address, connect.address);
    const channels =
      all?.function === 5 && address === all.address ? this.#all() : single === null ? [] : [single];
    if (channels.length === 0) return exception(ILLEGAL_ADDRESS);
    if (value !== COIL_SET && value !== COIL_RELEASED) return exception(ILLEGAL_VALUE);
    for (const channel of channels) this.#relays.command(channel, value === COIL_SET, cause);
    return ECHO;
  }

  #writeCoils(address: number, bits: readonly boolean[], cause: Cause): Reply {
    const first = address - this.profile.connect.address;
    if (first < 0 || bits.length < 1 || first + bits.length > this.#relays.count)
      return exception(ILLEGAL_ADDRESS);
    bits.forEach((bit, index) => this.#relays.command(first + index + 1, bit, cause));
    return ECHO;
  }

  #reboot(deafMs: number): void {
    this.#relays.powerCycle(this.profile.power_on.position);
    this.#deafUntil?.();
    this.#deafUntil = this.timers.after(deafMs, () => {
      this.#deafUntil = null;
    });
    this.#happenings.drop();
  }

  #emitFaults(): void {
    this.emit({ event: 'fault', at: this.timers.now(), faults: this.#faults.list() });
  }

  #all(): readonly number[] {
    return Array.from({ length: this.#relays.count }, (_, index) => index + 1);
  }
}

/** A board in the state in which power-on leaves it. Starts nothing. */
export const createBoard = (profile: ModbusProfile, timers: BoardTimers): Board => new Board(profile, timers);
