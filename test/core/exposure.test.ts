import fc from 'fast-check';
import { expect, test } from 'vitest';
import { counts, EXPOSURE_SPAN_MS, exposedMs, type Exposure } from '../../src/core/exposure.ts';
import { millis } from '../../src/core/time.ts';

const DAY = EXPOSURE_SPAN_MS;
const stretch = (boot: string, endedAt: number, endedCalendarMs: number, lastedMs: number): Exposure => ({
  boot,
  endedAt: millis(endedAt),
  endedCalendarMs,
  lastedMs,
});

test('a clock step within one boot neither forgets nor invents exposure', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: -10 * DAY, max: 10 * DAY }),
      fc.integer({ min: 0, max: DAY - 1 }),
      (step, age) => {
        const past = [stretch('b', 1_000, 1_000_000, 500)];
        return (
          exposedMs(past, null, {
            boot: 'b',
            now: millis(1_000 + age),
            calendarMs: 1_000_000 + age + step,
          }) === 500
        );
      },
    ),
  );
});

test('across boots the calendar decides, and a stretch from the future still counts', () => {
  const past = stretch('before', 9e9, 50 * DAY, 500);
  const at = (calendarMs: number): boolean => counts(past, { boot: 'after', now: millis(5), calendarMs });
  expect([at(50 * DAY + 1), at(51 * DAY - 1), at(51 * DAY), at(49 * DAY)]).toEqual([true, true, false, true]);
});

test('exposure in progress counts as it grows', () => {
  const moment = { boot: 'b', now: millis(10_000), calendarMs: 0 };
  expect(exposedMs([stretch('b', 1, 0, 70)], millis(4_000), moment)).toBe(6_070);
});
