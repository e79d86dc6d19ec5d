import { describe, expect, test } from 'vitest';
import { aloneOf, combine, type Indication, type Position } from '../../src/core/evidence.ts';
import { millis } from '../../src/core/time.ts';

const answers = ['connected', 'isolated', 'unknown', null] as const;
type Answer = (typeof answers)[number];

const reading = (answer: Answer, takenAt: number): Indication['reading'] =>
  answer === null ? null : { position: answer, takenAt: millis(takenAt), detail: '' };

const contact = (name: string, answer: Answer, takenAt: number): Indication => ({
  kind: 'contact',
  name,
  reading: reading(answer, takenAt),
});

const witness = (
  answer: Answer,
  takenAt: number,
  sees: readonly string[] | null = null,
  showsIsolation = true,
): Indication => ({ kind: 'witness', sees, showsIsolation, reading: reading(answer, takenAt) });

/** Every list of up to `most` answers. */
function lists(most: number): Answer[][] {
  if (most === 0) return [[]];
  const shorter = lists(most - 1);
  return [
    ...shorter,
    ...shorter.filter((each) => each.length === most - 1).flatMap((each) => answers.map((a) => [...each, a])),
  ];
}

/** Contacts, witnesses of the whole path, and the answer of a witness that sees the first contact only. */
const cases = lists(3).flatMap((contacts) =>
  lists(2).flatMap((witnesses) => answers.map((mirror) => ({ contacts, witnesses, mirror }))),
);
const indicationsOf = ({ contacts, witnesses, mirror }: (typeof cases)[number]): Indication[] => [
  ...contacts.map((answer, i) => contact(`c${i}`, answer, 10 + i)),
  ...witnesses.map((answer, i) => witness(answer, 5 + i)),
  witness(mirror, 8, ['c0']),
];

describe('evidence over every combination of up to three contacts, two witnesses and a mirror contact', () => {
  /** A mirror of the only contact sees the whole path; of no contact at all, too. */
  const seen = (c: Answer[], w: Answer[], m: Answer): Answer[] => (c.length <= 1 ? [...w, m] : w);
  test.each([
    [
      'isolated needs a positive indicator and none against',
      (c: Answer[], w: Answer[], m: Answer, position: Position) =>
        position !== 'isolated' ||
        ((c.includes('isolated') || [...w, m].includes('isolated')) && ![...w, m].includes('connected')),
    ],
    [
      'a link whose every contact reads connected is never isolated',
      (c: Answer[], _w: Answer[], _m: Answer, position: Position) =>
        position !== 'isolated' || c.length === 0 || !c.every((each) => each === 'connected'),
    ],
    [
      'a witness that sees the path outranks every read-back',
      (c: Answer[], w: Answer[], m: Answer, position: Position) =>
        !seen(c, w, m).includes('connected') || position === 'connected',
    ],
    [
      'a mirror of one contact of several never makes the link connected',
      (c: Answer[], w: Answer[], m: Answer, position: Position) =>
        c.length < 2 ||
        m !== 'connected' ||
        position !== 'connected' ||
        w.includes('connected') ||
        c.every((each) => each === 'connected'),
    ],
    [
      'nothing readable is unknown',
      (c: Answer[], w: Answer[], m: Answer, position: Position) =>
        [...c, ...w, m].some((each) => each === 'connected' || each === 'isolated') || position === 'unknown',
    ],
    [
      'connected by read-back needs every contact',
      (c: Answer[], w: Answer[], m: Answer, position: Position) =>
        position !== 'connected' ||
        seen(c, w, m).includes('connected') ||
        (c.length > 0 && c.every((each) => each === 'connected')),
    ],
    [
      'one contact read isolated isolates unless a witness objects',
      (c: Answer[], w: Answer[], m: Answer, position: Position) =>
        !c.includes('isolated') || [...w, m].includes('connected') || position === 'isolated',
    ],
  ])('%s', (_name, holds) => {
    for (const each of cases) {
      const evidence = combine(indicationsOf(each));
      expect(
        holds(each.contacts, each.witnesses, each.mirror, evidence.position),
        JSON.stringify({ ...each, evidence }),
      ).toBe(true);
    }
    expect(cases.length).toBe(85 * 21 * 4);
  });

  test('it is as old as its oldest readable reading, and whole only when every contact answered', () => {
    const mixed = combine([
      contact('a', 'isolated', 30),
      witness('isolated', 20),
      contact('b', 'unknown', 1),
    ]);
    expect(mixed).toEqual({ position: 'isolated', asOf: 20, basis: 'witness', whole: false });
    expect(combine([contact('a', 'connected', 7)])).toMatchObject({
      asOf: 7,
      whole: true,
      basis: 'read-back',
    });
    expect(combine([]).whole).toBe(false);
  });
});

