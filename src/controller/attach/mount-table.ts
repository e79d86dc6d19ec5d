/** What is mounted where, as the kernel says (`/proc/self/mountinfo`, proc(5)). */
import { readFileSync } from 'node:fs';

/** One mount. */
export interface Mount {
  readonly at: string;
  /** `major:minor` of the device that files on it show. */
  readonly device: string;
  readonly type: string;
  /** What was mounted, as in /dev/sdb1. */
  readonly source: string;
  readonly isReadOnly: boolean;
}

const ESCAPE = /\\([0-7]{3})/g;
const plain = (text: string): string =>
  text.replaceAll(ESCAPE, (_all, octal: string) => String.fromCodePoint(Number.parseInt(octal, 8)));

/** Every mount in `text`, in the kernel's order: a later one at the same place covers the earlier. Pure. */
export function parseMounts(text: string): readonly Mount[] {
  return text.split('\n').flatMap((line) => {
    const [before = '', after = ''] = line.split(' - ', 2);
    const [, , device, , at, options = ''] = before.split(' ');
    const [type, source = '', superOptions = ''] = after.split(' ');
    if (device === undefined || at === undefined || type === undefined) return [];
    const isReadOnly = [...options.split(','), ...superOptions.split(',')].includes('ro');
    return [{ at: plain(at), device, type, source: plain(source), isReadOnly }];
  });
}

/** Reads the table as this process sees it. */
export const readMounts = (): readonly Mount[] => parseMounts(readFileSync('/proc/self/mountinfo', 'utf8'));

/** What is seen at a place, or `null` when nothing is mounted there. */
export const mountAt = (at: string, mounts: readonly Mount[] = readMounts()): Mount | null =>
  mounts.findLast((mount) => mount.at === at) ?? null;

/** `major:minor` of a device number as stat(2) gives it (Linux: 12 bits of major, 20 of minor, interleaved). */
export function deviceOf(dev: number): string {
  const wide = BigInt(dev);
  const major = ((wide >> 8n) & 0xfffn) | ((wide >> 32n) & ~0xfffn);
  const minor = (wide & 0xffn) | ((wide >> 12n) & ~0xffn);
  return `${major}:${minor & 0xffffffffn}`;
}
