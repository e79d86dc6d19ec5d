/** Whether the disk of the state directory runs low, long before the journal cannot be written. Pure. */

/** What a file system has left for whoever is not root. Bytes and files; `files` 0: it does not count them. */
export interface Room {
  readonly freeBytes: number;
  readonly sizeBytes: number;
  readonly freeFiles: number;
  readonly files: number;
}

/** Less than this is little on any disk; on a small one it is a tenth of it. 512 MiB are decades of journal, and a night of something else. */
const LITTLE_BYTES = 512 * 1024 * 1024;
const LITTLE_FILES = 10_000;
const LITTLE_SHARE = 0.1;
/** It must be so much more than little before it is enough again, so that one file does not tell it back and forth. */
const AGAIN = 1.25;

/** Whether it runs low; `wasLow`: what was said before. */
export function isLow({ freeBytes, sizeBytes, freeFiles, files }: Room, wasLow: boolean): boolean {
  const factor = wasLow ? AGAIN : 1;
  const isLittle = (free: number, all: number, little: number): boolean =>
    free < factor * Math.min(little, all * LITTLE_SHARE);
  return isLittle(freeBytes, sizeBytes, LITTLE_BYTES) || isLittle(freeFiles, files, LITTLE_FILES);
}
