/** The summary of a month from what was counted, the schedule, the reports and the proof of the journal. Pure. */
import { own } from '../../core/names.ts';
import type { Exception, LinkRow, MonthDocument, WindowRow } from './month-document.ts';
import { disagreementsOf, type KeptReport } from './agreement.ts';
import type { Counts, MonthTally, RunTally } from './tally.ts';
import { MOST_LINES } from './values.ts';

/** How the journal was proven. */
export interface JournalProof {
  readonly readFrom: 'files' | 'socket';
  /** Nothing is wrong, and no head contradicts it. */
  readonly ok: boolean;
  readonly fromSeq: number | null;
  readonly head: { readonly size: number; readonly hash: string };
  readonly problems: readonly string[];
  readonly confirmed: readonly string[];
  readonly contradicted: readonly string[];
  readonly unchecked: readonly string[];
  /** What this way of proving does not show, in sentences. */
  readonly notes: readonly string[];
}

/** A window of today's configuration, with every opening that its schedule names in the month. */
export interface PlannedWindow {
  readonly link: string;
  readonly openings: readonly number[];
  readonly jitterMs: number;
}

/** What a link is by today's configuration. */
export interface ConfiguredLink {
  readonly budgetMs: number;
  readonly simulated: boolean;
}

export interface MonthParts {
  readonly tally: MonthTally;
  readonly proof: JournalProof;
  readonly planned: ReadonlyMap<string, PlannedWindow>;
  readonly links: ReadonlyMap<string, ConfiguredLink>;
  /** Of the month. */
  readonly reports: readonly KeptReport[];
  readonly signedHead: string | null;
  readonly now: Date;
  readonly timezone: string;
  readonly build: string;
}

/** An opening may be this much later than its schedule and jitter say before it is missed, ms. */
const LATE_MS = 120_000;

/** The summary. */
export function monthOf(parts: MonthParts): MonthDocument {
  const { tally, now, reports } = parts;
  const { span } = tally;
  const untilMs = Math.min(span.toMs, now.getTime());
  const windows = windowsOf(parts, untilMs);
  const links = linksOf(parts);
  const { disagreements, notHere } = disagreementsOf(tally.runs, reports);
  const simulated = links.filter((each) => each.simulated).map(({ link }) => link);
  return {
    format: 1,
    month: span.month,
    timezone: parts.timezone,
    from: new Date(span.fromMs).toISOString(),
    until: new Date(untilMs).toISOString(),
    is_over: now.getTime() >= span.toMs,
    made_at: now.toISOString(),
    build: parts.build,
    simulated,
    journal: journalOf(parts),
    not_verified: notVerified(parts),
    windows: windows.rows,
    exceptions: windows.exceptions.slice(0, MOST_LINES),
    links,
    data: byName([...tally.data.values()], ({ repository }) => repository),
    drills: tally.drills,
    checks: tally.checks,
    proof_tests: byName([...tally.proofs.values()], ({ link, contact }) => `${link} ${contact}`),
    commissionings: tally.commissionings.map(({ at, link, outcome, by }) => ({ at, link, outcome, by })),
    trips: tally.trips,
    sessions: tally.sessions,
    anomalies: tally.anomalies,
    guards: listed(tally.guards),
    alarm_drills: listed(tally.alarmDrills),
    refusals: listed(tally.refusals),
    faults: listed(tally.faults),
    interlock_starts: tally.starts,
    reports: { kept: reports.length, disagreements: disagreements.slice(0, MOST_LINES), not_here: notHere },
    shortened: [...tally.shortened, ...(windows.exceptions.length > MOST_LINES ? ['exceptions'] : [])],
  };
}

const byName = <T>(rows: T[], nameOf: (row: T) => string): T[] =>
  rows.toSorted((a, b) => nameOf(a).localeCompare(nameOf(b)));

const listed = (counts: Counts) =>
  [...counts]
    .map(([what, { count, last_at }]) => ({ what, count, last_at }))
    .toSorted((a, b) => b.count - a.count || a.what.localeCompare(b.what));

function journalOf({ tally, proof, signedHead }: MonthParts): MonthDocument['journal'] {
  return {
    state: proof.ok ? 'verified' : 'not-verified',
    read_from: proof.readFrom,
    first_seq: tally.firstSeq,
    last_seq: tally.lastSeq,
    entries: tally.entries,
    chain_from_seq: proof.fromSeq,
    chain_through_seq: proof.head.size,
    head: { ...proof.head },
    problems: [...proof.problems],
    heads_confirmed: [...proof.confirmed],
    heads_contradicted: [...proof.contradicted],
    heads_unchecked: [...proof.unchecked],
    clock_not_synchronised: tally.clockNotSynchronised,
    signed_head: signedHead,
  };
}

function notVerified({ tally, proof, signedHead, now }: MonthParts): string[] {
  const notes = [...proof.notes];
  if (!proof.ok)
    notes.unshift(
      `the journal verifies only up to entry ${proof.head.size}: neither that entry nor anything behind it is counted here, and a window of that time is listed as not known`,
    );
  if (proof.fromSeq !== null && proof.fromSeq > 1)
    notes.push(
      `entries 1 to ${proof.fromSeq - 1} were not looked at or are not here: what this summary rests on begins with entry ${proof.fromSeq}`,
    );
  if (signedHead === null) notes.push('the interlock gave no signed head: this summary is not dated by one');
  if (now.getTime() < tally.span.toMs) notes.push('the month is not over');
  if (tally.clockNotSynchronised > 0)
    notes.push(
      `the clock was not synchronised for ${tally.clockNotSynchronised} entries: their calendar times may be wrong, their order is not`,
    );
  notes.push(
    'how many windows were planned follows from the configuration of today, not from that of the time',
  );
  return notes;
}

