/** Exposure over days, with trips, proof tests and faults on the same axis. */
import { useMemo, useState } from 'preact/hooks';
import uPlot from 'uplot';
import type { History } from '../../api/journal-documents.ts';
import { boxMs, state } from '../box.ts';
import { axis, Chart, dayTicks, type Ink } from '../parts/chart.tsx';
import { Shown, useLoaded } from '../parts/loaded.tsx';
import { Empty, GradeOf, Marked } from '../parts/notes.tsx';
import { Moment } from '../parts/times.tsx';
import { actor, bounded, duration, many, swift } from '../words.ts';

const SPANS = [7, 30, 90, 365] as const;
const CHART_PX = 340;
const MINUTE_MS = 60_000;
const DAY_S = 86_400;
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
  const data = useMemo((): uPlot.AlignedData => {
    const known = new Map(link.days.map(({ day, exposure_ms }) => [day, exposure_ms / MINUTE_MS]));
    const days = [...new Set([...lastDays(history.days), ...known.keys()])].toSorted();
    return [days.map((day) => Date.parse(`${day}T12:00:00`) / 1_000), days.map((day) => known.get(day) ?? 0)];
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
      <Chart
        label={label}
        heightPx={CHART_PX}
        data={data}
        options={(ink) => optionsOf(ink, marks, link.budget_ms)}
      />
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

function optionsOf(ink: Ink, marks: Marks, budgetMs: number | null): Omit<uPlot.Options, 'width' | 'height'> {
  const { bars } = uPlot.paths;
  return {
    legend: { show: false },
    cursor: { show: false },
    scales: {
      x: { time: true, range: (_plot, from, to) => [from - DAY_S / 2, to + DAY_S / 2] },
      y: { range: (_plot, _from, to) => [-Math.max(to, 1) * ROWS_SHARE, Math.max(to, 1) * 1.1] },
    },
    axes: [
      axis(ink, { values: dayTicks, space: 70 }),
      axis(ink, {
        size: 70,
        values: (_plot, splits) =>
          splits.map((value: number | null) => (value === null || value < 0 ? '' : `${value} min`)),
        filter: (_plot, splits) => splits.map((value) => (value < 0 ? null : value)),
      }),
    ],
    series: [
      {},
      {
        fill: ink.bar,
        stroke: ink.bar,
        width: 0,
        points: { show: false },
        ...(bars && { paths: bars({ size: [0.6, 40] }) }),
      },
    ],
    hooks: {
      draw: [(plot) => drawBudget(plot, ink, budgetMs), (plot) => drawMarks(plot, ink, marks)],
    },
  };
}

/** The budget of a day, where the scale reaches it. */
function drawBudget(plot: uPlot, ink: Ink, budgetMs: number | null): void {
  if (budgetMs === null) return;
  const y = plot.valToPos(budgetMs / MINUTE_MS, 'y', true);
  if (y < plot.bbox.top) return;
  const { ctx, bbox } = plot;
  ctx.save();
  ctx.strokeStyle = ink.alarm;
  ctx.setLineDash([6 * devicePixelRatio, 4 * devicePixelRatio]);
  ctx.beginPath();
  ctx.moveTo(bbox.left, y);
  ctx.lineTo(bbox.left + bbox.width, y);
  ctx.stroke();
  ctx.restore();
}

function drawMarks(plot: uPlot, ink: Ink, { trips, proofs, faults }: Marks): void {
  const { ctx, bbox } = plot;
  const zero = plot.valToPos(0, 'y', true);
  const rowHeight = (bbox.top + bbox.height - zero) / 3;
  const size = Math.min(rowHeight * 0.3, 7 * devicePixelRatio);
  ctx.save();
  ctx.lineWidth = 1.5 * devicePixelRatio;
  const each = (at: string, row: number, color: string, isFilled: boolean, trace: Trace): void => {
    const x = plot.valToPos(Date.parse(at) / 1_000, 'x', true);
    if (x < bbox.left || x > bbox.left + bbox.width) return;
    ctx.fillStyle = isFilled ? color : ink.panel;
    ctx.strokeStyle = color;
    ctx.beginPath();
    trace(ctx, x, zero + rowHeight * (row + 0.5), size);
    ctx.closePath();
    ctx.fill();
    ctx.stroke();
  };
  for (const { at } of trips) each(at, 0, ink.alarm, true, triangle);
  for (const { at, outcome } of proofs)
    each(at, 1, outcome === 'passed' ? ink.calm : ink.alarm, outcome === 'passed', dot);
  for (const { at } of faults) each(at, 2, ink.unknown, true, diamond);
  ctx.restore();
}

type Trace = (ctx: CanvasRenderingContext2D, x: number, y: number, size: number) => void;

const triangle: Trace = (ctx, x, y, size) => {
  ctx.moveTo(x - size, y - size);
  ctx.lineTo(x + size, y - size);
  ctx.lineTo(x, y + size);
};
const dot: Trace = (ctx, x, y, size) => ctx.arc(x, y, size * 0.8, 0, 2 * Math.PI);
const diamond: Trace = (ctx, x, y, size) => {
  ctx.moveTo(x, y - size);
  ctx.lineTo(x + size, y);
  ctx.lineTo(x, y + size);
  ctx.lineTo(x - size, y);
};

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
