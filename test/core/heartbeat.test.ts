/** When a sign of life counts: never from before the start, never twice, never for younger than it is. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Beat, countBeat, freshness, type Sign } from '../../src/core/heartbeat.ts';
import { millis } from '../../src/core/time.ts';

const START = millis(100_000);
const NOW = millis(500_000);
const plain = (receivedAt = NOW): Sign => ({ receivedAt, signed: null });
const signed = (at: number, ageMs: number, receivedAt = NOW): Sign => ({ receivedAt, signed: { at, ageMs } });
const last = (at: number, signedAt: number | null): Beat => ({ at: millis(at), signedAt });

describe('a sign of life', () => {
  test('without a signed time counts from when it came', () => {
    expect(countBeat(null, plain(), START)).toEqual({ counts: true, beat: last(NOW, null) });
  });

  test('with a signed time counts from when it was signed', () => {
    expect(countBeat(null, signed(50, 7_000), START)).toEqual({ counts: true, beat: last(NOW - 7_000, 50) });
  });

  test('is not younger than now when the clock of its sender is ahead', () => {
    expect(countBeat(null, signed(50, -60_000), START)).toEqual({ counts: true, beat: last(NOW, 50) });
  });

  test('that was signed before the start does not count', () => {
    expect(countBeat(null, signed(50, NOW - START), START)).toMatchObject({ counts: true });
    const before = { counts: false, why: 'before-start' };
    expect(countBeat(null, signed(50, NOW - START + 1), START)).toEqual(before);
    expect(countBeat(null, signed(50, Number.NaN), START)).toEqual(before);
  });

  test('that is repeated does not count, nor one that was signed before the last', () => {
    const repeated = { counts: false, why: 'repeated' };
    expect(countBeat(last(NOW - 1, 50), signed(50, 0), START)).toEqual(repeated);
    expect(countBeat(last(NOW - 1, 50), signed(49, 0), START)).toEqual(repeated);
    expect(countBeat(last(NOW - 1, 50), signed(51, 0), START)).toMatchObject({ counts: true });
  });

  test('never makes the heartbeat older', () => {
    expect(countBeat(last(NOW - 1_000, 50), signed(51, 9_000), START)).toEqual({
      counts: true,
      beat: last(NOW - 1_000, 51),
    });
  });
});

describe('freshness', () => {
  test.each([
    [null, START, 'awaited'],
    [null, START + 5_000, 'awaited'],
    [null, START + 5_001, 'stale'],
    [last(NOW, null), NOW, 'fresh'],
    [last(NOW, null), NOW + 5_000, 'fresh'],
    [last(NOW, null), NOW + 5_001, 'stale'],
  ] as const)('of %j at %d is %s', (beat, now, expected) => {
    expect(freshness(beat, millis(now), START, 5_000)).toBe(expected);
  });
});

test('whatever is repeated, in whatever order, ends when the sender ends', () => {
  const maxAgeMs = 5_000;
  const startUnixMs = 1_000_000;
  // Signed once a second until `endMs`; whoever recorded them sends any of them at any time after.
  const schedule = fc.record({
    endMs: fc.integer({ min: 0, max: 60_000 }),
    replays: fc.array(
      fc.record({
        second: fc.integer({ min: -60, max: 60 }),
        laterMs: fc.integer({ min: 0, max: 200_000 }),
      }),
      { maxLength: 40 },
    ),
  });
  fc.assert(
    fc.property(schedule, ({ endMs, replays }) => {
      const sent = replays
        .filter(({ second }) => second * 1_000 <= endMs)
        .map(({ second, laterMs }) => ({ second, at: Math.max(0, second * 1_000) + laterMs }))
        .toSorted((a, b) => a.at - b.at);
      let beat: Beat | null = null;
      for (const { second, at } of sent) {
        const sign = signed(startUnixMs / 1_000 + second, at - second * 1_000, millis(START + at));
        const counted = countBeat(beat, sign, START);
        if (counted.counts) beat = counted.beat;
        if (at > endMs + maxAgeMs)
          expect(freshness(beat, millis(START + at), START, maxAgeMs)).not.toBe('fresh');
      }
    }),
  );
});