interface Planned {
  readonly rows: WindowRow[];
  readonly exceptions: Exception[];
}

function windowsOf(parts: MonthParts, untilMs: number): Planned {
  const { tally, planned } = parts;
  const names = [...new Set([...planned.keys(), ...[...tally.runs.values()].map(({ window }) => window)])];
  const rows: WindowRow[] = [];
  const exceptions: Exception[] = [];
  for (const window of names.toSorted()) {
    const plan = planned.get(window);
    const runs = [...tally.runs.values()].filter((each) => each.window === window);
    const row = emptyRow(window, plan?.link ?? runs[0]?.link ?? '', plan !== undefined);
    rows.push(row);
    for (const run of runs) exceptions.push(...countRun(row, run));
    for (const at of plan?.openings ?? [])
      if (at + (plan?.jitterMs ?? 0) + LATE_MS < untilMs) exceptions.push(...countPlanned(parts, row, at));
  }
  return { rows, exceptions: exceptions.toSorted((a, b) => a.occurrence.localeCompare(b.occurrence)) };
}

const emptyRow = (window: string, link: string, configured: boolean): WindowRow => ({
  window,
  link,
  configured,
  planned: 0,
  run: 0,
  by_hand: 0,
  done: 0,
  partly_done: 0,
  failed: 0,
  cut_short: 0,
  skipped: 0,
  no_word: 0,
  missed: 0,
  missing: 0,
  not_known: 0,
});

const COUNTED_AS: Readonly<Record<string, 'done' | 'partly_done' | 'failed' | 'cut_short' | 'skipped'>> = {
  done: 'done',
  'partly-done': 'partly_done',
  failed: 'failed',
  'cut-short': 'cut_short',
  skipped: 'skipped',
};

function countRun(row: WindowRow, { window, occurrence, outcome, why, isByHand }: RunTally): Exception[] {
  row.run += 1;
  if (isByHand) row.by_hand += 1;
  const counted = outcome === null ? undefined : COUNTED_AS[outcome];
  row[counted ?? 'no_word'] += 1;
  if (counted === 'done') return [];
  const came_to = outcome ?? 'opened; the controller did not say how it went';
  return [{ window, occurrence, came_to, why }];
}

/** One scheduled opening: was it run, missed, or is nothing said of it? */
function countPlanned({ tally, proof }: MonthParts, row: WindowRow, atMs: number): Exception[] {
  const occurrence = new Date(atMs).toISOString();
  const key = `${row.window} ${occurrence}`;
  const { window } = row;
  const began = tally.beganAt === null ? Infinity : Date.parse(tally.beganAt);
  const wasRun = tally.runs.has(key);
  // Before the first entry ever there was no box.
  if (!wasRun && proof.ok && proof.fromSeq === 1 && atMs < began) return [];
  row.planned += 1;
  if (wasRun) return [];
  const why = tally.missed.get(key);
  if (why !== undefined) {
    row.missed += 1;
    return [{ window, occurrence, came_to: 'missed', why }];
  }
  const ended = tally.endedAt === null ? -Infinity : Date.parse(tally.endedAt);
  if (atMs < began || (!proof.ok && atMs > ended)) {
    row.not_known += 1;
    return [{ window, occurrence, came_to: 'not known', why: 'no verified entry of that time is here' }];
  }
  row.missing += 1;
  const missing = 'no entry speaks of it: the box was without power, or the window was not configured then';
  return [{ window, occurrence, came_to: 'MISSING', why: missing }];
}

function linksOf({ tally, links, reports }: MonthParts): LinkRow[] {
  const { days, since } = tally.book;
  const simulated = new Set(tally.simulated);
  for (const { link, evidence_grade } of reports) if (evidence_grade === 'simulated') simulated.add(link);
  const names = new Set([...links.keys(), ...Object.keys(days), ...tally.trips.map(({ link }) => link)]);
  return [...names].toSorted().map((link) => {
    const budget = links.get(link)?.budgetMs ?? null;
    const ofMonth = Object.entries(own(days, link) ?? {}).filter(([day]) => day.startsWith(tally.span.month));
    const longest = ofMonth.toSorted(([, a], [, b]) => b.exposure_ms - a.exposure_ms)[0];
    return {
      link,
      simulated: simulated.has(link) || links.get(link)?.simulated === true,
      connections: ofMonth.reduce((sum, [, day]) => sum + day.connections, 0),
      exposure_ms: ofMonth.reduce((sum, [, day]) => sum + day.exposure_ms, 0),
      budget_ms: budget,
      longest_day: longest === undefined ? null : { day: longest[0], exposure_ms: longest[1].exposure_ms },
      days_over_budget:
        budget === null ? [] : ofMonth.filter(([, each]) => each.exposure_ms > budget).map(([day]) => day),
      still_connected: own(since, link) !== undefined,
    };
  });
}
