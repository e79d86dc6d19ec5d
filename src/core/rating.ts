/** How far a contact may be trusted, from what it is, how it is wired and who else sees it. Pure. */

/** The three ratings, best first. A holding contact is an extra layer, never trusted alone. */
export type Rating = 'fail-safe-independent' | 'fail-safe-indirect' | 'holding';

/** What a rating rests on. */
export interface RatedContact {
  readonly kind: 'fail-safe' | 'holding';
  readonly withoutPower: 'isolated' | 'keeps' | 'unknown';
  readonly wiring: 'normally-open' | 'normally-closed';
  /** The witnesses that see this contact isolate alone: does each rest on anything but the contact's own device? */
  readonly witnesses: readonly ('independent' | 'indirect')[];
}

/** Rates one contact. Without a witness the only evidence is the device's own word, which is indirect. */
export function rate(contact: RatedContact): Rating {
  const falls =
    contact.kind === 'fail-safe' && contact.withoutPower === 'isolated' && contact.wiring === 'normally-open';
  if (!falls) return 'holding';
  return contact.witnesses.includes('independent') ? 'fail-safe-independent' : 'fail-safe-indirect';
}

/** Rates every contact of a link, by name. */
export function rateAll(contacts: ReadonlyMap<string, RatedContact>): ReadonlyMap<string, Rating> {
  return new Map([...contacts].map(([name, contact]) => [name, rate(contact)]));
}

/** What each rating means, for people. */
export const ratingTexts: Readonly<Record<Rating, string>> = {
  'fail-safe-independent': 'fail-safe, independent evidence',
  'fail-safe-indirect': 'fail-safe, indirect evidence',
  holding: 'holding: keeps its last state without power',
};
