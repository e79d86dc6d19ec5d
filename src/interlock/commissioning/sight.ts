/** What was seen of a link compared with what was commanded. Pure. */
import type { Position, Reading } from '../../core/evidence.ts';
import type { LinkFacts } from './facts.ts';

/** Where a contact or a link was told to be. */
export type Commanded = 'connected' | 'isolated';

/** What is expected to be seen. */
export interface Expected {
  /** Every contact, by name. */
  readonly contacts: Readonly<Record<string, Commanded>>;
  /** What a witness of the whole path must say; null: what follows from the contacts, which are in series. */
  readonly path: Commanded | null;
}

/** One contact or witness: what it should have said, and what it last said. */
export interface Sighting {
  readonly kind: 'contact' | 'witness';
  readonly name: string;
  /** Names of the contacts whose position it tells. */
  readonly sees: readonly string[];
  /** A witness of all contacts together. */
  readonly isWhole: boolean;
  readonly showsIsolation: boolean;
  readonly expected: Commanded;
  readonly position: Position;
  readonly fits: boolean;
  readonly detail: string;
  /** ms after the command when the question was asked that it answered as expected; null when it never did. */
  readonly afterMs: number | null;
}

/** One round of looking at everything. */
export type Sight = readonly Sighting[];

/** What one round said, by kind and name; null when there was no answer in time. */
export type Readings = (kind: Sighting['kind'], name: string) => Reading | null;

/** Everything that was asked in one round. A missing answer is unknown. */
export function sightOf(facts: LinkFacts, readings: Readings, expected: Expected, since: number): Sight {
  const all = facts.contacts.map(({ name }) => name);
  const contacts = facts.contacts.map(({ name, answers }) => ({
    kind: 'contact' as const,
    name,
    answers,
    sees: [name],
    isWhole: false,
    showsIsolation: true,
  }));
  const witnesses = facts.witnesses.map(({ name, sees, showsIsolation }) => ({
    kind: 'witness' as const,
    name,
    answers: true,
    sees: sees ?? all,
    isWhole: sees === null || all.every((each) => sees.includes(each)),
    showsIsolation,
  }));
  return [...contacts, ...witnesses].map(({ answers, ...of }) => {
    const told = readings(of.kind, of.name);
    // An answer may come rounds after its question: asked before the command, it says nothing of what came after.
    const reading = told !== null && told.takenAt >= since ? told : null;
    const connected = of.sees.every((name) => expected.contacts[name] === 'connected');
    const wanted = (of.isWhole ? expected.path : null) ?? (connected ? 'connected' : 'isolated');
    const position = reading?.position ?? 'unknown';
    // A probe that fails is all that such a witness can say of an isolated link; some boards never say anything.
    const mayBeSilent = !answers || (!of.showsIsolation && wanted === 'isolated');
    return {
      ...of,
      expected: wanted,
      position,
      fits: position === wanted || (mayBeSilent && position === 'unknown'),
      detail: reading?.detail ?? 'it did not answer in time',
      afterMs: reading !== null && position === wanted ? Math.max(0, reading.takenAt - since) : null,
    };
  });
}

/** True when everything says what it should. */
export const asExpected = (sight: Sight): boolean => sight.every(({ fits }) => fits);

/** The witnesses, or the contacts, of a sight. */
export const only = (sight: Sight, kind: Sighting['kind']): Sight =>
  sight.filter((each) => each.kind === kind);

/** What the witnesses say of the path; what the contacts say where no witness can show isolation. */
export function pathOf(sight: Sight): Position {
  const witnesses = only(sight, 'witness');
  if (witnesses.some(({ isWhole, position }) => isWhole && position === 'connected')) return 'connected';
  const telling = witnesses.filter(({ showsIsolation }) => showsIsolation);
  const asked = telling.length > 0 ? telling : only(sight, 'contact');
  if (asked.some(({ position }) => position === 'isolated')) return 'isolated';
  return asked.every(({ position }) => position === 'connected') ? 'connected' : 'unknown';
}

/** Names joined for a sentence. */
export const namesOf = (sight: readonly { readonly name: string }[]): string =>
  sight.map(({ name }) => name).join(', ');

/** What everything said, in one line. */
export const sightWords = (sight: Sight): string =>
  sight.map(({ kind, name, position }) => `${kind} ${name} ${position}`).join(', ');
