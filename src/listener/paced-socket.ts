/**
 * A connection whose bytes reach the HTTP parser in small pieces, taking turns with those of the others.
 *
 * Node parses whatever one read has brought before it looks at anybody else: 64 KiB of the shortest requests are some
 * three thousand, a tenth of a second, and a few dozen connections that do so hold up a good request for seconds. What
 * comes in one small piece, as an alarm does, goes straight through.
 */
import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';

/** What the parser gets at one time, bytes; some hundred of the shortest requests. */
export const PIECE_BYTES = 2_048;
/** How long pieces are handed out before everybody else has a turn, ms. */
const TURN_MS = 1;

/** Hands out turns to those who have more than one piece, one piece each. */
export class Pace {
  #waiting: (() => boolean)[] = [];
  #isRunning = false;

  /** `turn` gives one piece, and says whether there are more. */
  add(turn: () => boolean): void {
    this.#waiting.push(turn);
    if (this.#isRunning) return;
    this.#isRunning = true;
    setImmediate(() => this.#run());
  }

  #run(): void {
    const endsAt = performance.now() + TURN_MS;
    for (let turn = this.#waiting.shift(); turn !== undefined; turn = this.#waiting.shift()) {
      if (turn()) this.#waiting.push(turn);
      if (performance.now() >= endsAt) break;
    }
    this.#isRunning = this.#waiting.length > 0;
    if (this.#isRunning) setImmediate(() => this.#run());
  }
}

/** What HTTP talks to instead of the socket beneath. */
export class PacedSocket extends Duplex {
  readonly beneath: Socket;
  /** Kept, because a socket forgets it when it is closed. */
  readonly remoteAddress: string;
  readonly #pace: Pace;
  #rest: Buffer = Buffer.alloc(0);
  #isOver = false;
  #isDeaf = false;
  #isAnswerDue = (): boolean => false;

  constructor(beneath: Socket, pace: Pace) {
    super({ allowHalfOpen: true });
    this.beneath = beneath;
    this.remoteAddress = beneath.remoteAddress ?? '';
    this.#pace = pace;
    beneath
      .on('data', (bytes: Buffer) => this.#take(bytes))
      .on('end', () => {
        this.#isOver = true;
        this.#end();
      })
      .on('error', (error) => this.destroy(error))
      .on('timeout', () => this.emit('timeout'))
      .on('close', () => this.destroy());
  }

  /** While this is so, the end of what the other side says is kept back: Node would end the connection without the answer. */
  answering(isAnswerDue: () => boolean): void {
    this.#isAnswerDue = isAnswerDue;
  }

  /** Call it when the answer is given. */
  answered(): void {
    this.#end();
  }

  /** Nothing that comes from now on is read; what is being answered may still be answered. */
  deafen(): void {
    this.#isDeaf = true;
    this.#rest = Buffer.alloc(0);
    this.beneath.pause();
  }

  /** As on a socket: ends after what was written has gone out. */
  destroySoon(): void {
    if (this.writable) this.end();
    if (this.writableFinished) this.destroy();
    else this.once('finish', () => this.destroy());
  }

  /** As on a socket; ms. */
  setTimeout(ms: number, heard?: () => void): this {
    this.beneath.setTimeout(ms);
    if (heard !== undefined) this.on('timeout', heard);
    return this;
  }

  override _read(): void {
    if (!this.#isDeaf && this.#rest.length === 0) this.beneath.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.beneath.write(chunk, done);
  }

  override _writev(chunks: { chunk: Buffer }[], done: (error?: Error | null) => void): void {
    this.beneath.write(Buffer.concat(chunks.map(({ chunk }) => chunk)), done);
  }

  override _final(done: (error?: Error | null) => void): void {
    this.beneath.end(() => done());
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#isDeaf = true;
    this.#rest = Buffer.alloc(0);
    this.beneath.destroy();
    done(error);
  }

  #end(): void {
    if (this.#isOver && this.#rest.length === 0 && !this.destroyed && !this.#isAnswerDue()) this.push(null);
  }

  #take(bytes: Buffer): void {
    if (this.#isDeaf) return;
    if (bytes.length <= PIECE_BYTES && this.#rest.length === 0) {
      if (!this.push(bytes)) this.beneath.pause();
      return;
    }
    this.beneath.pause();
    const isWaiting = this.#rest.length > 0;
    this.#rest = isWaiting ? Buffer.concat([this.#rest, bytes]) : bytes;
    if (!isWaiting) this.#pace.add(() => this.#turn());
  }

  #turn(): boolean {
    if (this.#isDeaf || this.destroyed) return false;
    const piece = this.#rest.subarray(0, PIECE_BYTES);
    this.#rest = this.#rest.subarray(PIECE_BYTES);
    const isWanted = this.push(piece);
    // What was pushed may have made it deaf.
    if (this.#rest.length > 0) return true;
    if (this.#isOver) this.#end();
    else if (isWanted && !this.#isDeaf) this.beneath.resume();
    return false;
  }
}
