/** What is said when a source may have been set up wrongly: its alarms would cut nothing, and nobody would know. */
import type { EventLine } from '../../protocol/messages.ts';
import { matchesOne } from '../../sources/request.ts';
import type { TripSource } from './trip-sources.ts';

/**
 * Requests in the name of this source do not verify. A secret that was replaced on one side only would otherwise be noticed
 * in the night in which the alarm cuts nothing; some senders give up for a day after the first refusal.
 */
export const unverifiedAlarm = (link: string, source: string, because: string): EventLine => ({
  event: 'alarm',
  link,
  code: 'source-unverified',
  why: `requests in the name of source ${source} do not verify (${because}): if they come from it, its alarms cut nothing`,
  hint: `compare the secret of ${source} on both sides; who sent them is in the journal (trip.refused)`,
});

/** True for a secret that stands where the name of a source should: somebody forgot to write the name before it. */
export function isSecretIn(sources: Readonly<Record<string, TripSource>>, name: string): boolean {
  const given = Buffer.from(name);
  return Object.values(sources).some(({ secrets }) => matchesOne(given, secrets));
}
