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
export type Indication =
  | { readonly kind: 'contact'; readonly name: string; readonly reading: Reading | null }
  | {
      readonly kind: 'witness';
      readonly reading: Reading | null;
      /** The contacts whose isolation it shows (a mirror contact shows one); null: of every contact. */
      readonly sees: readonly string[] | null;
      /** False: it can say connected, and its silence says nothing (a TCP probe). */
      readonly showsIsolation: boolean;
    };

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

/** What all indicators say about whether one contact, alone, isolates the link. */
export interface Alone {
  readonly contact: string;
  readonly position: Position;
  readonly asOf: Millis;
  readonly basis: Evidence['basis'];
  /** Where the other contacts stand: all connected, at least one isolated, or not known. */
  readonly others: Position;
  /** Monotonic ms of the oldest reading of the others; infinite when there are none. */
  readonly othersAsOf: Millis;
}

/**
 * Combines the readings of one link. Contacts are in series, so one contact read isolated isolates the link;
 * a witness that sees the path outranks every contact's own word (a lying board); contacts and witnesses that
 * contradict each other the other way round (all contacts connected, a witness isolated) prove nothing, and neither does
 * isolation while a witness of some contacts says that they let nothing go (one of two is welded).
 */
export function combine(indications: readonly Indication[]): Evidence {
  const contacts = contactsIn(indications);
  const witnesses = indications.filter((each) => each.kind === 'witness');
  const readBacks = contacts.map((each) => each.reading);
  const seen = witnesses.map((each) => each.reading);
  const whole = contacts.length > 0 && readBacks.every(known);
  const asOf = oldest([...readBacks, ...seen]);
  const wholePath = witnesses.filter((each) => contacts.every(({ name }) => sees(each, name)));
  const inPart = witnesses.filter((each) => !wholePath.includes(each));
  const nothing = { position: 'unknown', asOf, basis: 'none', whole } as const;

  if (says(readingsOf(wholePath), 'connected'))
    return { position: 'connected', asOf, basis: 'witness', whole };
  if (whole && !says(readBacks, 'isolated'))
    return says(seen, 'isolated') ? nothing : { position: 'connected', asOf, basis: 'read-back', whole };
  if (says(readingsOf(inPart), 'connected')) return nothing;
  if (says(seen, 'isolated')) return { position: 'isolated', asOf, basis: 'witness', whole };
  if (says(readBacks, 'isolated')) return { position: 'isolated', asOf, basis: 'read-back', whole };
  return nothing;
}

/**
 * What the readings say of one contact that was told to isolate alone. A witness that sees it has to show the isolation; only
 * where none can does the contact's own word count. Witnesses of other contacts say where those stand, and nothing else.
 */
export function aloneOf(indications: readonly Indication[], contact: string): Alone {
  const witnesses = indications.filter((each) => each.kind === 'witness');
  const seeing = witnesses.filter((each) => sees(each, contact));
  const [own, others] = [true, false].map((is) =>
    contactsIn(indications)
      .filter(({ name }) => (name === contact) === is)
      .map((each) => each.reading),
  );
  const elsewhere = readingsOf(witnesses.filter((each) => !seeing.includes(each)));
  return {
    contact,
    ...positionAlone(own ?? [], seeing),
    asOf: oldest([...(own ?? []), ...readingsOf(seeing)]),
    others: positionOfOthers(others ?? [], elsewhere),
    othersAsOf: oldest(others ?? []),
  };
}

function positionAlone(
  own: readonly (Reading | null)[],
  seeing: readonly WitnessIndication[],
): Pick<Alone, 'position' | 'basis'> {
  const seen = readingsOf(seeing);
  if (says(seen, 'connected')) return { position: 'connected', basis: 'witness' };
  if (says(own, 'connected'))
    return says(seen, 'isolated')
      ? { position: 'unknown', basis: 'none' }
      : { position: 'connected', basis: 'read-back' };
  const showing = seeing.filter((each) => each.showsIsolation);
  if (says(readingsOf(showing), 'isolated')) return { position: 'isolated', basis: 'witness' };
  if (showing.length === 0 && says(own, 'isolated')) return { position: 'isolated', basis: 'read-back' };
  return { position: 'unknown', basis: 'none' };
}

function positionOfOthers(
  others: readonly (Reading | null)[],
  elsewhere: readonly (Reading | null)[],
): Position {
  if (says(others, 'isolated') || says(elsewhere, 'isolated')) return 'isolated';
  return others.every(known) ? 'connected' : 'unknown';
}

type WitnessIndication = Extract<Indication, { kind: 'witness' }>;

const contactsIn = (
  indications: readonly Indication[],
): readonly Extract<Indication, { kind: 'contact' }>[] =>
  indications.filter((each) => each.kind === 'contact');

const sees = (witness: WitnessIndication, contact: string): boolean =>
  witness.sees === null || witness.sees.includes(contact);

const readingsOf = (indications: readonly Indication[]): readonly (Reading | null)[] =>
  indications.map((each) => each.reading);

const says = (readings: readonly (Reading | null)[], position: Position): boolean =>
  readings.some((reading) => reading?.position === position);

const known = (reading: Reading | null): reading is Reading =>
  reading !== null && reading.position !== 'unknown';

const oldest = (readings: readonly (Reading | null)[]): Millis =>
  millis(
    readings.filter(known).reduce((least, each) => Math.min(least, each.takenAt), Number.POSITIVE_INFINITY),
  );
