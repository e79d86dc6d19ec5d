/** What the controller takes from the machine it runs on: time, disk, programs, the way to others, no leftovers of an earlier life. */
import { lstat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Config } from '../config/schema.ts';
import type { NotifyConfig } from '../config/schema/notify.ts';
import type { Room } from '../core/room.ts';
import { nodeDisk } from '../journal/disk.ts';
import type { Disk } from '../journal/disk.ts';
import { roomOf } from '../journal/room.ts';
import type { Wire } from '../protocol/exchange.ts';
import { ownHand } from './attach/mount-hand.ts';
import { askedHand, MOUNT_SOCKET } from './attach/mount-request.ts';
import { ControllerFault } from './fault.ts';
import { lookAt } from './guards/guards.ts';
import type { LookAt } from './guards/guards.ts';
import { senderOf } from './notify/senders.ts';
import type { Sender } from './notify/senders.ts';
import type { Outbox } from './outbox.ts';
import { MARK, machinePrograms } from './processes/child.ts';
import type { Programs } from './processes/child.ts';
import { processesWith, signalProcess } from './processes/proc.ts';
import { dropOldReports, keepReport } from './report.ts';
import { findRestic } from './restic/program.ts';
import type { ResticProgram } from './restic/program.ts';
import { drillRecords } from './steps/drill-records.ts';
import { dropLeftScratch } from './steps/drill-scratch.ts';
import type { Voice } from './voice.ts';
import { tcpProbe } from './windows/reach.ts';
import type { Probe } from './windows/reach.ts';
import type { WindowTools } from './windows/run.ts';

const CACHE = 'cache';
const SCRATCH = 'restored';
/** Inherited by restic and the hooks; everything else is left behind. */
const INHERITED = ['PATH', 'HOME', 'USER', 'LOGNAME', 'TMPDIR', 'LANG', 'TZ', 'SSH_AUTH_SOCK'] as const;

/** The machine, as far as the controller touches it. Everything that it does in the world goes through here. */
export interface Machine {
  readonly programs: Programs;
  readonly disk: Disk;
  /** When a file was last written, calendar ms; null for what is no file. */
  readonly ageOf: (path: string) => Promise<number | null>;
  /** 0 to 1. */
  readonly dice: () => number;
  /** Carries requests to the interlock; missing: HTTP over its Unix socket. */
  readonly wire?: Wire;
  readonly probe: Probe;
  readonly findRestic: (configured: string | undefined) => Promise<ResticProgram>;
  readonly look: LookAt;
  /** What the disk of a directory has left; missing: nobody asks. */
  readonly roomOf?: (directory: string) => Promise<Room>;
  readonly sender: (one: NotifyConfig) => Sender;
  /** Takes away what an earlier controller of this configuration has left. Never rejects. */
  readonly clearLeftovers: (config: Config, voice: Voice) => Promise<void>;
}

/** This machine. */
export const thisMachine: Machine = {
  programs: machinePrograms,
  disk: nodeDisk,
  async ageOf(path) {
    const found = await lstat(path);
    return found.isFile() ? found.mtimeMs : null;
  },
  dice: Math.random,
  probe: tcpProbe,
  findRestic,
  look: lookAt,
  roomOf,
  sender: senderOf,
  clearLeftovers(config, voice) {
    killLeftBehind(config.controller.state_directory, voice);
    return dropLeftRestored(config, voice);
  },
};

/** Where reports lie, one file each. */
export const reportsIn = (config: Config): string => join(config.controller.state_directory, 'reports');

/** Makes every directory of the controller's state. Rejects with `ControllerFault`. */
export const makeState = (config: Config, disk: Disk): Promise<void> => {
  const state = config.controller.state_directory;
  return makeDirectories(disk, [state, reportsIn(config), join(state, CACHE)]);
};

/** Helpers of a restic whose controller was killed; restic itself died with it. */
function killLeftBehind(state: string, voice: Voice): void {
  for (const pid of processesWith(`${MARK}=${state}`)) {
    voice.note('warn', 'killed a process that an earlier controller left behind', { pid });
    signalProcess(pid, 'SIGKILL');
  }
}

/** What the drills of a killed controller restored: readable data of a backup. Never rejects. */
async function dropLeftRestored(config: Config, voice: Voice): Promise<void> {
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
  { disk, programs, probe, findRestic: find, ageOf }: Machine,
): Pick<
  WindowTools,
  | 'hand'
  | 'host'
  | 'hookEnv'
  | 'journal'
  | 'keepReport'
  | 'now'
  | 'probe'
  | 'programs'
  | 'scratchDirectory'
  | 'records'
> {
  const state = config.controller.state_directory;
  const env = { ...inherited(), [MARK]: state };
  return {
    host: async (limits) => ({
      program: await find(config.restic),
      cacheDirectory: join(state, CACHE),
      env,
      limits,
      programs,
    }),
    hookEnv: env,
    probe,
    programs,
    hand: process.getuid?.() === 0 ? ownHand : askedHand(join(config.runtime_directory, MOUNT_SOCKET)),
    journal: (type, data) => box.add(type, data),
    keepReport: async (report) => {
      await keepReport(disk, reportsIn(config), report);
      const { reports_kept: kept } = config.controller;
      await dropOldReports(disk, reportsIn(config), kept, ageOf, report);
    },
    now: () => programs.time.date(),
    scratchDirectory: join(state, SCRATCH),
    records: drillRecords(disk, state),
  };
}

async function makeDirectories(disk: Disk, paths: readonly string[]): Promise<void> {
  for (const path of paths) {
    // oxlint-disable-next-line no-await-in-loop -- parents first
    await disk.makeDirectory(path).catch((error: unknown) => {
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
