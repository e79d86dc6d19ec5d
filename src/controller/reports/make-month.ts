/** Makes the summary of a month: schedule, links, reports, journal. */
import { openingsBetween } from '../../config/meaning/openings.ts';
import type { Config } from '../../config/schema.ts';
import { isSimulated } from '../../config/meaning/simulated.ts';
import { nodeDisk } from '../../journal/disk.ts';
import { timezone } from '../chronicle/days.ts';
import { reportsIn } from '../machine.ts';
import { recentReports } from '../report.ts';
import type { KeptReport } from './agreement.ts';
import type { MonthDocument } from './month-document.ts';
import { type ConfiguredLink, type JournalProof, monthOf, type PlannedWindow } from './month.ts';
import { type Heads, headsOf } from './proving.ts';
import { dueAt, isIn, type MonthSpan } from './span.ts';
import { MonthTally } from './tally.ts';

/** What a summary is made from. */
export interface MonthMaking {
  readonly config: Config;
  readonly span: MonthSpan;
  readonly now: Date;
  readonly build: string;
  /** Signed head as it stands; null when nobody gives one. */
  readonly signedHead: string | null;
  /** Verification key of signed heads. */
  readonly vkey: string | null;
  /** Goes through the journal. */
  readonly prove: (tally: MonthTally, heads: Heads) => Promise<JournalProof>;
}

/** The summary. Rejects when the journal cannot be read at all. */
export async function makeMonth(making: MonthMaking): Promise<MonthDocument> {
  const { config, span, signedHead, vkey } = making;
  const reports = await reportsOfMonth(config, span);
  const tally = new MonthTally(span);
  const proof = await making.prove(tally, headsOf(reports, signedHead, vkey));
  return monthOf({
    tally,
    proof,
    planned: await plannedIn(config, span, making.now),
    links: linksIn(config),
    reports,
    signedHead,
    now: making.now,
    timezone: timezone(),
    build: making.build,
  });
}

async function reportsOfMonth(config: Config, span: MonthSpan): Promise<readonly KeptReport[]> {
  const isOfMonth = ({ occurrence, actual }: KeptReport): boolean =>
    isIn(span, dueAt(occurrence, actual.started_at));
  // Of years of reports only those of the month are held at a time.
  return recentReports(nodeDisk, reportsIn(config), Number.POSITIVE_INFINITY, isOfMonth).catch(
    (error: unknown) => {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []; // no window ever ran
      throw error;
    },
  );
}

async function plannedIn(
  config: Config,
  { fromMs, toMs }: MonthSpan,
  now: Date,
): Promise<Map<string, PlannedWindow>> {
  const planned = new Map<string, PlannedWindow>();
  for (const [name, window] of Object.entries(config.windows)) {
    // oxlint-disable-next-line no-await-in-loop -- each takes half a second of the processor
    const openings = await openingsBetween(window, fromMs, Math.min(toMs, now.getTime()));
    planned.set(name, { link: window.link, openings, jitterMs: window.jitter });
  }
  return planned;
}

const linksIn = (config: Config): ReadonlyMap<string, ConfiguredLink> =>
  new Map(
    Object.entries(config.links).map(([name, link]) => [
      name,
      { budgetMs: link.exposure_budget, simulated: isSimulated(config, name) },
    ]),
  );
