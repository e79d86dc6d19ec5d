/** What is said about the lamps of the box. */
import { z } from 'zod';

/** In `GET /v1/status`; missing when the box has none. */
export const lampsStatus = z.object({
  lamps: z.array(
    z.object({
      lamp: z.enum(['isolated', 'connected', 'tripped', 'fault']),
      shows: z.enum(['dark', 'lit', 'slow-blink', 'fast-blink']),
      /** What that means, in a few words. */
      says: z.string(),
      /** Why its output does not do what it is told, else null. */
      problem: z.string().nullable(),
    }),
  ),
  /** Set while all are lit for a lamp test, which says nothing about links. */
  test_ends_in_ms: z.number().nullable(),
  /** True when a link rests on emulated boards: what the lamps say proves nothing about hardware. */
  simulated: z.boolean(),
});
export type LampsStatus = z.infer<typeof lampsStatus>;

/** `POST /v1/lamps/test` (either socket): all are lit for 2 s. 409 right after another test. */
export const lampTestRequest = z.strictObject({ by: z.string().min(1).max(100) });
export const lampsTested = z.object({ ends_in_ms: z.number() });
