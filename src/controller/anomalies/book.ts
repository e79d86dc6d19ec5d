/**
 * What was found unusual, one small file each, and what people said of it. Only the controller writes the findings; a release is a
 * file of its own that `portcullis anomaly release` puts beside it on the box, so that the two never write over each other.
 */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { z } from 'zod';
import type { Disk } from '../../journal/disk.ts';

const DIRECTORY = 'anomalies';
const FOUND = /^(a\d{8}-[0-9a-f]{6})\.json$/;
const RELEASED = /^(a\d{8}-[0-9a-f]{6})\.release\.json$/;
/** Findings that are kept; the oldest released ones make room. */
const MOST_KEPT = 500;

const release = z.strictObject({
  at: z.string(),
  by: z.string(),
  reason: z.string().min(1).max(500),
  /** What was found was meant to be: the next backup or look of the same kind is let through. */
  expected: z.boolean(),
});
export type Release = Readonly<z.output<typeof release>>;

const anomaly = z.strictObject({
  format: z.literal(1),
  id: z.string(),
  at: z.string(),
  window: z.string(),
  occurrence: z.string(),
  link: z.string(),
  /** `null` for what a guard found. */
  repository: z.string().nullable(),
  /** Name of the rule or guard. */
  rule: z.string(),
  action: z.enum(['trip', 'isolate', 'hold', 'skip']),
  why: z.string(),
  numbers: z.record(z.string(), z.number()),
  snapshot: z.string().nullable(),
  /** The newest time at which the same was found again, and how often in all. */
  last_at: z.string(),
  times: z.number(),
  release: release.nullable(),
  /** An expected one that has let something through. */
  used_at: z.string().nullable(),
});
export type Anomaly = Readonly<z.output<typeof anomaly>>;

/** What is to be written down. */
export type Found = Omit<Anomaly, 'format' | 'id' | 'at' | 'last_at' | 'times' | 'release' | 'used_at'>;

/** Why something is held, and what lifts it. */
export const heldWords = ({ why, id }: Pick<Anomaly, 'why' | 'id'>): string =>
  `${why} (portcullis anomaly release ${id})`;

/** The directory in a state directory. */
export const anomaliesIn = (stateDirectory: string): string => join(stateDirectory, DIRECTORY);

/** Everything that was found, oldest first, with releases that the controller has not seen yet. */
export async function readAnomalies(disk: Disk, directory: string): Promise<readonly Anomaly[]> {
  const names = await disk.list(directory).catch((error: unknown): readonly string[] => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  });
  const anomalies: Anomaly[] = [];
  for (const name of names) {
    const id = FOUND.exec(name)?.[1];
    if (id === undefined) continue;
    // oxlint-disable-next-line no-await-in-loop -- a few small files
    const found = await readOne(disk, join(directory, name), anomaly);
    if (found === null) continue;
    // oxlint-disable-next-line no-await-in-loop
    const said = await readOne(disk, releaseFile(directory, id), release);
    anomalies.push({ ...found, release: found.release ?? said });
  }
  return anomalies.toSorted((a, b) => a.at.localeCompare(b.at) || a.id.localeCompare(b.id));
}

/** Where a release of `id` lies. */
export const releaseFile = (directory: string, id: string): string => join(directory, `${id}.release.json`);

/** A release, as a file. */
export const releaseText = (said: Release): string => `${JSON.stringify(release.parse(said), null, 1)}\n`;

async function readOne<T>(disk: Disk, path: string, shape: z.ZodType<T>): Promise<T | null> {
  const bytes = await disk.read(path);
  if (bytes === null) return null;
  try {
    return shape.parse(JSON.parse(new TextDecoder().decode(bytes)));
  } catch {
    return null; // torn or foreign: a finding that cannot be read still holds through the ledger
  }
}

