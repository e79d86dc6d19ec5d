/** Looks at one backup: at each file while it runs, at the whole when it has ended, and does what the configuration says. */
import type { AnomalySettings } from '../../config/schema/guards.ts';
import type { RepositoryRecord } from '../ledger.ts';
import type { AnomalyReport } from '../report.ts';
import type { FileSeen, ScanSeen } from '../restic/lines.ts';
import { timeOf } from '../restic/snapshots.ts';
import type { Snapshot } from '../restic/snapshots.ts';
import type { BackupWatch, EndedBackup, Judged } from '../steps/step.ts';
import type { CutSwitch } from '../windows/cut.ts';
import { judgeEnded } from './after-rules.ts';
import { heldWords } from './book.ts';
import type { Anomaly } from './book.ts';
import { differenceBetween } from './difference.ts';
import type { Finding } from './finding.ts';
import { judgeList } from './ledger-rules.ts';
import { expectedFrom, withRun } from './past.ts';
import type { Expected, Past, PastRun } from './past.ts';
import { StreamRules } from './stream-rules.ts';
import { tagSuspect } from './suspect.ts';

/** ms by which the clock of whoever made a snapshot may differ from ours. */
const CLOCK_SLACK_MS = 600_000;
const TYPES_NAMED = 50;

/** What a watch works with. */
export interface WatchPost {
  readonly repository: string;
  readonly settings: AnomalySettings;
  readonly past: Past;
  readonly canaries: ReadonlySet<string>;
  /** An expected anomaly that lets this one through, or `null`. */
  readonly pass: Anomaly | null;
  /** The window copies into the repository as well. */
  readonly isCopiedInto: boolean;
  readonly cut: CutSwitch;
  readonly now: () => Date;
  /** Latches the link. Never throws, waits for nobody. */
  readonly trip: (reason: string) => void;
  /** Writes a finding down and freezes the repository; returns how to name it. */
  readonly keep: (found: AnomalyReport) => Promise<Anomaly>;
}

type Action = AnomalyReport['action'];

interface Told extends Finding {
  readonly action: Action;
}

/** One backup under watch. */
export class Watch implements BackupWatch {
  readonly #post: WatchPost;
  readonly #expected: Expected;
  readonly #rules: StreamRules;
  readonly #told: Told[] = [];
  readonly #reports: AnomalyReport[] = [];
  #keeping: Promise<void> = Promise.resolve();
  #past: Past;
  #hasEnded = false;

  constructor(post: WatchPost) {
    this.#post = post;
    this.#expected = expectedFrom(post.past, post.settings.learn_from);
    this.#rules = new StreamRules(this.#expected, post.settings, post.canaries);
    this.#past = { ...post.past, pending: post.past.pending ?? post.now().toISOString() };
  }

