/** Proof: how long each contact took to isolate, over months, and what proof tests and commissionings came to. */
import { useMemo } from 'preact/hooks';
import type { History } from '../../api/documents/journal.ts';
import type { LinkState } from '../../api/documents/state-document.ts';
import { state } from '../box.ts';
import { Chart, DAY_MS } from '../parts/chart.tsx';
import { Shown, useLoaded } from '../parts/loaded.tsx';
import { Empty, Grade, GradeOf, Marked } from '../parts/notes.tsx';
import { Ago, Moment } from '../parts/times.tsx';
import { bounded, duration, many } from '../words.ts';

const DAYS = 365;
const CHART_PX = 260;
const RECORDS_SHOWN = 100;
/** The axis spans a month at least, ms. */
const MONTH_MS = 30 * DAY_MS;

/** The view. */
export function ProofView() {
  const history = useLoaded<History>(`/history?days=${DAYS}`, state.value?.journal?.size);
  return (
    <>
      <h1>Proof</h1>
      <p class="lead">
        A contact is proven when it alone was seen to isolate the link. Every window ends with such a test,
        each contact in its turn.
      </p>
      {(state.value?.links ?? []).map((link) => (
        <Contacts key={link.link} link={link} />
      ))}
      <Shown what="the history" of={history}>
        {(found) => <Records history={found} />}
      </Shown>
    </>
  );
}

function Contacts({ link }: { readonly link: LinkState }) {
  const { commissioning, proofs } = link;
  return (
    <section class="panel" aria-label={`Proof of ${bounded(link.link, 40)}`}>
      <h2>
        {bounded(link.link, 40)} <Grade grade={link.evidence_grade} />
      </h2>
      <p class={commissioning.state === 'passed' ? 'good' : 'bad'}>
        <Marked shape={commissioning.state === 'passed' ? 'tick' : 'cross'}>
          commissioning: {commissioning.state}
          {commissioning.grade === 'simulated' && ', on an emulated board: proves nothing about hardware'}
          {commissioning.at !== null && (
            <>
              , <Moment at={commissioning.at} />
            </>
          )}
        </Marked>
      </p>
      <ul class="proofs">
        {proofs.map(({ contact, outcome, basis, took_ms, at, by }) => (
          <li key={contact}>
            <b>{bounded(contact, 40)}</b>{' '}
            <span class={outcome === 'passed' ? 'good' : 'bad'}>
              <Marked shape={outcome === 'passed' ? 'tick' : outcome === 'failed' ? 'cross' : 'question'}>
                {outcome === 'none' ? 'never proven alone' : outcome}
              </Marked>
            </span>
            {took_ms !== null && <span> isolated after {duration(took_ms)}</span>}
            {basis !== 'none' && (
              <span> ({basis === 'witness' ? 'shown by a witness' : 'by the board’s own word'})</span>
            )}
            {at !== null && (
              <span>
                {' '}
                <Ago at={at} />, {by === 'window' ? 'at the end of a window' : 'in commissioning'}
              </span>
            )}{' '}
            <Grade grade={link.evidence_grade} />
          </li>
        ))}
      </ul>
    </section>
  );
}

function Records({ history }: { readonly history: History }) {
  const { proofs, commissionings } = history;
  const links = [...new Set(proofs.map(({ link }) => link))];
  return (
    <>
      {links.map((link) => (
        <Times key={link} link={link} proofs={proofs} />
      ))}
      <section class="panel" aria-label="Records">
        <h2>Proof tests</h2>
        {proofs.length === 0 && <Empty>No proof test is on record yet.</Empty>}
        <ol class="events">
          {proofs
            .toReversed()
            .slice(0, RECORDS_SHOWN)
            .map(({ seq, at, link, contact, outcome, took_ms, by }) => (
              <li key={`${seq} ${contact}`} class={outcome === 'failed' ? 'bad' : ''}>
                <Marked shape={outcome === 'passed' ? 'tick' : 'cross'}>
                  <Moment at={at} seconds /> {bounded(link, 40)}, {bounded(contact, 40)}: {outcome}
                  {took_ms !== null && ` after ${duration(took_ms)}`}, {by} <GradeOf link={link} />
                </Marked>
              </li>
            ))}
        </ol>
        <h2>Commissionings</h2>
        {commissionings.length === 0 && <Empty>No commissioning is on record in this time.</Empty>}
        <ol class="events">
          {commissionings
            .toReversed()
            .slice(0, RECORDS_SHOWN)
            .map(({ seq, at, link, outcome, by }) => (
              <li key={seq}>
                <Marked shape={outcome === 'passed' ? 'tick' : 'cross'}>
                  <Moment at={at} seconds /> {bounded(link, 40)}: {bounded(outcome, 40)}, by {bounded(by, 60)}{' '}
                  <GradeOf link={link} />
                </Marked>
              </li>
            ))}
        </ol>
      </section>
    </>
  );
}

type Proof = History['proofs'][number];

function Times({ link, proofs }: { readonly link: string; readonly proofs: readonly Proof[] }) {
  const seen = useMemo(
    () => proofs.filter((each) => each.link === link && each.took_ms !== null),
    [proofs, link],
  );
  const contacts = useMemo(() => [...new Set(seen.map(({ contact }) => contact))], [seen]);
  if (seen.length === 0) return null;
  const label = `Time until isolation was seen, ${bounded(link, 40)}: ${many(seen.length, 'test')} of ${many(contacts.length, 'contact')}`;
  return (
    <section class="panel" aria-label={`Times of ${bounded(link, 40)}`}>
      <h2>
        Time until isolation was seen, {bounded(link, 40)} <GradeOf link={link} />
      </h2>
      <ul class="legend">
        {contacts.map((contact, index) => (
          <li key={contact} class={`series-${index % LINES.length}`}>
            {bounded(contact, 40)}, {LINES[index % LINES.length]}
          </li>
        ))}
      </ul>
      <Lines label={label} seen={seen} contacts={contacts} />
    </section>
  );
}

/** Told apart without colour: by the dashes of their style. */
const LINES = ['solid', 'dashed', 'dotted', 'dash and dot'] as const;

interface LinesProps {
  readonly label: string;
  readonly seen: readonly Proof[];
  readonly contacts: readonly string[];
}

/** A line per contact through the times that it took. */
function Lines({ label, seen, contacts }: LinesProps) {
  const times = seen.map(({ at }) => Date.parse(at));
  const [first, last] = [Math.min(...times), Math.max(...times)];
  const most = Math.max(1, ...seen.map(({ took_ms }) => took_ms ?? 0));
  const range = { fromMs: Math.min(first, last - MONTH_MS), toMs: last, least: 0, most: most * 1.15 };
  return (
    <Chart label={label} heightPx={CHART_PX} range={range} words={duration}>
      {({ x, y }) =>
        contacts.map((contact, index) => {
          const places = seen
            .filter((each) => each.contact === contact)
            .map(({ at, took_ms }): [number, number] => [x(Date.parse(at)), y(took_ms ?? 0)]);
          return (
            <g key={contact} class={`series-${index % LINES.length}`}>
              <polyline points={places.join(' ')} />
              {places.map(([left, top], nth) => (
                <circle key={nth} cx={left} cy={top} r="3" />
              ))}
            </g>
          );
        })
      }
    </Chart>
  );
}
