/**
 * One appliance of real processes in a directory of its own: an emulated board with its cable, the interlock, the
 * controller, restic and a vault behind the cable. A test looks at it from outside: at the board's wire, the files, the
 * journal and the exit codes.
 */
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { WindowReport } from '../../src/controller/report.ts';
import type { Entry } from '../../src/journal/entry.ts';
import { interlockClient, type InterlockClient } from '../../src/protocol/client.ts';
import { InterlockError } from '../../src/protocol/interlock-error.ts';
import type { Lease } from '../../src/protocol/lease.ts';
import { INTERLOCK_SOCKET, PRESENCE_SOCKET, type LinkStatus } from '../../src/protocol/messages.ts';
import { commissionedAsConfigured } from '../commissioning/commissioned.ts';
import { initialiseCheaply } from '../controller/cheap-key.ts';
import { BOARD, PlayedBoard } from './board.ts';
import { build } from './build.ts';
import { Child, eventually, isAlive, processesWith, programOf } from './child.ts';
import { ask, type Answer } from './http.ts';
import { answers, freePorts } from './ports.ts';
import type { Room } from './room.ts';

export { eventually } from './child.ts';
export { freePorts } from './ports.ts';

/** What a test sets otherwise than usual; durations as the configuration writes them. */
export interface Settings {
  readonly leaseTimeout?: string;
  readonly evidenceMaxAge?: string;
  readonly isolateTimeout?: string;
  readonly connectTimeout?: string;
  readonly hardwareLease?: string;
  readonly replyTimeout?: string;
  readonly lasts?: string;
  readonly grace?: string;
  /** KiB per second; makes a backup last. */
  readonly limitUpload?: number;
  /** More windows, as YAML lines under `windows`. */
  readonly windows?: string;
  /** The keys under `interlock`, as YAML in braces; default: it listens on 127.0.0.1. */
  readonly interlock?: string;
  /** More sources, as YAML lines under `sources`. */
  readonly sources?: string;
  /** The permissives of the link, as YAML on one line. */
  readonly permissives?: string;
  /** Destinations of notifications, as YAML on one line. */
  readonly notify?: string;
  /** Starts a vault behind the cable. */
  readonly vault?: boolean;
  /** False: the link was never commissioned. */
  readonly commissioned?: boolean;
}

/** The link, the window and the source of every scenario. */
export const LINK = 'vault';
export const WINDOW = 'nightly';
export const SOURCE = 'alarm';
/** A schedule that names no minute in which a test runs. */
const SELDOM = '0 0 29 2 *';
const MARK = 'PORTCULLIS_FAULTS';
const PASSWORD = 'a password';
/** A process under a load of thirty on two cores takes half a minute to say its first word, ms. */
const START_WITHIN_MS = 60_000;
/** Between saying goodbye and being killed, when a test is over, ms. */
const GOODBYE_MS = 8_000;

/** Why tests with a real restic cannot run here, or `null`. Says so aloud: a skipped test proves nothing. */
export function missingTools(): string | null {
  const missing = ['restic', 'rclone', 'setpriv'].filter((tool) => {
    try {
      execFileSync(tool, [tool === 'setpriv' ? '--version' : 'version'], { stdio: 'ignore' });
      return false;
    } catch {
      return true;
    }
  });
  if (missing.length === 0) return null;
  const why = `faults with a real restic, for these are missing: ${missing.join(', ')} (apt-get install restic rclone util-linux)`;
  console.warn(`NOT TESTED: ${why}`);
  return why;
}

export class Scenario {
  readonly directory = mkdtempSync(join(tmpdir(), 'portcullis-faults-'));
  readonly config = join(this.directory, 'portcullis.yaml');
  readonly state = join(this.directory, 'state');
  readonly data = join(this.directory, 'data');
  readonly token = randomBytes(12).toString('hex');
  readonly settings: Settings;
  tripPort = 0;
  #apiPort = 0;
  #vaultPort = 0;
  readonly #children: Child[] = [];
  #occurrence = '';
  #commissioned = false;
  #room: Room | null = null;
  #board: PlayedBoard | null = null;

