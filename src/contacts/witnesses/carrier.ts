import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Position, Reading } from '../../core/evidence.ts';
import type { Witness } from '../port.ts';
import type { Timers } from '../timers.ts';
import { errorCode, unknownReading } from './reading.ts';
import type { FileReads } from './file-reads.ts';

/** Where the kernel shows network interfaces. */
export const SYS_CLASS_NET = '/sys/class/net';

/**
 * Carrier of a network interface: 1 connected, 0 isolated. An interface that is administratively out of service
 * (EINVAL) or absent proves nothing.
 */
export class CarrierWitness implements Witness {
  readonly name: string;
  readonly type = 'carrier';
  readonly #path: string;
  readonly #reads: FileReads;
  readonly #timers: Timers;

  constructor(
    parts: {
      readonly name: string;
      readonly interface: string;
      readonly reads: FileReads;
      readonly timers: Timers;
    },
    root: string = SYS_CLASS_NET,
  ) {
    this.name = parts.name;
    this.#path = join(root, parts.interface, 'carrier');
    this.#reads = parts.reads;
    this.#timers = parts.timers;
  }

  async read(): Promise<Reading> {
    const takenAt = this.#timers.now();
    try {
      const text = (await this.#reads.run(() => readFile(this.#path, 'latin1'))).trim();
      return {
        position: positionOf(text),
        takenAt,
        detail: `carrier reads ${JSON.stringify(text.slice(0, 8))}`,
      };
    } catch (error) {
      const why = errorCode(error) === 'EINVAL' ? 'the interface is administratively out of service' : error;
      return unknownReading(takenAt, 'carrier cannot be read', why);
    }
  }

  async close(): Promise<void> {}
}

function positionOf(text: string): Position {
  if (text === '1') return 'connected';
  return text === '0' ? 'isolated' : 'unknown';
}
