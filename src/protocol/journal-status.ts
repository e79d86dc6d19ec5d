/** What the interlock says of its journal, and of the disk on which it and the rest of its state lie. */
import { z } from 'zod';

const disk = z.object({
  /** For whoever is not root. */
  free_bytes: z.number(),
  size_bytes: z.number(),
  /** Time to make room: when nothing is left, the journal cannot be written and nothing is connected. */
  low: z.boolean(),
});
export type DiskStatus = z.infer<typeof disk>;

export const journalStatus = z.object({
  writable: z.boolean(),
  /** Sequence number of its newest entry. */
  size: z.number(),
  head: z.string(),
  /** Missing when it cannot be asked. */
  disk: disk.exactOptional(),
});
