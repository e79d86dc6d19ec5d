/** What is wrong now and will not pass by itself: recovery points, missed windows; then the alarms that were heard. */
import type { ComponentChildren } from 'preact';
import type { State, WindowState } from '../../api/documents/state-document.ts';
import { Marked } from '../parts/notes.tsx';
import { Moment } from '../parts/times.tsx';
import { bounded } from '../words.ts';

const ALARMS_SHOWN = 3;

/** The panel; nothing while nothing is wrong. */
export function Alarms({ document }: { readonly document: State }) {
  const points = document.repositories.flatMap(({ repository, recovery_point: point }) =>
    point === undefined || (point.state !== 'breached' && point.state !== 'endangered')
      ? []
      : [{ repository, ...point }],
  );
  const missed = document.windows.filter((window) => window.missed !== undefined);
  if (points.length + missed.length + document.alarms.length === 0) return null;
  return (
    <section class="panel alarms" aria-label="Alarms">
      <h2>Alarms</h2>
      <ul>
        {points.map(({ repository, state, due_at, why, hint }) => (
          <Line
            key={repository}
            what={`${bounded(repository, 40)}: ${state === 'breached' ? 'no good backup is young enough' : 'no backup will come in time'}`}
          >
            {due_at !== null && (
              <>
                {state === 'breached' ? 'due' : 'needed before'} <Moment at={due_at} /> ·{' '}
              </>
            )}
            {bounded(why)}; {bounded(hint)}
          </Line>
        ))}
        {missed.map((window) => (
          <Line key={window.window} what={<MissedWords window={window} />}>
            <NextChance window={window} />
          </Line>
        ))}
        {document.alarms.slice(0, ALARMS_SHOWN).map(({ at, code, link, why, hint }) => (
          <Line key={`${at} ${code} ${link}`} what={`${bounded(link, 40)}: ${bounded(why)}`}>
            <Moment at={at} /> · {bounded(hint)}
          </Line>
        ))}
      </ul>
    </section>
  );
}

function Line({
  what,
  children,
}: {
  readonly what: ComponentChildren;
  readonly children: ComponentChildren;
}) {
  return (
    <li>
      <Marked shape="warning">
        <strong>{what}</strong>
      </Marked>{' '}
      <span class="hint">{children}</span>
    </li>
  );
}

/** Which opening was missed, and why. */
export function MissedWords({ window: { window, missed } }: { readonly window: WindowState }) {
  if (missed === undefined) return null;
  return (
    <>
      {bounded(window, 40)} missed <Moment at={missed.scheduled} />: {bounded(missed.why, 160)}
    </>
  );
}

/** When a missed opening can be made up for. */
export function NextChance({ window: { missed } }: { readonly window: WindowState }) {
  if (missed === undefined) return null;
  if (missed.by === 'nobody') return <>there is no further chance: run it by hand</>;
  if (missed.next_chance === null)
    return missed.by === 'catch-up' ? (
      <>made up for as soon as nothing refuses it</>
    ) : (
      <>there is no further chance: run it by hand</>
    );
  return (
    <>
      next chance <Moment at={missed.next_chance} />
      {missed.by === 'catch-up' && ', to make up for it'}
    </>
  );
}
