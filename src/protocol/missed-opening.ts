/** An opening that brought no work, as the interlock tells of it. */
import { z } from 'zod';

/** A scheduled opening in which no lease was granted, and what comes next. */
export const missedOpening = z.object({
  /** Calendar time, RFC 3339. */
  scheduled: z.string(),
  why: z.string(),
  /** Calendar time of the next scheduled opening; null when it is made up for before, as soon as nothing refuses, or never. */
  next_chance: z.string().nullable(),
  by: z.enum(['catch-up', 'schedule', 'nobody']),
});
