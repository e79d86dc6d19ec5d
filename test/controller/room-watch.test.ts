/** Who is told that a disk runs low: once, of each disk, with the directory that lies on it. */
import { expect, test } from 'vitest';
import type { Room } from '../../src/core/room.ts';
import { Rooms } from '../../src/controller/room-watch.ts';
import type { DiskStatus } from '../../src/protocol/journal-status.ts';

const GIB = 1024 * 1024 * 1024;
const disk = (free: number, size: number, low: boolean): DiskStatus => ({
  free_bytes: free,
  size_bytes: size,
  low,
});
const room = (freeBytes: number, sizeBytes: number): Room => ({
  freeBytes,
  sizeBytes,
  freeFiles: 1,
  files: 0,
});
const look = (rooms: Rooms, theirs: DiskStatus | undefined, ours: Room | null) =>
  rooms.look({ directory: '/state', disk: theirs }, { directory: '/state/controller', room: ours });

test('one disk is told once, until there was enough', () => {
  const rooms = new Rooms();
  const [low, plenty] = [1_000_000, 9 * GIB];
  expect(look(rooms, disk(plenty, 16 * GIB, false), room(plenty, 16 * GIB))).toEqual([]);
  expect(look(rooms, disk(low, 16 * GIB, true), room(low, 16 * GIB))).toMatchObject([
    { type: 'portcullis.disk.low', severity: 'warning', data: { directory: '/state' } },
  ]);
  expect(look(rooms, disk(low, 16 * GIB, true), room(low, 16 * GIB))).toEqual([]);
  // A moment without an interlock is no news, and neither is its return.
  expect(look(rooms, undefined, null)).toEqual([]);
  expect(look(rooms, disk(low, 16 * GIB, true), room(low, 16 * GIB))).toEqual([]);
  expect(look(rooms, disk(plenty, 16 * GIB, false), room(plenty, 16 * GIB))).toEqual([]);
  expect(look(rooms, disk(low, 16 * GIB, true), room(low, 16 * GIB))).toHaveLength(1);
});

test('the disk of the controller is told, too, when it is another', () => {
  const rooms = new Rooms();
  expect(look(rooms, disk(9 * GIB, 16 * GIB, false), room(1_000, 32 * GIB))).toMatchObject([
    { data: { directory: '/state/controller' } },
  ]);
  expect(look(rooms, disk(1_000, 16 * GIB, true), room(1_000, 32 * GIB))).toMatchObject([
    { data: { directory: '/state' } },
  ]);
});
