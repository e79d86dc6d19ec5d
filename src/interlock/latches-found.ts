/** What the latch file of the last life means for every link, before anything may be connected. */
import type { Disk } from '../journal/disk.ts';
import type { Journal } from '../journal/file.ts';
import { calendarText, type Clock } from './clock.ts';
import { LatchFile, type Latches, readLatches } from './latch-file.ts';

/** The latches to begin with, and how they came about, for the journal. */
export interface LatchesFound {
  readonly latches: Latches;
  readonly note: string;
}

/** A missing latch beside a journal, or one that cannot be read, counts as tripped for every link. Never rejects. */
export async function latchesFound(
  disk: Disk,
  directory: string,
  journal: Pick<Journal, 'head'>,
  links: readonly string[],
  clock: Pick<Clock, 'calendarMs'>,
): Promise<LatchesFound> {
  const read = await readLatches(disk, directory);
  const at = calendarText(clock.calendarMs());
  const everyLink = (by: string, reason: string): Latches =>
    Object.fromEntries(links.map((link) => [link, { by, reason, at }]));
  switch (read.kind) {
    case 'read':
      return { latches: read.latches, note: 'read' };
    case 'unreadable': {
      const reason = `the latch file cannot be read: ${read.why}`;
      return { latches: everyLink('fault:latch-unreadable', reason), note: reason };
    }
    case 'missing': {
      if (journal.head().size > 0) {
        const reason = 'the latch file is missing although this box has been at work before';
        return { latches: everyLink('fault:latch-missing', reason), note: reason };
      }
      await new LatchFile(disk, directory).save({}).catch(() => undefined);
      return { latches: {}, note: 'first start' };
    }
  }
}
