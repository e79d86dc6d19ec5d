/** When a disk counts as running low: early on a card, never on a large disk with much left, and not back and forth. */
import { expect, test } from 'vitest';
import { isLow, type Room } from '../../src/core/room.ts';

const MIB = 1024 * 1024;
const GIB = 1024 * MIB;
const room = (free: number, size: number, more: Partial<Room> = {}): Room => ({
  freeBytes: free,
  sizeBytes: size,
  freeFiles: 1_000_000,
  files: 2_000_000,
  ...more,
});

test('half a GiB is little on any disk, a tenth on a small one', () => {
  expect(isLow(room(511 * MIB, 16 * GIB), false)).toBe(true);
  expect(isLow(room(513 * MIB, 16 * GIB), false)).toBe(false);
  expect(isLow(room(600 * MIB, 4_000 * GIB), false)).toBe(false);
  expect(isLow(room(49 * MIB, 500 * MIB), false)).toBe(true);
  expect(isLow(room(60 * MIB, 500 * MIB), false)).toBe(false);
});

test('it is enough again only with a quarter more', () => {
  expect(isLow(room(600 * MIB, 16 * GIB), true)).toBe(true);
  expect(isLow(room(641 * MIB, 16 * GIB), true)).toBe(false);
});

test('files run out, too, where they are counted', () => {
  expect(isLow(room(8 * GIB, 16 * GIB, { freeFiles: 900 }), false)).toBe(true);
  expect(isLow(room(8 * GIB, 16 * GIB, { freeFiles: 0, files: 0 }), false)).toBe(false);
});
