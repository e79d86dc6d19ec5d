/** What the button does to the interlock. */
import { latchOf } from '../core/link.ts';
import type { ButtonHands } from './button.ts';
import type { Interlock } from './interlock.ts';

/** The hands of the button of this interlock. */
export const buttonHands = (interlock: Interlock): ButtonHands => ({
  trip: (links, trip) => void interlock.trip(links, trip),
  latched: (trips) =>
    [...interlock.links.values()]
      .filter(({ name }) => trips === 'all' || trips.includes(name))
      .every(({ shell }) => latchOf(shell.state) !== null),
  note: (entry) => interlock.note(entry),
});
