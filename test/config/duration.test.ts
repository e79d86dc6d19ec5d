import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatDuration, parseDuration } from '../../src/config/schema/duration.ts';

describe('durations', () => {
  test.each([
    ['0s', 0],
    ['500ms', 500],
    ['10s', 10_000],
    ['90s', 90_000],
    ['2m', 120_000],
    ['1h30m', 5_400_000],
    ['1d2h3m4s5ms', 93_784_005],
  ])('%s is %d ms', (text, ms) => expect(parseDuration(text)).toBe(ms));

  test.each(['', '10', 's', '1.5s', '-1s', '1 s', '1s1m', '1M', '10sec', 'ms', '1s ', '1e3s', '1s1s', '٣s'])(
    '"%s" is none',
    (text) => expect(parseDuration(text)).toBeNull(),
  );

  test('what is printed is read back', () => {
    fc.assert(fc.property(fc.nat({ max: 2_000_000_000 }), (ms) => parseDuration(formatDuration(ms)) === ms));
  });
});
