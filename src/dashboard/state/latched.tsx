/** A link that was tripped: who, why, how long ago, how fast, and what a person must do now. */
import { useState } from 'preact/hooks';
import type { LinkState, State } from '../../api/documents/state-document.ts';
import { may } from '../account.ts';
import { isPresent, standing } from '../actions/needs.ts';
import { ResetDialog } from '../actions/reset.tsx';
import { Glyph } from './symbols.tsx';
import { Refusals } from '../parts/notes.tsx';
import { Moment } from '../parts/times.tsx';
import { actor, bounded, duration, swift } from '../words.ts';

interface Props {
  readonly link: LinkState;
  readonly document: State;
}

/** Shown while the link is latched. */
export function Latched({ link, document }: Props) {
  const { latch } = link;
  if (latch === null) return null;
  return (
    <div class="latched">
      <dl>
        {facts(link, latch).map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
        <div>
          <dt>At</dt>
          <dd>
            <Moment at={latch.at} seconds />
          </dd>
        </div>
      </dl>
      <WhatNow link={link} document={document} />
    </div>
  );
}

function facts({ last_trip: trip }: LinkState, latch: NonNullable<LinkState['latch']>) {
  const cut =
    trip === null
      ? 'not known yet'
      : trip.cut_ms === null
        ? 'not every isolate command was written at once'
        : `last isolate command on its wire after ${swift(trip.cut_ms)}`;
  const proven = trip?.proven_ms ?? null;
  return [
    ['Tripped by', actor(latch.by)],
    ['Because', bounded(latch.reason)],
    ['Cut', proven === null ? cut : `${cut}, proven after ${duration(proven)}`],
  ] as const;
}

function WhatNow({ link, document }: Props) {
  const [asking, setAsking] = useState(false);
  const against = standing(link.reset_needs);
  const names = document.approvers.map((name) => bounded(name, 40));
  const known = names.length === 0 ? '' : ` (${names.join(', ')})`;
  return (
    <div class="what-now">
      <h3>To reset it, a person must</h3>
      <ol>
        <li>find out why it was tripped, and that the cause is gone;</li>
        <li>
          {isPresent(link.reset_needs)
            ? 'be at the box: the button was held, presence is given now;'
            : `be at the box (hold its button, or a root shell), or bring the one-time codes of two people${known};`}
        </li>
        <li>
          say why, here or with <code>portcullis reset {bounded(link.link, 40)}</code> at the box.
        </li>
      </ol>
      {against.length > 0 && (
        <>
          <p class="bad">
            <Glyph shape="cross" /> A reset would be refused now, whoever asks:
          </p>
          <Refusals refusals={against} />
        </>
      )}
      {may('operate') ? (
        <button type="button" onClick={() => setAsking(true)}>
          Reset {bounded(link.link, 24)}…
        </button>
      ) : (
        <p class="hint">Resetting takes an operator or approver; you may watch and cut.</p>
      )}
      {asking && <ResetDialog link={link} document={document} onLeave={() => setAsking(false)} />}
    </div>
  );
}
