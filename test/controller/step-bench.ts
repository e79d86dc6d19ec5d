/** Single steps with a real restic, without windows, links and processes around them. */
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll } from 'vitest';
import { z } from 'zod';
import { repository as repositorySchema } from '../../src/config/schema/repositories.ts';
import { step as stepSchema } from '../../src/config/schema/steps.ts';
import { openLedger } from '../../src/controller/ledger.ts';
import { machinePrograms } from '../../src/controller/processes/child.ts';
import type { Ledger } from '../../src/controller/ledger.ts';
import { initialise } from '../../src/controller/restic/identity.ts';
import { findRestic } from '../../src/controller/restic/program.ts';
import type { Repository } from '../../src/controller/restic/repository.ts';
import { runRestic, UNLIMITED } from '../../src/controller/restic/run.ts';
import type { ResticEnd, ResticHost, Run } from '../../src/controller/restic/run.ts';
import { drillRecords } from '../../src/controller/steps/drill-records.ts';
import type { BackupWatch, StepEnd, StepTools } from '../../src/controller/steps/step.ts';
import { perform, repositoryOf, taskOf } from '../../src/controller/steps/table.ts';
import { nodeDisk } from '../../src/journal/disk.ts';
import { RESTIC } from './appliance.ts';
import { cheapen } from './cheap-key.ts';

/** A step as in the file: `{ backup: {…} }`. */
export type StepFile = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

const snapshotList = z.array(
  z.looseObject({ id: z.string(), time: z.string(), hostname: z.string(), paths: z.array(z.string()) }),
);

/** How a call would have ended that was never made. */
export const ended = (change: Partial<ResticEnd> = {}): ResticEnd => ({
  verdict: 'done',
  exitCode: 0,
  lastWords: '',
  output: '',
  summary: null,
  missingSources: [],
  unreadableItems: 0,
  ...change,
});

const templates = mkdtempSync(join(tmpdir(), 'portcullis-templates-'));
afterAll(() => rmSync(templates, { recursive: true, force: true }));

export class StepBench {
  readonly directory = mkdtempSync(join(tmpdir(), 'portcullis-steps-'));
  readonly source = join(this.directory, 'source');
  readonly scratch = join(this.directory, 'scratch');
  readonly calls: string[][] = [];
  readonly stop = new AbortController();
  watch: BackupWatch | null = null;
  now: () => Date = () => new Date();
  #ledger: Ledger | null = null;
  #host: ResticHost | null = null;

  async start(): Promise<void> {
    mkdirSync(this.source);
    writeFileSync(join(this.directory, 'password'), 'a password\n');
    const program = await findRestic(RESTIC.startsWith('/') ? RESTIC : undefined);
    const env = { PATH: process.env['PATH'] ?? '', HOME: this.directory };
    this.#host = {
      program,
      cacheDirectory: join(this.directory, 'cache'),
      env,
      limits: UNLIMITED,
      programs: machinePrograms,
    };
    this.#ledger = await openLedger(nodeDisk, this.directory);
  }

  stopAll(): void {
    rmSync(this.directory, { recursive: true, force: true, maxRetries: 5 });
  }

  get ledger(): Ledger {
    if (this.#ledger === null) throw new Error('start the bench first');
    return this.#ledger;
  }

  get host(): ResticHost {
    if (this.#host === null) throw new Error('start the bench first');
    return this.#host;
  }

  repository(name: string, more: Readonly<Record<string, unknown>> = {}): Repository {
    const settings = { url: join(this.directory, name), password_file: join(this.directory, 'password') };
    return { name, settings: repositorySchema.parse({ ...settings, ...more }) };
  }

  run(name: string, more: Readonly<Record<string, unknown>> = {}): Run {
    const repository = this.repository(name, more);
    return (call) => {
      this.calls.push([...call.args]);
      return runRestic(this.host, repository, call, { cut: this.stop.signal, wrapUp: this.stop.signal });
    };
  }

  /** Makes a repository; one of the same name is made once per test file and copied then. */
  async make(name: string, alike: string | null = null): Promise<void> {
    const template = join(templates, name);
    if (alike === null && existsSync(template)) {
      cpSync(template, join(this.directory, name), { recursive: true });
      return;
    }
    const made = await initialise(this.run(name), alike === null ? null : this.repository(alike));
    if (made.kind !== 'done') throw new Error(`no repository: ${JSON.stringify(made)}`);
    cheapen(join(this.directory, name), 'a password');
    if (alike === null) cpSync(join(this.directory, name), template, { recursive: true });
    this.calls.length = 0;
  }

  tools(name: string, change: Partial<StepTools> = {}): StepTools {
    return {
      run: this.run(name),
      version: this.host.program.version,
      programs: machinePrograms,
      record: this.ledger.repository(name),
      note: (learnt) => this.ledger.note({ [name]: learnt }),
      now: () => this.now(),
      env: { ...this.host.env, PORTCULLIS_WINDOW: 'nightly' },
      stop: this.stop.signal,
      scratchDirectory: this.scratch,
      records: drillRecords(nodeDisk, this.directory),
      watch: this.watch,
      onProgress: () => undefined,
      other: (other) => ({ repository: this.repository(other), run: this.run(other) }),
      ...change,
    };
  }

  /** Does a step to its very end, and lets the ledger know. */
  async step(file: StepFile, change: Partial<StepTools> = {}): Promise<StepEnd> {
    const begun = await this.begin(file, change);
    if (begun.afterwards === undefined) return begun;
    const end = await begun.afterwards(this.stop.signal);
    await this.#learn(file, end);
    return end;
  }

  /** Does the part of a step that needs the vault. */
  async begin(file: StepFile, change: Partial<StepTools> = {}): Promise<StepEnd> {
    const task = taskOf(stepSchema.parse(file));
    const end = await perform(task, this.tools(repositoryOf(task) ?? '', change));
    await this.#learn(file, end);
    return end;
  }

  async #learn(file: StepFile, { learnt }: StepEnd): Promise<void> {
    const name = repositoryOf(taskOf(stepSchema.parse(file)));
    if (name !== null && learnt !== undefined) await this.ledger.note({ [name]: learnt });
  }

  write(path: string, content: string | Uint8Array): string {
    const whole = join(this.source, path);
    mkdirSync(dirname(whole), { recursive: true });
    writeFileSync(whole, content);
    return whole;
  }

  /** restic by hand. */
  restic(name: string, ...args: string[]): string {
    return execFileSync(RESTIC, args, {
      env: {
        ...process.env,
        RESTIC_REPOSITORY: join(this.directory, name),
        RESTIC_PASSWORD_FILE: join(this.directory, 'password'),
        RESTIC_CACHE_DIR: join(this.directory, 'cache'),
      },
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  }

  snapshots(name: string): z.output<typeof snapshotList> {
    return snapshotList.parse(JSON.parse(this.restic(name, 'snapshots', '--json', '--no-lock')));
  }

  /** What lies in the scratch directory. */
  left(): readonly string[] {
    try {
      return readdirSync(this.scratch);
    } catch {
      return []; // it was never made
    }
  }
}
