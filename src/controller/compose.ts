/** Composition root of the controller: configuration in, a running controller out. */
import { join } from 'node:path';
import { pino } from 'pino';
import type { Config } from '../config/schema.ts';
import { buildId } from '../protocol/build.ts';
import { interlockClient, type InterlockClient } from '../protocol/client.ts';
import { INTERLOCK_SOCKET } from '../protocol/messages.ts';
import type { EventLine } from '../protocol/messages.ts';
import { AttendedSessions } from './attended.ts';
import { Chronicle } from './chronicle/chronicle.ts';
import { changes } from './changes.ts';
import type { ControllerFace, Serve } from './face.ts';
import { openLedger } from './ledger.ts';
import { follow, interlockView } from './interlock-view.ts';
import { linkFeed, type LinkFeed } from './link-feed.ts';
import { startNotifications, type Notifications } from './notify/notifications.ts';
import type { Draft } from './notify/notice.ts';
import { windowMissed } from './notify/texts.ts';
import { handsOf, makeState, reportsIn, thisMachine } from './machine.ts';
import type { Machine } from './machine.ts';
import { outbox, type Outbox } from './outbox.ts';
import { recentReports, type WindowReport } from './report.ts';
import { watchRecoveryPoints } from './recovery-watch.ts';
import { together, watchRooms } from './room-watch.ts';
import { RunningWindows } from './running.ts';
import { Sentries } from './sentries.ts';
import { logVoice, terminalVoice, type Voice, type WindowProgress } from './voice.ts';
import { Windows, type RunEvents } from './windows/windows.ts';

/** Reports that are kept in memory; all are on disk. */
const REPORTS_SHOWN = 20;
/** ms for entries that the journal has not taken yet, when stopping. */
const LAST_FLUSH_MS = 3_000;
export interface ControllerOptions {
  /** Default: an updating line on a terminal, log lines otherwise. */
  readonly voice?: Voice;
  readonly onProgress?: (progress: WindowProgress | null) => void;
  readonly onReport?: (report: WindowReport) => void;
  /** Listens for people and programs; without it nobody is served (tests). */
  readonly serve?: Serve;
  /** Default: this machine. */
  readonly machine?: Machine;
}

export interface Controller {
  /** Where it listens, as `https://host:port`; empty when nobody is served. */
  readonly url: string;
  /** Resolves after `stop`; rejects when it cannot go on, and then the process must end. */
  readonly stopped: Promise<void>;
  /** Stops restic, gives leases back, ends. Safe to call twice. */
  stop(): Promise<void>;
}

/** What everything else is made of; nothing of it talks to anybody yet. Rejects with `ControllerFault`. */
async function partsOf(config: Config, voice: Voice, machine: Machine) {
  const { disk, wire } = machine;
  const { time } = machine.programs;
  const build = buildId();
  const restic = await machine.findRestic(config.restic);
  await makeState(config, disk);
  const ledger = await openLedger(disk, config.controller.state_directory);
  const reports = [...(await recentReports(disk, reportsIn(config), REPORTS_SHOWN))];
  const socketPath = join(config.runtime_directory, INTERLOCK_SOCKET);
  const client = interlockClient({ socketPath, build, time, ...(wire === undefined ? {} : { wire }) });
  const box = outbox(client, voice);
  const view = interlockView(time);
  const running = new RunningWindows();
  const { changed, listen } = changes();
  const directory = config.controller.state_directory;
  const chronicle = new Chronicle({ client, disk, directory, voice, time });
  await chronicle.load();
  let notices: Notifications | null = null;
  /** What is to be told before there is anybody who tells it. */
  const early: Draft[] = [];
  const face: ControllerFace = {
    config,
    build,
    client,
    view,
    voice,
    ledger,
    chronicle,
    attended: new AttendedSessions(client, voice, () => changed(null), time),
    running,
    reports,
    reportsDirectory: reportsIn(config),
    notifications: () => notices?.show() ?? [],
    journal: (type, data) => box.add(type, data),
    tell: (draft) => (notices === null ? void early.push(draft) : notices.tell(draft)),
    listen,
  };
  const notify = async (): Promise<Notifications> => {
    const started = await notificationsOf(config, { client, box }, voice, machine);
    notices = started;
    for (const draft of early.splice(0)) started.tell(draft);
    return started;
  };
  return { build, restic, ledger, reports, client, box, view, running, changed, face, notify };
}

