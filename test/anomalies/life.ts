/** A village with a vault: real restic, real guards and rules, without windows and links around them. */
import { cpSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { configSchema } from '../../src/config/schema.ts';
import type { Config } from '../../src/config/schema.ts';
import { Sentries } from '../../src/controller/sentries.ts';
import type { AnomalyReport, GuardReport, StepReport } from '../../src/controller/report.ts';
import { runRestic } from '../../src/controller/restic/run.ts';
import { perform, taskOf } from '../../src/controller/steps/table.ts';
import { openLedger } from '../../src/controller/ledger.ts';
import type { Ledger } from '../../src/controller/ledger.ts';
import { cutSwitch } from '../../src/controller/windows/cut.ts';
import { nodeDisk } from '../../src/journal/disk.ts';
import { StepBench } from '../controller/step-bench.ts';
import { Village } from './village.ts';
import type { VillageSize } from './village.ts';

const DAY_MS = 86_400_000;

/** What one night brought. */
export interface Night {
  readonly guards: readonly GuardReport[];
  readonly anomalies: readonly AnomalyReport[];
  readonly backup: StepReport;
  /** Bytes that the vault grew. */
  readonly grown: number;
  /** The first line that would cut. */
  readonly isCut: boolean;
}

export class Life {
  readonly bench = new StepBench();
  readonly trips: string[] = [];
  readonly journal: { readonly type: string; readonly data: Readonly<Record<string, unknown>> }[] = [];
  readonly notes: string[] = [];
  config: Config = configSchema.parse({});
  #village: Village | null = null;
  #ledger: Ledger | null = null;
  #sentries: Sentries | null = null;
  #day = 0;
  #night = 0;

  async start(
    seed: number,
    size: VillageSize,
    window: Readonly<Record<string, unknown>> = {},
  ): Promise<void> {
    await this.bench.start();
    await this.bench.make('vault');
    this.#village = new Village(this.bench.source, seed, size);
    this.configure(window);
    await this.#wake();
  }

  configure(window: Readonly<Record<string, unknown>>): void {
    this.config = configSchema.parse({
      state_directory: join(this.bench.directory, 'state'),
      controller: { state_directory: this.bench.directory },
      links: { vault: { contacts: [] } },
      repositories: {
        vault: {
          url: join(this.bench.directory, 'vault'),
          password_file: join(this.bench.directory, 'password'),
        },
      },
      windows: {
        nightly: {
          link: 'vault',
          opens: '0 2 * * *',
          timezone: 'UTC',
          lasts: '1h',
          guards: [{ change_survey: { action: 'warn' } }],
          steps: [{ backup: { repository: 'vault', paths: [this.bench.source] } }],
          ...window,
        },
      },
    });
  }

  get village(): Village {
    if (this.#village === null) throw new Error('start first');
    return this.#village;
  }

  get ledger(): Ledger {
    if (this.#ledger === null) throw new Error('start first');
    return this.#ledger;
  }

  get sentries(): Sentries {
    if (this.#sentries === null) throw new Error('start first');
    return this.#sentries;
  }

  now = (): Date => new Date(Date.now() + this.#day * DAY_MS);

  /** Reads what is kept anew, as after a restart. */
  async #wake(): Promise<void> {
    this.#ledger = await openLedger(nodeDisk, this.bench.directory);
    this.#sentries = new Sentries({
      config: this.config,
      client: {
        trip: ({ reason }) => {
          this.trips.push(reason);
          return Promise.resolve({ links: [] });
        },
      },
      ledger: this.#ledger,
      disk: nodeDisk,
      voice: { note: (_level, text) => void this.notes.push(text) },
      now: () => new Date(),
      journal: (type, data) => void this.journal.push({ type, data }),
    });
  }

  /** Guards, backup, and what is thought of it. */
  async night(): Promise<Night> {
    this.#night += 1;
    const post = { window: 'nightly', link: 'vault', occurrence: `night ${this.#night}` };
    const never = new AbortController().signal;
    const cut = cutSwitch();
    const before = this.vaultBytes();
    const guards = await this.sentries.guard(post, never);
    const [step] = this.config.windows['nightly']?.steps ?? [];
    if (step === undefined || !('backup' in step)) throw new Error('no backup');
    const watch = await this.sentries.watch(post, step.backup, cut);
    const repository = this.bench.repository('vault');
    const run = (call: Parameters<ReturnType<StepBench['run']>>[0]) =>
      runRestic(this.bench.host, repository, call, { cut: cut.signal, wrapUp: never });
    const end = await perform(
      taskOf(step),
      this.bench.tools('vault', { run, watch, record: this.ledger.repository('vault') }),
    );
    if (end.learnt !== undefined) await this.ledger.note({ vault: end.learnt });
    const backup: StepReport = {
      step: 'backup',
      repository: 'vault',
      took_ms: 0,
      outcome: end.outcome,
      ...end.facts,
    };
    const anomalies = await this.sentries.conclude(post, { guards, steps: [backup] });
    const isCut = cut.reason() !== null;
    // As the next window would: nothing of ours is left behind.
    if (isCut) this.bench.restic('vault', 'unlock', '--remove-all');
    return { guards, anomalies, backup, isCut, grown: this.vaultBytes() - before };
  }

  vaultBytes(): number {
    const vault = join(this.bench.directory, 'vault');
    return readdirSync(vault, { recursive: true, encoding: 'utf8' })
      .filter((name) => name.startsWith('data/'))
      .map((name) => statSync(join(vault, name)))
      .reduce((all, stats) => all + (stats.isFile() ? stats.size : 0), 0);
  }

  /** Keeps everything as it is now; the function brings it back. */
  keep(): () => Promise<void> {
    const kept = `${this.bench.directory}-kept`;
    const files = [...this.village.files];
    rmSync(kept, { recursive: true, force: true });
    cpSync(this.bench.directory, kept, { recursive: true, preserveTimestamps: true });
    return async () => {
      rmSync(this.bench.directory, { recursive: true, force: true });
      cpSync(kept, this.bench.directory, { recursive: true, preserveTimestamps: true });
      this.village.files.splice(0, Infinity, ...files);
      this.trips.splice(0);
      await this.#wake();
    };
  }

  stop(): void {
    rmSync(`${this.bench.directory}-kept`, { recursive: true, force: true });
    this.bench.stopAll();
  }
}
