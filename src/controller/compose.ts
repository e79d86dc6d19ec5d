/** Composition root of the controller: configuration in, a running controller out. */
import { mkdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { FastifyInstance } from 'fastify';
import { pino } from 'pino';
import type { Config } from '../config/schema.ts';
import { nodeDisk } from '../journal/disk.ts';
import { buildId } from '../protocol/build.ts';
import { interlockClient, type InterlockClient } from '../protocol/client.ts';
import { INTERLOCK_SOCKET } from '../protocol/messages.ts';
import type { EventLine } from '../protocol/messages.ts';
import { MARK } from './processes/child.ts';
import { ControllerFault } from './fault.ts';
import { controllerHttp } from './http.ts';
import { openLedger } from './ledger.ts';
import { follow, interlockView } from './interlock-view.ts';
import { linkFeed } from './link-feed.ts';
import { startNotifications, type Notifications } from './notify/notifications.ts';
import type { LinkFeed } from './link-feed.ts';
import { windowMissed } from './notify/texts.ts';
import { outbox } from './outbox.ts';
import type { Outbox } from './outbox.ts';
import { processesWith, signalProcess } from './processes/proc.ts';
import { dropOldReports, keepReport, recentReports } from './report.ts';
import type { WindowReport } from './report.ts';
import { findRestic } from './restic/program.ts';
import { logVoice, terminalVoice } from './voice.ts';
import type { Voice, WindowProgress } from './voice.ts';
import { Windows, type RunEvents } from './windows/windows.ts';
import type { WindowTools } from './windows/run.ts';

/** Reports that `/api/v1/status` shows. */
const REPORTS_SHOWN = 20;
const REPORTS = 'reports';
const CACHE = 'cache';
/** ms for entries that the journal has not taken yet, when stopping. */
const LAST_FLUSH_MS = 3_000;
/** Inherited by restic and the hooks; everything else is left behind. */
const INHERITED = ['PATH', 'HOME', 'USER', 'LOGNAME', 'TMPDIR', 'LANG', 'TZ', 'SSH_AUTH_SOCK'] as const;

export interface ControllerOptions {
  /** Default: an updating line on a terminal, log lines otherwise. */
  readonly voice?: Voice;
  readonly onProgress?: (progress: WindowProgress | null) => void;
  readonly onReport?: (report: WindowReport) => void;
}

export interface Controller {
  /** Where it listens, as `http://host:port`. */
  readonly url: string;
  /** Resolves after `stop`; rejects when it cannot go on, and then the process must end. */
  readonly stopped: Promise<void>;
  /** Stops restic, gives leases back, ends. Safe to call twice. */
  stop(): Promise<void>;
}

/** Starts the controller. Rejects with `ControllerFault` when restic, the state directory or the listener is not as needed. */
export async function startController(config: Config, options: ControllerOptions = {}): Promise<Controller> {
  const build = buildId();
  const voice = voiceOf(options);
  const state = config.controller.state_directory;
  const restic = await findRestic(config.restic);
  await makeDirectories([state, join(state, REPORTS), join(state, CACHE)]);
  const ledger = await openLedger(nodeDisk, state);
  const reports = [...(await recentReports(nodeDisk, join(state, REPORTS), REPORTS_SHOWN))];
  const client = interlockClient({ socketPath: join(config.runtime_directory, INTERLOCK_SOCKET), build });
  const view = interlockView();
  const running = new Map<string, WindowProgress>();
  let notifications: Notifications | null = null;
  const http = controllerHttp(() => ({
    ...view.show(),
    running: [...running.values()],
    reports,
    notifications: notifications?.show() ?? [],
  }));
  const url = await listen(http, config);
  // Only now, with the port ours, is it certain that no other controller of this configuration lives.
  killLeftBehind(state, voice);

  const feed = linkFeed();
  const box = outbox(client, voice);
  const notices = await notificationsOf(config, client, box, voice);
  notifications = notices;
  const crashed = Promise.withResolvers<never>();
  const tools = { client, feed, ledger, voice: watched(voice, running, options), ...handsOf(config, box) };
  const shown = { reports, running, notices };
  const windows = new Windows(config, tools, runEvents(shown, voice, options, crashed.reject));
  voice.note('info', 'the controller is ready', { url, restic: restic.path, build });

  const stopping = new AbortController();
  const following = follow(client, stopping.signal, voice, view, (event) => {
    heed(event, windows, feed, voice);
    notices.hear(event);
    if (event.event === 'hello') void box.flush();
  });
  const end = async (): Promise<void> => {
    await windows.stop();
    await notices.stop();
    await Promise.race([box.flush(), pause(LAST_FLUSH_MS, undefined, { ref: false })]);
    stopping.abort();
    await following;
    await http.close();
  };
  const done = Promise.withResolvers<void>();
  const stopped = Promise.race([done.promise, crashed.promise, following.then(() => done.promise)]);
  stopped.catch(() => undefined); // whoever awaits it hears of it; nobody has to
  let ending: Promise<void> | null = null;
  return {
    url,
    stopped,
    stop: () => {
      ending ??= end().then(done.resolve, done.reject);
      return ending;
    },
  };
}

/** Who is told what happened. */
const notificationsOf = (
  config: Config,
  client: InterlockClient,
  box: Outbox,
  voice: Voice,
): Promise<Notifications> =>
  startNotifications({
    destinations: config.notify,
    disk: nodeDisk,
    directory: config.controller.state_directory,
    voice,
    journal: (type, data) => box.add(type, data),
    status: () => client.status(),
  });

/** What is kept, shown and told of window runs. */
interface Shown {
  readonly reports: WindowReport[];
  readonly running: Map<string, WindowProgress>;
  readonly notices: Notifications;
}

const runEvents = (
  { reports, running, notices }: Shown,
  voice: Voice,
  options: ControllerOptions,
  onCrash: (error: unknown) => void,
): RunEvents => ({
  onReport: (report) => {
    reports.unshift(report);
    reports.splice(REPORTS_SHOWN);
    voice.note(report.outcome === 'done' ? 'info' : 'warn', sentenceOf(report));
    options.onReport?.(report);
    notices.ended(report);
  },
  onMissed: (window, occurrence, why) => notices.tell(windowMissed(window, occurrence, why)),
  onEnded: (link) => running.delete(link),
  onCrash,
});

async function listen(http: FastifyInstance, config: Config): Promise<string> {
  // Until the API is on src/listener: its first address, without TLS.
  const [{ host, port } = { host: '127.0.0.1', port: 0 }] = config.controller.listen;
  return http.listen({ host, port }).catch((error: unknown) => {
    throw new ControllerFault(
      'LISTEN_FAILED',
      `cannot listen on ${host}:${port}: ${messageOf(error)}`,
      'is another controller running? See `controller.listen` in the configuration',
      error,
    );
  });
}

/** Helpers of a restic whose controller was killed; restic itself died with it. */
function killLeftBehind(state: string, voice: Voice): void {
  for (const pid of processesWith(`${MARK}=${state}`)) {
    voice.note('warn', 'killed a process that an earlier controller left behind', { pid });
    signalProcess(pid, 'SIGKILL');
  }
}

/** What a window run needs of this machine. */
function handsOf(
  config: Config,
  box: Outbox,
): Pick<WindowTools, 'host' | 'hookEnv' | 'journal' | 'keepReport' | 'now'> {
  const state = config.controller.state_directory;
  const env = { ...inherited(), [MARK]: state };
  return {
    host: async () => ({ program: await findRestic(config.restic), cacheDirectory: join(state, CACHE), env }),
    hookEnv: env,
    journal: (type, data) => box.add(type, data),
    keepReport: async (report) => {
      await keepReport(nodeDisk, join(state, REPORTS), report);
      await dropOldReports(nodeDisk, join(state, REPORTS), async (path) => (await stat(path)).mtimeMs);
    },
    now: () => new Date(),
  };
}

function heed(event: EventLine, windows: Windows, feed: LinkFeed, voice: Voice): void {
  switch (event.event) {
    case 'hello':
      for (const link of event.status.links) feed.tell(link);
      for (const { window, open } of event.status.windows)
        if (open !== null)
          windows.opened({ window, occurrence: open.occurrence, endsInMs: open.ends_in_ms, byHand: null });
      return;
    case 'window-opened':
      windows.opened({
        window: event.window,
        occurrence: event.occurrence,
        endsInMs: event.ends_in_ms,
        byHand: event.by_hand,
      });
      return;
    case 'window-closed':
      windows.closed(event.window, event.occurrence, event.why);
      return;
    case 'tripped':
      windows.tripped(event.link, event.trip);
      voice.note('error', `the link ${event.link} was tripped`, {
        by: event.trip.by,
        reason: event.trip.reason,
      });
      return;
    case 'alarm':
      voice.note('error', `alarm on link ${event.link}: ${event.why}`, {
        code: event.code,
        hint: event.hint,
      });
      return;
    case 'link':
      feed.tell(event.link);
      return;
    case 'alive':
      return;
  }
}

function voiceOf(options: ControllerOptions): Voice {
  if (options.voice !== undefined) return options.voice;
  return process.stdout.isTTY ? terminalVoice(process.stdout) : logVoice(pino({ base: null }));
}

/** The voice, with progress also kept for the pages and handed to whoever asked for it. */
function watched(voice: Voice, running: Map<string, WindowProgress>, options: ControllerOptions): Voice {
  return {
    note: (level, text, fields) => voice.note(level, text, fields),
    progress(progress) {
      if (progress === null) running.clear();
      else running.set(progress.link, progress);
      voice.progress(progress);
      options.onProgress?.(progress);
    },
  };
}

function sentenceOf(report: WindowReport): string {
  const why =
    report.why === null
      ? ''
      : `: ${report.why.why}${report.why.hint === undefined ? '' : ` (${report.why.hint})`}`;
  const proof = report.isolation_proven ? '' : '; isolation was NOT proven';
  return `window ${report.window} ${report.outcome}, exposed for ${report.exposure_seconds.toFixed(1)} s${proof}${why}`;
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