  file(seen: FileSeen): void {
    for (const finding of this.#rules.file(seen)) this.#heard(finding);
  }

  scanned(seen: ScanSeen): void {
    for (const finding of this.#rules.scanned(seen)) this.#heard(finding);
  }

  /** What is known from now on; final once `conclude` has resolved. */
  get past(): Past {
    return this.#past;
  }

  /** True when the backup came to its end. */
  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  async ended(backup: EndedBackup): Promise<Judged> {
    const { snapshot, summary, run } = backup;
    const { settings, now } = this.#post;
    this.#hasEnded = true;
    const figures = this.#rules.figures();
    const { snapshot: before } = this.#expected;
    const isNew = summary.snapshot_id !== null;
    const difference =
      before === null || !isNew || settings.afterwards === 'ignore'
        ? null
        : await differenceBetween(run, before, snapshot.id);
    const files = summary.total_files_processed;
    const bytes = summary.total_bytes_processed;
    for (const finding of judgeEnded({ figures, files, bytes, difference }, this.#expected, settings))
      this.#tell(finding, settings.afterwards);
    let known = this.#lookAtList(backup);

    const held = this.#told.find(({ action }) => action === 'hold' || action === 'trip');
    let standing = snapshot;
    if (held !== undefined && isNew) {
      const tagged = await tagSuspect(run, snapshot);
      if (tagged !== null) {
        standing = tagged.snapshot;
        const others = tagged.isOldGone ? known.filter(({ id }) => id !== snapshot.id) : known;
        known = [...others, { id: standing.id, at: standing.time }];
      }
    }
    const first = await this.#keepAll(standing.id);
    const suspect = first?.id ?? null;
    const one: PastRun = {
      at: now().toISOString(),
      snapshot: standing.id,
      files,
      bytes,
      changed: figures.changed,
      fresh: figures.fresh,
      packed: figures.packed,
      measured: figures.measured,
      dense: figures.dense,
      ratio: figures.ratio,
      out_of_type: figures.outOfType,
      out_of_types: [...figures.outOfTypes.keys()].slice(0, TYPES_NAMED),
      removed: difference?.removed ?? null,
      suspect,
    };
    this.#past = isNew ? withRun(this.#past, one, figures.types) : { ...this.#past, pending: null };
    return { why: first === null ? null : heldWords(first), snapshot: standing, known };
  }

  /** Writes down what nobody has written down yet: after a cut nothing is read back. Returns everything that was unusual. */
  async conclude(): Promise<readonly AnomalyReport[]> {
    await this.#keeping;
    await this.#keepAll(null);
    return this.#reports;
  }

  #lookAtList({ list, snapshot, known }: EndedBackup): RepositoryRecord['snapshots'] {
    const { settings, isCopiedInto, past, now } = this.#post;
    const mine = { id: snapshot.id, at: snapshot.time };
    const withMine = known.some(({ id }) => id === mine.id) ? known : [...known, mine];
    if (settings.foreign_snapshots === 'ignore') return withMine;
    const since = past.pending === null ? Infinity : Date.parse(past.pending) - CLOCK_SLACK_MS;
    const until = now().getTime() + CLOCK_SLACK_MS;
    const isOfUs = ({ hostname, paths }: Snapshot): boolean =>
      hostname === snapshot.hostname && paths.join('\0') === snapshot.paths.join('\0');
    const judged = judgeList(
      list,
      known,
      (one) =>
        one.id === snapshot.id ||
        // A backup that was cut at its very end has left its snapshot, and nobody wrote that down.
        (isOfUs(one) && timeOf(one) >= since && timeOf(one) <= until),
    );
    for (const finding of judged.findings) {
      // A copy that was cut has left copies, and nobody wrote those down.
      const mayBeCopies = isCopiedInto && finding.rule !== 'snapshot-gone';
      this.#tell(mayBeCopies ? { ...finding, grade: 'warn' } : finding, settings.foreign_snapshots);
    }
    return judged.known;
  }

  /** While it runs: what is clearly wrong is stopped in the tick in which it is heard. */
  #heard(finding: Finding): void {
    const setting = this.#post.settings.while_running;
    if (setting === 'ignore') return;
    const isMild = setting === 'warn' || this.#post.pass !== null || finding.grade === 'warn';
    const action: Action = isMild ? 'warn' : finding.grade === 'hold' ? 'hold' : setting;
    if (action === 'isolate' || action === 'trip') {
      const why = `anomaly ${finding.rule}: ${finding.why}`;
      this.#post.cut.throw({ code: 'anomaly', why });
      if (action === 'trip') this.#post.trip(why);
    }
    this.#note({ ...finding, action });
    if (action === 'isolate' || action === 'trip')
      this.#keeping = this.#keeping.then(async () => void (await this.#keepAll(null)));
  }

  #tell(finding: Finding, setting: 'trip' | 'hold' | 'warn' | 'ignore'): void {
    if (setting === 'ignore') return;
    const isMild = finding.grade === 'warn' || this.#post.pass !== null;
    const action = isMild ? 'warn' : setting;
    this.#note({ ...finding, action });
    if (action === 'trip') this.#post.trip(`anomaly ${finding.rule}: ${finding.why}`);
  }

  /** One line per rule: the newest says most. */
  #note(told: Told): void {
    const at = this.#told.findIndex(({ rule }) => rule === told.rule);
    if (at === -1) this.#told.push(told);
    else this.#told[at] = told;
  }

  /** Writes down everything that was told; returns the first that holds something. */
  async #keepAll(snapshot: string | null): Promise<Anomaly | null> {
    let first: Anomaly | null = null;
    for (const { rule, why, numbers, action } of this.#told.splice(0)) {
      const { repository } = this.#post;
      const report: AnomalyReport = { id: null, rule, repository, action, why, numbers, snapshot };
      if (action === 'warn') {
        this.#reports.push(report);
        continue;
      }
      // oxlint-disable-next-line no-await-in-loop -- a handful, in order
      const kept = await this.#post.keep(report);
      this.#reports.push({ ...report, id: kept.id });
      first ??= kept;
    }
    return first;
  }
}
