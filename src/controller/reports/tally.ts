/**
 * Counts what the journal says of a month, entry by entry. Entries before the month are taken in, too: a link may have been
 * connected when it began. Exposure, trips and proof tests are those of the chronicle's book, so that page and dashboard agree.
 */
import { emptyBook, type BookContent } from '../chronicle/book-content.ts';
import { type BookEntry, enter as enterInBook, lastedMs } from '../chronicle/book.ts';
import type {
  AnomalyRow,
  CheckRow,
  DataRow,
  DrillRow,
  ProofRow,
  SessionRow,
  TripRow,
} from './month-document.ts';
import { dueAt, isIn, type MonthSpan } from './span.ts';
import { enterStep } from './tally-steps.ts';
import { enterWatch } from './tally-watch.ts';
import { countOf, MOST_LINES, number, record, text } from './values.ts';

/** Openings of a month: one every three minutes, and some by hand. */
const MOST_RUNS = 20_000;

/** One opening, as far as the journal tells. */
export interface RunTally {
  readonly window: string;
  readonly link: string;
  readonly occurrence: string;
  readonly openedAt: string;
  readonly isByHand: boolean;
  outcome: string | null;
  why: string | null;
  exposureSeconds: number | null;
}

interface SessionBegun {
  readonly row: SessionRow;
  readonly boot: string;
  readonly mono: number;
}

/** What counts are kept under, with the newest. */
export type Counts = Map<string, { count: number; last_at: string }>;

/** The month so far. */
export class MonthTally {
  readonly span: MonthSpan;
  readonly book: BookContent = emptyBook();
  entries = 0;
  firstSeq: number | null = null;
  lastSeq: number | null = null;
  /** Calendar time of the first and the last entry taken in, whenever that was. */
  beganAt: string | null = null;
  endedAt: string | null = null;
  clockNotSynchronised = 0;
  starts = 0;
  readonly runs = new Map<string, RunTally>();
  readonly missed = new Map<string, string>();
  readonly data = new Map<string, DataRow>();
  readonly drills: DrillRow[] = [];
  readonly checks: CheckRow[] = [];
  readonly proofs = new Map<string, ProofRow>();
  readonly trips: TripRow[] = [];
  readonly sessions: SessionRow[] = [];
  readonly commissionings: BookContent['commissionings'] = [];
  readonly simulated = new Set<string>();
  readonly alarmDrills: Counts = new Map();
  readonly refusals: Counts = new Map();
  readonly faults: Counts = new Map();
  readonly guards: Counts = new Map();
  readonly anomalies: AnomalyRow[] = [];
  readonly shortened = new Set<string>();
  readonly #openSessions = new Map<string, SessionBegun>();

  constructor(span: MonthSpan) {
    this.span = span;
  }

  /** Takes one verified entry in. In order. */
  enter(entry: BookEntry): void {
    const { at, seq, type } = entry;
    this.beganAt ??= at;
    this.endedAt = at;
    const isOfMonth = isIn(this.span, at);
    if (isOfMonth) {
      this.entries += 1;
      this.firstSeq ??= seq;
      this.lastSeq = seq;
      if (entry.clock === 'unsynchronised') this.clockNotSynchronised += 1;
      if (type === 'interlock.started') this.starts += 1;
      const refused = /^(.+[.-]refused)(?:-more)?$/.exec(type);
      if (refused !== null) this.count('refusals', refused[1] ?? type, at, countOf(entry.data));
      if (type === 'trip.drill') this.count('alarmDrills', entry.actor, at, 1);
      if (type === 'controller.step') enterStep(this, entry);
    }
    enterWatch(this, entry, isOfMonth);
    this.#enterRun(entry);
    this.#enterSession(entry, isOfMonth);
    this.#enterBook(entry, isOfMonth);
  }

  /** Adds a line unless the list is full, which is then said. */
  add<T>(name: string, list: T[], line: T): void {
    if (list.length < MOST_LINES) list.push(line);
    else this.shortened.add(name);
  }

  /** Counts something by its name, with the newest. */
  count(name: 'refusals' | 'alarmDrills' | 'faults' | 'guards', what: string, at: string, by: number): void {
    const counts = this[name];
    const known = counts.get(what);
    if (known === undefined && counts.size >= MOST_LINES) this.shortened.add(name);
    else counts.set(what, { count: (known?.count ?? 0) + by, last_at: at });
  }

