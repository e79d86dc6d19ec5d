/** `change_survey`: what changed in the sources since the last good window, and whether what changed still looks like files. */
import type { Stats } from 'node:fs';
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import type { ChangeSurveySettings } from '../../config/schema/guards.ts';
import { entropyOf, typeOf } from './file-types.ts';
import { clear } from './look.ts';
import type { Look, Numbers } from './look.ts';
import { ManifestDraft, readManifest } from './manifest.ts';
import { walk } from './walk.ts';
import type { Walked } from './walk.ts';

/** Bytes of a block that is measured; shorter files say too little. */
const BLOCK_BYTES = 4_096;
/** Bits per byte: 4 KiB of random data have 7.95, text 4 to 5, programs 6. */
const RANDOM_BITS = 7.8;
/** So few files are never more than a share of very little. */
const LEAST_FILES = 10;

export interface Survey {
  readonly settings: ChangeSurveySettings;
  readonly paths: readonly string[];
  /** File of the manifest; a draft beside it is adopted when the window ends well. */
  readonly manifest: string;
  /** Random numbers for the sample, 0 to 1. */
  readonly random: () => number;
}

/** Counts while walking. */
class Tally {
  files = 0;
  bytes = 0;
  changed = 0;
  touched = 0;
  added = 0;
  readonly sample: string[] = [];
  #candidates = 0;
  readonly #most: number;
  readonly #random: () => number;

  constructor(most: number, random: () => number) {
    this.#most = most;
    this.#random = random;
  }

  /** Each candidate has the same chance to stay (Vitter's algorithm R). */
  offer(path: string): void {
    this.#candidates += 1;
    if (this.sample.length < this.#most) {
      this.sample.push(path);
      return;
    }
    const at = Math.floor(this.#random() * this.#candidates);
    if (at < this.#most) this.sample[at] = path;
  }
}

/** Walks the sources, writes the draft of a new manifest, and compares. */
export async function surveyChanges(survey: Survey, stop: AbortSignal): Promise<Look> {
  const { settings, paths } = survey;
  const before = await readManifest(survey.manifest);
  const draft = await ManifestDraft.begin(survey.manifest);
  const tally = new Tally(settings.sample, survey.random);
  const onFile = (path: string, stats: Stats): boolean => {
    tally.files += 1;
    tally.bytes += stats.size;
    if (draft.count < settings.most_files) draft.add(path, stats);
    if (before === null) return true;
    const compared = before.compare(path, stats);
    if (compared === 'changed') tally.changed += 1;
    else if (compared === 'touched') tally.touched += 1;
    else if (compared === 'new') tally.added += 1;
    if (compared !== 'same' && stats.size >= BLOCK_BYTES) tally.offer(path);
    return true;
  };
  const { exclude, timeout: timeoutMs } = settings;
  const walked = await walk({ roots: paths, exclude, timeoutMs, stop, onFile });
  const obstacle = obstacleIn(walked, tally, timeoutMs);
  if (obstacle !== null) {
    await draft.drop();
    return obstacle;
  }
  await draft.finish();
  const numbers = { files: tally.files, bytes: tally.bytes, unreadable: walked.unreadable };
  if (before === null) return clear(numbers, 'the first look: there is nothing to compare with yet');
  const sampled = await measure(tally.sample, stop);
  return judge(settings, before.count, {
    ...numbers,
    files_before: before.count,
    removed: before.unseen,
    changed: tally.changed,
    touched: tally.touched,
    added: before.count >= settings.most_files ? 0 : tally.added,
    ...sampled,
  });
}

function obstacleIn({ end, missing }: Walked, { files }: Tally, timeoutMs: number): Look | null {
  const numbers = { files };
  const hint = 'raise `timeout`, leave directories out with `exclude`, or see why the disk is slow';
  if (missing.length > 0) {
    const why = `these sources do not exist: ${missing.slice(0, 5).join(', ')}`;
    return { found: 'wrong', why, hint: 'see whether they are mounted', numbers };
  }
  if (end === 'done') return null;
  const why = `the sources could not be looked at in full within ${Math.round(timeoutMs / 1_000)} s`;
  return { found: 'unknown', why, hint, numbers };
}

interface Measured {
  readonly sampled: number;
  /** Dense by their nature. */
  readonly set_aside: number;
  readonly random: number;
  /** Of those, files whose name promises another beginning. */
  readonly type_changed: number;
}

async function measure(paths: readonly string[], stop: AbortSignal): Promise<Measured & Numbers> {
  let sampled = 0;
  let setAside = 0;
  let random = 0;
  let typeChanged = 0;
  for (const path of paths) {
    if (stop.aborted) break;
    // oxlint-disable-next-line no-await-in-loop -- one at a time: the disk has other things to do
    const blocks = await blocksOf(path);
    if (blocks === null) continue;
    sampled += 1;
    const word = typeOf(path, blocks[0] ?? new Uint8Array());
    if (word === 'dense') setAside += 1;
    else if (blocks.some((block) => block.length === BLOCK_BYTES && entropyOf(block) >= RANDOM_BITS)) {
      random += 1;
      if (word === 'not-what-its-name-says') typeChanged += 1;
    }
  }
  return { sampled, set_aside: setAside, random, type_changed: typeChanged };
}

/** The first block and one from the middle; `null` for what cannot be read now. */
async function blocksOf(path: string): Promise<readonly Uint8Array[] | null> {
  try {
    const handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    try {
      const { size } = await handle.stat();
      const read = async (position: number): Promise<Uint8Array> => {
        const block = Buffer.alloc(BLOCK_BYTES);
        const { bytesRead } = await handle.read(block, 0, BLOCK_BYTES, position);
        return block.subarray(0, bytesRead);
      };
      return [await read(0), await read(Math.floor(size / 2))];
    } finally {
      await handle.close();
    }
  } catch (error) {
    if (typeof (error as NodeJS.ErrnoException).code !== 'string') throw error;
    return null; // gone or not readable: restic will say so
  }
}

function judge(
  settings: ChangeSurveySettings,
  before: number,
  numbers: Numbers &
    Measured & { readonly removed: number; readonly changed: number; readonly added: number },
): Look {
  const { removed, changed, added, random } = numbers;
  const judged = numbers.sampled - numbers.set_aside;
  const tooMany = (count: number, of: number, share: number): boolean =>
    count > (of * share) / 100 && (count >= LEAST_FILES || count === of);
  const wrongs = [
    ...(tooMany(removed, before, settings.removed) ? [`${removed} of ${before} files are gone`] : []),
    ...(tooMany(changed, before, settings.changed) ? [`${changed} of ${before} files are changed`] : []),
    ...(added > LEAST_FILES && tooMany(added, before, settings.added)
      ? [`${added} files are new, there were ${before}`]
      : []),
    ...(random >= LEAST_FILES && tooMany(random, judged, settings.random)
      ? [`${random} of ${judged} changed files that were sampled look like random data`]
      : []),
  ];
  if (wrongs.length === 0) return clear(numbers);
  return {
    found: 'wrong',
    why: `since the last good window ${wrongs.join('; ')}`,
    hint: 'look at the sources first; if it was you, release it: portcullis anomaly release ID --expected --reason …',
    numbers,
  };
}
