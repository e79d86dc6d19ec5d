import { describe, expect, test } from 'vitest';
import { combine, type Indication, type Position } from '../../src/core/evidence.ts';
import { millis } from '../../src/core/time.ts';

const answers = ['connected', 'isolated', 'unknown', null] as const;
type Answer = (typeof answers)[number];

const indication = (kind: Indication['kind'], answer: Answer, takenAt: number): Indication => ({
  kind,
  reading: answer === null ? null : { position: answer, takenAt: millis(takenAt), detail: '' },
});

/** Every list of up to `most` answers. */
function lists(most: number): Answer[][] {
  if (most === 0) return [[]];
  const shorter = lists(most - 1);
  return [
    ...shorter,
    ...shorter.filter((each) => each.length === most - 1).flatMap((each) => answers.map((a) => [...each, a])),
  ];
}

describe('evidence over every combination of up to three contacts and two witnesses', () => {
  const cases = lists(3).flatMap((contacts) => lists(2).map((witnesses) => ({ contacts, witnesses })));

  test.each([
    [
      'isolated needs a positive indicator and none against',
      (c: Answer[], w: Answer[], position: Position) =>
        position !== 'isolated' ||
        ((c.includes('isolated') || w.includes('isolated')) && !w.includes('connected')),
    ],
    [
      'a link whose every contact reads connected is never isolated',
      (c: Answer[], _w: Answer[], position: Position) =>
        position !== 'isolated' || c.length === 0 || !c.every((each) => each === 'connected'),
    ],
    [
      'a witness that sees a path outranks every read-back',
      (_c: Answer[], w: Answer[], position: Position) => !w.includes('connected') || position === 'connected',
    ],
    [
      'nothing readable is unknown',
      (c: Answer[], w: Answer[], position: Position) =>
        [...c, ...w].some((each) => each === 'connected' || each === 'isolated') || position === 'unknown',
    ],
    [
      'connected by read-back needs every contact',
      (c: Answer[], w: Answer[], position: Position) =>
        position !== 'connected' ||
        w.includes('connected') ||
        (c.length > 0 && c.every((each) => each === 'connected')),
    ],
    [
      'one contact read isolated isolates unless a witness objects',
      (c: Answer[], w: Answer[], position: Position) =>
        !c.includes('isolated') || w.includes('connected') || position === 'isolated',
    ],
  ])('%s', (_name, holds) => {
    for (const { contacts, witnesses } of cases) {
      const evidence = combine([
        ...contacts.map((answer, i) => indication('contact', answer, 10 + i)),
        ...witnesses.map((answer, i) => indication('witness', answer, 5 + i)),
      ]);
      expect(
        holds(contacts, witnesses, evidence.position),
        JSON.stringify({ contacts, witnesses, evidence }),
      ).toBe(true);
    }
    expect(cases.length).toBe(85 * 21);
  });

  test('it is as old as its oldest readable reading, and whole only when every contact answered', () => {
    const mixed = combine([
      indication('contact', 'isolated', 30),
      indication('witness', 'isolated', 20),
      indication('contact', 'unknown', 1),
    ]);
    expect(mixed).toEqual({ position: 'isolated', asOf: 20, basis: 'witness', whole: false });
    expect(combine([indication('contact', 'connected', 7)])).toMatchObject({
      asOf: 7,
      whole: true,
      basis: 'read-back',
    });
    expect(combine([]).whole).toBe(false);
  });
});
