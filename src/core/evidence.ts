import { millis, type Millis } from './time.ts';

/** Where a link, or one indicator of it, stands. Unreadable is `unknown`, never `isolated`. */
export type Position = 'connected' | 'isolated' | 'unknown';

/** One answer of one indicator (a contact's read-back, or a witness). */
export interface Reading {
  readonly position: Position;
  /** Monotonic ms at which the question was put on its wire, not when the answer came. */
  readonly takenAt: Millis;
  /** What was read, or why nothing was, in a few words for people. Bounded, escaped. */
  readonly detail: string;
}

/** A reading together with what gave it; `reading` is null before the first answer. */
export interface Indication {
  readonly kind: 'contact' | 'witness';
  readonly reading: Reading | null;
}

/** What all indicators of one link say together. */
export interface Evidence {
  readonly position: Position;
  /** Monotonic ms of the oldest reading this rests on. Older than a cut: proves nothing about the cut. */
  readonly asOf: Millis;
  /** What the position rests on: a witness, only the devices' own word, or nothing. */
  readonly basis: 'witness' | 'read-back' | 'none';
  /** Every contact answered. A link is kept connected only on whole evidence. */
  readonly whole: boolean;
}

/**
 * Combines the readings of one link. Contacts are in series, so one contact read isolated isolates the link;
 * a witness that sees a path outranks every contact's own word (a lying board); contacts and witnesses that
 * contradict each other the other way round (all contacts connected, a witness isolated) prove nothing.
 */
export function combine(indications: readonly Indication[]): Evidence {
  const contacts = indications.filter((each) => each.kind === 'contact').map((each) => each.reading);
  const witnesses = indications.filter((each) => each.kind === 'witness').map((each) => each.reading);
  const whole = contacts.length > 0 && contacts.every((reading) => known(reading));
  const asOf = oldest([...contacts, ...witnesses].filter(known));
  const says = (readings: readonly (Reading | null)[], position: Position): boolean =>
    readings.some((reading) => reading?.position === position);

  if (says(witnesses, 'connected')) return { position: 'connected', asOf, basis: 'witness', whole };
  const everyContactConnected = whole && !says(contacts, 'isolated');
  if (everyContactConnected) {
    if (says(witnesses, 'isolated')) return { position: 'unknown', asOf, basis: 'none', whole };
    return { position: 'connected', asOf, basis: 'read-back', whole };
  }
  if (says(witnesses, 'isolated')) return { position: 'isolated', asOf, basis: 'witness', whole };
  if (says(contacts, 'isolated')) return { position: 'isolated', asOf, basis: 'read-back', whole };
  return { position: 'unknown', asOf, basis: 'none', whole };
}

const known = (reading: Reading | null): reading is Reading =>
  reading !== null && reading.position !== 'unknown';

const oldest = (readings: readonly Reading[]): Millis =>
  millis(readings.reduce((least, reading) => Math.min(least, reading.takenAt), Number.POSITIVE_INFINITY));
