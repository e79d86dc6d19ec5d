/** `source_present`: the sources are there, mounted where they should be, and not emptied. */
import { readFile } from 'node:fs/promises';
import { normalize } from 'node:path';
import type { SourcePresentSettings } from '../../config/schema/guards.ts';
import { clear } from './look.ts';
import type { Look } from './look.ts';
import { walk } from './walk.ts';

/** What was there when it was last good. */
export interface LastGood {
  readonly files: number;
  readonly bytes: number;
}

export interface Presence {
  readonly settings: SourcePresentSettings;
  readonly paths: readonly string[];
  /** `null`: nothing is known yet. */
  readonly last: LastGood | null;
}

/** Goes through the sources only as far as is needed to see enough. */
export async function sourcesPresent({ settings, paths, last }: Presence, stop: AbortSignal): Promise<Look> {
  const obstacle = await mountObstacle(settings.mount_points);
  if (obstacle !== null) return obstacle;
  const share = settings.least_share / 100;
  const wanted = {
    files: Math.max(settings.minimum_files, Math.ceil((last?.files ?? 0) * share)),
    bytes: Math.max(settings.minimum_bytes, Math.ceil((last?.bytes ?? 0) * share)),
  };
  const seen = { files: 0, bytes: 0 };
  const walked = await walk({
    roots: paths,
    exclude: [],
    timeoutMs: settings.timeout,
    stop,
    onFile: (_path, { size }) => {
      seen.files += 1;
      seen.bytes += size;
      return seen.files < wanted.files || seen.bytes < wanted.bytes;
    },
  });
  const numbers = {
    files: seen.files,
    bytes: seen.bytes,
    wanted_files: wanted.files,
    wanted_bytes: wanted.bytes,
  };
  if (walked.missing.length > 0)
    return {
      found: 'wrong',
      why: `these sources do not exist: ${walked.missing.slice(0, 5).join(', ')}`,
      hint: 'see whether they are mounted, or take them out of the configuration',
      numbers,
    };
  if (seen.files >= wanted.files && seen.bytes >= wanted.bytes) return clear(numbers);
  if (walked.end !== 'done')
    return {
      found: 'unknown',
      why: `only ${seen.files} files were seen within ${Math.round(settings.timeout / 1_000)} s`,
      hint: 'raise `timeout`, or see why the disk is slow',
      numbers,
    };
  const before = last === null ? '' : `; the last good backup had ${last.files} with ${last.bytes} bytes`;
  return {
    found: 'wrong',
    why: `${seen.files} files with ${seen.bytes} bytes are there, at least ${wanted.files} with ${wanted.bytes} must be${before}`,
    hint: 'see who emptied the sources, or whether another disk is mounted there; if it was you, release it: portcullis anomaly release ID --expected --reason …',
    numbers,
  };
}

async function mountObstacle(points: readonly string[]): Promise<Look | null> {
  const unmounted = await notMounted(points);
  if (unmounted === null)
    return {
      found: 'unknown',
      why: 'the table of mounts cannot be read',
      hint: 'the controller needs /proc',
      numbers: {},
    };
  if (unmounted.length > 0)
    return {
      found: 'wrong',
      why: `nothing is mounted on ${unmounted.join(', ')}`,
      hint: 'mount it; `chattr +i` on the empty directory keeps others from writing into it',
      numbers: {},
    };
  return null;
}

/** Those of `points` on which nothing is mounted; `null` when that cannot be told. */
async function notMounted(points: readonly string[]): Promise<readonly string[] | null> {
  if (points.length === 0) return [];
  try {
    const table = await readFile('/proc/self/mountinfo', 'utf8');
    const mounted = new Set(mountPointsIn(table));
    return points.filter((point) => !mounted.has(normalize(point).replace(/(.)\/$/, '$1')));
  } catch (error) {
    if (typeof (error as NodeJS.ErrnoException).code !== 'string') throw error;
    return null;
  }
}

/** Fifth field of each line of `/proc/self/mountinfo`; blanks and the like are written in octal (proc(5)). */
export const mountPointsIn = (table: string): readonly string[] =>
  table.split('\n').flatMap((line) => {
    const field = line.split(' ')[4];
    return field === undefined
      ? []
      : [
          field.replaceAll(/\\(\d{3})/g, (_, digits: string) =>
            String.fromCharCode(Number.parseInt(digits, 8)),
          ),
        ];
  });
