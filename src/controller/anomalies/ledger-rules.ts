/** Are the snapshots in the vault those that we made? Pure. */
import { SNAPSHOTS_REMEMBERED } from '../ledger.ts';
import type { RepositoryRecord } from '../ledger.ts';
import type { Snapshot } from '../restic/snapshots.ts';
import { timeOf } from '../restic/snapshots.ts';
import type { Finding } from './finding.ts';

/** ms by which a snapshot may be older than the newest that we knew, and still be new: clocks differ. */
const CLOCK_SLACK_MS = 3_600_000;
const NAMED = 5;

export type Known = RepositoryRecord['snapshots'];

/** What is wrong with the list, and what is known of it from now on: each thing is said once. */
export interface ListJudged {
  readonly findings: readonly Finding[];
  readonly known: Known;
}

/** `isOurs`: what this window made itself, or one before it that was cut. With nothing known everything is taken over. */
export function judgeList(
  list: readonly Snapshot[],
  known: Known,
  isOurs: (snapshot: Snapshot) => boolean,
): ListJudged {
  const all = list.toSorted((a, b) => timeOf(a) - timeOf(b)).map(({ id, time }) => ({ id, at: time }));
  if (known.length === 0) return { findings: [], known: all.slice(-SNAPSHOTS_REMEMBERED) };
  const there = new Set(list.map(({ id }) => id));
  const ids = new Set(known.map(({ id }) => id));
  const newest = Math.max(...known.map(({ at }) => Date.parse(at)).filter((at) => !Number.isNaN(at)));
  // What a person tagged, or copied onto itself, is still ours under another id.
  const successors = new Set(
    list.flatMap(({ original }) => (typeof original === 'string' ? [original] : [])),
  );
  // Beyond what is remembered nothing can be said.
  const oldest = known.length < SNAPSHOTS_REMEMBERED ? -Infinity : Date.parse(known[0]?.at ?? '');
  const foreign = list.filter(
    (one) => !ids.has(one.id) && !isOurs(one) && !comesFrom(one, ids) && !(timeOf(one) < oldest),
  );
  const isOld = (snapshot: Snapshot): boolean => !(timeOf(snapshot) >= newest - CLOCK_SLACK_MS);
  const gone = known.filter(
    ({ id, leaving }) => !there.has(id) && !successors.has(id) && leaving === undefined,
  );
  const findings: Finding[] = [
    ...said(
      'foreign-snapshot',
      foreign.filter((one) => !isOld(one)),
      'nobody here made',
    ),
    ...said(
      'back-dated-snapshot',
      foreign.filter(isOld),
      'nobody here made, and that claim to be older than the last of ours,',
    ),
  ];
  if (gone.length > 0)
    findings.push({
      rule: 'snapshot-gone',
      grade: 'hold',
      why: `${gone.length} snapshots that we made are not in the vault any more: ${shortIds(gone)}`,
      numbers: { gone: gone.length },
    });
  return { findings, known: all.slice(-SNAPSHOTS_REMEMBERED) };
}

const comesFrom = ({ original }: Snapshot, ids: ReadonlySet<string>): boolean =>
  typeof original === 'string' && ids.has(original);

function said(rule: 'foreign-snapshot' | 'back-dated-snapshot', list: readonly Snapshot[], what: string) {
  if (list.length === 0) return [];
  const [first] = list;
  const by = first === undefined ? '' : ` (the first of ${first.time} on ${first.hostname})`;
  const why = `there are ${list.length} snapshots that ${what} in the vault: ${shortIds(list)}${by}`;
  return [{ rule, grade: 'hold' as const, why, numbers: { snapshots: list.length } }];
}

const shortIds = (list: readonly { readonly id: string }[]): string =>
  list
    .slice(0, NAMED)
    .map(({ id }) => id.slice(0, 8))
    .join(', ');
