/** Evidence from an indicator that answered after a long while. Found by the simulation. */
import { expect, test } from 'vitest';
import { begin, decide } from '../../src/core/decide.ts';
import type { Evidence } from '../../src/core/evidence.ts';
import type { Policy } from '../../src/core/link.ts';
import { millis } from '../../src/core/time.ts';

const policy: Policy = {
  connectTimeoutMs: 10_000,
  isolateTimeoutMs: 2_000,
  leaseTimeoutMs: 3_000,
  commissioningMs: 60_000,
  evidenceMaxAgeMs: 5_000,
};
const isolatedAsOf = (asOf: number): Evidence => ({
  position: 'isolated',
  asOf: millis(asOf),
  basis: 'witness',
  whole: false,
});
const trip = { by: 'source:test', reason: 'test' };

test.each([
  ['no latch', null, 'unproven', 'isolated'],
  ['a latch', trip, 'tripped', 'tripped'],
] as const)('too old evidence proves nothing, old enough evidence does: %s', (_what, latch, at, proven) => {
  const { state } = begin(millis(0), latch, policy);
  const seen = (now: number, asOf: number): ReturnType<typeof decide> =>
    decide(state, { kind: 'seen', now: millis(now), evidence: isolatedAsOf(asOf), alone: null }, policy);
  expect(seen(6_001, 1_000).state).toMatchObject(at === 'tripped' ? { at, provenAt: null } : { at });
  expect(seen(6_000, 1_000).state).toMatchObject({ at: proven, provenAt: 1_000 });
});
