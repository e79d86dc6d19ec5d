/** Digests of source files, taken by a drill for the next ones: a reference that outlives the source. One small file per repository. */
import { join } from 'node:path';
import { z } from 'zod';
import type { Disk } from '../../journal/disk.ts';

const record = z.strictObject({ bytes: z.number(), mtime: z.string(), sha256: z.string() });
const recordFile = z.strictObject({ format: z.literal(1), files: z.record(z.string(), record) });

/** State of a file and the digest of its content then. */
export type DrillRecord = Readonly<z.output<typeof record>>;

/** Files remembered per repository; the oldest make room. */
const RECORDS_KEPT = 500;

/** Keeps digests in `directory`. */
export interface DrillRecords {
  /** By path. What cannot be read is as good as none: a new drill takes new ones. */
  read(repository: string): Promise<ReadonlyMap<string, DrillRecord>>;
  /** Rejects when it cannot be written. */
  keep(repository: string, files: ReadonlyMap<string, DrillRecord>): Promise<void>;
}

/** Digests in files of `directory`. */
export function drillRecords(disk: Disk, directory: string): DrillRecords {
  const pathOf = (repository: string): string => join(directory, `drill-${repository}.json`);
  return {
    async read(repository) {
      const bytes = await disk.read(pathOf(repository));
      return bytes === null ? new Map() : recordsIn(new TextDecoder().decode(bytes));
    },
    async keep(repository, files) {
      const kept = Object.fromEntries([...files].slice(-RECORDS_KEPT));
      const text = JSON.stringify({ format: 1, files: kept });
      await disk.replace(pathOf(repository), new TextEncoder().encode(`${text}\n`));
    },
  };
}

function recordsIn(text: string): ReadonlyMap<string, DrillRecord> {
  try {
    return new Map(Object.entries(recordFile.parse(JSON.parse(text)).files));
  } catch {
    return new Map(); // torn or foreign
  }
}
