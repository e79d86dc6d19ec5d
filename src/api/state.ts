/** The state document, put together from what the interlock says, what the journal shows and what this controller does. */
import type { Anomaly } from '../controller/anomalies/book.ts';
import type { ControllerFace } from '../controller/face.ts';
import type { Config } from '../config/schema.ts';
import { recoveryPointOf } from '../controller/recovery-point.ts';
import type { LinkStatus, WindowStatus } from '../protocol/messages.ts';
import type { Known } from './documents/interlock-now.ts';
import type {
  HeldAnomaly,
  LinkState,
  RepositoryState,
  State,
  TripRecord,
  WindowState,
} from './documents/state-document.ts';

/** The refusal of every lease while no window is open: true nearly always, and of no interest. */
const OUTSIDE = 'outside-window';

/** Findings that are shown; there is one for each rule, window and repository at most. */
const MOST_ANOMALIES = 50;

/** The document as of now. `held`: what nobody has released, newest first; `null` when that is not known. */
export function stateOf(
  face: ControllerFace,
  { status, ageMs, problem }: Known,
  held: readonly Anomaly[] | null,
): State {
  const { config, chronicle } = face;
  const links = status?.links ?? [];
  return {
    at: new Date().toISOString(),
    timezone: chronicle.timezone,
    build: face.build,
    interlock: { age_ms: ageMs === null ? null : Math.round(ageMs), problem },
    clock: status?.clock ?? null,
    journal: status?.journal ?? null,
    ...(status?.button === undefined ? {} : { button: status.button }),
    ...(status?.lamps === undefined ? {} : { lamps: status.lamps }),
    approvers: status?.approvers ?? [],
    links: links.map((link) => linkState(face, link)),
    windows: (status?.windows ?? []).map((window) => windowState(face, window, links)),
    running: face.running.show().map((each) => ({ ...each, current_files: [...each.current_files] })),
    sessions: face.attended.show(links),
    repositories: Object.keys(config.repositories).map((name) =>
      repositoryState(face, name, status, held ?? []),
    ),
    anomalies: held?.slice(0, MOST_ANOMALIES).map(heldAnomaly) ?? null,
    sources: (status?.sources ?? []).map((source) => ({ ...source, trips: tripsOf(config, source.source) })),
    notifications: face.notifications().map((each) => ({ ...each })),
    alarms: [...face.view.alarms()],
  };
}

/** Links that a source cuts. */
export function tripsOf(config: Config, name: string): string[] {
  const source = config.sources[name];
  if (source === undefined || source.heartbeat) return [];
  const { trips } = source;
  return trips === 'all' ? Object.keys(config.links) : [...(trips ?? [])];
}

function linkState({ chronicle }: ControllerFace, link: LinkStatus): LinkState {
  const known = chronicle.exposureOf(link.link);
  return {
    ...link,
    exposure: {
      ...link.exposure,
      today_ms: known?.todayMs ?? null,
      days_7_ms: known?.days7Ms ?? null,
      days_30_ms: known?.days30Ms ?? null,
    },
    last_trip: lastTrip(link, chronicle.lastTripOf(link.link)),
  };
}

/** The journal knows more of a trip than the interlock; the interlock knows the newest first. */
function lastTrip({ link, last_trip: told }: LinkStatus, read: TripRecord | null): TripRecord | null {
  if (told === null || (read !== null && read.at >= told.at)) return read;
  const { by, reason, at, cut_ms, proven_ms } = told;
  return { link, at, by, reason, cut_ms, contacts_ms: {}, proven_ms, seq: null };
}

function windowState(face: ControllerFace, window: WindowStatus, links: readonly LinkStatus[]): WindowState {
  const plan = face.config.windows[window.window];
  const link = links.find((each) => each.link === window.link);
  const last = face.chronicle.lastRunOf(window.window);
  return {
    ...window,
    opens: plan?.opens ?? '',
    timezone: plan?.timezone ?? 'UTC',
    jitter_ms: plan?.jitter ?? 0,
    lasts_ms: plan?.lasts ?? 0,
    steps: (plan?.steps ?? []).flatMap((step) =>
      Object.entries(step).map(([name, settings]) => ({ step: name, repository: repositoryIn(settings) })),
    ),
    refusals: (link?.refusals ?? []).filter(({ code }) => code !== OUTSIDE),
    last,
  };
}

/** The repository that a step works on, when it works on one. */
function repositoryIn(settings: unknown): string | null {
  if (typeof settings !== 'object' || settings === null || !('repository' in settings)) return null;
  return typeof settings.repository === 'string' ? settings.repository : null;
}

function repositoryState(
  { config, ledger }: ControllerFace,
  repository: string,
  status: Known['status'],
  held: readonly Anomaly[],
): RepositoryState {
  const { last_good_backup, mark, last_check, last_restore_drill, frozen } = ledger.repository(repository);
  const point = recoveryPointOf(config, repository, last_good_backup?.at ?? null, status);
  return {
    repository,
    last_good_backup,
    last_check,
    last_restore_drill,
    interrupted: mark,
    frozen: frozen === null ? null : { ...frozen, ...frozenBy(repository, held) },
    ...(point === null ? {} : { recovery_point: { ...point } }),
  };
}

/** The finding that keeps a repository frozen, when its file is there still. */
function frozenBy(
  repository: string,
  held: readonly Anomaly[],
): { window: string | null; anomaly: string | null } {
  const newest = held.find((each) => each.repository === repository);
  return { window: newest?.window ?? null, anomaly: newest?.id ?? null };
}

function heldAnomaly(found: Anomaly): HeldAnomaly {
  const { id, at, last_at, times, window, occurrence, link, repository, rule, action, why, snapshot } = found;
  return { id, at, last_at, times, window, occurrence, link, repository, rule, action, why, snapshot };
}
