/**
 * Reads bodies of requests that nobody has verified yet, within a budget for each and one for all together. When all
 * together are too much, the largest gives way: an alarm is small, and whoever fills the memory pushes out their own.
 */
import type { IncomingMessage } from 'node:http';

/** All bodies that are being read at one time, bytes of memory. */
export const MAX_BODIES_TOGETHER_BYTES = 8 * 1024 * 1024;
/** Memory that a body takes at first, bytes: an alarm fits. */
const FIRST_BLOCK_BYTES = 4 * 1024;
/** What it takes each time that is not enough, bytes. */
const BLOCK_BYTES = 32 * 1024;

/** Why a body was not read. */
export class BodyRefused extends Error {
  override readonly name = 'BodyRefused';
  /** 413 when it is too long, 503 when it had to give way, 400 when its sender left. */
  readonly statusCode: 400 | 413 | 503;

  constructor(statusCode: 400 | 413 | 503, why: string) {
    super(why);
    this.statusCode = statusCode;
  }
}

interface Reading {
  readonly blocks: Buffer[];
  /** Memory of the blocks, and what of it is written, bytes. */
  space: number;
  length: number;
  readonly refuse: (why: BodyRefused) => void;
}

/** The bodies that are being read. */
export class Bodies {
  readonly #maxEachBytes: number;
  readonly #maxTogetherBytes: number;
  readonly #readings = new Set<Reading>();
  #heldBytes = 0;

  constructor(maxEachBytes: number, maxTogetherBytes: number = MAX_BODIES_TOGETHER_BYTES) {
    this.#maxEachBytes = maxEachBytes;
    this.#maxTogetherBytes = maxTogetherBytes;
  }

  /** Memory that bodies hold now, bytes. */
  get heldBytes(): number {
    return this.#heldBytes;
  }

  /** Exactly the bytes that came, whatever their encoding is called. Rejects with `BodyRefused`. */
  read(request: IncomingMessage): Promise<Buffer> {
    const tooLong = (): BodyRefused =>
      new BodyRefused(413, `the body is longer than ${this.#maxEachBytes} bytes`);
    if (Number(request.headers['content-length'] ?? 0) > this.#maxEachBytes) return Promise.reject(tooLong());
    return new Promise((resolve, reject) => {
      const take = (piece: Buffer): void => {
        if (reading.length + piece.length > this.#maxEachBytes) reading.refuse(tooLong());
        else this.#add(reading, piece);
      };
      const leave = (): void => {
        request.off('data', take).off('end', end).off('error', gone).off('close', gone);
        // Nobody may answer an error that comes after the end; without a listener it would end the process.
        request.on('error', () => undefined);
        this.#readings.delete(reading);
        this.#heldBytes -= reading.space;
      };
      const end = (): void => {
        leave();
        resolve(Buffer.concat(reading.blocks, reading.length));
      };
      const gone = (): void =>
        reading.refuse(new BodyRefused(400, 'the sender left before the end of the body'));
      const refuse = (why: BodyRefused): void => {
        leave();
        request.pause();
        reject(why);
      };
      const reading: Reading = { blocks: [], space: 0, length: 0, refuse };
      this.#readings.add(reading);
      request.on('data', take).on('end', end).on('error', gone).on('close', gone);
    });
  }

  /** Copied, because a piece may be a small view of a large buffer. */
  #add(reading: Reading, piece: Buffer): void {
    for (let from = 0; from < piece.length;) {
      if (reading.length === reading.space) {
        const block = Buffer.allocUnsafeSlow(reading.space === 0 ? FIRST_BLOCK_BYTES : BLOCK_BYTES);
        reading.blocks.push(block);
        reading.space += block.length;
        this.#heldBytes += block.length;
      }
      const block = reading.blocks.at(-1) ?? piece;
      const copied = piece.copy(block, block.length - (reading.space - reading.length), from);
      reading.length += copied;
      from += copied;
    }
    while (this.#heldBytes > this.#maxTogetherBytes) {
      const largest = [...this.#readings].reduce((a, b) => (b.space > a.space ? b : a), reading);
      largest.refuse(new BodyRefused(503, 'too much is being sent at once; send less, and again'));
    }
  }
}
