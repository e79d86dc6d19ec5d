/** What counts as seen after a command. */
import { expect, test } from 'vitest';
import type { Position } from '../../src/core/evidence.ts';
import { millis } from '../../src/core/time.ts';
import type { LinkFacts } from '../../src/interlock/commissioning/facts.ts';
import { asExpected, sightOf } from '../../src/interlock/commissioning/sight.ts';

const FACTS: LinkFacts = {
  link: 'vault',
  contacts: [
    {
      name: 'relay',
      kind: 'fail-safe',
      profile: 'test/relay',
      supply: 'the board',
      hardwareLeaseMs: null,
      answers: true,
    },
  ],
  witnesses: [{ name: 'carrier', type: 'carrier', sees: null, showsIsolation: true }],
  connectTimeoutMs: 5_000,
  isolateTimeoutMs: 2_000,
  simulated: false,
  unattended: false,
};

test('an answer to a question that was asked before the command is none', () => {
  const sight = (askedAt: number): ReturnType<typeof sightOf> =>
    sightOf(
      FACTS,
      (kind) => ({
        position: 'isolated' satisfies Position,
        takenAt: millis(kind === 'witness' ? askedAt : 200),
        detail: '',
      }),
      { contacts: { relay: 'isolated' }, path: null },
      100,
    );
  expect(asExpected(sight(100))).toBe(true);
  expect(asExpected(sight(99))).toBe(false);
  expect(sight(99).find(({ name }) => name === 'carrier')).toMatchObject({
    position: 'unknown',
    afterMs: null,
  });
});
