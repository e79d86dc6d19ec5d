/** `portcullis demo`: one real window through an emulated relay, then another every few minutes, until somebody cuts it. */
import { openSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import { CommandError, type ExitCode } from '../command/exit.ts';
import { startPair, stopAsked } from '../command/serve.ts';
import { reportName, type WindowReport } from '../controller/report.ts';
import { buildId } from '../protocol/build.ts';
import { interlockClient, type InterlockClient } from '../protocol/client.ts';
import { holdCommissioning } from '../protocol/commissioning.ts';
import { PRESENCE_SOCKET, type EventLine, type Status } from '../protocol/messages.ts';
import { Narrator } from './narrator.ts';
import { BOARD, setStage, type Stage } from './stage.ts';

/** Options of the command. */
export interface DemoOptions {
  readonly once?: true;
  readonly json?: true;
}

const WINDOW = 'every-three-minutes';
const LINK = 'vault';
/** What interlock and controller say, in the directory of the demo. */
const LOG = 'portcullis.log';
const LOG_SHOWN_CHARS = 2_000;
const START_WITHIN_MS = 30_000;
/** What the controller says while nobody has an account. */
const ANNOUNCED = /open (\S+) and make the first one with the setup code (\S+)/;
const LOOK_EVERY_MS = 100;
/** A window lasts two minutes; its report is written soon after. */
const REPORT_WITHIN_MS = 180_000;
const REACH_WITHIN_MS = 1_500;
const LAMPS_EVERY_MS = 250;

/** Runs the demo; 0 when every window did its work. */
export async function runDemo({ once, json }: DemoOptions): Promise<ExitCode> {
  const narrator = new Narrator(json === true, process.stdout.isTTY);
  narrator.step('setting the stage', { board: BOARD });
  const stage = await setStage();
  const log = openSync(join(stage.directory, LOG), 'a');
  const pair = startPair(stage.configFile, log);
  const stopped = new AbortController();
  const stopping = stopAsked().then(() => stopped.abort());
  try {
    const client = interlockClient({
      socketPath: join(stage.directory, 'run', PRESENCE_SOCKET),
      build: buildId(),
    });
    const status = await startedUp(client, stage);
    narrator.staged(stage, status);
    await commissioned(stage, narrator, stopped.signal);
    const watching = Promise.all([
      watch(client, narrator, stopped.signal),
      watchLamps(client, narrator, stopped.signal),
    ]);
    const first = stopped.signal.aborted || (await window(client, stage, narrator));
    if (once !== true && !stopped.signal.aborted) {
      narrator.waiting(stage, await dashboardOf(stage));
      const deaf = listenForButton(stage, narrator);
      await stopping;
      deaf();
    }
    stopped.abort();
    await watching;
    return first ? 0 : 1;
  } finally {
    narrator.step('stopping; every contact is isolated first', {});
    await pair.stop();
    await stage.strike();
  }
}

/** Where the dashboard is, and the code for its first account, as the controller announced it; null when it did not. */
async function dashboardOf({
  directory,
}: Stage): Promise<{ readonly url: string; readonly code: string } | null> {
  const [, url, code] = ANNOUNCED.exec(await readFile(join(directory, LOG), 'utf8')) ?? [];
  return url === undefined || code === undefined ? null : { url, code };
}

/** Whoever types `press` or `release` has the emulated button in hand; returns what ends that. */
function listenForButton(stage: Stage, narrator: Narrator): () => void {
  const typed = createInterface({ input: process.stdin });
  typed.on('line', (line) => {
    const word = line.trim().toLowerCase();
    if (word !== 'press' && word !== 'release') return;
    narrator.step(`the button: ${word}`, { button: word });
    stage.press(word === 'press');
  });
  return () => {
    typed.close();
    process.stdin.destroy();
  };
}

/** The real procedure, on the emulated board; nothing is opened for a link that did not pass. */
async function commissioned(stage: Stage, narrator: Narrator, stop: AbortSignal): Promise<void> {
  const held = await holdCommissioning(
    { socketPath: join(stage.directory, 'run', PRESENCE_SOCKET), build: buildId() },
    { link: LINK, by: 'demo', uid: process.getuid?.() ?? null, unattended: true },
  );
  stop.addEventListener('abort', () => held.close(), { once: true });
  let why = 'it was ended';
  try {
    for await (const line of held.lines) {
      narrator.commissioning(line);
      if (line.event === 'over' && line.verdict === 'passed') return;
      if (line.event === 'over') why = line.reasons[0] ?? line.verdict;
    }
  } catch (error) {
    if (stop.aborted) return;
    throw error;
  }
  throw new CommandError(1, `the emulated link was not commissioned: ${why}`);
}

/** One window, opened by hand; true when everything was done and the vault is out of reach again. */
async function window(client: InterlockClient, stage: Stage, narrator: Narrator): Promise<boolean> {
  const before = await reach(stage);
  narrator.reach('before the window', before);
  const { occurrence } = await client.runWindow(WINDOW, {
    by: 'demo',
    reason: 'the first window of the demo',
  });
  const report = await reported(stage, occurrence);
  const after = await reach(stage);
  narrator.reach('after the window', after);
  if (report === null) {
    narrator.step('the window left no report; see the journal', { occurrence });
    return false;
  }
  narrator.report(report);
  return report.outcome === 'done' && !before && !after;
}

/** True when the vault answers a read and takes a write through the one path that leads to it. */
function reach({ cable }: Stage): Promise<boolean> {
  const ask = (method: 'GET' | 'POST', path: string): Promise<boolean> =>
    new Promise((resolve) => {
      const asked = request({ ...cable, path, method, timeout: REACH_WITHIN_MS }, (answer) => {
        answer.resume();
        resolve(true);
      });
      asked.once('timeout', () => asked.destroy(new Error('no answer')));
      asked.once('error', () => resolve(false));
      asked.end();
    });
  return Promise.all([ask('GET', '/config'), ask('POST', '/?create=true')]).then((answers) =>
    answers.includes(true),
  );
}

async function startedUp(client: InterlockClient, stage: Stage): Promise<Status> {
  let why = 'the emulated link was not proven isolated in time';
  for (let waitedMs = 0; waitedMs < START_WITHIN_MS; waitedMs += LOOK_EVERY_MS) {
    try {
      const status = await client.status();
      if (status.links.some((each) => each.link === LINK && each.state === 'isolated')) return status;
    } catch (error) {
      why = error instanceof Error ? error.message : String(error);
    }
    await pause(LOOK_EVERY_MS);
  }
  const log = await readFile(join(stage.directory, LOG), 'utf8').catch(() => '');
  throw new CommandError(1, `the demo did not start: ${why}\n${log.slice(-LOG_SHOWN_CHARS)}`);
}

async function reported(stage: Stage, occurrence: string): Promise<WindowReport | null> {
  for (let waitedMs = 0; waitedMs < REPORT_WITHIN_MS; waitedMs += LOOK_EVERY_MS) {
    const file = join(stage.directory, 'state', 'controller', 'reports', reportName(WINDOW, occurrence));
    // Reports are put in place whole; not there yet is the only way for this to fail.
    const text = await readFile(file, 'utf8').catch(() => null);
    if (text !== null) return JSON.parse(text) as WindowReport;
    await pause(LOOK_EVERY_MS);
  }
  return null;
}

/** Tells what happens until `stop`; an interlock that is started again is listened to again. */
async function watch(client: InterlockClient, narrator: Narrator, stop: AbortSignal): Promise<void> {
  while (!stop.aborted) {
    try {
      for await (const line of client.events(stop)) tell(narrator, line);
    } catch (error) {
      if (stop.aborted) return;
      narrator.step(`the event stream broke: ${error instanceof Error ? error.message : String(error)}`, {});
    }
    await pause(LOOK_EVERY_MS);
  }
}

/** Tells what the lamps show, whenever that changes. An interlock that does not answer has its own line. */
async function watchLamps(client: InterlockClient, narrator: Narrator, stop: AbortSignal): Promise<void> {
  while (!stop.aborted) {
    const status = await client.status().catch(() => null);
    if (status?.lamps !== undefined && !stop.aborted) narrator.lamps(status.lamps);
    await pause(LAMPS_EVERY_MS);
  }
}

function tell(narrator: Narrator, line: EventLine): void {
  switch (line.event) {
    case 'hello':
    case 'alive':
      return;
    case 'window-opened':
    case 'window-closed':
    case 'link':
    case 'tripped':
    case 'session-began':
    case 'session-ended':
    case 'alarm':
      narrator.event(line);
  }
}
