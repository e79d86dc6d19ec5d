/** The notices that wait for one destination, in order and bounded. Pure. */
import { z } from 'zod';
import { notice, type Notice } from './notice.ts';

/** Notices that wait for one destination at most. */
export const MOST_WAITING = 200;

export const queue = z.strictObject({
  waiting: z.array(notice),
  /** What was given up or pushed out since it was last said there. */
  lost: z.strictObject({ repeats: z.number(), others: z.number() }),
});
export type Queue = Readonly<z.output<typeof queue>>;

export const EMPTY_QUEUE: Queue = { waiting: [], lost: { repeats: 0, others: 0 } };

/** True when `newer` says everything that `older` says. */
const saysAll = (newer: Notice, older: Notice): boolean =>
  older.repeats !== null &&
  (older.repeats === newer.repeats || older.repeats === `window ${newer.window ?? ''}`);

/** With `added` at the end. A repeat goes for the newer one; beyond the bound the oldest repeat is lost, or the oldest. Never `flying`, which is being sent. */
export function withAdded({ waiting, lost }: Queue, added: Notice, flying: string | null): Queue {
  const kept = [...waiting.filter((each) => each.id === flying || !saysAll(added, each)), added];
  if (kept.length <= MOST_WAITING) return { waiting: kept, lost };
  const mayGo = (each: Notice): boolean => each.id !== flying && each.id !== added.id;
  const repeat = kept.find((each) => mayGo(each) && each.repeats !== null);
  const gone = repeat ?? kept.find(mayGo);
  return {
    waiting: kept.filter((each) => each !== gone),
    lost:
      repeat === undefined ? { ...lost, others: lost.others + 1 } : { ...lost, repeats: lost.repeats + 1 },
  };
}

/** Without the notice `id`, which was delivered. */
export const withDelivered = ({ waiting, lost }: Queue, id: string): Queue => ({
  waiting: waiting.filter((each) => each.id !== id),
  lost,
});

/** Without the notice `id`, which was given up. */
export function withGivenUp({ waiting, lost }: Queue, id: string): Queue {
  const gone = waiting.find((each) => each.id === id);
  if (gone === undefined) return { waiting, lost };
  const counted =
    gone.repeats === null ? { ...lost, others: lost.others + 1 } : { ...lost, repeats: lost.repeats + 1 };
  return { waiting: waiting.filter((each) => each !== gone), lost: counted };
}
