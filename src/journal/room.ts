/** What the file system of a directory has left for whoever is not root. */
import { statfs } from 'node:fs/promises';
import type { Room } from '../core/room.ts';

/** Asks the kernel. Rejects when it cannot be asked. */
export async function roomOf(directory: string): Promise<Room> {
  const { bsize, bavail, blocks, files, ffree } = await statfs(directory);
  return { freeBytes: bavail * bsize, sizeBytes: blocks * bsize, freeFiles: ffree, files };
}
