/** What was found unusual and nobody has released, read again only when its directory has changed. */
import { stat } from 'node:fs/promises';
import { anomaliesIn, readAnomalies } from '../../controller/anomalies/book.ts';
import type { Anomaly } from '../../controller/anomalies/book.ts';
import { nodeDisk } from '../../journal/disk.ts';

/** A change within this time of the one before may bear the same time: such a directory is read again, ms. */
const YOUNG_MS = 1_000;

/** Findings of one controller. */
export class AnomalyReading {
  readonly directory: string;
  #mark: string | null = null;
  #held: readonly Anomaly[] = [];
  #reading: Promise<readonly Anomaly[] | null> | null = null;

  constructor(stateDirectory: string) {
    this.directory = anomaliesIn(stateDirectory);
  }

  /** Newest first; `null` when they cannot be read, which is not the same as none. Never rejects. */
  held(): Promise<readonly Anomaly[] | null> {
    this.#reading ??= this.#read()
      .catch(() => null) // said in the state: not known
      .finally(() => {
        this.#reading = null;
      });
    return this.#reading;
  }

  async #read(): Promise<readonly Anomaly[]> {
    const mark = await markOf(this.directory);
    if (mark !== null && mark === this.#mark) return this.#held;
    this.#mark = null;
    const all = await readAnomalies(nodeDisk, this.directory);
    this.#held = all.filter(({ release }) => release === null).toReversed();
    this.#mark = mark;
    return this.#held;
  }
}

/** `null` while it is too young to tell changes apart. Files are only ever replaced, which changes their directory. */
async function markOf(directory: string): Promise<string | null> {
  try {
    const { ino, mtimeMs } = await stat(directory);
    return Math.abs(Date.now() - mtimeMs) < YOUNG_MS ? null : `${ino} ${mtimeMs}`;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 'none';
    throw error;
  }
}
