/** How old may the newest good backup get, and will a window come in time? Pure. Told before it is too late to do something. */
import type { Config } from '../config/schema.ts';
import type { Status, WindowStatus } from '../protocol/messages.ts';
import { repositoryOf, taskOf } from './steps/table.ts';

/** How the recovery point of a repository stands. `endangered`: no scheduled window brings a backup in time. */
export interface RecoveryPoint {
  readonly state: 'met' | 'endangered' | 'breached' | 'unknown';
  /** Calendar time, RFC 3339, at which the newest good backup is too old; null without one. */
  readonly due_at: string | null;
  readonly why: string;
  readonly hint: string;
}

const met = (due: string): RecoveryPoint => ({ state: 'met', due_at: due, why: '', hint: '' });

/** When the next window that backs this repository up may begin at the latest (calendar ms), or why none will. */
type Chance = { readonly atMs: number } | { readonly why: string; readonly hint: string };

/**
 * How a recovery point stands; `null` for a repository without one. `lastGoodAt`: calendar time of the newest good backup. Durations in ms.
 * A clock that is not synchronised says nothing.
 */
export function recoveryPointOf(
  config: Pick<Config, 'repositories' | 'windows'>,
  name: string,
  lastGoodAt: string | null,
  status: Status | null,
): RecoveryPoint | null {
  const allowedMs = config.repositories[name]?.recovery_point;
  if (allowedMs === undefined) return null;
  if (status === null || !status.clock.synchronised)
    return {
      state: 'unknown',
      due_at: null,
      why: status === null ? 'the interlock does not answer' : 'the clock is not synchronised',
      hint: 'see `portcullis status`',
    };
  const chance = nextChance(config, name, status);
  const words = 'atMs' in chance ? `the next window begins at ${timeText(chance.atMs)}` : chance.why;
  const hint = 'atMs' in chance ? 'run a window by hand: `portcullis window run`' : chance.hint;
  if (lastGoodAt === null)
    return { state: 'breached', due_at: null, why: `there is no good backup yet; ${words}`, hint };
  const dueMs = Date.parse(lastGoodAt) + allowedMs;
  const due = timeText(dueMs);
  if (Date.parse(status.at) > dueMs)
    return {
      state: 'breached',
      due_at: due,
      why: `the newest good backup is of ${lastGoodAt}; ${words}`,
      hint,
    };
  if ('atMs' in chance && chance.atMs <= dueMs) return met(due);
  return {
    state: 'endangered',
    due_at: due,
    why: `the newest good backup is of ${lastGoodAt} and too old from ${due} on; ${words}`,
    hint,
  };
}

function nextChance(config: Pick<Config, 'windows'>, name: string, status: Status): Chance {
  const windows = status.windows.filter(({ window }) => bringsTo(config, window, name));
  const none = { why: 'no window backs it up', hint: 'add a window with a `backup` or `copy` into it' };
  const chances = windows.map((window) => chanceOf(config, window, status));
  const times = chances.flatMap((each) => ('atMs' in each ? [each.atMs] : []));
  if (times.length > 0) return { atMs: Math.min(...times) };
  return chances[0] ?? none;
}

function chanceOf(config: Pick<Config, 'windows'>, window: WindowStatus, status: Status): Chance {
  const latch = status.links.find(({ link }) => link === window.link)?.latch ?? null;
  if (latch !== null)
    return {
      why: `the link ${window.link} is latched (${latch.by}: ${latch.reason})`,
      hint: 'find out why, then `portcullis reset`',
    };
  if (window.open !== null) return { atMs: Date.parse(status.at) };
  if (window.next_opens === null)
    return { why: `the window ${window.window} does not open again`, hint: 'see its `opens`' };
  return { atMs: Date.parse(window.next_opens) + (config.windows[window.window]?.jitter ?? 0) };
}

/** True when a window has a step that brings snapshots into the repository. */
const bringsTo = (config: Pick<Config, 'windows'>, window: string, name: string): boolean =>
  (config.windows[window]?.steps ?? [])
    .map(taskOf)
    .some((task) => (task.kind === 'backup' || task.kind === 'copy') && repositoryOf(task) === name);

const timeText = (ms: number): string => new Date(ms).toISOString();
