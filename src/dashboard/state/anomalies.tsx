/** What was found unusual and nobody has released: what it was, what is frozen by it, and what a person must do. */
import { useState } from 'preact/hooks';
import type { HeldAnomaly } from '../../api/documents/state-document.ts';
import { may } from '../account.ts';
import { ReleaseDialog } from '../actions/release.tsx';
import { Moment } from '../parts/times.tsx';
import { address } from '../route.ts';
import { bounded, many } from '../words.ts';
import { Glyph } from './symbols.tsx';

/** Findings that are told whole; the others are counted. */
const SHOWN = 3;

const DONE: Record<HeldAnomaly['action'], string> = {
  trip: 'the link was cut and latched',
  isolate: 'the backup was cut while it ran',
  hold: 'the backup was let through',
  skip: 'the window was skipped: nothing was connected',
};

/** The panel; nothing without a finding. `null`: it is not known whether there are any. */
export function Anomalies({ anomalies }: { readonly anomalies: readonly HeldAnomaly[] | null }) {
  if (anomalies?.length === 0) return null;
  return (
    <section class="panel anomalies" aria-label="Anomalies" id="anomalies" tabIndex={-1}>
      <h2>
        <Glyph shape="warning" /> {headingOf(anomalies)}
      </h2>
      {anomalies === null ? (
        <p>
          What was found unusual cannot be read: something may be frozen that is not shown. See the log of the
          controller, and <code>portcullis anomaly list</code> at the box.
        </p>
      ) : (
        <div class="apart-by-side">
          <div>
            {anomalies.slice(0, SHOWN).map((each) => (
              <Anomaly key={each.id} anomaly={each} />
            ))}
            {anomalies.length > SHOWN && (
              <p>
                and {anomalies.length - SHOWN} more: <code>portcullis anomaly list</code>
              </p>
            )}
          </div>
          <WhatToDo />
        </div>
      )}
    </section>
  );
}

/** On a phone the drawing of the link stands between the word and the panel: this says that there is more. */
export function AnomaliesBelow({ anomalies }: { readonly anomalies: readonly HeldAnomaly[] | null }) {
  if (anomalies?.length === 0) return null;
  const panel = (): HTMLElement | null => document.querySelector<HTMLElement>('#anomalies');
  const show = (): void => {
    panel()?.scrollIntoView();
    panel()?.focus({ preventScroll: true });
  };
  return (
    <button type="button" class="anomalies-below" onClick={show}>
      <Glyph shape="warning" /> Something unusual was found: see below
    </button>
  );
}

const headingOf = (anomalies: readonly HeldAnomaly[] | null): string =>
  anomalies === null
    ? 'Anomalies not known'
    : anomalies.length === 1
      ? '1 anomaly'
      : `${anomalies.length} anomalies`;

function Anomaly({ anomaly }: { readonly anomaly: HeldAnomaly }) {
  const [asking, setAsking] = useState(false);
  const { window, occurrence, repository, action, rule, why, at, last_at, times, snapshot } = anomaly;
  return (
    <article>
      <p class="value">{bounded(why)}</p>
      <p>
        <Moment at={at} />
        {times > 1 && (
          <>
            , {many(times, 'time')}, last <Moment at={last_at} />
          </>
        )}{' '}
        in <a href={address('windows', window, occurrence)}>{bounded(window, 40)}</a>, by the{' '}
        {repository === null ? 'guard' : 'rule'} <em>{bounded(rule, 40).replaceAll(/[-_]/g, ' ')}</em>;{' '}
        {DONE[action]}
        {snapshot !== null && (
          <>
            ; snapshot <code>{bounded(snapshot.slice(0, 8), 8)}</code>
          </>
        )}
        .
      </p>
      {repository !== null && (
        <p>
          <Glyph shape="lock" /> <strong>{bounded(repository, 40)} is frozen:</strong> nothing in it is
          forgotten or pruned until a person releases this.
        </p>
      )}
      {may('operate') && (
        <button type="button" onClick={() => setAsking(true)}>
          Release…
        </button>
      )}
      {asking && <ReleaseDialog anomaly={anomaly} onLeave={() => setAsking(false)} />}
    </article>
  );
}

const WhatToDo = () => (
  <div class="what-now">
    <h3>What to do</h3>
    <ol>
      <li>Look at the sources, and at what the report of that window says.</li>
      <li>If it is an attack: cut the link, and restore from a snapshot before it.</li>
      <li>If it is not: release it, and say why.</li>
    </ol>
    {!may('operate') && <p class="hint">Releasing takes an operator or approver; you may watch and cut.</p>}
  </div>
);
