/**
 * Rules over restic's word on each file, while it runs: the size of a new or changed file and its size in the repository come before
 * anything of it has left this machine (a pack is 16 MiB). Files that are dense by their nature are set aside by the type in their name.
 * No clock, no disk: the same lines give the same findings. Thresholds were measured (docs/anomalies.md).
 */
import type { AnomalySettings } from '../../config/schema/guards.ts';
import { extensionOf, isDenseType, isHarmlessSuffix, stemOf } from '../guards/file-types.ts';
import type { FileSeen, ScanSeen } from '../restic/lines.ts';
import { isWorse } from './finding.ts';
import type { Finding, Grade, Rule } from './finding.ts';
import { medianOf } from './past.ts';
import type { Expected } from './past.ts';

/** Shorter files compress badly whatever they hold, bytes. */
const LEAST_BYTES = 1_024;
/** Size in the repository by size, from which a file is dense. */
const DENSE = 0.95;
const NEARLY_DENSE = 0.9;
/** The last so many files are looked at together. */
const NEAR = 60;
const NEAR_DENSE = 50;
const FAR = 100;
const FAR_DENSE = 25;
/** The share of nearly dense files that is unusual, as a multiple of the usual one. */
const FAR_DENSE_TIMES = 3;
const LEAST_MEDIAN = 0.6;
const MEDIAN_TIMES = 1.6;
/** Changed files from which a rise is clearly wrong, also as a multiple of the median. */
const CLEARLY = 100;
const CLEARLY_TIMES = 3;
const OUT_OF_TYPE = 30;
const RENAMED = 20;
const NEW_TYPES_COUNTED = 200;
/** Trees with fewer files are not judged by shares. */
const LEAST_FILES = 50;
const MANY_CHANGED = 1_000;
const MANY_CHANGED_TIMES = 10;
/** Per cent of the files, and of the bytes, whose loss is clearly wrong. */
const LOST_FILES = 20;
const LOST_BYTES = 30;
const TYPES_COUNTED = 3_000;

/** What a backup was made of, as far as it came. */
export interface StreamFigures {
  /** New and changed files, and those of them with new content. */
  readonly files: number;
  readonly fresh: number;
  readonly changed: number;
  /** Bytes as they are stored. */
  readonly packed: number;
  readonly measured: number;
  readonly dense: number;
  readonly ratio: number | null;
  readonly outOfType: number;
  /** The same by type; a few suffice. */
  readonly outOfTypes: ReadonlyMap<string, number>;
  readonly types: ReadonlyMap<string, { readonly seen: number; readonly dense: number }>;
}

/** One backup, line by line. */
export class StreamRules {
  readonly #expected: Expected;
  readonly #settings: AnomalySettings;
  readonly #canaries: ReadonlySet<string>;
  readonly #grades = new Map<Rule, Grade>();
  readonly #ratios: number[] = [];
  readonly #newTypes = new Map<string, number>();
  readonly #types = new Map<string, { seen: number; dense: number }>();
  #files = 0;
  #fresh = 0;
  #changed = 0;
  #packed = 0;
  #measured = 0;
  #dense = 0;
  #measuredBytes = 0;
  #measuredPacked = 0;
  readonly #outOfType = new Map<string, number>();

  constructor(expected: Expected, settings: AnomalySettings, canaries: ReadonlySet<string>) {
    this.#expected = expected;
    this.#settings = settings;
    this.#canaries = canaries;
  }

