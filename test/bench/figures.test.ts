/** What the benchmark reckons with; that it measures well is for a person to judge. */
import { expect, test } from 'vitest';
import { figuresOf, inTurn, tableOf } from './figures.ts';

test('percentiles are samples, by the nearest rank', () => {
  const hundred = Array.from({ length: 100 }, (_, index) => 100 - index);
  expect(figuresOf(hundred)).toEqual({ p50: 50, p99: 99, least: 1, most: 100, count: 100 });
  expect(figuresOf([7])).toEqual({ p50: 7, p99: 7, least: 7, most: 7, count: 1 });
  expect(figuresOf([]).p50).toBeNaN();
});

test('everybody has a turn in every round, and each round begins with another', () => {
  const rounds = [0, 1, 2, 3].map((round) => inTurn(['a', 'b', 'c'], round).join(''));
  expect(rounds).toEqual(['abc', 'bca', 'cab', 'abc']);
});

test('a request that no frame followed is counted and spoils no percentile', () => {
  const samples = new Map([
    ['floor', [1, 1, 1]],
    ['slow', [3, null, 5]],
    ['mute', [null]],
  ]);
  expect(tableOf(samples, 'floor').slice(2)).toEqual([
    '| floor | 1.00 | 1.00 | 1.00 | 1.0 × | 0 of 3 |',
    '| slow | 3.00 | 5.00 | 5.00 | 3.0 × | 1 of 3 |',
    '| mute | – | – | – | – | 1 of 1 |',
  ]);
});
