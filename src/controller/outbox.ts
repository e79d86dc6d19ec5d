/** Journal entries on their way to the interlock, in order; kept while it is away. */
import { z } from 'zod';
import type { InterlockClient } from '../protocol/client.ts';
import type { InterlockError } from '../protocol/interlock-error.ts';
import type { Voice } from './voice.ts';

/** Entries kept while nobody takes them; then the oldest go, and the next entry says how many. */
const KEPT = 500;
/** An entry that was refused so often is given up: it would hold up all others. */
const REFUSALS = 5;

export interface Outbox {
  /** Hands the entry over as soon as the interlock takes it. Never throws, never waits. */
  add(type: string, data: Readonly<Record<string, unknown>>): void;
  /** Tries again what is waiting. Resolves when everything was handed over or the interlock is away. */
  flush(): Promise<void>;
}

const jsonObject = z.record(z.string(), z.json());

/** An outbox with nothing in it. */
export function outbox(client: Pick<InterlockClient, 'journal'>, voice: Voice): Outbox {
  const waiting: { readonly type: string; readonly data: z.output<typeof jsonObject>; refusals: number }[] =
    [];
  let dropped = 0;
  let sending: Promise<void> | null = null;

  const send = async (): Promise<void> => {
    for (let entry = waiting[0]; entry !== undefined; entry = waiting[0]) {
      try {
        // oxlint-disable-next-line no-await-in-loop -- the journal keeps the order in which things happened
        await client.journal(entry.type, entry.data);
      } catch (error) {
        const fault = error as InterlockError;
        const fields = { type: entry.type, why: fault.message, hint: fault.hint };
        // A full disk refuses for a while; a bad entry is refused for ever.
        if (fault.code === 'INTERLOCK_REFUSED') entry.refusals += 1;
        if (entry.refusals < REFUSALS) {
          voice.note('warn', 'a journal entry waits for the interlock', fields);
          return;
        }
        voice.note('error', 'the interlock refused a journal entry for good', fields);
      }
      waiting.shift();
    }
  };
  const flush = (): Promise<void> => {
    sending ??= send().finally(() => {
      sending = null;
    });
    return sending;
  };
  return {
    add(type, data) {
      if (waiting.length >= KEPT) {
        waiting.shift();
        dropped += 1;
      }
      const missing = dropped === 0 ? {} : { entries_lost_before: dropped };
      dropped = 0;
      // Through JSON, so that what is undefined is left out rather than refused.
      waiting.push({
        type,
        data: jsonObject.parse(JSON.parse(JSON.stringify({ ...data, ...missing }))),
        refusals: 0,
      });
      void flush();
    },
    flush,
  };
}
