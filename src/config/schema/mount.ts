/** A disk behind the gap: which one, and where it is mounted. */
import { z } from 'zod';
import { absolutePath, duration } from './fields.ts';

/** File systems whose device number says which disk they are on; that of btrfs does not. */
const FILE_SYSTEMS = ['ext4', 'xfs', 'f2fs', 'exfat', 'vfat', 'ntfs3'] as const;

/** `mount` of a repository. */
export const mount = z.strictObject({
  uuid: z
    .string()
    .regex(
      /^[0-9A-Fa-f]{4,16}(?:-[0-9A-Fa-f]{4,12}){0,4}$/,
      'not the UUID of a file system: `blkid` prints it',
    )
    .describe('UUID of the file system, as `blkid` prints it; no other disk is taken'),
  at: absolutePath
    .regex(/^(?:\/[^/\s]+)+$/, 'no blanks, no "/" at the end')
    .refine((path) => !/\/\.{1,2}(?:\/|$)/.test(path), 'without "." and ".."')
    .describe('the mount point: a directory into which nobody can write while nothing is mounted there'),
  type: z
    .enum(FILE_SYSTEMS)
    .default('ext4')
    .describe('file system; nothing is guessed from what the disk says'),
  options: z
    .array(
      z
        .string()
        .regex(/^[a-z][a-z0-9_-]*(?:=[A-Za-z0-9._-]+)?$/, 'not a mount option')
        .max(100),
    )
    .max(20)
    .default([])
    .describe('further mount options; nosuid, nodev and noexec are always set'),
  timeout: duration(1_000, 600_000)
    .default(30_000)
    .describe('how long the disk may take to appear after the link has settled'),
});

/** One mount, parsed. */
export type MountSettings = z.output<typeof mount>;
