/** Whoever resets has read what the cause was. */
import { type LinkAtWork, latchShown } from '../../src/interlock/link-at-work.ts';
import { causeId } from '../../src/interlock/rights/reset.ts';

/** The cause of the latch as it stands; undefined when there is none. */
export const causeNow = (link: LinkAtWork): string | undefined => {
  const latch = latchShown(link);
  return latch === null ? undefined : causeId(latch);
};