  /** A scheduled opening belongs to the month of its schedule, whenever it then opened. */
  #belongs(occurrence: string, at: string): boolean {
    return isIn(this.span, dueAt(occurrence, at));
  }

  #enterRun({ type, at, data }: BookEntry): void {
    const window = text(data['window']);
    const occurrence = text(data['occurrence']);
    const key = `${window} ${occurrence}`;
    if (type === 'window.missed' && this.#belongs(text(data['scheduled']), at))
      this.missed.set(`${window} ${text(data['scheduled'])}`, text(data['why']));
    if (type !== 'window.opened' && type !== 'controller.window-finished') return;
    let run = this.runs.get(key);
    if (run === undefined) {
      if (!this.#belongs(occurrence, at)) return;
      if (this.runs.size >= MOST_RUNS) return void this.shortened.add('windows');
      const isByHand = text(data['by_hand']) !== '';
      const link = text(data['link']);
      run = {
        window,
        link,
        occurrence,
        openedAt: at,
        isByHand,
        outcome: null,
        why: null,
        exposureSeconds: null,
      };
      this.runs.set(key, run);
    }
    if (type === 'window.opened') return;
    run.outcome = text(data['outcome']);
    run.why = text(record(data['why'])['why']) || null;
    run.exposureSeconds = number(data['exposure_seconds']);
  }

  #enterSession({ type, at, actor, boot, mono, data }: BookEntry, isOfMonth: boolean): void {
    const id = text(data['session']);
    if (type === 'session.began' && isOfMonth) {
      const row: SessionRow = {
        at,
        link: text(data['link']),
        by: actor,
        reason: text(data['reason']),
        authority: text(data['authority']),
        lasted_ms: null,
        ended: null,
      };
      this.add('sessions', this.sessions, row);
      this.#openSessions.set(id, { row, boot, mono });
    }
    const open = type === 'session.ended' ? this.#openSessions.get(id) : undefined;
    if (open === undefined) return;
    this.#openSessions.delete(id);
    const since = { boot: open.boot, mono: open.mono, calendar_ms: Date.parse(open.row.at) };
    open.row.lasted_ms = lastedMs(since, boot, mono, Date.parse(at));
    open.row.ended = text(data['why']);
  }

  #enterBook(entry: BookEntry, isOfMonth: boolean): void {
    const { book } = this;
    const isLater = Date.parse(entry.at) >= this.span.toMs;
    // What was begun in the month is followed to its end; what comes later is another month's.
    const isPending = Object.keys(book.since).length > 0 || this.trips.some(isUnsettled);
    if (isLater && !isPending) return;
    enterInBook(book, entry);
    const { type, at, data, seq } = entry;
    const newest = book.trips.at(-1);
    if (isOfMonth && newest?.seq === seq) {
      const { link, by, reason } = newest;
      const cut_ms = number(data['cut_ms']) ?? newest.cut_ms;
      this.add('trips', this.trips, { at, link, by, reason, cut_ms, proven_ms: null, reset_at: null, seq });
    }
    if (type === 'link.trip-proven')
      this.#settle(text(data['link']), { proven_ms: number(data['proven_ms']) });
    if (type === 'link.reset') this.#settle(text(data['link']), { reset_at: at });
    if (isOfMonth) this.#ofBook(entry);
    // Taken out as they come: the book keeps only so many.
    book.proofs.length = 0;
    book.faults.length = 0;
    book.commissionings.length = 0;
  }

  #settle(link: string, what: Partial<Pick<TripRow, 'proven_ms' | 'reset_at'>>): void {
    const trip = this.trips.findLast((each) => each.link === link);
    if (trip === undefined) return;
    trip.proven_ms ??= what.proven_ms ?? null;
    trip.reset_at ??= what.reset_at ?? null;
  }

  #ofBook({ type, data }: BookEntry): void {
    const { proofs, faults, commissionings } = this.book;
    for (const { link, code, at } of faults) this.count('faults', `${link}: ${code}`, at, 1);
    for (const each of commissionings) this.add('commissionings', this.commissionings, each);
    if (type.startsWith('commissioning.') && data['grade'] === 'simulated')
      this.simulated.add(text(data['link']));
    for (const { link, contact, outcome, basis, took_ms, at } of proofs) {
      const key = `${link} ${contact}`;
      const row = this.proofs.get(key) ?? newProofRow(link, contact);
      if (this.proofs.size >= MOST_LINES && !this.proofs.has(key)) {
        this.shortened.add('proof tests');
        continue;
      }
      row[outcome] += 1;
      if (outcome === 'passed' && basis === 'witness') row.by_witness += 1;
      if (took_ms !== null) row.slowest_ms = Math.max(row.slowest_ms ?? 0, took_ms);
      row.last_at = at;
      this.proofs.set(key, row);
    }
  }
}

const newProofRow = (link: string, contact: string): ProofRow => ({
  link,
  contact,
  passed: 0,
  failed: 0,
  by_witness: 0,
  slowest_ms: null,
  last_at: '',
});

const isUnsettled = ({ proven_ms, reset_at }: TripRow): boolean => proven_ms === null || reset_at === null;
