/** Room on the disk of the state directory: told once when it runs low and once when there is enough, shown in between. */
import { expect, test } from 'vitest';
import type { Room } from '../../src/core/room.ts';
import { DiskRoom } from '../../src/interlock/disk-room.ts';
import type { EntryInput } from '../../src/journal/entry.ts';
import { ProcessClock, VirtualTime } from '../simulation/virtual-time.ts';

const GIB = 1024 * 1024 * 1024;

function watched() {
  const time = new VirtualTime();
  const notes: EntryInput[] = [];
  const seen: { free: number | null } = { free: 8 * GIB };
  const look = async (): Promise<Room> => {
    if (seen.free === null) throw new Error('EIO');
    return { freeBytes: seen.free, sizeBytes: 16 * GIB, freeFiles: 1, files: 0 };
  };
  const disk = new DiskRoom(new ProcessClock(time, { offsetMs: 0 }, 0), '/nowhere', look);
  const pass = async (ms: number): Promise<void> => {
    const until = time.now + ms;
    while (await time.step(until));
  };
  return { disk, notes, seen, pass, start: () => disk.start((entry) => void notes.push(entry)) };
}

test('low and enough are journaled once each', async () => {
  const { disk, notes, seen, pass, start } = watched();
  expect(disk.status()).toBeUndefined();
  start();
  await pass(300_000);
  expect(notes).toEqual([]);
  expect(disk.status()).toEqual({ free_bytes: 8 * GIB, size_bytes: 16 * GIB, low: false });
  seen.free = 1_000;
  await pass(300_000);
  expect(notes).toMatchObject([{ type: 'disk.low', data: { free_bytes: 1_000 } }]);
  expect(disk.status()?.low).toBe(true);
  seen.free = 4 * GIB;
  await pass(300_000);
  expect(notes.map(({ type }) => type)).toEqual(['disk.low', 'disk.enough']);
});

test('a disk that cannot be asked is no news, and nothing is shown of it', async () => {
  const { disk, notes, seen, pass, start } = watched();
  start();
  await pass(100_000);
  seen.free = null;
  await pass(300_000);
  expect(notes).toEqual([]);
  expect(disk.status()).toBeUndefined();
});

test('stopped, it looks no more', async () => {
  const { disk, notes, seen, pass, start } = watched();
  start();
  await pass(100_000);
  disk.stop();
  seen.free = 0;
  await pass(600_000);
  expect(notes).toEqual([]);
});
