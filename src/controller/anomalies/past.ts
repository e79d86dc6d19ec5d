/** What is usual: figures of past backups of the same sources into the same repository, and what follows from them. Pure. */
import { own } from '../../core/names.ts';
import { z } from 'zod';

/** Figures of one backup. Sizes in bytes. */
const run = z.strictObject({
  at: z.string(),
  snapshot: z.string(),
  /** Of the whole snapshot. */
  files: z.number(),
  bytes: z.number(),
  /** Files whose content is another, and new files. */
  changed: z.number(),
  fresh: z.number(),
  /** New data as it is stored. */
  packed: z.number(),
  /** Files that were measured, what of them is dense (hardly compressible), and stored by size. */
  measured: z.number(),
  dense: z.number(),
  ratio: z.number().nullable(),
  /** Dense files of a type that never was. */
  out_of_type: z.number(),
  /** Their types. */
  out_of_types: z.array(z.string()),
  /** Files gone and come since the last good snapshot; `null` where nothing was compared. */
  removed: z.number().nullable(),
  /** Identity of the anomaly that it was, or `null`. */
  suspect: z.string().nullable(),
});
export type PastRun = Readonly<z.output<typeof run>>;

/** What is known of the files of one type. */
const typeSeen = z.strictObject({
  seen: z.number(),
  dense: z.number(),
  /** Number of the backup in which it was seen first. */
  since: z.number(),
});
export type TypePast = Readonly<z.output<typeof typeSeen>>;

export const pastFile = z.strictObject({
  format: z.literal(1),
  /** Backups ever learnt from. */
  learnt: z.number(),
  runs: z.array(run),
  types: z.record(z.string(), typeSeen),
  /** When the oldest backup began that was not seen to its end: it may have left a snapshot. */
  pending: z.string().nullable(),
});
export type Past = Readonly<z.output<typeof pastFile>>;

export const NO_PAST: Past = { format: 1, learnt: 0, runs: [], types: {}, pending: null };

const RUNS_KEPT = 60;
const TYPES_KEPT = 3_000;
/** Backups after which a type that came new belongs here. */
const SETTLED_AFTER = 14;
/** Files that must have been seen before a type is known to compress or not. */
const LEAST_SEEN = 20;
/** A type of which so few files are dense never is; of which so many are, is. */
const NEVER_DENSE = 0.02;
const MOSTLY_DENSE = 0.5;
/** Neither: a person said that such files may be dense. */
const SOMETIMES = 0.2;

/** What a backup is compared with. Medians are `null` until enough is known. */
export interface Expected {
  /** Good backups that are known; 0 on the first. */
  readonly runs: number;
  readonly files: number;
  readonly bytes: number;
  readonly snapshot: string | null;
  readonly changed: number | null;
  readonly ratio: number | null;
  readonly packed: number | null;
  /** Share of dense files among those measured. */
  readonly dense: number | null;
  /** Dense files of a wrong type in all backups that are remembered, since a person last released some. */
  readonly outOfType: number;
  readonly types: ReadonlyMap<string, TypeWord>;
}

/** `compressible`: hardly ever dense. `dense`: mostly. `known`: seen before, no more is known. */
export type TypeWord = 'compressible' | 'dense' | 'known';

/** What follows from the past, for whoever learns from at least `learnFrom` backups. */
export function expectedFrom(past: Past, learnFrom: number): Expected {
  const good = past.runs.filter(({ suspect }) => suspect === null);
  const last = good.at(-1);
  const isLearnt = good.length >= learnFrom;
  const median = (of: (one: PastRun) => number | null): number | null =>
    isLearnt ? medianOf(good.map(of).filter((value) => value !== null)) : null;
  const measured = sum(good, (one) => one.measured);
  return {
    runs: good.length,
    files: last?.files ?? 0,
    bytes: last?.bytes ?? 0,
    snapshot: last?.snapshot ?? null,
    changed: median((one) => one.changed),
    ratio: median((one) => (one.measured === 0 ? null : one.ratio)),
    packed: median((one) => one.packed),
    dense: isLearnt && measured > 0 ? sum(good, (one) => one.dense) / measured : null,
    outOfType: sum(past.runs, (one) => one.out_of_type),
    types: typesFrom(past),
  };
}

function typesFrom({ types, learnt }: Past): ReadonlyMap<string, TypeWord> {
  const words = new Map<string, TypeWord>();
  for (const [name, { seen, dense, since }] of Object.entries(types)) {
    if (since > 0 && learnt - since < SETTLED_AFTER) continue;
    const isMeasured = seen >= LEAST_SEEN;
    if (isMeasured && dense <= seen * NEVER_DENSE) words.set(name, 'compressible');
    else words.set(name, isMeasured && dense >= seen * MOSTLY_DENSE ? 'dense' : 'known');
  }
  return words;
}

/** The past with one more backup; from a suspect one nothing is learnt. */
export function withRun(
  past: Past,
  one: PastRun,
  types: ReadonlyMap<string, { readonly seen: number; readonly dense: number }>,
): Past {
  const runs = [...past.runs, one].slice(-RUNS_KEPT);
  if (one.suspect !== null) return { ...past, runs, pending: null };
  const known = new Map(Object.entries(past.types));
  for (const [name, { seen, dense }] of types) {
    const before = known.get(name);
    if (before === undefined && known.size >= TYPES_KEPT) continue;
    const { since } = before ?? { since: past.learnt };
    known.set(name, { seen: (before?.seen ?? 0) + seen, dense: (before?.dense ?? 0) + dense, since });
  }
  return { format: 1, learnt: past.learnt + 1, runs, types: Object.fromEntries(known), pending: null };
}

/**
 * The past once a person has looked: what led to it is not counted again. When it was meant to be, what was suspect is good, and its
 * types are no more held to be compressible.
 */
export function withReleased(past: Past, id: string, isExpected: boolean): Past {
  const released = past.runs.filter(({ suspect }) => suspect === id);
  if (released.length === 0) return past;
  const hasTypes = released.some((one) => one.out_of_type > 0);
  // With it all that led to it: a few a night are one thing.
  const isMeant = (one: PastRun): boolean => hasTypes && (one.suspect === null || one.suspect === id);
  const types = { ...past.types };
  const meant = isExpected ? past.runs.filter(isMeant) : [];
  for (const name of meant.flatMap((one) => one.out_of_types)) {
    const known = own(types, name);
    if (known !== undefined) types[name] = { ...known, dense: Math.max(known.dense, known.seen * SOMETIMES) };
  }
  const runs = past.runs.map((one) => ({
    ...one,
    suspect: isExpected && one.suspect === id ? null : one.suspect,
    ...(isMeant(one) ? { out_of_type: 0, out_of_types: [] } : {}),
  }));
  return { ...past, runs, types };
}

/** The middle one; `null` of nothing. */
export function medianOf(values: readonly number[]): number | null {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted[Math.floor(sorted.length / 2)];
  const below = sorted[Math.ceil(sorted.length / 2) - 1];
  return middle === undefined || below === undefined ? null : (middle + below) / 2;
}

const sum = (runs: readonly PastRun[], of: (one: PastRun) => number): number =>
  runs.reduce((all, one) => all + of(one), 0);
