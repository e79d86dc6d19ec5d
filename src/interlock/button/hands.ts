/**
 * What the button does to the interlock. Every press cuts; one that says nothing new, while all that it trips is held isolated
 * and latched, is counted instead of written: a wire that makes and breaks must not fill the journal.
 */
import { latchOf } from '../../core/link.ts';
import type { ButtonHands } from './button.ts';
import type { Interlock } from '../interlock.ts';
import type { LinkAtWork } from '../link-at-work.ts';
import { RefusalTally } from '../trips/refusal-tally.ts';
import { TripRepeats } from '../trips/trip-repeats.ts';

/** What the button says again within this time is counted, ms. */
const COUNTED_MS = 60_000;

/** The hands of the button of this interlock. */
export function buttonHands(interlock: Interlock): ButtonHands {
  const tally = new RefusalTally(interlock.parts.clock, (entry) => interlock.note(entry), COUNTED_MS);
  const repeats = new TripRepeats();
  const linksOf = (trips: 'all' | readonly string[]): readonly LinkAtWork[] =>
    [...interlock.links.values()].filter(({ name }) => trips === 'all' || trips.includes(name));
  return {
    trip(links, trip) {
      const shells = linksOf(links.length === 0 ? 'all' : links).map(({ shell }) => shell);
      if (repeats.isRepeat(trip.by, shells, () => trip.reason)) {
        interlock.parts.cut(shells.flatMap(({ contacts }) => contacts));
        tally.refused('trip.repeated', trip.by, { reason: trip.reason }, () => ({}));
        return;
      }
      void interlock.trip(links, trip);
      repeats.tripped(trip.by, trip.reason);
    },
    latched: (trips) => linksOf(trips).every(({ shell }) => latchOf(shell.state) !== null),
    note: (entry) => interlock.note(entry),
    moved: (to, why) => tally.refused(`button.${to}`, 'button', {}, () => (why === '' ? {} : { why })),
    stop: () => tally.close(),
  };
}
