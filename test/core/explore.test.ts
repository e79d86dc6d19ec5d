import { describe, expect, test } from 'vitest';
import { begin, decide } from '../../src/core/decide.ts';
import { explore, promises } from './explore.ts';
import { mutants } from './mutants.ts';
import { planted } from './planted.ts';

const loadMutant = (find: string, replace: string): Promise<{ decide: typeof decide; begin: typeof begin }> =>
  planted('decide', find, replace);

describe('the whole space of one link', () => {
  test('keeps every promise in every situation with every event', () => {
    const visited = explore({ decide, begin });
    expect([...visited.states].toSorted()).toEqual([
      'commissioning',
      'connected',
      'connecting',
      'isolated',
      'isolating',
      'proving',
      'stuck',
      'tripped',
      'unproven',
    ]);
    expect([...visited.acts].toSorted()).toEqual([
      'alarm',
      'connect',
      'drive',
      'proof-ended',
      'refuse',
      'tell-connected',
      'tell-granted',
      'tell-over',
      'tell-renewed',
      'tell-reset',
    ]);
    expect([...visited.proofs].toSorted()).toEqual(['failed', 'not-done', 'passed']);
    expect(visited.situations).toBeGreaterThan(500);
    console.info(
      `explored ${visited.situations} situations in ${visited.steps} steps, ${Object.keys(promises).length} promises`,
    );
  }, 120_000);

  test.each(mutants)(
    'is caught: $name',
    async ({ find, replace }) => {
      const mutant = await loadMutant(find, replace);
      expect(() => explore(mutant)).toThrow(/broken|begin must/);
    },
    120_000,
  );
});
