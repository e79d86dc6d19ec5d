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
import { BoardCondition } from './condition.ts';
import type { Fault, FaultName, RequestKind } from './faults.ts';
import { Inputs } from './inputs.ts';
import type { BoardSession, PlayedBoard, SessionWire } from './played.ts';
import { requestKind } from './request-kind.ts';
import { Session } from './session.ts';
import type { BoardTimers, Cause, ContactPosition } from './relays.ts';
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
  readonly #condition: BoardCondition;
  readonly #inputs: Inputs;
  readonly #settings: Settings;
  readonly #addresses: AddressMap;
  readonly #silence: SilenceWatch | null;

  constructor(profile: ModbusProfile, timers: BoardTimers) {
    this.profile = profile;
    this.timers = timers;
    this.#condition = new BoardCondition(profile, timers);
    this.#inputs = new Inputs(profile.id, profile.inputs?.quantity ?? 0, (channel) =>
      this.#condition.relays.isConnected(channel),
    );
    this.#settings = new Settings(profile.startup_checks, this.#condition.faults);
    const watchdog = profile.communication_watchdog;
    this.#silence =
      watchdog === undefined
        ? null
        : new SilenceWatch(watchdog, this.#settings, timers, () => this.#condition.relays.trip());
    this.#addresses = new AddressMap({
      profile,
      relays: this.#condition.relays,
      inputs: this.#inputs,
      settings: this.#settings,
      faults: this.#condition.faults,
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
    return this.#condition.happenings.watch(watcher);
  }

  onDrop(breaker: () => void): () => void {
    return this.#condition.happenings.onDrop(breaker);
  }

  /** Tells the watchers. */
  emit(event: BoardEvent): void {
    this.#condition.emit(event);
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
    return this.#condition.relays.isConnected(channel);
  }

  /** Whether a fault stands. */
  hasFault(name: FaultName): boolean {
    return this.#condition.faults.has(name);
  }

  addFault(fault: Fault): void {
    if (fault.name === 'reboot') this.#silence?.restart();
    this.#condition.addFault(fault, this.faultProblem(fault.name));
  }

  /** Clears one kind of fault, or all. Contacts go where their coils say. */
  clearFaults(name?: FaultName): void {
    this.#condition.clearFaults(name);
  }

  state(): BoardState {
    return this.#condition.state(this.#inputs.list());
  }

  /** Ends every timer. */
  close(): void {
    this.#condition.close();
    this.#silence?.restart();
  }

  /** Hears one request addressed to this board; `frame` is what came over the wire. Never waits. */
  hear(request: Request, frame: string): Answer | null {
    const kind = requestKind(this.profile, request);
    this.emit({ event: 'frame', at: this.timers.now(), kind, frame });
    if (this.#condition.isDeaf || this.#condition.faults.strike('silence', kind) !== null) return null;
    this.#silence?.heard(kind === 'read');
    const refusal = this.#condition.faults.strike('exception', kind);
    const reply =
      refusal === null
        ? this.#addresses.execute(request, { kind: 'frame', frame })
        : exception(refusal.value);
    if (this.#condition.faults.strike('mute', kind) !== null) return null;
    return {
      reply,
      wrongEcho: reply.kind === 'echo' && this.#condition.faults.strike('wrong-echo', kind) !== null,
      lateMs: this.#condition.faults.strike('late-reply', kind)?.value ?? 0,
      garbled: this.#condition.faults.strike('garbled-reply', kind) !== null,
      twice: this.#condition.faults.strike('duplicate-reply', kind) !== null,
    };
  }
}

/** A board in the state in which power-on leaves it. Starts nothing. */
export const createBoard = (profile: ModbusProfile, timers: BoardTimers): Board => new Board(profile, timers);
