/** The part of a file that the schema accepts, so that its meaning can be checked although other parts are wrong. Never run. */
import type { z } from 'zod';
import type { Path } from './text/positions.ts';
import { configSchema, type Config } from './schema.ts';

export interface Accepted {
  readonly config: Config;
  /** What the file says and `config` lacks, by its place in the file. */
  readonly removed: readonly Path[];
}

type Group = Record<string | number, unknown>;
const isGroup = (value: unknown): value is Group => typeof value === 'object' && value !== null;

/** One thing is removed per round, so this bounds the time that an absurd file can take. */
const MOST_ROUNDS = 200;

/** Removes what the schema refuses, as little as will do, until the rest passes. `null` when nothing sensible remains. */
export function acceptedPart(file: unknown): Accepted | null {
  const rest: unknown = structuredClone(file);
  const removed: Path[] = [];
  for (let round = 0; round < MOST_ROUNDS && isGroup(rest); round++) {
    const parsed = configSchema.safeParse(rest);
    if (parsed.success) return { config: parsed.data, removed };
    const [issue] = parsed.error.issues;
    const path = issue === undefined ? [] : pathOf(issue);
    const gone = deepestWritten(rest, path);
    if (gone.length === 0) return null;
    removed.push(inFile(gone, removed));
    remove(rest, gone);
  }
  return null;
}

function pathOf(issue: z.core.$ZodIssue): Path {
  const path = issue.path.map((part) => (typeof part === 'number' ? part : String(part)));
  return issue.code === 'unrecognized_keys' ? [...path, ...issue.keys.slice(0, 1)] : path;
}

/** `path`, or the group around it when something is missing there. */
function deepestWritten(rest: Group, path: Path): Path {
  let value: unknown = rest;
  for (const [depth, part] of path.entries()) {
    if (!isGroup(value) || !Object.hasOwn(value, part)) return path.slice(0, depth);
    value = value[part];
  }
  return path;
}

function remove(rest: Group, path: Path): void {
  const last = path.at(-1);
  const group = path
    .slice(0, -1)
    .reduce<unknown>((value, part) => (isGroup(value) ? value[part] : undefined), rest);
  if (Array.isArray(group) && typeof last === 'number') group.splice(last, 1);
  else if (isGroup(group) && last !== undefined) delete group[last];
}

/** True when `start` is `path` or something around it. */
export const startsWith = (path: Path, start: Path): boolean =>
  start.every((part, index) => path[index] === part);

/** Where `path` of the accepted part stands in the file: list entries that were removed count again. */
export function inFile(path: Path, removed: readonly Path[]): Path {
  const place: (string | number)[] = [];
  for (const part of path) {
    if (typeof part === 'string') {
      place.push(part);
      continue;
    }
    const before = removed
      .filter((gone) => gone.length === place.length + 1 && startsWith(gone, place))
      .map((gone) => Number(gone.at(-1)))
      .toSorted((a, b) => a - b);
    place.push(before.reduce((index, gone) => (gone <= index ? index + 1 : index), part));
  }
  return place;
}

/**
 * True when nothing can be said about the whole of `place`: something in it was removed, or it is not in the file while a
 * key beside it was removed that may have been meant for it.
 */
export function isIncomplete(
  place: Path,
  removed: readonly Path[],
  inTheFile: (path: Path) => boolean,
): boolean {
  if (removed.some((gone) => startsWith(gone, place))) return true;
  const group = place.slice(0, -1);
  return !inTheFile(place) && removed.some((gone) => gone.length === place.length && startsWith(gone, group));
}
