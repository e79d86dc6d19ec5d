/**
 * A serial relay board as its profile describes it: what was commanded and where the contacts are, kept apart.
 *
 * A profile's mistake is repeated here, and so are our assumptions about its timer (see board.ts). Nothing that runs
 * against this board proves anything about a real one.
 */
import { buildFrame } from '../contacts/serial/frame.ts';
import { Frames, type SerialAsk, stateForm } from '../contacts/serial/frames.ts';
import type { SerialProfile } from '../contacts/serial/profile.ts';
import type { BoardEvent, BoardState } from './board.ts';
import { FaultList, type Fault, type FaultName } from './faults.ts';
import { Happenings } from './happenings.ts';
import type { BoardSession, PlayedBoard, SessionWire } from './played.ts';
import { Relays, type BoardTimers, type Cause } from './relays.ts';
import { type HeardRequest, serialRequestKind } from './serial-requests.ts';
import { SerialSession } from './serial-session.ts';

/** A reply and what the faults make of its delivery. */
export interface SerialAnswer {
  readonly reply: Buffer;
  readonly lateMs: number;
}

/** Bits that turn in a reply that is no reply. Together with one byte too many no answer can look like it. */
const GARBLED_BITS = 0x41;

/** The board. Starts nothing. */
export class SerialPlay implements PlayedBoard {
  readonly profile: SerialProfile;
  readonly timers: BoardTimers;
  readonly frames: Frames;
  /** The card that is played, or `null` for a board without an address. */
  readonly address: number | null;
  readonly #relays: Relays;
  readonly #faults = new FaultList();
  readonly #happenings = new Happenings();
  #deafUntil: (() => void) | null = null;

  constructor(profile: SerialProfile, timers: BoardTimers) {
    this.profile = profile;
    this.timers = timers;
    this.frames = new Frames(profile);
    this.address = profile.addresses?.first ?? null;
    this.#relays = new Relays(profile.channels, timers, this.#faults, (channel, position, { kind, frame }) =>
      this.emit({ event: 'contact', at: timers.now(), channel, position, cause: kind, frame }),
    );
  }

  faultProblem(name: FaultName): string | null {
    const { hardware_lease: lease, read, connect, initialise, startup_checks: checks } = this.profile;
    const why: Partial<Record<FaultName, string | false>> = {
      'wrong-echo': 'its replies repeat no value',
      exception: connect.refused === undefined && 'it has no way to say no',
      'lying-read-back': read === undefined && 'it cannot be read',
      'lease-not-renewable': lease === undefined && 'it has no timer',
      'isolate-ignored-during-lease': lease === undefined && 'it has no timer',
      asleep: initialise.length === 0 && 'it needs no initialisation',
      'wrong-setting': checks.length === 0 && 'it has no start-up checks',
    };
    const reason = why[name];
    return reason === undefined || reason === false ? null : `${this.profile.id} has no ${name}: ${reason}`;
  }

  session(wire: SessionWire): BoardSession {
    return new SerialSession(this, wire);
  }

  watch(watcher: (event: BoardEvent) => void): () => void {
    return this.#happenings.watch(watcher);
  }

  onDrop(breaker: () => void): () => void {
    return this.#happenings.onDrop(breaker);
  }

  emit(event: BoardEvent): void {
    this.#happenings.emit(event);
  }

  mirror(channel: number, input: number): void {
    this.#relays.isConnected(channel);
    this.#noInput(input);
  }

  setInput(input: number): void {
    this.#noInput(input);
  }

  setRegister(address: number): void {
    throw new RangeError(`${this.profile.id} has no registers, not ${address}`);
  }

  isConnected(channel: number): boolean {
    return this.#relays.isConnected(channel);
  }

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
      inputs: [],
      faults: this.#faults.list(),
    };
  }

  close(): void {
    this.#relays.close();
    this.#deafUntil?.();
    this.#deafUntil = null;
  }

  /** Hears one request; `frame` is what came over the wire. `null`: nothing is said. Never waits. */
  hear({ ask, bytes }: HeardRequest, frame: string): SerialAnswer | null {
    const kind = serialRequestKind(ask);
    this.emit({ event: 'frame', at: this.timers.now(), kind, frame });
    if (this.#deafUntil !== null || this.#faults.strike('silence', kind) !== null) return null;
    if (ask.ask === 'initialise') {
      if (ask.step === this.profile.initialise.length) this.clearFaults('asleep');
      return null;
    }
    if (this.#faults.has('asleep')) return null;
    const refuses = this.#faults.strike('exception', kind) !== null;
    if (!refuses) this.#execute(ask, { kind: 'frame', frame });
    const reply = this.#reply(ask, bytes, refuses);
    if (reply === null || this.#faults.strike('mute', kind) !== null) return null;
    const lateMs = this.#faults.strike('late-reply', kind)?.value ?? 0;
    if (this.#faults.strike('garbled-reply', kind) !== null) return { reply: garbled(reply), lateMs };
    const twice = this.#faults.strike('duplicate-reply', kind) !== null;
    return { reply: twice ? Buffer.concat([reply, reply]) : reply, lateMs };
  }

  #execute(ask: SerialAsk, cause: Cause): void {
    switch (ask.ask) {
      case 'connect':
      case 'isolate':
        this.#relays.command(ask.channel, ask.ask === 'connect', cause);
        return;
      case 'isolate-all':
        for (let channel = 1; channel <= this.#relays.count; channel += 1)
          this.#relays.command(channel, false, cause);
        return;
      case 'lease':
        this.#relays.lease(ask.channel, ask.lease_ms, cause);
        return;
      case 'read':
      case 'startup-check':
      case 'initialise':
        return;
    }
  }

  #reply(ask: SerialAsk, request: Buffer, refuses: boolean): Buffer | null {
    const asked = this.frames.asked(ask);
    const template = refuses ? (asked?.refused ?? null) : (asked?.reply ?? null);
    if (asked === null || template === null) return null;
    const numbers = this.frames.numbers(ask, this.address);
    const state = stateForm(this.profile)?.put(this.#shown(), numbers.channel ?? null);
    const value = ask.ask === 'startup-check' ? this.#checked(ask.check, asked.mustBe) : undefined;
    return buildFrame(template, numbers, {
      request,
      ...(state === undefined ? {} : { state }),
      ...(value === undefined ? {} : { value }),
    });
  }

  #shown(): ReadonlySet<number> {
    if (this.#faults.has('lying-read-back')) return new Set();
    return new Set(this.#relays.coils().flatMap((coil, index) => (coil === 'connected' ? [index + 1] : [])));
  }

  #checked(check: string, right: Buffer | null): Buffer {
    const number = this.profile.startup_checks.findIndex(({ name }) => name === check) + 1;
    const bytes = right ?? Buffer.alloc(1);
    return this.#faults.has('wrong-setting', number) ? Buffer.from(bytes.map((byte) => byte ^ 1)) : bytes;
  }

  #noInput(input: number): void {
    throw new RangeError(`${this.profile.id} has no inputs, not ${input}`);
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
}

function garbled(reply: Buffer): Buffer {
  const bytes = Buffer.concat([reply, Buffer.of(0)]);
  bytes.writeUInt8(bytes.readUInt8(0) ^ GARBLED_BITS, 0);
  return bytes;
}
