/**
 * A relay board as its profile describes it: what was commanded (coils) and where the contacts really are, kept apart.
 * No I/O and no clock of its own.
 *
 * What a timer lease does is our assumption, unproven on hardware: a repeated lease starts the time anew, a plain
 * isolate ends it at once, a plain connect ends the timer and leaves the contact connected (the worst case for us).
 * Its watchdog follows the profile and the settings; one that no setting shows is played as not armed. While a watchdog waits
 * for a person, commands are echoed and not followed. The faults `lease-not-renewable` and `isolate-ignored-during-lease` turn
 * the first two round. Nothing that runs against this board proves anything about a real one.
 */
import type { Reply, Request } from '../contacts/modbus/pdu.ts';
import type { Framing, ModbusProfile } from '../contacts/modbus/profile.ts';
import type { Millis } from '../core/time.ts';
import { AddressMap } from './address-map.ts';
import { FaultList, type Fault, type FaultName, type RequestKind } from './faults.ts';
import { Happenings } from './happenings.ts';
import { Inputs } from './inputs.ts';
import type { BoardSession, PlayedBoard, SessionWire } from './played.ts';
import { requestKind } from './request-kind.ts';
import { Session } from './session.ts';
import { Relays, type BoardTimers, type Cause, type ContactPosition } from './relays.ts';
import { Settings, type Space } from './settings.ts';
import { SilenceWatch } from './silence-watch.ts';

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

/** The board. Methods throw `RangeError` for a channel, input or register that the profile does not have. */
export class Board implements PlayedBoard {
  readonly profile: ModbusProfile;
  readonly timers: BoardTimers;
  readonly #relays: Relays;
  readonly #inputs: Inputs;
  readonly #settings: Settings;
  readonly #addresses: AddressMap;
  readonly #silence: SilenceWatch | null;
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
    this.#settings = new Settings(profile.startup_checks, this.#faults);
    const watchdog = profile.communication_watchdog;
    this.#silence =
      watchdog === undefined
        ? null
        : new SilenceWatch(watchdog, this.#settings, timers, () => this.#relays.trip());
    this.#addresses = new AddressMap({
      profile,
      relays: this.#relays,
      inputs: this.#inputs,
      settings: this.#settings,
      faults: this.#faults,
      isLocked: () => this.#silence?.locked === true,
    });
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
    this.setValue(3, address, value);
  }

  /** Sets something that the profile checks at start; `space` is the function that reads it. */
  setValue(space: Space, address: number, value: number): void {
    if (!this.#settings.has(space, address, 1)) {
      const what = { 1: 'coil', 2: 'discrete input', 3: 'register' }[space];
      throw new RangeError(`${this.profile.id} has no ${what} ${address}`);
    }
    this.#settings.write(space, address, [value]);
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
    this.#silence?.restart();
    this.#deafUntil?.();
    this.#deafUntil = null;
  }

  /** Hears one request addressed to this board; `frame` is what came over the wire. Never waits. */
  hear(request: Request, frame: string): Answer | null {
    const kind = requestKind(this.profile, request);
    this.emit({ event: 'frame', at: this.timers.now(), kind, frame });
    if (this.#deafUntil !== null || this.#faults.strike('silence', kind) !== null) return null;
    this.#silence?.heard(kind === 'read');
    const refusal = this.#faults.strike('exception', kind);
    const reply =
      refusal === null
        ? this.#addresses.execute(request, { kind: 'frame', frame })
        : exception(refusal.value);
    if (this.#faults.strike('mute', kind) !== null) return null;
    return {
      reply,
      wrongEcho: reply.kind === 'echo' && this.#faults.strike('wrong-echo', kind) !== null,
      lateMs: this.#faults.strike('late-reply', kind)?.value ?? 0,
      garbled: this.#faults.strike('garbled-reply', kind) !== null,
      twice: this.#faults.strike('duplicate-reply', kind) !== null,
    };
  }

  #reboot(deafMs: number): void {
    this.#silence?.restart();
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
}

/** A board in the state in which power-on leaves it. Starts nothing. */
export const createBoard = (profile: ModbusProfile, timers: BoardTimers): Board => new Board(profile, timers);
