/** Journal entries on their way to the interlock, in order; kept while it is away. */
import { z } from 'zod';
import type { InterlockClient } from '../protocol/client.ts';
import { InterlockError } from '../protocol/interlock-error.ts';
import type { Voice } from './voice.ts';

/** Entries kept while nobody takes them; then the oldest go, and the next entry says how many. */
const KEPT = 500;
/** Refusals that the same entry will meet again: it is given up at once, for it would hold up all others. */
const FOR_GOOD: ReadonlySet<string> = new Set(['bad-request', 'failed']);

export interface Outbox {
  /** Hands the entry over as soon as the interlock takes it. Never throws, never waits. */
  add(type: string, data: Readonly<Record<string, unknown>>): void;
  /** Tries again what is waiting. Resolves when everything was handed over or the interlock is away. */
  flush(): Promise<void>;
}

const jsonObject = z.record(z.string(), z.json());

interface Entry {
  readonly type: string;
  readonly data: z.output<typeof jsonObject>;
}

/** An outbox with nothing in it. */
export function outbox(client: Pick<InterlockClient, 'journal'>, voice: Voice): Outbox {
  const waiting: Entry[] = [];
  let dropped = 0;
  let sending: Promise<void> | null = null;

  /** Sends what waits, until nothing does or the interlock does not take it. */
  const send = async (): Promise<void> => {
    try {
      for (let entry = waiting[0]; entry !== undefined; entry = waiting[0]) {
        // oxlint-disable-next-line no-await-in-loop -- the journal keeps the order in which things happened
        if (!(await isTaken(entry))) return;
        waiting.shift();
      }
    } finally {
      // In the tick in which nothing was left: an entry added a tick later must find no sender that has stopped looking.
      sending = null;
    }
  };
  const isTaken = async (entry: Entry): Promise<boolean> => {
    try {
      await client.journal(entry.type, entry.data);
      return true;
    } catch (error) {
      if (!(error instanceof InterlockError)) throw error;
      const fields = { type: entry.type, why: error.message, hint: error.hint };
      const isForGood = error.refusals.some(({ code }) => FOR_GOOD.has(code));
      if (isForGood) voice.note('error', 'the interlock refused a journal entry for good', fields);
      else voice.note('warn', 'a journal entry waits for the interlock', fields);
      return isForGood;
    }
  };
  const flush = async (): Promise<void> => {
    if (waiting.length > 0) await (sending ??= send());
  };
  return {
    add(type, data) {
      if (waiting.length >= KEPT) {
        waiting.splice(1, 1); // the first may be on its way
        dropped += 1;
      }
      const missing = dropped === 0 ? {} : { entries_lost_before: dropped };
      dropped = 0;
      // Through JSON, so that what is undefined is left out rather than refused.
      waiting.push({
        type,
        data: jsonObject.parse(JSON.parse(JSON.stringify({ ...data, ...missing }))),
      });
      void flush();
    },
    flush,
  };
}
