import { later, millis, type Millis } from '../core/time.ts';
import type { Board } from './exchange.ts';

/** ms, beyond the rest of the bus, within which a board must have answered before a connect is written to it. */
export const HEARD_MS = 100;

/** When the next frame may follow, and which boards were heard just now, on the present wire. */
export class Tempo {
  readonly #quietMs: number;
  readonly #answeredAt = new Map<Board, Millis>();
  /** The rest between frames lasts until then. */
  nextWriteAt: Millis = millis(0);

  /** `quietMs`: the silence that the line itself demands between frames. */
  constructor(quietMs: number) {
    this.#quietMs = quietMs;
  }

  /** A fresh wire: nobody has been heard on it. */
  restart(now: Millis): void {
    this.nextWriteAt = now;
    this.#answeredAt.clear();
  }

  answered(board: Board, now: Millis): void {
    this.#answeredAt.set(board, now);
    this.nextWriteAt = later(now, this.#restMs(board));
  }

  /** `lineMs`: how long request and answer take on the line; an unjudged answer must not meet the next frame there. */
  wroteBlind(board: Board, at: Millis, lineMs: number): void {
    this.nextWriteAt = later(at, lineMs + this.#restMs(board));
  }

  /** Whether the board answered on this wire just now: only then is a connect not written into a dead cable. */
  heard(board: Board, now: Millis): boolean {
    const at = this.#answeredAt.get(board);
    return at !== undefined && now - at <= this.#restMs(board) + HEARD_MS;
  }

  #restMs(board: Board): number {
    return Math.max(board.gapMs, this.#quietMs);
  }
}
