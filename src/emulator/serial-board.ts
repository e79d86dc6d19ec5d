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
import { BoardCondition } from './condition.ts';
import type { Fault, FaultName } from './faults.ts';
import type { BoardSession, PlayedBoard, SessionWire } from './played.ts';
import type { BoardTimers, Cause } from './relays.ts';
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
  readonly #condition: BoardCondition;

  constructor(profile: SerialProfile, timers: BoardTimers) {
    this.profile = profile;
    this.timers = timers;
    this.frames = new Frames(profile);
    this.address = profile.addresses?.first ?? null;
    this.#condition = new BoardCondition(profile, timers);
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
    return this.#condition.happenings.watch(watcher);
  }

  onDrop(breaker: () => void): () => void {
    return this.#condition.happenings.onDrop(breaker);
  }

  emit(event: BoardEvent): void {
    this.#condition.emit(event);
  }

  mirror(channel: number, input: number): void {
    this.#condition.relays.isConnected(channel);
    this.#noInput(input);
  }

  setInput(input: number): void {
    this.#noInput(input);
  }

  setRegister(address: number): void {
    throw new RangeError(`${this.profile.id} has no registers, not ${address}`);
  }

  isConnected(channel: number): boolean {
    return this.#condition.relays.isConnected(channel);
  }

  hasFault(name: FaultName): boolean {
    return this.#condition.faults.has(name);
  }

  addFault(fault: Fault): void {
    this.#condition.addFault(fault, this.faultProblem(fault.name));
  }

  clearFaults(name?: FaultName): void {
    this.#condition.clearFaults(name);
  }

  state(): BoardState {
    return this.#condition.state([]);
  }

  close(): void {
    this.#condition.close();
  }

  /** Hears one request; `frame` is what came over the wire. `null`: nothing is said. Never waits. */
  hear({ ask, bytes }: HeardRequest, frame: string): SerialAnswer | null {
    const kind = serialRequestKind(ask);
    this.emit({ event: 'frame', at: this.timers.now(), kind, frame });
    if (this.#condition.isDeaf || this.#condition.faults.strike('silence', kind) !== null) return null;
    if (ask.ask === 'initialise') {
      if (ask.step === this.profile.initialise.length) this.clearFaults('asleep');
      return null;
    }
    if (this.#condition.faults.has('asleep')) return null;
    const refuses = this.#condition.faults.strike('exception', kind) !== null;
    if (!refuses) this.#execute(ask, { kind: 'frame', frame });
    const reply = this.#reply(ask, bytes, refuses);
    if (reply === null || this.#condition.faults.strike('mute', kind) !== null) return null;
    const lateMs = this.#condition.faults.strike('late-reply', kind)?.value ?? 0;
    if (this.#condition.faults.strike('garbled-reply', kind) !== null)
      return { reply: garbled(reply), lateMs };
    const twice = this.#condition.faults.strike('duplicate-reply', kind) !== null;
    return { reply: twice ? Buffer.concat([reply, reply]) : reply, lateMs };
  }

  #execute(ask: SerialAsk, cause: Cause): void {
    switch (ask.ask) {
      case 'connect':
      case 'isolate':
        this.#condition.relays.command(ask.channel, ask.ask === 'connect', cause);
        return;
      case 'isolate-all':
        for (let channel = 1; channel <= this.#condition.relays.count; channel += 1)
          this.#condition.relays.command(channel, false, cause);
        return;
      case 'lease':
        this.#condition.relays.lease(ask.channel, ask.lease_ms, cause);
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
    if (this.#condition.faults.has('lying-read-back')) return new Set();
    return new Set(
      this.#condition.relays.coils().flatMap((coil, index) => (coil === 'connected' ? [index + 1] : [])),
    );
  }

  #checked(check: string, right: Buffer | null): Buffer {
    const number = this.profile.startup_checks.findIndex(({ name }) => name === check) + 1;
    const bytes = right ?? Buffer.alloc(1);
    return this.#condition.faults.has('wrong-setting', number)
      ? Buffer.from(bytes.map((byte) => byte ^ 1))
      : bytes;
  }

  #noInput(input: number): void {
    throw new RangeError(`${this.profile.id} has no inputs, not ${input}`);
  }
}

function garbled(reply: Buffer): Buffer {
  const bytes = Buffer.concat([reply, Buffer.of(0)]);
  bytes.writeUInt8(bytes.readUInt8(0) ^ GARBLED_BITS, 0);
  return bytes;
}
