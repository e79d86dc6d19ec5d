/** All guards of a window, in order, while it is isolated. Every one is looked at, for a later one may be a reason to trip. */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { localPaths } from '../../config/meaning/guards.ts';
import type { WindowConfig } from '../../config/schema.ts';
import type { GuardSettings } from '../../config/schema/guards.ts';
import type { Disk } from '../../journal/disk.ts';
import { machineTime } from '../../protocol/time.ts';
import type { Time } from '../../protocol/time.ts';
import { passFor } from '../anomalies/book.ts';
import type { Anomaly } from '../anomalies/book.ts';
import type { GuardReport } from '../report.ts';
import { askForAllClear } from './all-clear.ts';
import { lookAtCanaries } from './canary.ts';
import { surveyChanges } from './change-survey.ts';
import { outcomeOf } from './look.ts';
import type { GuardAction, Look } from './look.ts';
import { sourcesPresent } from './source-present.ts';
import type { LastGood } from './source-present.ts';

/** What guards need to know. */
export interface GuardPost {
  readonly window: string;
  readonly config: WindowConfig;
  readonly disk: Disk;
  /** The controller's. */
  readonly stateDirectory: string;
  /** What the last good backups of the window had, together. */
  readonly lastGood: () => Promise<LastGood | null>;
  readonly anomalies: readonly Anomaly[];
}

type Kind = GuardReport['guard'];

/** What a guard sees, before anybody judges it. Rejects with the error of a disk. */
export type LookAt = (guard: GuardSettings, post: GuardPost, stop: AbortSignal) => Promise<Look>;

/** Looks at everything. Stops early only when it is told to. */
export async function runGuards(
  post: GuardPost,
  stop: AbortSignal,
  look: LookAt = lookAt,
  time: Time = machineTime,
): Promise<readonly GuardReport[]> {
  const reports: GuardReport[] = [];
  for (const guard of post.config.guards) {
    if (stop.aborted) break;
    const beganAtMs = time.now();
    const { kind, action } = nameOf(guard);
    // oxlint-disable-next-line no-await-in-loop -- in order: the disk is one
    const seen = await lookThrough(look, guard, post, stop);
    if (stop.aborted) break;
    const pass = passFor(post.anomalies, post.window, ({ rule }) => rule === kind);
    const judged = outcomeOf(seen, action);
    const isPassed = pass !== null && (judged === 'skipped' || judged === 'tripped');
    reports.push({
      guard: kind,
      outcome: isPassed ? 'warned' : judged,
      ...(seen.why === ''
        ? {}
        : { why: isPassed ? `${seen.why} (released as expected: ${pass.id})` : seen.why }),
      ...(seen.hint === '' ? {} : { hint: seen.hint }),
      numbers: seen.numbers,
      took_ms: Math.round(time.now() - beganAtMs),
    });
  }
  return reports;
}

function nameOf(guard: GuardSettings): { readonly kind: Kind; readonly action: GuardAction } {
  if ('canary' in guard) return { kind: 'canary', action: guard.canary.action };
  if ('source_present' in guard) return { kind: 'source_present', action: guard.source_present.action };
  if ('change_survey' in guard) return { kind: 'change_survey', action: guard.change_survey.action };
  return { kind: 'all_clear', action: guard.all_clear.action };
}

async function lookThrough(
  look: LookAt,
  guard: GuardSettings,
  post: GuardPost,
  stop: AbortSignal,
): Promise<Look> {
  try {
    return await look(guard, post, stop);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (typeof code !== 'string') throw error;
    return {
      found: 'unknown',
      why: message,
      hint: 'see whether the disk of the controller is full',
      numbers: {},
    };
  }
}

/** Looks on this machine. */
export const lookAt: LookAt = async (guard, post, stop) => {
  if ('canary' in guard) return lookAtCanaries(post.disk, post.stateDirectory);
  if ('all_clear' in guard) return askForAllClear(guard.all_clear, stop);
  if ('source_present' in guard) {
    const settings = guard.source_present;
    // With paths of its own it is not about what the backups had.
    const last = settings.paths === undefined ? await post.lastGood() : null;
    return sourcesPresent({ settings, paths: settings.paths ?? localPaths(post.config), last }, stop);
  }
  const settings = guard.change_survey;
  const paths = settings.paths ?? localPaths(post.config);
  const manifest = manifestOf(post.stateDirectory, post.window, settings.exclude, paths);
  return surveyChanges({ settings, paths, manifest, random: Math.random }, stop);
};

/** One manifest per window and set of paths: other paths are another beginning. */
const manifestOf = (
  stateDirectory: string,
  window: string,
  exclude: readonly string[],
  paths: readonly string[],
): string => {
  const key = createHash('sha256')
    .update(JSON.stringify([paths, exclude]))
    .digest('hex')
    .slice(0, 12);
  return join(stateDirectory, `manifest-${window}-${key}.bin`);
};

/** The manifests of a window. */
export const manifestsOf = (
  post: Pick<GuardPost, 'window' | 'config' | 'stateDirectory'>,
): readonly string[] =>
  post.config.guards.flatMap((guard) => {
    if (!('change_survey' in guard)) return [];
    const { paths = localPaths(post.config), exclude } = guard.change_survey;
    return [manifestOf(post.stateDirectory, post.window, exclude, paths)];
  });
