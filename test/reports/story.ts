/** Ten days of an appliance as a journal on disk: some good, some not. Times of day are noon, so that no time zone moves a day to another month. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { configSchema, type Config } from '../../src/config/schema.ts';
import { keepReport, type WindowReport } from '../../src/controller/report.ts';
import { makeMonth } from '../../src/controller/reports/make-month.ts';
import type { MonthDocument } from '../../src/controller/reports/month-document.ts';
import { proveFiles, proveOverSocket } from '../../src/controller/reports/proving.ts';
import { spanOf } from '../../src/controller/reports/span.ts';
import { GENESIS, lineHash, type Head } from '../../src/journal/chain.ts';
import { nodeDisk } from '../../src/journal/disk.ts';
import { type Entry, type JsonObject, printEntry } from '../../src/journal/entry.ts';
import { openHeadKey, signHead, type HeadKey } from '../../src/journal/heads.ts';
import type { KeptEntry } from '../../src/protocol/journal.ts';

/** The eleventh, before noon: ten windows were due. */
export const NOW = new Date('2026-11-11T11:00:00.000Z');
const CLOCK_BEGAN = Date.UTC(2026, 10, 1, 0, 0, 0);

/** One line to be: day of November, seconds behind 12:30 UTC. */
interface Line {
  readonly day: number;
  readonly s: number;
  readonly type: string;
  readonly data: JsonObject;
  readonly actor?: string;
}

export const occurrence = (day: number): string => new Date(Date.UTC(2026, 10, day, 12, 30)).toISOString();
const windowData = (day: number): JsonObject => ({
  window: 'nightly',
  occurrence: occurrence(day),
  link: 'vault',
});

