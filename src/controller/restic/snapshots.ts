/** Lists of snapshots, read from the vault and from nowhere else. */
import { z } from 'zod';
import { jsonOf } from './lines.ts';
import { SMALL_TIMEOUT_MS } from './outcome.ts';
import type { ResticEnd, Run } from './run.ts';

const snapshot = z.object({
  id: z.string().regex(/^[0-9a-f]{64}$/),
  time: z.string(),
  hostname: z.string().default(''),
  paths: z.array(z.string()).default([]),
  tags: z
    .array(z.string())
    .nullish()
    .transform((tags) => tags ?? []),
  /** Of a copied or tagged snapshot: what it was made from. */
  original: z.string().nullish(),
  /** restic before 0.17 has none. */
  summary: z.object({ total_bytes_processed: z.number().default(0) }).nullish(),
});

/** A snapshot, as the repository tells of it. */
export type Snapshot = Readonly<z.output<typeof snapshot>>;

/** The list, or how the call ended that did not bring it. */
export type Listed =
  | { readonly kind: 'listed'; readonly snapshots: readonly Snapshot[] }
  | { readonly kind: 'no'; readonly end: ResticEnd };

/**
 * Reads snapshots past any lock and past the cache, for what only the cache knows is not on the vault. `filter` as restic takes it: ids,
 * `--host=…`.
 */
export async function listSnapshots(run: Run, filter: readonly string[] = []): Promise<Listed> {
  const end = await run({
    args: ['snapshots', '--json', '--no-lock', '--no-cache', ...filter],
    timeoutMs: SMALL_TIMEOUT_MS,
  });
  const list = z.array(snapshot).nullable().safeParse(jsonOf(end.output));
  return end.verdict === 'done' && list.success
    ? { kind: 'listed', snapshots: list.data ?? [] }
    : { kind: 'no', end };
}

/** Calendar ms; `NaN` for what is no time. */
export const timeOf = ({ time }: Snapshot): number => Date.parse(time);

/** The newest one, or `null`. */
export const newestOf = (snapshots: readonly Snapshot[]): Snapshot | null =>
  snapshots.toSorted((a, b) => timeOf(a) - timeOf(b)).at(-1) ?? null;
