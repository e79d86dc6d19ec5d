/** Exposure over days, with trips, proof tests and faults on the same axis. */
import { useMemo, useState } from 'preact/hooks';
import type { History } from '../../api/documents/journal.ts';
import { boxMs, state } from '../box.ts';
import { Chart, DAY_MS, type Plane } from '../parts/chart.tsx';
import { Shown, useLoaded } from '../parts/loaded.tsx';
import { Empty, GradeOf, Marked } from '../parts/notes.tsx';
import { Moment } from '../parts/times.tsx';
import { actor, bounded, duration, many, swift } from '../words.ts';

const SPANS = [7, 30, 90, 365] as const;
const CHART_PX = 340;
const MINUTE_MS = 60_000;
/** Part of a day that its bar takes, and the widest bar, px. */
const BAR = { share: 0.6, mostPx: 40 } as const;
/** Part of the height below the axis that the three rows of marks take. */
const ROWS_SHARE = 0.42;
const EVENTS_SHOWN = 200;

/** The view. */
export function TimelineView() {
  const [days, setDays] = useState<number>(30);
  const history = useLoaded<History>(`/history?days=${days}`, state.value?.journal?.size);
  return (
    <>
      <h1>Timeline</h1>
      <div class="buttons" role="group" aria-label="Days that are shown">
        {SPANS.map((span) => (
          <button type="button" key={span} aria-pressed={span === days} onClick={() => setDays(span)}>
            {span === 365 ? 'a year' : `${span} days`}
          </button>
        ))}
      </div>
      <Shown what="the history" of={history}>
        {(found) => (
          <>
            {!found.complete && (
              <p class="note">
                <Marked shape="moving">The journal is still being read; more may follow.</Marked>
              </p>
            )}
            {found.links.length === 0 && <Empty>Nothing is recorded yet.</Empty>}
            {found.links.map((link) => (
              <OneLink key={link.link} link={link} history={found} />
            ))}
          </>
        )}
      </Shown>
    </>
  );
}

type OfLink = History['links'][number];

function OneLink({ link, history }: { readonly link: OfLink; readonly history: History }) {
  const marks = useMemo(() => marksOf(history, link.link), [history, link]);
  const exposed = useMemo((): readonly Day[] => {
    const known = new Map(link.days.map(({ day, exposure_ms }) => [day, exposure_ms / MINUTE_MS]));
    const days = [...new Set([...lastDays(history.days), ...known.keys()])].toSorted();
    return days.map((day) => ({ noonMs: Date.parse(`${day}T12:00:00`), minutes: known.get(day) ?? 0 }));
  }, [link, history]);
  const total = link.days.reduce((sum, { exposure_ms }) => sum + exposure_ms, 0);
  const label = `${bounded(link.link, 40)}: exposed for ${duration(total)} in ${history.days} days, ${many(marks.trips.length, 'trip')}, ${many(marks.proofs.length, 'proof test')}, ${many(marks.faults.length, 'fault')}`;
  return (
    <section class="panel" aria-label={`Timeline of ${bounded(link.link, 40)}`}>
      <h2>
        {bounded(link.link, 40)} <GradeOf link={link.link} />
      </h2>
      <p>{label}.</p>
      <ul class="legend">
        <li class="exposure">exposure, minutes a day</li>
        <li class="trip">▼ trip</li>
        <li class="proof">● proof test passed, ○ failed</li>
        <li class="fault">◆ fault</li>
      </ul>
      <Exposure label={label} days={exposed} marks={marks} budgetMs={link.budget_ms} />
      <details>
        <summary>The same in a table</summary>
        <Table link={link} marks={marks} />
      </details>
    </section>
  );
}

/** The last so many days of the calendar, as `2026-11-21`, today last. */
function lastDays(days: number): readonly string[] {
  const today = new Date(boxMs.peek());
  return Array.from({ length: days }, (_, back) => {
    const day = new Date(today.getFullYear(), today.getMonth(), today.getDate() - back);
    const two = (value: number): string => String(value).padStart(2, '0');
    return `${day.getFullYear()}-${two(day.getMonth() + 1)}-${two(day.getDate())}`;
  });
}

interface Marks {
  readonly trips: History['trips'];
  readonly proofs: History['proofs'];
  readonly faults: History['faults'];
}

const marksOf = (history: History, link: string): Marks => ({
  trips: history.trips.filter((each) => each.link === link),
  proofs: history.proofs.filter((each) => each.link === link),
  faults: history.faults.filter((each) => each.link === link),
});

interface Day {
  readonly noonMs: number;
  readonly minutes: number;
}

interface ExposureProps {
  readonly label: string;
  readonly days: readonly Day[];
  readonly marks: Marks;
  readonly budgetMs: number | null;
}