/** Starts the controller. Rejects with `ControllerFault` when restic, the state directory or the listener is not as needed. */
export async function startController(config: Config, options: ControllerOptions = {}): Promise<Controller> {
  const voice = voiceOf(options);
  const { machine = thisMachine } = options;
  const { time } = machine.programs;
  const parts = await partsOf(config, voice, machine);
  const { build, restic, ledger, reports, client, box, view, running, changed, face } = parts;
  const served = (await options.serve?.(face)) ?? { url: '', stop: () => Promise.resolve() };
  // Only now, with the port ours, is it certain that no other controller of this configuration lives.
  void machine.clearLeftovers(config, voice);

  const feed = linkFeed(time);
  const notices = await parts.notify();
  const crashed = Promise.withResolvers<never>();
  const hands = handsOf(config, box, machine);
  const sentries = new Sentries({ config, client, ledger, ...machine, time, voice, ...hands });
  const releases = sentries.heedReleases(voice);
  const tools = {
    client,
    feed,
    ledger,
    voice: watched(voice, running, changed, options),
    ...hands,
    sentries,
  };
  const shown = { reports, running, notices, changed };
  const windows = new Windows(config, tools, runEvents(shown, voice, options, crashed.reject));
  voice.note('info', 'the controller is ready', { url: served.url, restic: restic.path, build });

  const unwatch = together(
    watchRecoveryPoints(config, ledger, client, notices, time),
    watchRooms(config, client, notices, machine),
  );
  const stopping = new AbortController();
  const heard = hearing(parts, windows, feed, voice, notices);
  const following = follow(client, stopping.signal, voice, view, heard, time);
  const end = async (): Promise<void> => {
    releases.stop();
    unwatch();
    await windows.stop();
    await face.attended.stop();
    await notices.stop();
    await Promise.race([box.flush(), time.pause(LAST_FLUSH_MS, undefined, 'idle')]);
    stopping.abort();
    await following;
    await face.chronicle.stop();
    await served.stop();
  };
  const done = Promise.withResolvers<void>();
  const stopped = Promise.race([done.promise, crashed.promise, following.then(() => done.promise)]);
  stopped.catch(() => undefined); // whoever awaits it hears of it; nobody has to
  let ending: Promise<void> | null = null;
  return {
    url: served.url,
    stopped,
    stop: () => {
      ending ??= end().then(done.resolve, done.reject);
      return ending;
    },
  };
}

/** Everybody who hears an event of the interlock, in order. */
function hearing(
  { box, changed, face }: Pick<Awaited<ReturnType<typeof partsOf>>, 'box' | 'changed' | 'face'>,
  windows: Windows,
  feed: LinkFeed,
  voice: Voice,
  notices: Notifications,
) {
  return (event: EventLine): void => {
    heed(event, windows, feed, voice);
    notices.hear(event);
    if (event.event === 'session-ended') face.attended.ended(event.session, event.why);
    if (event.event === 'hello') face.chronicle.told(event.status.journal.size);
    if (event.event === 'alive') face.chronicle.told(event.journal_size);
    changed(event);
    if (event.event === 'hello') void box.flush();
  };
}

/** Who is told what happened. */
const notificationsOf = (
  config: Config,
  { client, box }: { readonly client: InterlockClient; readonly box: Outbox },
  voice: Voice,
  { disk, dice, programs: { time }, sender }: Machine,
): Promise<Notifications> =>
  startNotifications({
    destinations: config.notify,
    disk,
    dice,
    time,
    senders: sender,
    directory: config.controller.state_directory,
    voice,
    journal: (type, data) => box.add(type, data),
    status: () => client.status(),
  });

/** What is kept, shown and told of window runs. */
interface Shown {
  readonly reports: WindowReport[];
  readonly running: RunningWindows;
  readonly notices: Notifications;
  readonly changed: (event: null) => void;
}

const runEvents = (
  { reports, running, notices, changed }: Shown,
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
    changed(null);
  },
  onMissed: (window, occurrence, why) => notices.tell(windowMissed(window, occurrence, why)),
  onEnded: (link) => running.ended(link),
  onCrash,
});

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
    case 'session-began':
    case 'session-ended':
      return;
  }
}

function voiceOf(options: ControllerOptions): Voice {
  if (options.voice !== undefined) return options.voice;
  return process.stdout.isTTY ? terminalVoice(process.stdout) : logVoice(pino({ base: null }));
}

/** The voice, with progress also kept for the pages and handed to whoever asked for it. */
function watched(
  voice: Voice,
  running: RunningWindows,
  changed: (event: null) => void,
  options: ControllerOptions,
): Voice {
  return {
    note: (level, text, fields) => voice.note(level, text, fields),
    progress(progress) {
      running.hear(progress);
      changed(null);
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