const opened = (day: number): Line => ({
  day,
  s: 0,
  type: 'window.opened',
  actor: 'calendar',
  data: { ...windowData(day), by_hand: null, ends_in_ms: 3_600_000 },
});
const connecting = (day: number): Line => ({ day, s: 1, type: 'link.connecting', data: { link: 'vault' } });
/** Exposed for a minute, then one contact isolated alone. */
const isolated = (day: number): Line => ({
  day,
  s: 61,
  type: 'link.isolated',
  data: {
    link: 'vault',
    proof: { contact: 'relay', outcome: 'passed', basis: 'witness', took_ms: 80 + day },
  },
});
const step = (day: number, s: number, kind: string, outcome: JsonObject, facts: JsonObject = {}): Line => ({
  day,
  s,
  type: 'controller.step',
  actor: 'controller',
  data: { ...windowData(day), step: kind, repository: 'main', outcome, took_ms: 1_000, ...facts },
});
const finished = (day: number, outcome: string, seconds: number, why: JsonObject | null = null): Line => ({
  day,
  s: 70,
  type: 'controller.window-finished',
  actor: 'controller',
  data: {
    ...windowData(day),
    outcome,
    exposure_seconds: seconds,
    isolation_proven: true,
    why,
    snapshots: [],
  },
});
const closed = (day: number): Line => ({
  day,
  s: 71,
  type: 'window.closed',
  actor: 'controller',
  data: { window: 'nightly', occurrence: occurrence(day), why: 'its work is done' },
});
const DONE = { kind: 'done' };
const good = (day: number, ...more: Line[]): Line[] => [
  opened(day),
  connecting(day),
  step(day, 30, 'backup', DONE, { snapshot: `s${day}`, files: 10, bytes: 4_096, bytes_added: 1_024 }),
  ...more,
  isolated(day),
  finished(day, 'done', 60),
  closed(day),
];
const tripped: Line[] = [
  opened(3),
  connecting(3),
  {
    day: 3,
    s: 21,
    type: 'link.tripped',
    actor: 'source:alarms',
    data: {
      link: 'vault',
      reason: 'mass <deletion> & more',
      from: 'connected',
      to: 'tripped',
      cut: { why: 'trip', written_ms: { relay: 0.4, port: 0.7 } },
      cut_ms: 1.25,
    },
  },
  { day: 3, s: 22, type: 'link.trip-proven', data: { link: 'vault', proven_ms: 42, proof: 'witness' } },
  step(3, 23, 'backup', { kind: 'cut-short', code: 'tripped', why: 'tripped' }),
  finished(3, 'cut-short', 21, { code: 'tripped', why: 'tripped by source:alarms' }),
  {
    day: 3,
    s: 600,
    type: 'link.reset',
    actor: 'presence',
    data: { link: 'vault', from: 'tripped', to: 'isolated' },
  },
];
const BY_HAND = 'by hand 2026-12-02';
const LINES: readonly Line[] = [
  { day: 1, s: -600, type: 'interlock.started', actor: 'interlock', data: { build: 'b' } },
  ...good(1, step(1, 40, 'check', DONE, { data_read: '1/30' })),
  ...good(2),
  // By hand; its name names a time of another month, which is not its schedule.
  {
    day: 2,
    s: 9_000,
    type: 'window.opened',
    actor: 'presence',
    data: {
      window: 'nightly',
      occurrence: BY_HAND,
      link: 'vault',
      by_hand: 'person:root: a try',
      ends_in_ms: 1,
    },
  },
  {
    day: 2,
    s: 9_001,
    type: 'controller.window-finished',
    actor: 'controller',
    data: {
      window: 'nightly',
      occurrence: BY_HAND,
      link: 'vault',
      outcome: 'done',
      exposure_seconds: 0,
      why: null,
    },
  },
  ...tripped,
  {
    day: 4,
    s: 0,
    type: 'window.missed',
    actor: 'calendar',
    data: { window: 'nightly', scheduled: occurrence(4), why: 'the clock was not synchronised' },
  },
  // Nothing of the fifth: the box was without power.
  opened(6),
  connecting(6),
  step(6, 30, 'backup', { kind: 'failed', code: 'locked', why: 'somebody else has a lock' }),
  isolated(6),
  finished(6, 'failed', 60, { code: 'locked', why: 'somebody else has a lock' }),
  opened(7),
  {
    day: 7,
    s: 1,
    type: 'controller.guard',
    actor: 'controller',
    data: {
      ...windowData(7),
      guard: 'canary',
      outcome: 'skipped',
      why: 'a canary file was changed',
      numbers: { changed: 1 },
    },
  },
  {
    day: 7,
    s: 2,
    type: 'controller.anomaly',
    actor: 'controller',
    data: {
      ...windowData(7),
      id: 'x1',
      rule: 'canary',
      repository: 'main',
      action: 'hold',
      why: 'changed',
      numbers: {},
      snapshot: null,
    },
  },
  finished(7, 'skipped', 0, { code: 'canary', why: 'a canary file was changed' }),
  ...good(
    8,
    step(8, 40, 'restore_drill', DONE, { drill: { snapshot: 's8', files: 20, bytes: 2_048, as_source: 20 } }),
  ),
  opened(9),
  { day: 9, s: 5, type: 'lease.refused', actor: 'controller', data: { link: 'vault', refusals: [] } },
  { day: 9, s: 6, type: 'request.refused', actor: 'source:alarms', data: { status: 401, code: 'x' } },
  { day: 9, s: 20, type: 'request.refused-more', actor: 'source:alarms', data: { status: 401, more: 9 } },
  {
    day: 9,
    s: 700,
    type: 'session.began',
    actor: 'person:root',
    data: { link: 'vault', session: 'a', reason: 'restore of the ledger', ends_in_ms: 1, authority: 'box' },
  },
  { day: 9, s: 701, type: 'link.connecting', data: { link: 'vault' } },
  { day: 9, s: 1_001, type: 'link.isolated', data: { link: 'vault' } },
  { day: 9, s: 1_002, type: 'session.ended', data: { link: 'vault', session: 'a', why: 'released' } },
  { day: 9, s: 1_100, type: 'trip.drill', actor: 'source:alarms', data: { reason: 'test' } },
  {
    day: 9,
    s: 1_200,
    type: 'controller.anomaly-released',
    actor: 'controller',
    data: { id: 'x1', repository: 'main', by: 'person:ada', reason: 'we moved it', expected: true },
  },
  ...good(10),
];

