/** What the latch file of the last life means for every link, before anything may be connected. */
import type { Disk } from '../../journal/disk.ts';
import type { Journal } from '../../journal/file.ts';
import { calendarText, type Clock } from '../clock.ts';
import { LatchFile, type Latches, readLatches } from './latch-file.ts';

/** The latches to begin with, and how they came about, for the journal. */
export interface LatchesFound {
  readonly latches: Latches;
  /** True when the file says the same; otherwise the first thing is to make it say so. */
  readonly saved: boolean;
  readonly note: string;
}

/**
 * A latch file that cannot be read counts as tripped for every link, and so does a missing one, unless a readable and empty
 * journal says that this box has never been at work. Never rejects.
 */
export async function latchesFound(
  disk: Disk,
  directory: string,
  journal: Pick<Journal, 'head' | 'writable'>,
  links: readonly string[],
  clock: Pick<Clock, 'calendarMs'>,
): Promise<LatchesFound> {
  const read = await readLatches(disk, directory);
  const at = calendarText(clock.calendarMs());
  const everyLink = (by: string, reason: string): LatchesFound => ({
    latches: Object.fromEntries(links.map((link) => [link, { by, reason, at }])),
    saved: false,
    note: reason,
  });
  switch (read.kind) {
    case 'read':
      return { latches: read.latches, saved: true, note: 'read' };
    case 'unreadable':
      return everyLink('fault:latch-unreadable', `the latch file cannot be read: ${read.why}`);
    case 'missing': {
      const missing = 'the latch file is missing';
      if (journal.head().size > 0)
        return everyLink('fault:latch-missing', `${missing} although this box has been at work before`);
      const writable = journal.writable();
      if (!writable.ok)
        return everyLink('fault:latch-missing', `${missing} and the journal is no help: ${writable.why}`);
      await new LatchFile(disk, directory).save({}).catch(() => undefined);
      return { latches: {}, saved: true, note: 'first start' };
    }
  }
}