describe('one contact alone, over every combination', () => {
  /** The contact under test is `c1`; the mirror is of `c0`, another one. */
  const others = (c: Answer[]): Answer[] => c.filter((_, i) => i !== 1);
  test.each([
    [
      'isolated needs a witness of this contact where there is one, else its own word; nobody may object',
      (c: Answer[], w: Answer[], position: Position) =>
        position !== 'isolated' ||
        (!w.includes('connected') &&
          c[1] !== 'connected' &&
          (w.length > 0 ? w.includes('isolated') : c[1] === 'isolated')),
    ],
    [
      'a witness that sees the path says that it does not isolate',
      (_c: Answer[], w: Answer[], position: Position) => !w.includes('connected') || position === 'connected',
    ],
    [
      'a witness that shows it suffices',
      (c: Answer[], w: Answer[], position: Position) =>
        !w.includes('isolated') || w.includes('connected') || c[1] === 'connected' || position === 'isolated',
    ],
  ])('%s', (_name, holds) => {
    for (const each of cases) {
      const alone = aloneOf(indicationsOf(each), 'c1');
      expect(holds(each.contacts, each.witnesses, alone.position), JSON.stringify({ ...each, alone })).toBe(
        true,
      );
    }
  });

  test('the others are connected when all say so, and isolated when one or its mirror says so', () => {
    for (const each of cases) {
      const { others: position } = aloneOf(indicationsOf(each), 'c1');
      const theirs = others(each.contacts);
      if (theirs.includes('isolated') || each.mirror === 'isolated') expect(position).toBe('isolated');
      else if (theirs.every((answer) => answer === 'connected')) expect(position).toBe('connected');
      else expect(position).toBe('unknown');
    }
  });

  test('a witness that can only say connected leaves it to the contact, and may object', () => {
    const by = (own: Answer, probe: Answer): ReturnType<typeof aloneOf> =>
      aloneOf([contact('c', own, 3), witness(probe, 4, null, false)], 'c');
    expect(by('isolated', 'unknown')).toMatchObject({ position: 'isolated', basis: 'read-back', asOf: 3 });
    expect(by('isolated', 'connected')).toMatchObject({ position: 'connected', basis: 'witness' });
    expect(by('unknown', 'unknown')).toMatchObject({ position: 'unknown', basis: 'none' });
  });

  test('it is as old as the oldest reading of its own indicators, and the others as the oldest of theirs', () => {
    const alone = aloneOf(
      [
        contact('c', 'isolated', 30),
        contact('d', 'connected', 7),
        contact('e', 'connected', 9),
        witness('isolated', 20),
        witness('connected', 1, ['d']),
      ],
      'c',
    );
    expect(alone).toEqual({
      contact: 'c',
      position: 'isolated',
      basis: 'witness',
      asOf: 20,
      others: 'connected',
      othersAsOf: 7,
    });
    expect(aloneOf([contact('c', 'isolated', 1)], 'c')).toMatchObject({
      others: 'connected',
      othersAsOf: Infinity,
    });
  });
});