/** A journal as it would be on disk, and what a summary needs besides. */
export class Story {
  readonly directory = mkdtempSync(join(tmpdir(), 'portcullis-reports-'));
  readonly journal = join(this.directory, 'journal');
  readonly config: Config;
  entries: Entry[] = [];
  lines: string[] = [];
  key!: HeadKey;

  constructor() {
    onTestFinished(() => rmSync(this.directory, { recursive: true, force: true }));
    mkdirSync(this.journal, { recursive: true });
    mkdirSync(join(this.directory, 'controller', 'reports'), { recursive: true });
    this.config = configSchema.parse({
      state_directory: this.directory,
      controller: { listen: '127.0.0.1:0', state_directory: join(this.directory, 'controller') },
      links: { vault: { contacts: [], exposure_budget: '2m' } },
      repositories: { main: { url: '/x', password_file: '/x' } },
      windows: {
        nightly: {
          link: 'vault',
          opens: '30 12 * * *',
          timezone: 'UTC',
          lasts: '1h',
          steps: [{ check: { repository: 'main' } }],
        },
      },
    });
  }

  static async told(keep: (line: { day: number; type: string }) => boolean = () => true): Promise<Story> {
    const story = new Story();
    story.key = await openHeadKey(story.journal);
    for (const line of LINES.filter(keep)) story.#write(line);
    story.save();
    return story;
  }

  #write({ day, s, type, data, actor = 'interlock' }: Line): void {
    const at = Date.UTC(2026, 10, day, 12, 30) + s * 1_000;
    const prev = this.lines.at(-1);
    const entry: Entry = {
      seq: this.lines.length + 1,
      boot: 'boot-1',
      mono: at - CLOCK_BEGAN,
      at: new Date(at).toISOString(),
      clock: 'synchronised',
      type,
      actor,
      data,
      prev: prev === undefined ? GENESIS.hash : lineHash(prev),
    };
    this.entries.push(entry);
    this.lines.push(printEntry(entry));
  }

  save(): void {
    writeFileSync(join(this.journal, 'journal-000001.jsonl'), this.lines.map((line) => `${line}\n`).join(''));
  }

  /** The head behind the last entry that fits. */
  headAfter(fits: (entry: Entry) => boolean): Head {
    const index = this.entries.findLastIndex(fits);
    return { size: index + 1, hash: lineHash(this.lines[index] ?? '') };
  }

  /** The report that the controller kept of a day. */
  async report(day: number, more: Partial<WindowReport> = {}): Promise<WindowReport> {
    const at = occurrence(day);
    const report: WindowReport = {
      format: 2,
      window: 'nightly',
      link: 'vault',
      occurrence: at,
      by_hand: null,
      resumed: false,
      planned: { began_at: at, ends_at: at },
      actual: { started_at: at, granted_at: at, isolated_at: at, finished_at: at },
      exposure_seconds: 60,
      isolation_proven: true,
      outcome: 'done',
      why: null,
      trip: null,
      steps: [],
      hooks: [],
      journal_head: signHead(
        this.headAfter((entry) => entry.data['occurrence'] === at && entry.type === 'controller.step'),
        this.key,
      ),
      ...more,
    };
    await keepReport(nodeDisk, join(this.directory, 'controller', 'reports'), report);
    return report;
  }

  /** What the month came to, from the files or over a socket that gives `lines`. */
  month(from: 'files' | 'socket' = 'files', signedHead: string | null = null): Promise<MonthDocument> {
    const span = spanOf('2026-11');
    if (span === null) throw new Error('no month');
    return makeMonth({
      config: this.config,
      span,
      now: NOW,
      build: 'build',
      signedHead,
      vkey: this.key.vkey,
      prove: (tally, heads) =>
        from === 'files'
          ? proveFiles(this.journal, tally, heads)
          : proveOverSocket({ entries: (after, limit) => this.#page(after, limit) }, tally, heads),
    });
  }

  #page(after: number, limit: number) {
    const all = this.lines.map((line) => JSON.parse(line) as KeptEntry);
    const entries = all.slice(after, after + Math.min(limit, 7));
    return Promise.resolve({
      entries,
      next_after: after + entries.length,
      size: all.length,
      missing: null,
    });
  }
}
