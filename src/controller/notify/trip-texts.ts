/** A trip as sentences: who, why, how fast, proven how, and what to do now. Pure. */
import type { LinkStatus } from '../../protocol/messages.ts';
import type { Draft } from './notice.ts';
import { durationWords, isProven, NONE, proofData, proofWords, words } from './texts.ts';

/** A trip, as far as it is known. */
export interface TripFacts {
  readonly by: string;
  readonly reason: string;
  /** Calendar time, RFC 3339. */
  readonly at: string;
  /** ms from what tripped it until the last isolate frame was written; null when one was not, or the interlock was restarted since. */
  readonly cutMs: number | null;
  /** ms from the decision until isolation was proven; null while it is not, or when that is not known any more. */
  readonly provenMs: number | null;
}

/** What the reset of this latch looks like; the cause says that its reader knows what tripped it. */
const resetCommand = ({ link, latch }: LinkStatus): string =>
  `portcullis reset ${link}${latch?.cause === undefined ? '' : ` --cause ${words(latch.cause)}`} --reason TEXT`;

/** What to look at before anything else, by who tripped it. */
function firstStep(by: string): string {
  const name = words(by.slice(by.indexOf(':') + 1));
  if (by.startsWith('source:')) return `See in ${name} what set it off, and stop that first.`;
  if (by.startsWith('person:')) return `Ask ${name} what it was cut for.`;
  if (by === 'button') return 'Ask who pressed the button; if nobody did, look at its wire.';
  return 'See portcullis status for what is at fault.';
}

/** How fast a trip was, in words. */
const speedWords = ({ cutMs }: TripFacts): string =>
  cutMs === null
    ? 'How fast is not known: a board was not there in time, or the interlock was restarted since.'
    : `The last isolate command was on its wire after ${durationWords(cutMs)}.`;

/** A link was tripped, and stands latched. */
export function tripped(link: LinkStatus, trip: TripFacts): Draft {
  const seen = trip.provenMs === null ? '' : ` That was ${durationWords(trip.provenMs)} after the cut.`;
  return {
    ...trippedBy(link, trip),
    text: `Cut and latched at ${words(trip.at)}. ${speedWords(trip)} ${proofWords(link)}${seen}`,
    hint: isProven(link)
      ? `${firstStep(trip.by)} When that is understood and dealt with, reset it at the box: ${resetCommand(link)}`
      : `Pull the cable to the vault by hand if in doubt, then look at the board and its cable. ${firstStep(trip.by)} Only when isolation is proven it can be reset: ${resetCommand(link)}`,
  };
}

/** A link was tripped, and was reset before that could be told. */
export function trippedAndReset(link: LinkStatus, trip: TripFacts): Draft {
  const seen =
    trip.provenMs === null ? '' : ` Isolation was proven ${durationWords(trip.provenMs)} after the cut.`;
  return {
    ...trippedBy(link, trip),
    text: `Cut and latched at ${words(trip.at)}. ${speedWords(trip)}${seen} It was reset before this could be told.`,
    hint: `${firstStep(trip.by)} Who lifted the latch, and why, is in the journal: portcullis journal tail`,
  };
}

const trippedBy = (link: LinkStatus, trip: TripFacts): Draft => ({
  ...NONE,
  type: 'portcullis.link.tripped',
  severity: 'critical',
  link: link.link,
  title: `${link.link} was tripped by ${words(trip.by)}: ${words(trip.reason)}`,
  text: '',
  hint: '',
  data: {
    by: words(trip.by),
    reason: words(trip.reason),
    tripped_at: trip.at,
    cause: link.latch?.cause ?? null,
    cut_ms: trip.cutMs,
    proven_ms: trip.provenMs,
    ...proofData(link),
  },
});