  /** A new or changed file. What is said of it, once per rule and grade. */
  file(seen: FileSeen): readonly Finding[] {
    const { path, action, dataBytes, dataBytesInRepository } = seen;
    if (path.endsWith('/')) return [];
    this.#files += 1;
    if (action === 'new') this.#fresh += 1;
    else if (dataBytes > 0) this.#changed += 1;
    this.#packed += dataBytesInRepository;
    const found: Finding[] = [];
    if (action === 'modified' && dataBytes > 0 && this.#canaries.has(path))
      found.push(...this.#say('canary', 'cut', `the canary ${path} was changed`));
    if (this.#expected.runs === 0) {
      this.#measure(seen);
      return found;
    }
    if (action === 'new') found.push(...this.#renamed(path));
    return this.#measure(seen) ? [...found, ...this.#judge()] : found;
  }

  /** What the scan of the sources counted. */
  scanned({ files, bytes }: ScanSeen): readonly Finding[] {
    const { files: before, bytes: bytesBefore, runs } = this.#expected;
    if (runs === 0 || before < LEAST_FILES) return [];
    const lost = 100 - (100 * files) / before;
    const lostBytes = bytesBefore === 0 ? 0 : 100 - (100 * bytes) / bytesBefore;
    const why = `${before} files with ${bytesBefore} bytes were backed up last, now there are ${files} with ${bytes}`;
    if (lost > Math.max(LOST_FILES, this.#settings.removed) || lostBytes > LOST_BYTES)
      return this.#say('deleted', 'cut', why);
    return lost > this.#settings.removed ? this.#say('deleted', 'hold', why) : [];
  }

  figures(): StreamFigures {
    return {
      files: this.#files,
      fresh: this.#fresh,
      changed: this.#changed,
      packed: this.#packed,
      measured: this.#measured,
      dense: this.#dense,
      ratio: this.#measuredBytes === 0 ? null : this.#measuredPacked / this.#measuredBytes,
      outOfType: this.#outOfTypeInAll,
      outOfTypes: this.#outOfType,
      types: this.#types,
    };
  }

  /** Measures a file; false when it says nothing about what is usual. */
  #measure({ path, dataBytes, dataBytesInRepository }: FileSeen): boolean {
    const extension = extensionOf(path);
    const inner = extensionOf(stemOf(path));
    // What got a new suffix is still what it was.
    const { types } = this.#expected;
    const type = !types.has(extension) && inner !== '' && types.has(inner) ? inner : extension;
    const ratio = dataBytesInRepository / dataBytes;
    const isLong = dataBytes >= LEAST_BYTES;
    const isDense = isLong && ratio >= DENSE;
    const known = this.#types.get(extension) ?? { seen: 0, dense: 0 };
    const isOutOfType = isDense && types.get(type) === 'compressible';
    // What cannot be is not learnt: a few files each night would make it usual.
    known.seen += isLong && !isOutOfType ? 1 : 0;
    known.dense += isDense && !isOutOfType ? 1 : 0;
    if (this.#types.has(extension) || this.#types.size < TYPES_COUNTED) this.#types.set(extension, known);
    if (!isLong || isDenseType(extension) || types.get(extension) === 'dense') return false;

    this.#measured += 1;
    this.#dense += isDense ? 1 : 0;
    this.#measuredBytes += dataBytes;
    this.#measuredPacked += dataBytesInRepository;
    if (isOutOfType) this.#outOfType.set(type, (this.#outOfType.get(type) ?? 0) + 1);
    this.#ratios.push(ratio);
    if (this.#ratios.length > FAR) this.#ratios.shift();
    return true;
  }

  get #outOfTypeInAll(): number {
    return [...this.#outOfType.values()].reduce((all, count) => all + count, 0);
  }

  #judge(): readonly Finding[] {
    const found: Finding[] = [];
    const count = (ratios: readonly number[], least: number): number =>
      ratios.filter((ratio) => ratio >= least).length;
    const near = count(this.#ratios.slice(-NEAR), DENSE);
    if (near >= NEAR_DENSE)
      found.push(
        ...this.#say('random-data', 'cut', `${near} of the last ${NEAR} files cannot be compressed any more`),
      );
    if (this.#outOfTypeInAll >= OUT_OF_TYPE)
      found.push(
        ...this.#say(
          'out-of-type',
          'cut',
          `${this.#outOfTypeInAll} files cannot be compressed, though files of their types always could`,
        ),
      );
    return [...found, ...this.#againstMedians(count)];
  }

  #againstMedians(count: (ratios: readonly number[], least: number) => number): readonly Finding[] {
    const { changed: usual, ratio: usualRatio, dense: usualDense, files } = this.#expected;
    if (usual === null) return [];
    const found: Finding[] = [];
    const touched = this.#changed + this.#fresh;
    const grade = touched > Math.max(CLEARLY, CLEARLY_TIMES * usual) ? 'cut' : 'hold';
    if (this.#ratios.length === FAR) {
      const median = medianOf(this.#ratios) ?? 0;
      if (median >= Math.max(LEAST_MEDIAN, MEDIAN_TIMES * (usualRatio ?? 1)))
        found.push(
          ...this.#say(
            'less-compressible',
            grade,
            `the last ${FAR} files compress to ${percent(median)}, usual are ${percent(usualRatio ?? 0)}`,
          ),
        );
      const dense = count(this.#ratios, NEARLY_DENSE);
      if (dense >= Math.max(FAR_DENSE, FAR_DENSE_TIMES * (usualDense ?? 1) * FAR))
        found.push(
          ...this.#say(
            'more-random-data',
            grade,
            `${dense} of the last ${FAR} files can hardly be compressed, usual are ${percent(usualDense ?? 0)}`,
          ),
        );
    }
    const isShare = this.#changed >= FAR && this.#changed > (files * this.#settings.changed) / 100;
    if (isShare || this.#changed > Math.max(MANY_CHANGED, MANY_CHANGED_TIMES * usual))
      found.push(
        ...this.#say(
          'many-changed',
          'hold',
          `${this.#changed} of ${files} files have another content, usual are ${Math.round(usual)}`,
        ),
      );
    return found;
  }

  /** A new file that is an old one with one more suffix, one that nobody here ever used. */
  #renamed(path: string): readonly Finding[] {
    const { types } = this.#expected;
    const extension = extensionOf(path);
    const inner = extensionOf(stemOf(path));
    if (extension === '' || types.has(extension) || isHarmlessSuffix(extension) || isDenseType(extension))
      return [];
    if (inner === '' || !types.has(inner)) return [];
    const count = (this.#newTypes.get(extension) ?? 0) + 1;
    if (this.#newTypes.has(extension) || this.#newTypes.size < NEW_TYPES_COUNTED)
      this.#newTypes.set(extension, count);
    if (count < RENAMED) return [];
    return this.#say('renamed', 'cut', `${count} files got the suffix .${extension}, which was never here`);
  }

  /** Says it once, and once more when it got worse. */
  #say(rule: Rule, grade: Grade, why: string): readonly Finding[] {
    if (!isWorse(grade, this.#grades.get(rule))) return [];
    this.#grades.set(rule, grade);
    const numbers = {
      files_seen: this.#files,
      changed: this.#changed,
      new: this.#fresh,
      packed_bytes: this.#packed,
    };
    return [{ rule, grade, why, numbers }];
  }
}

const percent = (share: number): string => `${Math.round(share * 100)} %`;