/** Bars of exposure, and below their axis a row each for trips, proof tests and faults. */
function Exposure({ label, days, marks, budgetMs }: ExposureProps) {
  const most = Math.max(1, ...days.map(({ minutes }) => minutes));
  const times = days.map(({ noonMs }) => noonMs);
  const range = {
    fromMs: Math.min(...times) - DAY_MS / 2,
    toMs: Math.max(...times) + DAY_MS / 2,
    least: -most * ROWS_SHARE,
    most: most * 1.1,
  };
  const budget = budgetMs === null ? Infinity : budgetMs / MINUTE_MS;
  return (
    <Chart label={label} heightPx={CHART_PX} range={range} words={(minutes) => `${minutes} min`}>
      {(plane) => (
        <>
          {days.map((day) => (
            <Bar key={day.noonMs} day={day} plane={plane} />
          ))}
          {budget <= range.most && (
            <line class="budget" x1={plane.left} x2={plane.right} y1={plane.y(budget)} y2={plane.y(budget)} />
          )}
          <MarksOf plane={plane} marks={marks} />
        </>
      )}
    </Chart>
  );
}

function Bar({ day: { noonMs, minutes }, plane: { x, y } }: { readonly day: Day; readonly plane: Plane }) {
  const width = Math.min(BAR.mostPx, BAR.share * (x(DAY_MS) - x(0)));
  return (
    <rect class="bar" x={x(noonMs) - width / 2} y={y(minutes)} width={width} height={y(0) - y(minutes)} />
  );
}

function MarksOf({ plane, marks }: { readonly plane: Plane; readonly marks: Marks }) {
  const rowHeight = (plane.bottom - plane.y(0)) / 3;
  const size = Math.min(rowHeight * 0.3, 7);
  const mark = (at: string, nth: number, row: number, kind: string, shape: string) => {
    const x = plane.x(Date.parse(at));
    if (x < plane.left || x > plane.right) return null;
    const place = `translate(${x} ${plane.y(0) + rowHeight * (row + 0.5)}) scale(${size})`;
    return <path key={`${row} ${nth}`} class={kind} d={shape} transform={place} />;
  };
  return (
    <>
      {marks.trips.map(({ at }, nth) => mark(at, nth, 0, 'mark trip', TRIANGLE))}
      {marks.proofs.map(({ at, outcome }, nth) => mark(at, nth, 1, `mark proof ${outcome}`, DOT))}
      {marks.faults.map(({ at }, nth) => mark(at, nth, 2, 'mark fault', DIAMOND))}
    </>
  );
}

/** Shapes around 0, one wide to each side. */
const TRIANGLE = 'M-1-1H1L0 1Z';
const DOT = 'M-.8 0a.8.8 0 1 0 1.6 0a.8.8 0 1 0-1.6 0Z';
const DIAMOND = 'M0-1L1 0L0 1L-1 0Z';

function Table({ link, marks }: { readonly link: OfLink; readonly marks: Marks }) {
  const events = [
    ...marks.trips.map(({ at, by, reason, cut_ms, seq }) => ({
      at,
      seq,
      what: `trip by ${actor(by)}: ${bounded(reason, 120)}${cut_ms === null ? '' : `, cut in ${swift(cut_ms)}`}`,
    })),
    ...marks.proofs.map(({ at, contact, outcome, took_ms, seq }) => ({
      at,
      seq,
      what: `proof test of ${bounded(contact, 40)} ${outcome}${took_ms === null ? '' : ` after ${duration(took_ms)}`}`,
    })),
    ...marks.faults.map(({ at, code, why, seq }) => ({
      at,
      seq,
      what: `fault ${bounded(code, 40)}: ${bounded(why, 160)}`,
    })),
  ].toSorted((a, b) => Date.parse(b.at) - Date.parse(a.at));
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label={`What happened to ${bounded(link.link, 40)}`}>
      <table>
        <thead>
          <tr>
            <th scope="col">Day</th>
            <th scope="col" class="number">
              Exposed
            </th>
            <th scope="col" class="number">
              Connections
            </th>
            <th scope="col" class="number">
              Trips
            </th>
          </tr>
        </thead>
        <tbody>
          {link.days
            .filter(({ exposure_ms, trips, connections }) => exposure_ms + trips + connections > 0)
            .toReversed()
            .map(({ day, exposure_ms, connections, trips }) => (
              <tr key={day}>
                <th scope="row">{day}</th>
                <td class="number">{duration(exposure_ms)}</td>
                <td class="number">{connections}</td>
                <td class="number">{trips}</td>
              </tr>
            ))}
        </tbody>
      </table>
      <ul class="events">
        {events.slice(0, EVENTS_SHOWN).map(({ at, seq, what }) => (
          <li key={`${at} ${seq} ${what}`}>
            <Moment at={at} seconds /> {what}
          </li>
        ))}
      </ul>
    </div>
  );
}
