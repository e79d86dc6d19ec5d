/**
 * A year of windows through the real processes, as fast as they can: one window is one day. Interlock, controller, restic, vault and board
 * are the real programs; the calendar of interlock and controller is turned on by a day after each window, monotonic time is not. So
 * calendar days pass, and nothing that waits in real time is hurried.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { reportName } from '../../src/controller/report.ts';
import type { Child } from '../faults/child.ts';
import { cheapen } from '../controller/cheap-key.ts';
import { ask } from '../faults/http.ts';
import { freePorts } from '../faults/ports.ts';
import { eventually, LINK, Scenario, WINDOW } from '../faults/rig.ts';
import { Gauge, type Reading } from './gauge.ts';
import { insideOf, type Planted } from './inside.ts';
import { type Follower, readingToken, Receiver, Visitor } from './readers.ts';

/** The window in which the repository is checked and restored from. */
const SUNDAY = 'sunday';
/** One that is tripped in its middle; it stays open until its time is over. */
const UNLUCKY = 'unlucky';
const HEARTBEAT = 'watchdog';
const SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
const WEEK = 7;
/** Every so many days: a trip, one of them in the middle of a backup; a flood; a look at everything. */
const TRIP_EVERY = 10;
const FLOOD_EVERY = 5;
const WINDOW_OVER_MS = 120_000;
const FLOOD = 25;
const DAY_MS = 86_400_000;
const FLAGS = '--max-semi-space-size=1';
const FILES = 12;
const LINES = 400;

/** How many windows, and how long the controller lives. */
export interface Plan {
  readonly windows: number;
  /** The controller is started again after these windows; the trend of the controller is that of its last life. */
  readonly restartsAfter: readonly number[];
  /** Reports that are kept. */
  readonly reportsKept: number;
  readonly planted?: { readonly in: 'interlock' | 'controller'; readonly what: Planted };
  readonly onWindow?: (number: number, interlock: Reading, controller: Reading, disk: Sizes) => void;
}

/** Sizes of what lies on disk, bytes by file; directories of many files as one sum. */
export type Sizes = Readonly<Record<string, number>>;

/** What was measured. */
export interface YearFigures {
  readonly interlock: readonly Reading[];
  /** Of the last life. */
  readonly controller: readonly Reading[];
  readonly disk: readonly Sizes[];
  readonly entries: number;
  readonly entryTypes: Readonly<Record<string, number>>;
  readonly outcomes: Readonly<Record<string, number>>;
  readonly trips: number;
  readonly delivered: number;
  readonly waiting: number;
  readonly reports: number;
  /** Bytes that the processes printed. */
  readonly log: { readonly interlock: number; readonly controller: number };
  readonly tookMs: number;
}

/** Lives through it. Rejects when anything does not go as it should. */
export async function liveThrough(plan: Plan): Promise<YearFigures> {
  const receiver = new Receiver();
  const url = await receiver.start();
  const [dead = 0] = await freePorts(1);
  // As `bin/portcullis` starts it.
  process.env['NODE_OPTIONS'] = FLAGS;
  const scenario = await Scenario.begin(settingsOf(url, `http://127.0.0.1:${dead}/`));
  try {
    return await new Year(scenario, plan, receiver).live();
  } finally {
    delete process.env['NODE_OPTIONS'];
    await scenario.end();
    await receiver.stop();
  }
}

const settingsOf = (receiver: string, dead: string) => ({
  vault: true,
  leaseTimeout: '20s',
  evidenceMaxAge: '10s',
  isolateTimeout: '20s',
  replyTimeout: '2s',
  connectTimeout: '20s',
  notify: `[ { type: webhook, url: "${receiver}", secret_file: SECRET }, { type: webhook, name: dead, url: "${dead}", secret_file: SECRET } ]`,
});

class Year {
  readonly #scenario: Scenario;
  readonly #plan: Plan;
  readonly #receiver: Receiver;
  readonly #interlockReadings: Reading[] = [];
  #controllerReadings: Reading[] = [];
  readonly #disk: Sizes[] = [];
  #trips = 0;
  #controllerLog = 0;
  #visitor: Visitor | null = null;
  #page: Follower | null = null;

