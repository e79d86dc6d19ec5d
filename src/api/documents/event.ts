/**
 * `GET /api/v1/events` (server-sent events). Data of each event, by its name. The `id` of `journal` is the last sequence
 * number in it; `Last-Event-ID` (or `?after=`) resumes there. `alive` comes each second: 3 s without one is a stale stream.
 */
import { z } from 'zod';
import { entry } from './journal.ts';

export { state as stateEvent } from './state-document.ts';

/** `event: alive` */
export const aliveEvent = z.object({ at: z.string() });
export type AliveEvent = z.infer<typeof aliveEvent>;

/** `event: journal`: new entries, oldest first. */
export const journalEvent = z.object({
  entries: z.array(entry),
  /** Entries between the last one sent and the first of these were left out: read them with `GET /journal`. */
  gap: z.boolean(),
});
export type JournalEvent = z.infer<typeof journalEvent>;

/** `event: over`: the last event of a stream whose session has ended or whose reader was too slow. */
export const overEvent = z.object({ why: z.enum(['login-ended', 'stopping']) });
export type OverEvent = z.infer<typeof overEvent>;
