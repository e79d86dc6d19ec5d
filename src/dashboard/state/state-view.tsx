/** The first screen: every question of a tired person answered without a click. */
import type { LinkState, State } from '../../api/documents/state-document.ts';
import { news, state, worstLink } from '../box.ts';
import { SessionNote } from '../actions/attend.tsx';
import { Empty, Loading, Marked } from '../parts/notes.tsx';
import { bounded } from '../words.ts';
import { Alarms } from './alarms.tsx';
import { Anomalies, AnomaliesBelow } from './anomalies.tsx';
import { GoodTile } from './good-tile.tsx';
import { LinkPanel } from './link-panel.tsx';
import { RunningPanel } from './running.tsx';
import { STATE_WORDS } from './state-words.ts';
import { BoxLine, ExposureTile, NextTile, TripTile } from './tiles.tsx';

/** Links that are all drawn whole; of more, only the one that needs eyes most. */
const DRAWN_WHOLE = 2;

/** The view. */
export function StateView() {
  const document = state.value;
  if (document === null) return <Loading what="the state of the box" />;
  if (document.links.length === 0) return <NoLinks document={document} />;
  return (
    <div class="state-view">
      <h1 class="unseen">State</h1>
      <AnomaliesBelow anomalies={document.anomalies} />
      <Links document={document} />
      <Anomalies anomalies={document.anomalies} />
      <Alarms document={document} />
      {document.sessions.map((session) => (
        <SessionNote key={session.id} session={session} />
      ))}
      {document.running.map((running) => (
        <RunningPanel key={running.occurrence} running={running} />
      ))}
      <div class={`tiles ${news.value === 'live' ? '' : 'old'}`}>
        <NextTile document={document} />
        <GoodTile document={document} />
        <ExposureTile document={document} />
        <TripTile document={document} />
      </div>
      <BoxLine document={document} />
    </div>
  );
}

function NoLinks({ document }: { readonly document: State }) {
  const { problem } = document.interlock;
  return (
    <section class="panel tone-unknown">
      <h1>State</h1>
      {problem === null ? (
        <Empty>
          No link is configured. Write one into the configuration file and start the interlock again;
          `portcullis check` says what is missing.
        </Empty>
      ) : (
        <>
          <p class="word" style={{ '--ems': '5.3' }}>
            No news
          </p>
          <p>
            {bounded(problem.why)}: {bounded(problem.hint)}. How the vault stands is not known; treat it as
            connected.
          </p>
        </>
      )}
    </section>
  );
}

function Links({ document }: { readonly document: State }) {
  const { links } = document;
  if (links.length <= DRAWN_WHOLE)
    return (
      <>
        {links.map((link) => (
          <LinkPanel key={link.link} link={link} document={document} isOneOfMany={links.length > 1} />
        ))}
      </>
    );
  const worst = worstLink.value?.link;
  return (
    <>
      {links
        .toSorted((a, b) => Number(b.link === worst) - Number(a.link === worst))
        .map((link) => (
          <details key={link.link} class="one-link" open={link.link === worst}>
            <summary>
              <Summary link={link} />
            </summary>
            <LinkPanel link={link} document={document} isOneOfMany />
          </details>
        ))}
    </>
  );
}

function Summary({ link }: { readonly link: LinkState }) {
  const shown = news.value === 'live' ? STATE_WORDS[link.state] : null;
  return (
    <span class={`chip tone-${shown?.tone ?? 'unknown'}`}>
      <b>{bounded(link.link, 40)}</b>
      <Marked shape={shown?.shape ?? 'question'}>{shown?.word.toLowerCase() ?? 'no news'}</Marked>
    </span>
  );
}
