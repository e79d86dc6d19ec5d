/**
 * What follows from the journal, entry by entry: exposure by day, trips and how fast they were cut, proof tests, faults, runs
 * of windows. Pure but for its own content, which is bounded and can be written down and taken up again.
 *
 * What it never does: decide anything. The interlock counts exposure for its budget itself.
 */
import { own } from '../../core/names.ts';
import type { KeptEntry } from '../../protocol/journal.ts';
import type { BookContent, Day, Moment, Run } from './book-content.ts';
import { byDay, dayOf } from './days.ts';

/** How far back days are kept. */
export const DAYS_KEPT = 400;
const MOST_TRIPS = 1_000;
const MOST_PROOFS = 5_000;
const MOST_FAULTS = 1_000;
const MOST_RUNS = 2_000;
const MOST_COMMISSIONINGS = 200;
/** Links, repositories, sources: more is not a configuration. */
const MOST_NAMES = 500;
const MOST_COUNTERS = 10_000;
/** Upper bounds of the histograms of cuts and proofs, ms. */
export const CUT_BUCKETS_MS = [1, 2, 5, 10, 50, 100, 500, 1_000, 5_000] as const;
/** No stretch is longer, ms: a journal that lost its end of one must not invent years. */
const LONGEST_STRETCH_MS = 30 * 86_400_000;

/** An entry, from the socket or from a file. */
export type BookEntry = Omit<KeptEntry, 'data'> & { readonly data: Readonly<Record<string, unknown>> };

const text = (value: unknown): string => (typeof value === 'string' ? value : '');
const number = (value: unknown): number | null => (typeof value === 'number' ? value : null);
const record = (value: unknown): Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : {};

/** Keeps the newest `most`. */
function push<T>(list: T[], item: T, most: number): void {
  list.push(item);
  if (list.length > most) list.splice(0, list.length - most);
}

/** Takes one entry in. Entries come in order; what is not understood is passed over. */
export function enter(book: BookContent, entry: BookEntry): void {
  book.through = entry.seq;
  const { type, data } = entry;
  if (type.startsWith('link.')) enterLink(book, entry);
  else if (type.startsWith('window.')) enterWindow(book, entry);
  else if (type.startsWith('controller.')) enterController(book, entry);
  else if (type === 'commissioning.passed' || type === 'commissioning.failed')
    push(
      book.commissionings,
      {
        link: text(data['link']),
        at: entry.at,
        outcome: type.slice('commissioning.'.length),
        by: entry.actor,
        seq: entry.seq,
      },
      MOST_COMMISSIONINGS,
    );
  else if (type === 'request.refused') count(book, 'refusals');
}

function enterLink(book: BookContent, entry: BookEntry): void {
  const { type, data } = entry;
  const link = text(data['link']);
  if (link === '') return;
  const cut = record(data['cut']);
  if (type === 'link.tripped') enterTrip(book, entry, link, cut);
  if (type === 'link.trip-proven') {
    const found = book.trips.findLast((each) => each.link === link);
    const ms = number(data['proven_ms']);
    if (found !== undefined) found.proven_ms ??= ms;
    if (ms !== null) observe(book, 'proven', link, ms);
    ends(book, link, entry);
  }
  if (type === 'link.connecting' || type === 'link.commissioning') begins(book, link, entry);
  if (type === 'link.isolated') ends(book, link, entry);
  const alarms = Array.isArray(data['alarms']) ? data['alarms'] : [];
  for (const code of alarms.map(text).filter((each) => each !== '')) {
    push(book.faults, { at: entry.at, link, code, why: text(data['why']), seq: entry.seq }, MOST_FAULTS);
    count(book, `alarms ${link} ${code}`);
    if (code === 'connected-unasked') begins(book, link, entry);
  }
  const proved = record(data['proof']);
  const outcome = text(proved['outcome']);
  if (outcome !== 'passed' && outcome !== 'failed') return;
  const { at, seq } = entry;
  push(
    book.proofs,
    {
      link,
      contact: text(proved['contact']),
      at,
      outcome,
      basis: text(proved['basis']),
      took_ms: number(proved['took_ms']),
      by: 'window',
      seq,
    },
    MOST_PROOFS,
  );
}

function enterTrip(book: BookContent, entry: BookEntry, link: string, cut: Record<string, unknown>): void {
  const { at, actor: by, data, seq } = entry;
  // A trip of a link that is latched already says nothing new, unless it cut again.
  if (data['to'] === undefined && book.trips.some((each) => each.link === link && each.proven_ms === null))
    return;
  const contacts: Record<string, number | null> = {};
  for (const [contact, ms] of Object.entries(record(cut['written_ms'])).slice(0, MOST_NAMES))
    contacts[contact] = number(ms);
  const all = Object.values(contacts);
  const cut_ms = all.length === 0 || all.includes(null) ? null : Math.max(...all.map((ms) => ms ?? 0));
  const reason = text(data['reason']);
  push(book.trips, { link, at, by, reason, cut_ms, contacts_ms: contacts, proven_ms: null, seq }, MOST_TRIPS);
  if (cut_ms !== null) observe(book, 'cut', link, cut_ms);
  count(book, `trips ${link} ${kindOf(by)}`);
  ofDay(book, link, dayOf(Date.parse(at))).trips += 1;
}

