/** Keeps the past of each pair of sources and repository: one small file each. */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { BackupSettings } from '../../config/schema/steps.ts';
import type { Disk } from '../../journal/disk.ts';
import type { LastGood } from '../guards/source-present.ts';
import { expectedFrom, NO_PAST, pastFile } from './past.ts';
import type { Past } from './past.ts';

const DIRECTORY = 'pasts';

/** Which backup it is: other sources are another past. */
export function keyOf({ repository, paths, stdin, host }: BackupSettings): string {
  const what = JSON.stringify([paths.toSorted(), stdin?.filename ?? null, host ?? null]);
  return `${repository}-${createHash('sha256').update(what).digest('hex').slice(0, 12)}`;
}

/** Files of pasts in a state directory. */
export class PastStore {
  readonly #disk: Disk;
  readonly #directory: string;

  constructor(disk: Disk, stateDirectory: string) {
    this.#disk = disk;
    this.#directory = join(stateDirectory, DIRECTORY);
  }

  /** What cannot be read is as good as none: it is learnt anew. */
  async read(key: string): Promise<Past> {
    const bytes = await this.#disk.read(this.#pathOf(key));
    if (bytes === null) return NO_PAST;
    try {
      return pastFile.parse(JSON.parse(new TextDecoder().decode(bytes)));
    } catch {
      return NO_PAST;
    }
  }

  /** What the last good ones of these backups had together, of those that read this machine; `null` before the first. */
  async lastGood(backups: readonly BackupSettings[]): Promise<LastGood | null> {
    let files = 0;
    let bytes = 0;
    for (const settings of backups) {
      if (settings.run_on !== undefined || settings.paths.length === 0) continue;
      // oxlint-disable-next-line no-await-in-loop -- a handful of small files
      const last = expectedFrom(await this.read(keyOf(settings)), 1);
      files += last.files;
      bytes += last.bytes;
    }
    return files === 0 ? null : { files, bytes };
  }

  async write(key: string, past: Past): Promise<void> {
    await this.#disk.makeDirectory(this.#directory);
    await this.#disk.replace(this.#pathOf(key), new TextEncoder().encode(`${JSON.stringify(past)}\n`));
  }

  #pathOf(key: string): string {
    return join(this.#directory, `${key}.json`);
  }
}
