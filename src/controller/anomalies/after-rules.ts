/** Rules over a backup that has ended: its figures and what `restic diff` says, against the past. Pure. */
import type { AnomalySettings } from '../../config/schema/guards.ts';
import type { Finding } from './finding.ts';
import type { Expected } from './past.ts';
import type { StreamFigures } from './stream-rules.ts';

/** Fewer files are no share of anything. */
const LEAST_FILES = 20;
const LEAST_REWRITTEN = 50;
const REWRITTEN_SHARE = 0.05;
/** Size in the repository by size, over all files that should compress. */
const DENSE_TOGETHER = 0.75;
const MUCH_CHANGED = 0.5;
const RATIO_TIMES_MUCH = 1.4;
const RATIO_TIMES = 1.6;
const LEAST_RATIO = 0.5;
const CHANGED_TIMES = 2;
/** New data below this is never a growth, bytes. */
const LEAST_GROWTH = 2 ** 30;
const OUT_OF_TYPE_AT_ONCE = 10;
const OUT_OF_TYPE_IN_ALL = 20;
/** Files come as files go, and hardly any data with them: they were moved. */
const MOVED = 0.8;
const MOVED_BYTES = 0.05;
/** Per cent of all files that nobody moves without somebody having a look. */
const MUCH_MOVED = 50;

/** What `restic diff` found between the last good snapshot and this one. */
export interface Difference {
  readonly added: number;
  readonly removed: number;
  readonly modified: number;
}

export interface EndedRun {
  readonly figures: StreamFigures;
  /** Of the whole snapshot. */
  readonly files: number;
  readonly bytes: number;
  /** `null`: nothing to compare with, or it could not be compared. */
  readonly difference: Difference | null;
}

/** Everything that is unusual about it. On a first backup nothing is. */
export function judgeEnded(
  { figures, bytes, difference }: EndedRun,
  expected: Expected,
  settings: AnomalySettings,
): readonly Finding[] {
  if (expected.runs === 0) return [];
  return [
    ...removedRule(figures, bytes, difference, expected, settings),
    ...rewrittenRules(figures, expected, settings),
    ...typeRule(figures, expected),
    ...growthRule(figures, expected, settings),
  ];
}

function removedRule(
  figures: StreamFigures,
  bytes: number,
  difference: Difference | null,
  { files }: Expected,
  settings: AnomalySettings,
): readonly Finding[] {
  if (difference === null) return [];
  const { added, removed, modified } = difference;
  if (removed < LEAST_FILES || removed <= (files * settings.removed) / 100) return [];
  const numbers = { removed, added, modified, files_before: files, packed_bytes: figures.packed };
  const isMove = added >= removed * MOVED && figures.packed <= bytes * MOVED_BYTES;
  if (isMove) {
    const grade = removed > (files * MUCH_MOVED) / 100 ? 'hold' : 'warn';
    return [{ rule: 'moved', grade, why: `${removed} of ${files} files have other names`, numbers }];
  }
  const why = `${removed} of ${files} files of the last good backup are gone, ${added} came`;
  return [{ rule: 'removed', grade: 'hold', why, numbers }];
}

function rewrittenRules(
  figures: StreamFigures,
  { files, changed: usual, ratio: usualRatio }: Expected,
  settings: AnomalySettings,
): readonly Finding[] {
  const { changed, fresh, measured, ratio, packed } = figures;
  const numbers = { changed, new: fresh, measured, files_before: files, packed_bytes: packed };
  const found: Finding[] = [];
  if (
    measured >= Math.max(LEAST_REWRITTEN, REWRITTEN_SHARE * files) &&
    ratio !== null &&
    ratio >= DENSE_TOGETHER
  )
    found.push({
      rule: 'rewritten',
      grade: 'hold',
      why: `${measured} new and changed files compress to no less than ${Math.round(ratio * 100)} %`,
      numbers,
    });
  if (changed >= LEAST_REWRITTEN && changed > (files * settings.changed) / 100)
    found.push({
      rule: 'many-changed',
      grade: 'hold',
      why: `${changed} of ${files} files have another content`,
      numbers,
    });
  if (usual === null || usualRatio === null || ratio === null || ratio < LEAST_RATIO) return found;
  const isMuch = changed >= MUCH_CHANGED * files && ratio >= RATIO_TIMES_MUCH * usualRatio;
  const isSome =
    measured >= LEAST_REWRITTEN && changed >= CHANGED_TIMES * usual && ratio >= RATIO_TIMES * usualRatio;
  if (!isMuch && !isSome) return found;
  const why = `${changed} changed files compress to ${Math.round(ratio * 100)} %, usual are ${Math.round(usual)} and ${Math.round(usualRatio * 100)} %`;
  return [...found, { rule: 'less-compressible', grade: isMuch ? 'hold' : 'warn', why, numbers }];
}

/** The slow way: a few files a day, each of which cannot be what its name says. */
function typeRule({ outOfType }: StreamFigures, { outOfType: before }: Expected): readonly Finding[] {
  const all = outOfType + before;
  if (outOfType === 0 || (outOfType < OUT_OF_TYPE_AT_ONCE && all < OUT_OF_TYPE_IN_ALL)) return [];
  const why = `${outOfType} files, ${all} with those of the last backups, cannot be compressed, though files of their types always could`;
  return [{ rule: 'out-of-type', grade: 'hold', why, numbers: { files: outOfType, with_last_backups: all } }];
}

function growthRule(
  { packed }: StreamFigures,
  { packed: usual }: Expected,
  { growth }: AnomalySettings,
): readonly Finding[] {
  if (usual === null || packed <= Math.max(LEAST_GROWTH, growth * usual)) return [];
  const why = `${packed} bytes of new data, usual are ${Math.round(usual)}`;
  return [{ rule: 'growth', grade: 'warn', why, numbers: { packed_bytes: packed, usual_bytes: usual } }];
}
