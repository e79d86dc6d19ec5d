/** Guards and anomaly rules of the windows: what they know, what they write down, and what people have said of it. */
import type { Config, WindowConfig } from '../config/schema.ts';
import type { BackupSettings } from '../config/schema/steps.ts';
import type { Disk } from '../journal/disk.ts';
import type { InterlockClient } from '../protocol/client.ts';
import { machineTime, type Time } from '../protocol/time.ts';
import { drillSaid } from './anomalies/drill-finding.ts';
import { AnomalyBook, heldWords, passFor, type Anomaly } from './anomalies/book.ts';
import { withReleased } from './anomalies/past.ts';
import { keyOf, PastStore } from './anomalies/past-store.ts';
import { Watch } from './anomalies/watch.ts';
import { readCanaries } from './guards/canary.ts';
import { manifestsOf, runGuards, type GuardPost, type LookAt } from './guards/guards.ts';
import { adoptDraft, dropDraft } from './guards/manifest.ts';
import type { Ledger } from './ledger.ts';
import type { AnomalyReport, GuardReport, StepReport } from './report.ts';
import { repositoryOf, taskOf } from './steps/table.ts';
import type { Voice } from './voice.ts';
import type { CutSwitch } from './windows/cut.ts';
import type { Opening } from './windows/job.ts';

const REASON_CHARS = 480;
/** Guards that look at what is backed up. */
const OF_SOURCES: ReadonlySet<string> = new Set(['source_present', 'change_survey']);
/** A person who released something wants to see it. */
const RELEASES_EVERY_MS = 3_000;

/** Which opening it is. */
export type Post = Pick<Opening, 'window' | 'occurrence'> & { readonly link: string };

export interface SentryTools {
  readonly config: Config;
  readonly client: Pick<InterlockClient, 'trip'>;
  readonly ledger: Ledger;
  readonly disk: Disk;
  readonly voice: Pick<Voice, 'note'>;
  readonly now: () => Date;
  readonly journal: (type: string, data: Readonly<Record<string, unknown>>) => void;
  /** What guards see, and the time. Default: of this machine. */
  readonly look?: LookAt;
  readonly time?: Time;
}

/** How an opening went, as far as it matters here. */
export interface Ended {
  readonly guards: readonly GuardReport[];
  readonly steps: readonly StepReport[];
}

interface Watched {
  readonly key: string;
  readonly watch: Watch;
  readonly pass: Anomaly | null;
}

/** All windows; what is known of an opening is given up when it is concluded. */
export class Sentries {
  readonly #tools: SentryTools;
  readonly #book: AnomalyBook;
  readonly #pasts: PastStore;
  readonly #watched = new Map<string, Watched[]>();

  constructor(tools: SentryTools) {
    const { state_directory: state } = tools.config.controller;
    this.#tools = tools;
    this.#book = new AnomalyBook(tools.disk, state);
    this.#pasts = new PastStore(tools.disk, state);
  }

