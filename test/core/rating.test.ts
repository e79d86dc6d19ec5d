import { describe, expect, test } from 'vitest';
import { rate, type RatedContact } from '../../src/core/rating.ts';

const KINDS = ['fail-safe', 'holding'] as const;
const WITHOUT_POWER = ['isolated', 'keeps', 'unknown'] as const;
const WIRINGS = ['normally-open', 'normally-closed'] as const;
const WITNESSES = [[], ['indirect'], ['independent'], ['indirect', 'independent']] as const;

const all: readonly RatedContact[] = KINDS.flatMap((kind) =>
  WITHOUT_POWER.flatMap((withoutPower) =>
    WIRINGS.flatMap((wiring) => WITNESSES.map((witnesses) => ({ kind, withoutPower, wiring, witnesses }))),
  ),
);

describe('the rating of a contact, over every combination', () => {
  test('only a fail-safe contact that is isolated without power, wired normally open, is more than holding', () => {
    const better = all.filter((contact) => rate(contact) !== 'holding');
    expect(better).toHaveLength(WITNESSES.length);
    for (const contact of better) {
      expect(contact).toMatchObject({
        kind: 'fail-safe',
        withoutPower: 'isolated',
        wiring: 'normally-open',
      });
    }
  });

  test('evidence is independent when one witness is', () => {
    const rated = WITNESSES.map((witnesses) =>
      rate({ kind: 'fail-safe', withoutPower: 'isolated', wiring: 'normally-open', witnesses }),
    );
    expect(rated).toEqual([
      'fail-safe-indirect',
      'fail-safe-indirect',
      'fail-safe-independent',
      'fail-safe-independent',
    ]);
  });

  test('no witness makes a holding contact better', () => {
    for (const contact of all.filter(({ kind }) => kind === 'holding')) expect(rate(contact)).toBe('holding');
  });
});
