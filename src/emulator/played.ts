import type { Framing } from '../contacts/modbus/profile.ts';
import type { BoardEvent, BoardState } from './board.ts';
import type { Fault, FaultName } from './faults.ts';
import type { BoardTimers } from './relays.ts';

/** Where the bytes of an emulated board go. */
export interface SessionWire {
  readonly send: (bytes: Buffer) => void;
  /** Called when the peer sent what is no request, on a connection where that is the end. */
  readonly reject: (why: string) => void;
}

/** What one peer says to a board and hears from it. */
export interface BoardSession {
  receive(chunk: Uint8Array): void;
  /** Forgets late replies and timers; nothing is sent after this. */
  end(): void;
}

/** An emulated board, whatever it speaks. Methods throw `RangeError` for what the board does not have. */
export interface PlayedBoard {
  readonly profile: { readonly id: string; readonly channels: number };
  readonly timers: BoardTimers;
  /** Why this board cannot have a fault, or `null` when it can. */
  faultProblem(name: FaultName): string | null;
  /** `framing`: how Modbus is wrapped; nothing to boards that speak something else. */
  session(wire: SessionWire, framing: Framing): BoardSession;
  /** Calls `watcher` for everything that happens; returns what ends that. */
  watch(watcher: (event: BoardEvent) => void): () => void;
  /** Calls `breaker` when the board drops its connections; returns what ends that. */
  onDrop(breaker: () => void): () => void;
  emit(event: BoardEvent): void;
  mirror(channel: number, input: number): void;
  setInput(input: number, value: boolean): void;
  setRegister(address: number, value: number): void;
  isConnected(channel: number): boolean;
  hasFault(name: FaultName): boolean;
  addFault(fault: Fault): void;
  clearFaults(name?: FaultName): void;
  state(): BoardState;
  close(): void;
}
