/** How one opening of a window went: every step, what was seen of the link, what was proven, what cut it. */
import type { Report } from '../../api/documents/work.ts';
import { Shown, useLoaded } from '../parts/loaded.tsx';
import { Empty, Grade, Marked, Outcome } from '../parts/notes.tsx';
import { ReportPaper } from './papers.tsx';
import { Moment } from '../parts/times.tsx';
import { address } from '../route.ts';
import { POSITION_WORDS, PROOF_WORDS } from '../state/state-words.ts';
import { actor, bounded, duration, swift } from '../words.ts';

/** Fetches and shows it. */
export function OneReport({ window, occurrence }: { readonly window: string; readonly occurrence: string }) {
  const report = useLoaded<Report>(
    `/reports/${encodeURIComponent(window)}/${encodeURIComponent(occurrence)}`,
  );
  return (
    <article class="one-report" aria-label="Report">
      <Shown what="the report" of={report}>
        {(found) => (
          <>
            <h3>
              {bounded(found.window, 40)}, <Moment at={found.actual.started_at} seconds />{' '}
              <Grade grade={found.evidence_grade ?? ''} /> <a href={address('windows')}>put it aside</a>{' '}
              <ReportPaper window={window} occurrence={occurrence}>
                to print
              </ReportPaper>
            </h3>
            <p>
              <Outcome outcome={found.outcome} why={found.why?.why ?? null} />
            </p>
            {typeof found.why?.['hint'] === 'string' && <p class="hint">{bounded(found.why['hint'])}</p>}
            <Facts report={found} />
            <Steps report={found} />
            <Seen report={found} />
            {found.journal_head !== null && (
              <details>
                <summary>Signed head of the journal at its end</summary>
                <pre tabIndex={0}>{found.journal_head.slice(0, 1_000)}</pre>
              </details>
            )}
          </>
        )}
      </Shown>
    </article>
  );
}

function Facts({
  report: { actual, exposure_seconds, isolation_proven, trip, by_hand, proof_tests },
}: {
  readonly report: Report;
}) {
  return (
    <dl class="goods">
      {by_hand !== null && (
        <>
          <dt>by hand</dt>
          <dd>{actor(by_hand)}</dd>
        </>
      )}
      <dt>lease granted</dt>
      <dd>
        {actual.granted_at === null ? (
          'never: nothing was connected'
        ) : (
          <Moment at={actual.granted_at} seconds />
        )}
      </dd>
      <dt>isolated</dt>
      <dd>
        {actual.isolated_at === null ? 'not seen' : <Moment at={actual.isolated_at} seconds />}
        {isolation_proven ? ', proven' : ', NOT proven'}
      </dd>
      <dt>exposed</dt>
      <dd>{duration(exposure_seconds * 1_000)}</dd>
      {trip !== null && (
        <>
          <dt>tripped</dt>
          <dd class="bad">
            {actor(trip.by)}: {bounded(trip.reason)}
            {typeof trip.cut_ms === 'number' && `; cut in ${swift(trip.cut_ms)}`}
            {typeof trip.proven_ms === 'number' && `, proven after ${duration(trip.proven_ms)}`}
          </dd>
        </>
      )}
      {(proof_tests ?? []).map(({ contact, outcome, took_ms }) => (
        <>
          <dt>proof test</dt>
          <dd class={outcome === 'passed' ? 'good' : 'bad'}>
            <Marked shape={outcome === 'passed' ? 'tick' : outcome === 'failed' ? 'cross' : 'question'}>
              {bounded(contact, 40)}: {outcome === 'none' ? 'not tried' : outcome}
              {took_ms !== null && ` after ${duration(took_ms)}`}
            </Marked>
          </dd>
        </>
      ))}
    </dl>
  );
}

function Steps({ report }: { readonly report: Report }) {
  if (report.steps.length === 0) return <Empty>No step was begun.</Empty>;
  return (
    <ol class="steps">
      {report.steps.map(({ step, repository, outcome, took_ms }, index) => (
        <li key={index}>
          <b>{bounded(step, 40)}</b> {bounded(repository ?? '', 40)} · {duration(took_ms)} ·{' '}
          <Outcome outcome={outcome.kind} why={typeof outcome['why'] === 'string' ? outcome['why'] : null} />
          {typeof outcome['hint'] === 'string' && <span class="hint"> {bounded(outcome['hint'])}</span>}
        </li>
      ))}
    </ol>
  );
}

/** What contacts and witnesses said, before the vault was used and after. */
function Seen({ report: { evidence = [] } }: { readonly report: Report }) {
  if (evidence.length === 0) return null;
  return (
    <details>
      <summary>What contacts and witnesses said</summary>
      {evidence.map(({ when, at, observed, proof, readings }) => (
        <section key={`${when} ${at}`}>
          <h4>
            When {when}, <Moment at={at} seconds />: observed {POSITION_WORDS[observed].word},{' '}
            {PROOF_WORDS[proof]}
          </h4>
          <ul>
            {readings.map(({ name, kind, position, detail }) => (
              <li key={`${kind} ${name}`}>
                <Marked shape={POSITION_WORDS[position].shape}>
                  {kind} {bounded(name, 40)}: {POSITION_WORDS[position].word}; {bounded(detail, 120)}
                </Marked>
              </li>
            ))}
          </ul>
        </section>
      ))}
    </details>
  );
}
