/** Numbers and times as people read them. */
import { describe, expect, test } from 'vitest';
import {
  actor,
  age,
  bounded,
  bytes,
  count,
  duration,
  many,
  moment,
  swift,
  ticking,
  timer,
} from '../../src/dashboard/words.ts';

describe('words', () => {
  test.each([
    [0, '0 s'],
    [3.42, '3.4 ms'],
    [84, '84 ms'],
    [4_260, '4.2 s'],
    [59_999, '59 s'],
    [60_000, '1 min'],
    [200_000, '3 min 20 s'],
    [18_720_000, '5 h 12 min'],
    [273_600_000, '3 d 4 h'],
    [-5, '0 s'],
    [Number.NaN, 'unknown'],
  ])('%d ms lasts %s', (ms, text) => expect(duration(ms)).toBe(text));

  test('what ticks shows whole seconds, a timer all of them', () => {
    expect(ticking(4_999)).toBe('4 s');
    expect(timer(753_000)).toBe('00:12:33');
    expect(timer(3 * 86_400_000 + 15_153_000)).toBe('3 d 04:12:33');
  });

  test('ages and cuts', () => {
    expect(age(null)).toBe('not read yet');
    expect(age(240)).toBe('0.2 s ago');
    expect(age(3_999)).toBe('3 s ago');
    expect(swift(0.4)).toBe('less than 1 ms');
    expect(swift(3.4)).toBe('3.4 ms');
  });

  test('sizes and counts', () => {
    expect(bytes(999)).toBe('999 B');
    expect(bytes(1_240_000_000)).toBe('1.2 GB');
    expect(bytes(999_960_000)).toBe('1.0 GB');
    expect(count(48_213)).toBe('48,213');
    expect(many(1, 'trip')).toBe('1 trip');
    expect(many(0, 'trip')).toBe('0 trips');
  });

  test('text of others is one line, without marks that turn it around, and bounded', () => {
    expect(bounded('a\u202Eb\u0000c\nd')).toBe('a·b·c·d');
    expect(bounded('x'.repeat(400))).toHaveLength(300);
    expect(bounded('x'.repeat(400)).endsWith('…')).toBe(true);
    expect(Array.from(bounded('🙂'.repeat(50), 10))).toHaveLength(10);
    expect(bounded('\uD800')).toBe('·');
  });

  test('moments are told by the calendar of the reader', () => {
    const now = new Date(2026, 10, 21, 9, 0).getTime();
    const at = (day: number, hours: number): string => new Date(2026, 10, day, hours, 47).toISOString();
    expect(moment(at(21, 2), now)).toBe('today 02:47');
    expect(moment(at(20, 23), now)).toBe('yesterday 23:47');
    expect(moment(at(22, 2), now)).toBe('tomorrow 02:47');
    expect(moment(at(3, 2), now)).toBe('Tue 3 Nov 02:47');
    expect(moment('2025-01-05T12:00:00Z', now)).toMatch(/^5 Jan 2025 \d\d:\d\d$/);
    expect(moment('never\n', now)).toBe('never·');
  });

  test.each([
    ['source:alertmanager', 'the source alertmanager'],
    ['person:ada', 'ada'],
    ['button', 'the button on the box'],
    ['fault:lease-lost', 'a fault (lease-lost)'],
    ['interlock', 'interlock'],
  ])('%s is %s', (by, text) => expect(actor(by)).toBe(text));
});