  constructor(settings: Settings) {
    this.settings = settings;
  }

  /** A scenario with a board (and a vault), and nothing else running. */
  static async begin(settings: Settings = {}): Promise<Scenario> {
    const scenario = new Scenario(settings);
    try {
      await scenario.#set();
      return scenario;
    } catch (error) {
      await scenario.end();
      throw error;
    }
  }

  get board(): PlayedBoard {
    if (this.#board === null) throw new Error('the scenario has no board yet');
    return this.#board;
  }

  async #set(): Promise<void> {
    for (const path of [this.data, join(this.directory, 'store')]) mkdirSync(path, { recursive: true });
    writeFileSync(join(this.directory, 'alarm.token'), `${this.token}\n`, { mode: 0o600 });
    writeFileSync(join(this.directory, 'vault.password'), `${PASSWORD}\n`, { mode: 0o600 });
    [this.tripPort = 0, this.#apiPort = 0, this.#vaultPort = 0] = await freePorts(3);
    if (this.settings.vault === true) await this.#startVault();
    const control = join(this.directory, 'board.sock');
    const cable = `1,127.0.0.1:0=tcp:127.0.0.1:${this.#vaultPort}`;
    const place = ['--tcp', '127.0.0.1:0', '--framing', 'modbus-tcp'];
    const wiring = ['--mirror', '1:1', '--cable', cable, '--control', control];
    const played = this.run('board', ['emulate', BOARD, '--json', ...place, ...wiring]);
    this.#board = new PlayedBoard(played, control);
    await this.board.ready();
    this.configure();
  }

  /** Writes the configuration, with other settings than at the beginning when some are given. */
  configure(other: Settings = {}): void {
    this.#commissioned = this.settings.commissioned === false;
    writeFileSync(this.config, this.#configText({ ...this.settings, ...other }));
  }

  async #startVault(): Promise<void> {
    const store = join(this.directory, 'store');
    const args = [
      'serve',
      'restic',
      '--addr',
      `127.0.0.1:${this.#vaultPort}`,
      '--config',
      '/dev/null',
      store,
    ];
    const vault = this.#start('vault', 'rclone', args);
    await eventually(
      () => `the vault; ${vault.words()}`,
      () => answers(this.#vaultPort),
      START_WITHIN_MS,
    );
  }

  #start(name: string, command: string, args: readonly string[]): Child {
    const child = new Child(name, command, args, { ...process.env, [MARK]: this.directory });
    this.#children.push(child);
    return child;
  }

  /** Starts `portcullis …` and returns at once. `preload` is JavaScript that runs in it first. */
  run(name: string, args: readonly string[], preload?: string): Child {
    const first =
      preload === undefined ? [] : ['--import', `data:text/javascript,${encodeURIComponent(preload)}`];
    return this.#start(name, process.execPath, [...first, build().main, ...args]);
  }

  /** Runs `portcullis … --config FILE` to its end. */
  async command(...args: string[]): Promise<{ code: number | null; stdout: string; stderr: string }> {
    const child = this.run(args[0] ?? '', [...args, '--config', this.config]);
    const { code } = await child.exited;
    return { code, stdout: child.stdout, stderr: child.stderr };
  }

  /** Leaves a record of the link as it is configured now, as a commissioning would. */
  async commission(): Promise<void> {
    if (!this.#commissioned) await commissionedAsConfigured(this.config);
    this.#commissioned = true;
  }

  /** Starts an interlock and waits until isolation is proven or the link is latched. */
  async interlock(preload?: string): Promise<Child> {
    await this.commission();
    const child = this.run('interlock', ['interlock', '--config', this.config], preload);
    await eventually(
      () => `the interlock to listen; ${child.words()}`,
      () => {
        if (child.ended !== null) throw new Error(child.words());
        return child.stdout.includes('trips at');
      },
      START_WITHIN_MS,
    );
    await this.until('isolation to be proven', (link) => link.proof !== 'none');
    return child;
  }

  /** Kills an interlock, not before its start stands in the journal. */
  async killed(interlock: Child): Promise<void> {
    await this.entry('interlock.started', (data) => data['pid'] === interlock.pid);
    await interlock.kill();
  }

  /** Starts a controller and waits until it hears the interlock. */
  async controller(preload?: string): Promise<Child> {
    const child = this.run('controller', ['controller', '--config', this.config], preload);
    await this.controllerReady(child);
    return child;
  }

  async controllerReady(child: Child): Promise<void> {
    await eventually(
      () => `the controller to hear the interlock; ${child.words()}`,
      async () => {
        if (child.ended !== null) throw new Error(child.words());
        const answer = await ask({ host: '127.0.0.1', port: this.#apiPort, path: '/readyz' }).catch(
          () => null,
        );
        return answer?.status === 200;
      },
      START_WITHIN_MS,
    );
  }

  /** A client of the interlock, of the same build; with presence, over root's own socket. */
  client(presence = false): InterlockClient {
    const socketPath = this.socket(presence);
    return interlockClient({ socketPath, build: build().id });
  }

  socket(presence = false): string {
    return join(this.directory, 'run', presence ? PRESENCE_SOCKET : INTERLOCK_SOCKET);
  }

  /** How the link stands, or null while nobody answers. */
  async link(): Promise<LinkStatus | null> {
    const status = await this.client()
      .status()
      .catch(() => null);
    return status?.links.find((each) => each.link === LINK) ?? null;
  }

  until(what: string, fits: (link: LinkStatus) => boolean): Promise<LinkStatus> {
    return eventually(what, async () => {
      const link = await this.link();
      return link !== null && fits(link) ? link : null;
    });
  }

  /** Listens to the events of the interlock, as the controller does. */
  listen(): { readonly alarms: readonly string[]; stop(): Promise<void> } {
    const alarms: string[] = [];
    const stopping = new AbortController();
    const follow = async (): Promise<void> => {
      for await (const line of this.client().events(stopping.signal))
        if (line.event === 'alarm') alarms.push(line.code);
    };
    // It ends with the interlock at the latest; what was heard until then is what counts.
    const following = follow().catch(() => undefined);
    return {
      alarms,
      stop() {
        stopping.abort();
        return following;
      },
    };
  }

  /** Opens the window by hand, as root at the box does. */
  async openWindow(): Promise<string> {
    const asked = { reason: 'a test', by: 'root' };
    this.#occurrence = (await this.client(true).runWindow(WINDOW, asked)).occurrence;
    return this.#occurrence;
  }

  /** Asks for a lease in the window that was opened last, as a controller does. */
  askLease(): Promise<Lease> {
    return this.client().askLease({ link: LINK, window: WINDOW, occurrence: this.#occurrence });
  }

  /** Opens the window and asks for a lease; it renews itself, and the link may not be connected yet. */
  async lease(): Promise<Lease> {
    await this.openWindow();
    return this.askLease();
  }

  /** A lease under which the link is connected. */
  async connected(): Promise<Lease> {
    const lease = await this.lease();
    await lease.connected;
    await this.board.standing('connected');
    return lease;
  }

  /** Pulls the kill switch as a monitoring tool does. */
  trip(body = '{"reason":"the monitoring saw something"}', token = this.token): Promise<Answer> {
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
    const path = `/trip/${SOURCE}`;
    return ask({ host: '127.0.0.1', port: this.tripPort, path, method: 'POST', headers }, body);
  }

  /** The latch of the link as it stands on disk; null when clear, undefined when there is no readable file. */
  latchOnDisk(): { by: string; reason: string } | null | undefined {
    try {
      const text = readFileSync(join(this.state, 'latch.json'), 'utf8');
      const { latches } = JSON.parse(text) as { latches: Record<string, { by: string; reason: string }> };
      return latches[LINK] ?? null;
    } catch {
      return undefined; // missing or garbled: the caller says which was expected
    }
  }

  /** Every whole line of the journal as it stands on disk. */
  journal(type?: string): readonly Entry[] {
    const directory = join(this.state, 'journal');
    if (!existsSync(directory)) return [];
    const files = readdirSync(directory)
      .filter((name) => name.endsWith('.jsonl'))
      .toSorted();
    const text = files.map((name) => readFileSync(join(directory, name), 'utf8')).join('');
    const whole = text.slice(0, text.lastIndexOf('\n') + 1);
    return whole
      .split('\n')
      .flatMap((line) => (line.startsWith('{') ? [JSON.parse(line) as Entry] : []))
      .filter((entry) => type === undefined || entry.type === type);
  }

  /** Waits for an entry of this type that fits. */
  entry(type: string, fits: (data: Entry['data']) => boolean = () => true): Promise<Entry> {
    return eventually(`${type} in the journal`, () => this.journal(type).find(({ data }) => fits(data)));
  }

  /** Fails unless `portcullis journal verify` finds the chain whole. */
  async journalVerifies(): Promise<void> {
    const { code, stdout, stderr } = await this.command('journal', 'verify', '--json');
    const found = code === 0 ? (JSON.parse(stdout) as { ok: boolean; entries: number }) : null;
    if (found?.ok !== true || found.entries === 0)
      throw new Error(`the journal does not verify: ${stdout}${stderr}`);
  }

  /** Makes the repository straight on the vault's disk, so that no window has to. */
  makeRepository(): void {
    initialiseCheaply(join(this.directory, 'store'), PASSWORD);
  }

  /** Incompressible files to back up. */
  fill(files: number, bytesEach: number): void {
    for (let i = 0; i < files; i += 1) writeFileSync(join(this.data, `file-${i}`), randomBytes(bytesEach));
  }

  /** Processes that the controller of this scenario has started and that live, by program. */
  workers(program?: string): number[] {
    const pids = processesWith(`PORTCULLIS_CONTROLLER=${join(this.directory, 'controller')}`);
    return pids.filter((pid) => program === undefined || programOf(pid) === program);
  }

  /** Waits until the backup has put some of its data into the vault. */
  async untilWriting(): Promise<number> {
    const data = join(this.directory, 'store', 'data');
    await eventually('restic to write to the vault', () => {
      if (!existsSync(data)) return false;
      const files = readdirSync(data, { recursive: true, withFileTypes: true }).filter((each) =>
        each.isFile(),
      );
      return files.some((each) => statSync(join(each.parentPath, each.name)).size > 100_000);
    });
    const [restic] = await eventually('restic to run', () => {
      const pids = this.workers('restic');
      return pids.length > 0 ? pids : null;
    });
    return restic ?? 0;
  }

  async workersGone(): Promise<void> {
    await eventually('restic and all that it started to be gone', () => this.workers().length === 0);
  }

  /** Reports of windows, oldest first. */
  reports(): readonly WindowReport[] {
    const directory = join(this.directory, 'controller', 'reports');
    if (!existsSync(directory)) return [];
    return readdirSync(directory)
      .filter((name) => name.endsWith('.json'))
      .map((name) => JSON.parse(readFileSync(join(directory, name), 'utf8')) as WindowReport)
      .toSorted((a, b) => a.actual.started_at.localeCompare(b.actual.started_at));
  }

  report(occurrence: string): Promise<WindowReport> {
    return eventually(
      `the report of ${occurrence}`,
      () => this.reports().find((each) => each.occurrence === occurrence),
      60_000,
    );
  }

  /** What the controller's ledger says against the repository, or null. */
  ledgerMark(): { kind: string } | null {
    const text = readFileSync(join(this.directory, 'controller', 'ledger.json'), 'utf8');
    const { repositories } = JSON.parse(text) as {
      repositories: Record<string, { mark: { kind: string } | null }>;
    };
    return repositories['main']?.mark ?? null;
  }

  /** Makes the state directory a file system of its own; it is given back at the end. */
  lodge(room: (path: string) => Room | null): Room | null {
    this.#room = room(this.state);
    return this.#room;
  }

  /** Ends every process, and fails when one was left behind. */
  async end(): Promise<void> {
    for (const child of this.#children)
      if (child.name === 'up' && child.ended === null) child.signal('SIGTERM');
    const late = setTimeout(() => {
      for (const child of this.#children) child.signal('SIGKILL');
    }, GOODBYE_MS);
    await Promise.all(this.#children.filter((child) => child.name === 'up').map((child) => child.exited));
    clearTimeout(late);
    // The controller first: its restic dies with it. The board last: it is the witness.
    for (const child of this.#children.toReversed()) if (child.ended === null) await child.kill();
    const left = (): number[] => [...processesWith(`${MARK}=${this.directory}`), ...this.workers()];
    const gone = await eventually('every process to be gone', () => left().length === 0, 5_000).catch(
      () => false,
    );
    const names = left().map((pid) => `${pid} ${programOf(pid)}`);
    for (const pid of left()) if (isAlive(pid)) process.kill(pid, 'SIGKILL');
    this.#room?.leave();
    rmSync(this.directory, { recursive: true, force: true, maxRetries: 5 });
    if (!gone) throw new Error(`processes were left behind: ${names.join(', ')}`);
  }

  #configText(settings: Settings): string {
    const vault = `127.0.0.1:${this.board.cablePort}`;
    const limit = settings.limitUpload === undefined ? '' : `, limit_upload: ${settings.limitUpload}`;
    return `\
state_directory: ${this.state}
runtime_directory: ${this.directory}/run
interlock: ${settings.interlock ?? `{ listen: "127.0.0.1:${this.tripPort}" }`}
controller: { listen: "127.0.0.1:${this.#apiPort}", state_directory: ${this.directory}/controller }
clock: { trust: always }
buses:
  board: { transport: modbus-tcp, host: 127.0.0.1, port: ${this.board.port}, reply_timeout: ${settings.replyTimeout ?? '200ms'}, simulated: true }
links:
  ${LINK}:
    contacts:
      - { name: relay, profile: ${BOARD}, bus: board, unit: 1, channel: 1, hardware_lease: ${settings.hardwareLease ?? 'none'} }
    witnesses:
      - { name: mirror, type: modbus-discrete-input, bus: board, unit: 1, input: 0, isolated_when: 1 }
    settle: 0ms
    lease_timeout: ${settings.leaseTimeout ?? '1s'}
    evidence_max_age: ${settings.evidenceMaxAge ?? '1500ms'}
    isolate_timeout: ${settings.isolateTimeout ?? '1s'}
    connect_timeout: ${settings.connectTimeout ?? '10s'}
    exposure_budget: 1h
    permissives: ${settings.permissives ?? '[]'}
notify: ${settings.notify ?? '[]'}
sources:
  ${SOURCE}: { verify: { type: bearer, token_file: ${this.directory}/alarm.token }, format: generic, trips: all }
${settings.sources ?? ''}
repositories:
  main: { url: "rest:http://${vault}/", password_file: ${this.directory}/vault.password }
windows:
  ${WINDOW}:
    link: ${LINK}
    opens: "${SELDOM}"
    timezone: UTC
    lasts: ${settings.lasts ?? '10m'}
    grace: ${settings.grace ?? '0s'}
    reach: { tcp: "${vault}", timeout: 10s }
    steps:
      - backup: { repository: main, paths: [${this.data}]${limit} }
${settings.windows ?? ''}`;
  }
}

/** The codes of everything that refused a lease, a reset or a window. */
export const codesOf = (error: unknown): readonly string[] =>
  error instanceof InterlockError ? error.refusals.map(({ code }) => code) : [];
