import type { Millis } from '../core/time.ts';
import type { Answer, Board, Exchange } from './exchange.ts';
import { Flight } from './flight.ts';
import type { Timers } from './timers.ts';
import type { Transport, Wire } from './transport.ts';

/** Who decides what is written to a line. Every call leaves the line in the state its name says. */
export interface LineOwner {
  /** A fresh wire stands and is idle. */
  readonly opened: () => void;
  /** No wire could be had. */
  readonly unreachable: (why: string) => void;
  /** Bytes came that nobody asked for; they are forgotten. */
  readonly stray: () => void;
  /** An exchange ended with an answer or a refusal, which its own `end` has already been told. */
  readonly free: (board: Board) => void;
  /** The wire was discarded. `board`: whose exchange was in flight; its `end` has already been told. */
  readonly lost: (why: string, board: Board | null) => void;
}

/** The exchange on the wire, whatever it asks. */
type InFlight = Pick<Flight<unknown>, 'board' | 'take' | 'lose'>;

type State =
  | { readonly kind: 'closed' }
  | { readonly kind: 'opening' }
  | { readonly kind: 'idle'; readonly wire: Wire }
  | { readonly kind: 'busy'; readonly wire: Wire; readonly flight: InFlight };

/** The present wire of a bus and the one exchange on it. Discards the wire at the first thing that is not as it should be. */
export class Line {
  readonly #transport: Transport;
  readonly #timers: Timers;
  readonly #owner: LineOwner;
  #state: State = { kind: 'closed' };
  /** Tells a wire that was given up while it was still opening from the present one. */
  #generation = 0;

  constructor(transport: Transport, timers: Timers, owner: LineOwner) {
    this.#transport = transport;
    this.#timers = timers;
    this.#owner = owner;
  }

  get state(): State['kind'] {
    return this.#state.kind;
  }

  /** ms that `count` bytes take on the line. */
  bytesMs(count: number): number {
    return count * this.#transport.byteMs;
  }

  /** Asks for a fresh wire; ends in `opened` or `unreachable`. Only when closed. */
  open(): void {
    if (this.#state.kind !== 'closed') throw new Error(`a line that is ${this.#state.kind} cannot be opened`);
    this.#state = { kind: 'opening' };
    this.#generation += 1;
    const generation = this.#generation;
    const present = (): boolean => generation === this.#generation;
    const events = {
      onBytes: (chunk: Uint8Array) => present() && this.#take(chunk),
      onGone: (why: string) => present() && this.fail(why),
    };
    this.#transport.open(events).then(
      (wire) => {
        if (!present()) {
          wire.discard();
          return;
        }
        this.#state = { kind: 'idle', wire };
        this.#owner.opened();
      },
      (error: unknown) => {
        if (!present()) return;
        this.#state = { kind: 'closed' };
        const why = error instanceof Error ? error.message : String(error);
        this.#owner.unreachable(`${this.#transport.where}: ${why}`.slice(0, 200));
      },
    );
  }

  /** Forgets input that waits in the kernel; returns how many bytes there were. */
  drain(): number {
    return this.#state.kind === 'idle' ? this.#state.wire.drain() : 0;
  }

  /** Writes without judging the answer; what comes back is stray. `null`: not written, and the line is lost. */
  writeBlind(exchange: Exchange<unknown>): { readonly at: Millis; readonly bytes: number } | null {
    if (this.#state.kind !== 'idle')
      throw new Error(`a line that is ${this.#state.kind} cannot be written to`);
    const { bytes } = exchange.begin();
    const at = this.#timers.now();
    if (this.#state.wire.write(bytes)) return { at, bytes: bytes.length };
    this.fail('the frame could not be written');
    return null;
  }

  /** Writes in this tick and calls `written`; later calls `end` once. Only when idle. Not written: `end` alone. */
  send<A>(exchange: Exchange<A>, written: (at: Millis) => void, end: (answer: Answer<A>) => void): void {
    if (this.#state.kind !== 'idle')
      throw new Error(`a line that is ${this.#state.kind} cannot carry a request`);
    const { wire } = this.#state;
    const flight = new Flight(exchange, {
      wire,
      timers: this.#timers,
      bytesMs: (count) => this.bytesMs(count),
      over: (answer) => {
        this.#state = { kind: 'idle', wire };
        end(answer);
        this.#owner.free(exchange.board);
      },
      lost: (why) => end({ kind: 'unknown', why }),
      fail: (why) => this.fail(why),
    });
    this.#state = { kind: 'busy', wire, flight };
    const askedAt = flight.begin();
    if (askedAt !== null) written(askedAt);
  }

  /** Discards the wire and ends the exchange in flight as unknown; then the owner hears `lost`. */
  fail(why: string): void {
    const state = this.#state;
    this.#generation += 1;
    this.#state = { kind: 'closed' };
    if (state.kind === 'idle' || state.kind === 'busy') state.wire.discard();
    if (state.kind === 'busy') state.flight.lose(why);
    this.#owner.lost(why, state.kind === 'busy' ? state.flight.board : null);
  }

  #take(chunk: Uint8Array): void {
    switch (this.#state.kind) {
      case 'busy':
        this.#state.flight.take(chunk);
        return;
      case 'idle':
        this.#owner.stray();
        return;
      case 'opening':
      case 'closed':
        return;
    }
  }
}