/** What tripped, without a name of somebody: few values, for metrics. */
const kindOf = (by: string): string => (by.startsWith('person:') ? 'person' : by);

function begins(book: BookContent, link: string, { boot, mono, at }: BookEntry): void {
  if (own(book.since, link) !== undefined || Object.keys(book.since).length >= MOST_NAMES) return;
  book.since[link] = { boot, mono, calendar_ms: Date.parse(at) };
  ofDay(book, link, dayOf(Date.parse(at))).connections += 1;
  count(book, `connections ${link}`);
}

function ends(book: BookContent, link: string, entry: BookEntry): void {
  book.isolated[link] = entry.at;
  const since = own(book.since, link);
  if (since === undefined) return;
  delete book.since[link];
  const lasted = lastedMs(since, entry.boot, entry.mono, Date.parse(entry.at));
  count(book, `exposure ${link}`, lasted);
  for (const [name, ms] of byDay(since.calendar_ms, lasted)) ofDay(book, link, name).exposure_ms += ms;
}

/** Monotonic within one boot; across boots only the calendar can say. */
export function lastedMs(since: Moment, boot: string, mono: number, calendarMs: number): number {
  const ms = since.boot === boot ? mono - since.mono : calendarMs - since.calendar_ms;
  return Math.round(Math.min(LONGEST_STRETCH_MS, Math.max(0, ms)));
}

function enterWindow(book: BookContent, { type, at, seq, data }: BookEntry): void {
  const window = text(data['window']);
  const occurrence = text(data['occurrence']);
  if (window === '' || occurrence === '') return;
  if (type === 'window.opened')
    push(book.runs, newRun(window, text(data['link']), occurrence, at, seq), MOST_RUNS);
  const known = book.runs.findLast((each) => each.window === window && each.occurrence === occurrence);
  if (type === 'window.closed' && known !== undefined) known.closed_at = at;
}

const newRun = (window: string, link: string, occurrence: string, at: string, seq: number): Run => ({
  window,
  link,
  occurrence,
  opened_at: at,
  closed_at: null,
  outcome: null,
  why: null,
  exposure_ms: null,
  seq,
});

function enterController(book: BookContent, { type, at, seq, data }: BookEntry): void {
  const window = text(data['window']);
  const occurrence = text(data['occurrence']);
  if (type === 'controller.window-finished') {
    const outcome = text(data['outcome']);
    let known = book.runs.findLast((each) => each.window === window && each.occurrence === occurrence);
    if (known === undefined) {
      known = newRun(window, text(data['link']), occurrence, at, seq);
      push(book.runs, known, MOST_RUNS);
    }
    known.outcome = outcome;
    known.why = whyOf(data['why']);
    const seconds = number(data['exposure_seconds']);
    known.exposure_ms = seconds === null ? null : Math.round(seconds * 1_000);
    count(book, `windows ${window} ${outcome}`);
  }
  if (type !== 'controller.step') return;
  const outcome = record(data['outcome']);
  const key = `${text(data['repository'])} ${text(data['step'])}`;
  if (book.steps[key] === undefined && Object.keys(book.steps).length >= MOST_NAMES) return;
  const kind = text(outcome['kind']);
  book.steps[key] = { at, outcome: kind, why: whyOf(outcome) };
  if (kind === 'done') book.steps[`${key} done`] = book.steps[key];
}

const whyOf = (value: unknown): string | null => {
  const why = text(record(value)['why']);
  return why === '' ? null : why;
};

function ofDay(book: BookContent, link: string, name: string): Day {
  const days = own(book.days, link) ?? {};
  book.days[link] = days;
  const known = (days[name] ??= { exposure_ms: 0, connections: 0, trips: 0 });
  const names = Object.keys(days);
  if (names.length > DAYS_KEPT) {
    const [oldest] = names.toSorted();
    if (oldest !== undefined && oldest !== name) delete days[oldest];
  }
  return known;
}

function count(book: BookContent, name: string, by = 1): void {
  const known = book.counters[name];
  if (known === undefined && Object.keys(book.counters).length >= MOST_COUNTERS) return;
  book.counters[name] = (known ?? 0) + by;
}

/** One more figure of a histogram. */
function observe(book: BookContent, kind: 'cut' | 'proven', link: string, ms: number): void {
  for (const bound of CUT_BUCKETS_MS) if (ms <= bound) count(book, `${kind}-${bound} ${link}`);
  count(book, `${kind}-sum ${link}`, ms);
  count(book, `${kind}-count ${link}`);
}
