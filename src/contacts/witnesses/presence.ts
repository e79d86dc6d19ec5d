import { stat } from 'node:fs/promises';
import type { Reading } from '../../core/evidence.ts';
import type { Witness } from '../port.ts';
import type { Timers } from '../timers.ts';
import { errorCode, unknownReading } from './reading.ts';
import type { FileReads } from './file-reads.ts';

/** A path or a block device that exists only while connected. Present: connected. Absent: unknown, for absence proves nothing. */
export class PresenceWitness implements Witness {
  readonly name: string;
  readonly type: 'path' | 'block-device';
  readonly showsIsolation = false;
  readonly #path: string;
  readonly #reads: FileReads;
  readonly #timers: Timers;

  constructor(parts: {
    readonly name: string;
    readonly type: 'path' | 'block-device';
    readonly path: string;
    readonly reads: FileReads;
    readonly timers: Timers;
  }) {
    this.name = parts.name;
    this.type = parts.type;
    this.#path = parts.path;
    this.#reads = parts.reads;
    this.#timers = parts.timers;
  }

  async read(): Promise<Reading> {
    const takenAt = this.#timers.now();
    try {
      const found = await this.#reads.run(() => stat(this.#path));
      if (this.type === 'block-device' && !found.isBlockDevice()) {
        return { position: 'unknown', takenAt, detail: 'present, but not a block device' };
      }
      return { position: 'connected', takenAt, detail: 'present' };
    } catch (error) {
      if (errorCode(error) === 'ENOENT')
        return { position: 'unknown', takenAt, detail: 'absent, which proves nothing' };
      return unknownReading(takenAt, 'cannot be looked at', error);
    }
  }

  async close(): Promise<void> {}
}
