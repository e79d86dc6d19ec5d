import { spelledBytes } from '../contacts/hex.ts';
import type { PlayedBoard, SessionWire } from './played.ts';

/** Sends replies at once or late; what is still late when the peer goes away is never sent. */
export class Delivery {
  readonly #board: PlayedBoard;
  readonly #wire: SessionWire;
  readonly #late = new Set<() => void>();

  constructor(board: PlayedBoard, wire: SessionWire) {
    this.#board = board;
    this.#wire = wire;
  }

  send(bytes: Buffer, lateMs: number): void {
    if (lateMs === 0) {
      this.#deliver(bytes);
      return;
    }
    const cancel = this.#board.timers.after(lateMs, () => {
      this.#late.delete(cancel);
      this.#deliver(bytes);
    });
    this.#late.add(cancel);
  }

  end(): void {
    for (const cancel of this.#late) cancel();
    this.#late.clear();
  }

  #deliver(bytes: Buffer): void {
    this.#board.emit({ event: 'reply', at: this.#board.timers.now(), frame: spelledBytes(bytes) });
    this.#wire.send(bytes);
  }
}
