/** What the controller needs of this machine: directories, programs, an environment, no leftovers of an earlier life. */
import { mkdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Config } from '../config/schema.ts';
import { nodeDisk } from '../journal/disk.ts';
import { ownHand } from './attach/mount-hand.ts';
import { askedHand, MOUNT_SOCKET } from './attach/mount-request.ts';
import { ControllerFault } from './fault.ts';
import type { Outbox } from './outbox.ts';
import { MARK } from './processes/child.ts';
import { processesWith, signalProcess } from './processes/proc.ts';
import { dropOldReports, keepReport } from './report.ts';
import { findRestic } from './restic/program.ts';
import { drillRecords } from './steps/drill-records.ts';
import { dropLeftScratch } from './steps/drill-scratch.ts';
import type { Voice } from './voice.ts';
import type { WindowTools } from './windows/run.ts';

const CACHE = 'cache';
const SCRATCH = 'restored';
/** Inherited by restic and the hooks; everything else is left behind. */
const INHERITED = ['PATH', 'HOME', 'USER', 'LOGNAME', 'TMPDIR', 'LANG', 'TZ', 'SSH_AUTH_SOCK'] as const;

/** Where reports lie, one file each. */
export const reportsIn = (config: Config): string => join(config.controller.state_directory, 'reports');

/** Makes every directory of the controller's state. Rejects with `ControllerFault`. */
export const makeState = (config: Config): Promise<void> => {
  const state = config.controller.state_directory;
  return makeDirectories([state, reportsIn(config), join(state, CACHE)]);
};

/** Helpers of a restic whose controller was killed; restic itself died with it. */
export function killLeftBehind(state: string, voice: Voice): void {
  for (const pid of processesWith(`${MARK}=${state}`)) {
    voice.note('warn', 'killed a process that an earlier controller left behind', { pid });
    signalProcess(pid, 'SIGKILL');
  }
}

/** What the drills of a killed controller restored: readable data of a backup. Never rejects. */
export async function dropLeftRestored(config: Config, voice: Voice): Promise<void> {
  const steps = Object.values(config.windows).flatMap((window) => window.steps);
  const state = config.controller.state_directory;
  for (const step of steps) {
    if (!('restore_drill' in step)) continue;
    const { repository, scratch_directory: where = join(state, SCRATCH) } = step.restore_drill;
    // oxlint-disable-next-line no-await-in-loop -- one disk
    await dropLeftScratch(where, repository).catch((error: unknown) => {
      voice.note('warn', 'what a killed restore drill left behind cannot be removed', {
        where,
        why: messageOf(error),
      });
    });
  }
}

/** What a window run needs of this machine. */
export function handsOf(
  config: Config,
  box: Outbox,
): Pick<
  WindowTools,
  'hand' | 'host' | 'hookEnv' | 'journal' | 'keepReport' | 'now' | 'scratchDirectory' | 'records'
> {
  const state = config.controller.state_directory;
  const env = { ...inherited(), [MARK]: state };
  return {
    host: async (limits) => ({
      program: await findRestic(config.restic),
      cacheDirectory: join(state, CACHE),
      env,
      limits,
    }),
    hookEnv: env,
    hand: process.getuid?.() === 0 ? ownHand : askedHand(join(config.runtime_directory, MOUNT_SOCKET)),
    journal: (type, data) => box.add(type, data),
    keepReport: async (report) => {
      await keepReport(nodeDisk, reportsIn(config), report);
      const { reports_kept: kept } = config.controller;
      await dropOldReports(nodeDisk, reportsIn(config), kept, async (path) => (await stat(path)).mtimeMs);
    },
    now: () => new Date(),
    scratchDirectory: join(state, SCRATCH),
    records: drillRecords(nodeDisk, state),
  };
}

async function makeDirectories(paths: readonly string[]): Promise<void> {
  for (const path of paths) {
    // oxlint-disable-next-line no-await-in-loop -- parents first
    await mkdir(path, { recursive: true, mode: 0o750 }).catch((error: unknown) => {
      throw new ControllerFault(
        'STATE_UNWRITABLE',
        `the directory ${path} cannot be made: ${messageOf(error)}`,
        'see `controller.state_directory` in the configuration; it must be writable for the user of the controller',
        error,
      );
    });
  }
}

function inherited(): Record<string, string> {
  const env: Record<string, string> = {};
  for (const name of INHERITED) {
    const value = process.env[name];
    if (value !== undefined) env[name] = value;
  }
  return env;
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