  /** Looks at everything that can be looked at while isolated. Latches the link where a guard says so. */
  async guard(post: Post, stop: AbortSignal): Promise<readonly GuardReport[]> {
    await this.settle();
    const guardPost = await this.#guardPost(post);
    if (guardPost === null || guardPost.config.guards.length === 0) return [];
    const reports = await runGuards(guardPost, stop, this.#tools.look, this.#tools.time);
    for (const { took_ms: _, ...said } of reports)
      this.#tools.journal('controller.guard', { ...placeOf(post), ...said });
    const tripping = reports.find(({ outcome }) => outcome === 'tripped');
    if (tripping !== undefined) this.#trip(post, `guard ${tripping.guard}: ${tripping.why ?? ''}`);
    return reports;
  }

  /** Begins to look at a backup; `null` where nobody wants that. */
  async watch(post: Post, settings: BackupSettings, cut: CutSwitch): Promise<Watch | null> {
    const window = this.#windowOf(post.window);
    if (window === null) return null;
    const { anomalies } = window;
    if (
      Object.values([anomalies.while_running, anomalies.afterwards, anomalies.foreign_snapshots]).every(
        (each) => each === 'ignore',
      )
    )
      return null;
    const { repository } = settings;
    const key = keyOf(settings);
    const canaries = (await readCanaries(this.#tools.disk, this.#state)) ?? [];
    // What a guard found and a person expected is no surprise in the backup either.
    const pass = passFor(
      await this.#book.all(),
      post.window,
      (each) => each.repository === repository || OF_SOURCES.has(each.rule),
    );
    const watch = new Watch({
      repository,
      settings: anomalies,
      past: await this.#pasts.read(key),
      canaries: new Set(canaries.map(({ path }) => path)),
      pass,
      isCopiedInto: window.steps.some((step) => 'copy' in step && step.copy.repository === repository),
      cut,
      now: this.#tools.now,
      trip: (reason) => this.#trip(post, reason),
      keep: (found) => this.#keep(post, found),
    });
    // Also after a power cut it is known that a backup was begun.
    await this.#pasts.write(key, watch.past);
    const place = keyOfPost(post);
    this.#watched.set(place, [...(this.#watched.get(place) ?? []), { key, watch, pass }]);
    return watch;
  }

  /** The opening is over and the link isolated: writes down what there is to be known. Returns what was unusual. */
  async conclude(post: Post, { guards, steps }: Ended): Promise<readonly AnomalyReport[]> {
    const found: AnomalyReport[] = [];
    const watched = this.#watched.get(keyOfPost(post)) ?? [];
    this.#watched.delete(keyOfPost(post));
    for (const { key, watch, pass } of watched) {
      // oxlint-disable-next-line no-await-in-loop -- few, one disk
      found.push(...(await watch.conclude()));
      // oxlint-disable-next-line no-await-in-loop
      await this.#pasts.write(key, watch.past);
      // oxlint-disable-next-line no-await-in-loop
      if (pass !== null && watch.hasEnded) await this.#book.used(pass.id, this.#tools.now().toISOString());
    }
    for (const report of guards)
      // oxlint-disable-next-line no-await-in-loop
      found.push(...(await this.#guardFound(post, report)));
    // oxlint-disable-next-line no-await-in-loop
    for (const name of this.#repositoriesOf(post)) found.push(...(await this.#drillFound(post, name, steps)));
    await this.#keepManifests(post, guards, steps, found);
    for (const each of found) this.#tools.journal('controller.anomaly', { ...placeOf(post), ...each });
    return found;
  }

  /** Takes over what people have released: nothing is frozen any more where nothing is left unreleased. */
  async settle(): Promise<void> {
    const settled = await this.#book.settle();
    if (settled.length === 0) return;
    const all = await this.#book.all();
    for (const { id, repository, window, rule, release } of settled) {
      this.#tools.journal('controller.anomaly-released', { id, repository, window, rule, ...release });
      this.#tools.voice.note('info', `anomaly ${id} was released`, {
        by: release?.by,
        reason: release?.reason,
      });
      // oxlint-disable-next-line no-await-in-loop
      await this.#learnReleased(window, id, release?.expected === true);
      if (repository === null) continue;
      const isLast = all.every((each) => each.repository !== repository || each.release !== null);
      // oxlint-disable-next-line no-await-in-loop
      if (isLast) await this.#tools.ledger.note({ [repository]: { frozen: null } });
    }
  }

  /** Looks for releases every few seconds, while no window works. */
  heedReleases(voice: Pick<Voice, 'note'>): { stop(): void } {
    const { time = machineTime } = this.#tools;
    const complain = (error: unknown): void =>
      voice.note('error', 'releases of anomalies cannot be read', { why: String(error) });
    const look = (): unknown => (this.#watched.size > 0 ? null : this.settle().catch(complain));
    return { stop: time.every(RELEASES_EVERY_MS, look, 'idle') };
  }

  get #state(): string {
    return this.#tools.config.controller.state_directory;
  }

  #windowOf(name: string): WindowConfig | null {
    return this.#tools.config.windows[name] ?? null;
  }

  #backupsOf(window: string): readonly BackupSettings[] {
    return (this.#windowOf(window)?.steps ?? []).flatMap((step) => ('backup' in step ? [step.backup] : []));
  }

  #repositoriesOf({ window }: Post): readonly string[] {
    const names = (this.#windowOf(window)?.steps ?? []).map((step) => repositoryOf(taskOf(step)));
    return [...new Set(names.filter((name) => name !== null))];
  }

  async #guardPost({ window }: Post): Promise<GuardPost | null> {
    const config = this.#windowOf(window);
    if (config === null) return null;
    return {
      window,
      config,
      disk: this.#tools.disk,
      stateDirectory: this.#state,
      lastGood: () => this.#pasts.lastGood(this.#backupsOf(window)),
      anomalies: await this.#book.all(),
    };
  }

  #trip({ window, link }: Post, reason: string): void {
    const request = { links: [link], by: `window ${window}`, reason: reason.slice(0, REASON_CHARS) };
    this.#tools.client.trip(request).catch((error: unknown) => {
      const why = error instanceof Error ? error.message : String(error);
      this.#tools.voice.note('error', `the link ${link} could not be tripped`, { why, reason });
    });
  }

  async #keep({ window, occurrence, link }: Post, found: AnomalyReport): Promise<Anomaly> {
    const { action, repository, rule, why, numbers, snapshot } = found;
    if (action === 'warn') throw new TypeError('broken invariant: a warning is not written down');
    const at = this.#tools.now().toISOString();
    const kept = await this.#book.add(
      { window, occurrence, link, repository, rule, action, why, numbers, snapshot },
      at,
    );
    this.#tools.voice.note('error', `anomaly ${kept.id} (${rule}): ${why}`, { window, repository, action });
    if (repository !== null) {
      const frozen = { why: heldWords(kept), at };
      await this.#tools.ledger.note({ [repository]: { frozen } });
    }
    return kept;
  }

  async #guardFound(post: Post, report: GuardReport): Promise<readonly AnomalyReport[]> {
    const { guard: rule, outcome, why = '', numbers } = report;
    if (outcome !== 'skipped' && outcome !== 'tripped') return [];
    const action = outcome === 'tripped' ? ('trip' as const) : ('skip' as const);
    const found: AnomalyReport = { id: null, rule, repository: null, action, why, numbers, snapshot: null };
    return [{ ...found, id: (await this.#keep(post, found)).id }];
  }

  /** What a restore drill froze has to be released, too, and for itself: whoever releases something else has not looked at it. */
  async #drillFound(
    post: Post,
    repository: string,
    steps: Ended['steps'],
  ): Promise<readonly AnomalyReport[]> {
    const said = drillSaid(steps, repository);
    const why = said ?? this.#tools.ledger.frozen(repository);
    if (why === null) return [];
    const isUnreleased = (each: Anomaly): boolean => each.repository === repository && each.release === null;
    if (said === null && (await this.#book.all()).some(isUnreleased)) return [];
    const found: AnomalyReport = {
      id: null,
      rule: 'restore-drill',
      repository,
      action: 'hold',
      why,
      numbers: {},
      snapshot: null,
    };
    return [{ ...found, id: (await this.#keep(post, found)).id }];
  }

  /** What was seen counts for the next time when the window ended well and nobody has to look first. */
  async #keepManifests(
    post: Post,
    guards: readonly GuardReport[],
    steps: readonly StepReport[],
    found: readonly AnomalyReport[],
  ): Promise<void> {
    const config = this.#windowOf(post.window);
    if (config === null) return;
    const backups = steps.filter(({ step }) => step === 'backup');
    const isGood =
      backups.length > 0 &&
      backups.every(
        ({ outcome, missing_sources: missing }) =>
          (outcome.kind === 'done' || outcome.kind === 'partly-done') && missing === undefined,
      ) &&
      found.every(({ action }) => action === 'warn');
    for (const manifest of manifestsOf({ window: post.window, config, stateDirectory: this.#state }))
      // oxlint-disable-next-line no-await-in-loop
      await (isGood ? adoptDraft(manifest) : dropDraft(manifest));
    if (!isGood) return;
    const all = await this.#book.all();
    for (const { guard } of guards) {
      const pass = passFor(all, post.window, ({ rule }) => rule === guard);
      // oxlint-disable-next-line no-await-in-loop
      if (pass !== null) await this.#book.used(pass.id, this.#tools.now().toISOString());
    }
  }

  async #learnReleased(window: string, id: string, isExpected: boolean): Promise<void> {
    for (const settings of this.#backupsOf(window)) {
      const key = keyOf(settings);
      // oxlint-disable-next-line no-await-in-loop
      await this.#pasts.write(key, withReleased(await this.#pasts.read(key), id, isExpected));
    }
  }
}

/** As the journal names an opening: who hands over more of it (its work, its programs) does not mean to publish that. */
const placeOf = ({ window, occurrence, link }: Post): Post => ({ window, occurrence, link });
const keyOfPost = ({ window, occurrence }: Post): string => `${window} ${occurrence}`;