  constructor(scenario: Scenario, plan: Plan, receiver: Receiver) {
    this.#scenario = scenario;
    this.#plan = plan;
    this.#receiver = receiver;
  }

  async live(): Promise<YearFigures> {
    const begunMs = performance.now();
    await this.#furnish();
    const interlock = await this.#scenario.interlock(this.#inside('interlock'));
    const interlockGauge = new Gauge(interlock, this.#told('interlock'));
    let controller = await this.#startController();
    let gauge = new Gauge(controller, this.#told('controller'));
    for (let day = 1; day <= this.#plan.windows; day += 1) {
      await this.#day(day);
      const [ofInterlock, ofController] = [await interlockGauge.read(), await gauge.read()];
      this.#interlockReadings.push(ofInterlock);
      this.#controllerReadings.push(ofController);
      writeFileSync(this.#dayFile, `${day}\n`);
      const sizes = this.#sizes();
      this.#disk.push(sizes);
      this.#plan.onWindow?.(day, ofInterlock, ofController, sizes);
      if (!this.#plan.restartsAfter.includes(day)) continue;
      await this.#endController(controller);
      gauge.end();
      controller = await this.#startController();
      gauge = new Gauge(controller, this.#told('controller'));
      this.#controllerReadings = [];
    }
    const notices = await this.#notices();
    await this.#endController(controller);
    interlock.signal('SIGTERM');
    await interlock.exited;
    await this.#scenario.journalVerifies();
    return { ...this.#figures(interlock), ...notices, tookMs: performance.now() - begunMs };
  }

  /** Secrets, people, data, a repository whose key costs nothing, and the configuration. */
  async #furnish(): Promise<void> {
    const { directory } = this.#scenario;
    writeFileSync(join(directory, 'notify.secret'), `${SECRET}\n`, { mode: 0o600 });
    const state = join(directory, 'controller');
    mkdirSync(state, { recursive: true });
    const token = await readingToken(state);
    for (let file = 0; file < FILES; file += 1) this.#write(file, 0);
    this.#scenario.makeRepository();
    cheapen(join(directory, 'store'), 'a password');
    const secret = join(directory, 'notify.secret');
    const backup = `backup: { repository: main, paths: [${this.#scenario.data}] }`;
    const forget = 'forget: { repository: main, keep_last: 5, prune: true }';
    this.#scenario.configure({
      notify: (this.#scenario.settings.notify ?? '').replaceAll('SECRET', secret),
      permissives: `[ { heartbeat: ${HEARTBEAT}, max_age: 1h } ]`,
      sources: `  ${HEARTBEAT}: { verify: { type: bearer, token_file: ${directory}/alarm.token }, heartbeat: true }\n`,
      windows: [
        windowOf(SUNDAY, '10m', [
          backup,
          forget,
          'check: { repository: main, read_data_subset: rotate/5 }',
          'restore_drill: { repository: main, files: 4 }',
        ]),
        windowOf(UNLUCKY, '1m', [backup]),
      ].join(''),
    });
    const port = Number(
      /^controller: \{ listen: "127\.0\.0\.1:(\d+)"/m.exec(readFileSync(this.#scenario.config, 'utf8'))?.[1],
    );
    this.#visitor = new Visitor(port, token);
    this.#limitReports();
  }

  /** Text, as people write it: a night of random bytes is an anomaly. */
  #write(file: number, day: number): void {
    const lines = Array.from({ length: LINES }, (_, line) => `${line} of day ${day}: nothing happened\n`);
    writeFileSync(join(this.#scenario.data, `notes-${file}.txt`), lines.join(''));
  }

  /** restic as it would be on that day: the controller refuses a snapshot of another day than its own. */
  #datedRestic(): string {
    const path = join(this.#scenario.directory, 'restic');
    writeFileSync(this.#dayFile, '0\n');
    const script = [
      '#!/bin/sh',
      `at=$(date -d "+$(cat ${this.#dayFile}) days 1 second" '+%F %T')`,
      'for each in "$@"; do',
      '  shift',
      '  set -- "$@" "$each"',
      '  if [ "$each" = backup ]; then set -- "$@" "--time=$at"; fi',
      'done',
      'exec restic "$@"',
      '',
    ].join('\n');
    writeFileSync(path, script, { mode: 0o755 });
    return path;
  }

  get #dayFile(): string {
    return join(this.#scenario.directory, 'day');
  }

  #limitReports(): void {
    const text = `restic: ${this.#datedRestic()}\n${readFileSync(this.#scenario.config, 'utf8')}`;
    const limited = text.replace(
      /^controller: \{ /m,
      `controller: { reports_kept: ${this.#plan.reportsKept}, `,
    );
    if (limited === text) throw new Error('the configuration has another form');
    writeFileSync(this.#scenario.config, limited);
  }

  async #startController(): Promise<Child> {
    const controller = await this.#scenario.controller(this.#inside('controller'));
    this.#page = await this.#visitorOf().follow();
    return controller;
  }

  async #endController(controller: Child): Promise<void> {
    controller.signal('SIGTERM');
    const { code } = await controller.exited;
    if (code !== 0) throw new Error(`the controller ended with ${code}; ${controller.words()}`);
    this.#controllerLog += Buffer.byteLength(controller.stdout) + Buffer.byteLength(controller.stderr);
    if (this.#page?.ended === false) this.#page.leave();
  }

  /** One window, and what people and programs do on a day. */
  async #day(day: number): Promise<void> {
    const visitor = this.#visitorOf();
    await this.#beat();
    this.#write(day % FILES, day);
    const isUnlucky = day % (2 * TRIP_EVERY) === 0;
    const window = isUnlucky ? UNLUCKY : day % WEEK === 0 ? SUNDAY : WINDOW;
    await this.#untilClosed(window);
    const asked = { reason: 'a day of the year', by: 'root' };
    const { occurrence } = await this.#scenario.client(true).runWindow(window, asked);
    if (isUnlucky) {
      await this.#scenario.board.standing('connected');
      await this.#tripAndReset();
    }
    await this.#reported(window, occurrence);
    await this.#scenario.until(
      'the window to be over',
      (link) => link.lease === null && link.proof !== 'none',
    );
    if (day % (2 * TRIP_EVERY) === TRIP_EVERY) await this.#tripAndReset();
    if (day % FLOOD_EVERY === 0) await this.#flood();
    await this.#visits(visitor, day);
  }

  /** Its report is there; others may just be going. */
  async #reported(window: string, occurrence: string): Promise<void> {
    const path = join(this.#scenario.directory, 'controller', 'reports', reportName(window, occurrence));
    await eventually(`the report of ${window}`, () => existsSync(path), WINDOW_OVER_MS);
  }

  #untilClosed(window: string): Promise<unknown> {
    return eventually(
      `${window} to be over`,
      async () => {
        const { windows } = await this.#scenario.client().status();
        return windows.find((each) => each.window === window)?.open === null;
      },
      WINDOW_OVER_MS,
    );
  }

  async #visits(visitor: Visitor, day: number): Promise<void> {
    const guest = await visitor.follow();
    await visitor.get('/metrics');
    await visitor.get('/api/v1/reports?limit=20');
    await visitor.get('/api/v1/journal?limit=100');
    if (day % WEEK === 0) await visitor.get(`/api/v1/months/${monthAfter(day)}`);
    guest.leave();
    if (this.#page?.ended !== false) throw new Error('the page that follows was dropped');
  }

  /** A trip by webhook, and its reset at the box. */
  async #tripAndReset(): Promise<void> {
    const answer = await this.#scenario.trip();
    if (answer.status !== 200) throw new Error(`a trip was answered ${answer.status}: ${answer.text}`);
    this.#trips += 1;
    const { latch } = await this.#scenario.until(
      'isolation after the trip',
      (link) => link.latch !== null && link.proof !== 'none',
    );
    const asked = { link: LINK, by: 'root', reason: 'a false alarm', cause: latch?.cause ?? 'none' };
    await this.#scenario.client(true).reset(asked);
  }

  async #beat(): Promise<void> {
    const headers = { authorization: `Bearer ${this.#scenario.token}`, 'content-type': 'application/json' };
    const path = `/trip/${HEARTBEAT}`;
    const { status } = await ask(
      { host: '127.0.0.1', port: this.#scenario.tripPort, path, method: 'POST', headers },
      '{}',
    );
    if (status !== 200) throw new Error(`the heartbeat was answered ${status}`);
  }

  /** Bad requests: wrong tokens, unknown names, also such as stand for something in JavaScript. */
  async #flood(): Promise<void> {
    const { tripPort: port } = this.#scenario;
    const names = ['alarm', 'nobody', 'constructor', '__proto__', 'toString'];
    for (let i = 0; i < FLOOD; i += 1) {
      const path = `/trip/${names[i % names.length]}`;
      const headers = { authorization: `Bearer wrong-${i}` };
      await ask({ host: '127.0.0.1', port, path, method: 'POST', headers }, `{"reason":"${i}"}`);
      await this.#visitorOf().stranger(`/api/v1/state?${i}`);
    }
  }

  async #notices(): Promise<{ readonly delivered: number; readonly waiting: number }> {
    const text = (await this.#visitorOf().get('/metrics')).text;
    const waiting = /^portcullis_notifications_waiting\{destination="dead"\} (\d+)$/m.exec(text)?.[1];
    return { delivered: this.#receiver.taken, waiting: Number(waiting ?? Number.NaN) };
  }

  #figures(interlock: Child): Omit<YearFigures, 'delivered' | 'waiting' | 'tookMs'> {
    const entries = this.#scenario.journal();
    const reports = this.#scenario.reports();
    return {
      interlock: this.#interlockReadings,
      controller: this.#controllerReadings,
      disk: this.#disk,
      entries: entries.length,
      entryTypes: counted(entries.map(({ type }) => type)),
      outcomes: counted(
        entries.flatMap(({ type, data }) =>
          type === 'controller.window-finished'
            ? [typeof data['outcome'] === 'string' ? data['outcome'] : 'none']
            : [],
        ),
      ),
      trips: this.#trips,
      reports: reports.length,
      log: {
        interlock: Buffer.byteLength(interlock.stdout) + Buffer.byteLength(interlock.stderr),
        controller: this.#controllerLog,
      },
    };
  }

  #sizes(): Sizes {
    const { state, directory } = this.#scenario;
    return { ...sizesIn(state, 'interlock'), ...sizesIn(join(directory, 'controller'), 'controller') };
  }

  #inside(of: 'interlock' | 'controller'): string {
    const { planted } = this.#plan;
    return insideOf(this.#told(of), 24, planted?.in === of ? planted.what : null, this.#disk.length);
  }

  #told(of: string): string {
    return join(this.#scenario.directory, `told-${of}.json`);
  }

  #visitorOf(): Visitor {
    if (this.#visitor === null) throw new Error('the year was not furnished');
    return this.#visitor;
  }
}

function counted(names: readonly string[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const name of names) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}

/** Bytes of the files in a directory; everything in one of its directories is one figure, and so is how many files that are. */
function sizesIn(directory: string, whose: string): Record<string, number> {
  const sizes: Record<string, number> = {};
  for (const entry of readdirSync(directory, { recursive: true, withFileTypes: true })) {
    // A draft is there for a moment, and then it is the file.
    if (!entry.isFile() || entry.name.endsWith('.new')) continue;
    const path = join(entry.parentPath, entry.name);
    const [first = '', ...rest] = path.slice(directory.length + 1).split('/');
    const name = rest.length === 0 ? `${whose}/${first}` : `${whose}/${first}/`;
    const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
    sizes[name] = (sizes[name] ?? 0) + size;
    if (rest.length > 0) sizes[`${name} files`] = (sizes[`${name} files`] ?? 0) + 1;
  }
  return sizes;
}

const windowOf = (name: string, lasts: string, steps: readonly string[]): string =>
  `  ${name}: { link: ${LINK}, opens: "0 0 29 2 *", timezone: UTC, lasts: ${lasts}, grace: 0s, steps: [ ${steps.map((step) => `{ ${step} }`).join(', ')} ] }\n`;

/** The month that the calendar of the controller shows on this day. */
const monthAfter = (day: number): string =>
  new Date(Date.now() + (day - 1) * DAY_MS).toISOString().slice(0, 7);