/** Two findings are the same thing again while nobody has released the first. */
const isSame = (a: Found, b: Found): boolean =>
  a.window === b.window && a.repository === b.repository && a.rule === b.rule;

/** Writes findings down. */
export class AnomalyBook {
  readonly #disk: Disk;
  readonly #directory: string;
  #writing: Promise<unknown> = Promise.resolve();

  constructor(disk: Disk, stateDirectory: string) {
    this.#disk = disk;
    this.#directory = anomaliesIn(stateDirectory);
  }

  all(): Promise<readonly Anomaly[]> {
    return readAnomalies(this.#disk, this.#directory);
  }

  /** Writes a finding down, or counts it again where nobody has released the same one. */
  add(found: Found, at: string): Promise<Anomaly> {
    return this.#inTurn(async () => {
      await this.#disk.makeDirectory(this.#directory);
      const all = await this.all();
      const same = all.findLast((each) => each.release === null && isSame(each, found));
      const day = at.slice(0, 10).replaceAll('-', '');
      const kept: Anomaly =
        same === undefined
          ? {
              ...found,
              format: 1,
              id: `a${day}-${randomBytes(3).toString('hex')}`,
              at,
              last_at: at,
              times: 1,
              release: null,
              used_at: null,
            }
          : {
              ...same,
              why: found.why,
              numbers: found.numbers,
              snapshot: found.snapshot ?? same.snapshot,
              last_at: at,
              times: same.times + 1,
            };
      await this.#keep(kept);
      await this.#dropOld(all);
      return kept;
    });
  }

  /** Takes over the releases that people have left; returns the anomalies that were released by them. */
  settle(): Promise<readonly Anomaly[]> {
    return this.#inTurn(async () => {
      if (!(await this.#hasReleases())) return [];
      const settled: Anomaly[] = [];
      for (const each of await this.all()) {
        // oxlint-disable-next-line no-await-in-loop -- rarely one
        if ((await this.#disk.read(releaseFile(this.#directory, each.id))) === null) continue;
        // oxlint-disable-next-line no-await-in-loop
        await this.#keep(each);
        // oxlint-disable-next-line no-await-in-loop
        await this.#disk.remove(releaseFile(this.#directory, each.id));
        if (each.release !== null) settled.push(each);
      }
      return settled;
    });
  }

  /** An expected one has let something through: once is enough. */
  used(id: string, at: string): Promise<void> {
    return this.#inTurn(async () => {
      const known = (await this.all()).find((each) => each.id === id);
      if (known !== undefined) await this.#keep({ ...known, used_at: at });
    });
  }

  async #hasReleases(): Promise<boolean> {
    try {
      return (await this.#disk.list(this.#directory)).some((name) => RELEASED.test(name));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
      throw error;
    }
  }

  #keep(kept: Anomaly): Promise<void> {
    const text = `${JSON.stringify(kept, null, 1)}\n`;
    return this.#disk.replace(join(this.#directory, `${kept.id}.json`), new TextEncoder().encode(text));
  }

  async #dropOld(all: readonly Anomaly[]): Promise<void> {
    const old = all
      .filter(({ release: said }) => said !== null)
      .slice(0, Math.max(0, all.length - MOST_KEPT));
    for (const { id } of old) {
      // oxlint-disable-next-line no-await-in-loop
      await this.#disk.remove(join(this.#directory, `${id}.json`));
    }
  }

  #inTurn<T>(act: () => Promise<T>): Promise<T> {
    const mine = this.#writing.then(act);
    this.#writing = mine.catch(() => undefined); // the caller hears of it
    return mine;
  }
}

/** The anomaly that lets the next one of its kind through, or `null`. */
export const passFor = (
  anomalies: readonly Anomaly[],
  window: string,
  matches: (each: Anomaly) => boolean,
): Anomaly | null =>
  anomalies.findLast(
    (each) =>
      each.window === window && each.release?.expected === true && each.used_at === null && matches(each),
  ) ?? null;
