/**
 * What was restored against what it was made from. The source itself counts as long as size and time of change are those of the
 * snapshot; where it has changed since, the digest that an earlier drill took of it. Where neither is there, nothing was compared, and
 * that is said.
 */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { chmod, lstat } from 'node:fs/promises';
import { join } from 'node:path';
import type { DrillRecord } from './drill-records.ts';
import type { SnapshotFile } from './drill-sample.ts';

/** What became of one restored file. */
export type Compared =
  | { readonly kind: 'as-source' }
  | { readonly kind: 'as-record' }
  /** Nothing to compare it with: the source is gone or changed, and no digest of it was kept. */
  | { readonly kind: 'no-reference' }
  | { readonly kind: 'wrong'; readonly why: string };

/** Compares one restored file in full. Does not reject for what it finds. */
export async function compared(
  file: SnapshotFile,
  directory: string,
  record: DrillRecord | undefined,
): Promise<Compared> {
  const copy = join(directory, file.path);
  await chmod(copy, 0o600).catch(() => undefined); // restored with its mode, which may bar its new owner; if it is not there, that is said below
  const restored = await digestOf(copy);
  if (restored === null) return { kind: 'wrong', why: `${file.path} was not restored` };
  const source = await digestAsIn(file);
  const recorded = record !== undefined && isOf(record, file) ? record.sha256 : null;
  if (recorded !== null && recorded !== restored)
    return { kind: 'wrong', why: `${file.path} is restored with another content than it was recorded with` };
  if (source === null) return { kind: recorded === null ? 'no-reference' : 'as-record' };
  if (source === restored) return { kind: 'as-source' };
  const why =
    recorded === null
      ? `${file.path} is restored with another content than its source has, whose size and time have not changed since`
      : `${file.path} is restored as it was recorded, but its source now has another content behind the same size and time`;
  return { kind: 'wrong', why };
}

/** True when the digest was taken of this state of the file. */
export const isOf = (record: DrillRecord, file: SnapshotFile): boolean =>
  record.bytes === file.bytes && record.mtime === file.mtime;

/** SHA-256 of the source, or `null` when it is not what the snapshot has, before or after reading it. */
export async function digestAsIn(file: SnapshotFile): Promise<string | null> {
  if (!(await isAsIn(file))) return null;
  const digest = await digestOf(file.path);
  return (await isAsIn(file)) ? digest : null;
}

async function isAsIn({ path, bytes, mtime }: SnapshotFile): Promise<boolean> {
  const facts = await lstat(path, { bigint: true }).catch(() => null); // gone, or not ours to look at: no reference
  return (
    facts !== null && facts.isFile() && facts.size === BigInt(bytes) && facts.mtimeNs === nanosecondsOf(mtime)
  );
}

const TIME = /^(.+T\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)$/;

/** Calendar nanoseconds of an RFC 3339 time; `null` for anything else. */
export function nanosecondsOf(time: string): bigint | null {
  const [, second, fraction = '', zone] = TIME.exec(time) ?? [];
  const ms = Date.parse(`${second}${zone}`);
  if (second === undefined || Number.isNaN(ms)) return null;
  return BigInt(ms) * 1_000_000n + BigInt(fraction.padEnd(9, '0'));
}

/** SHA-256 in hexadecimal; `null` when it cannot be read. */
async function digestOf(path: string): Promise<string | null> {
  const hash = createHash('sha256');
  try {
    for await (const chunk of createReadStream(path)) hash.update(chunk as Uint8Array);
    return hash.digest('hex');
  } catch {
    return null; // every caller has words for it
  }
}
