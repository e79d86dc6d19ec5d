/** One link: its state in one large word, since when, how that is known, and what a person can do. */
import type { LinkState, State } from '../../api/documents/state-document.ts';
import { news, silenceMs } from '../box.ts';
import { CutButton } from '../actions/cut.tsx';
import { Glyph } from './symbols.tsx';
import { Grade, Marked, Refusals } from '../parts/notes.tsx';
import { Left, Moment, Timer } from '../parts/times.tsx';
import { actor, bounded, duration, swift, ticking } from '../words.ts';
import { LinkDrawing } from './link-drawing.tsx';
import { Latched } from './latched.tsx';
import { POSITION_WORDS, PROOF_WORDS, STATE_WORDS, type StateWord } from './state-words.ts';

interface Props {
  readonly link: LinkState;
  readonly document: State;
  /** There are others: this one has a cut of its own. */
  readonly isOneOfMany: boolean;
}

const NO_NEWS: StateWord = {
  word: 'No news',
  ems: 5.3,
  shape: 'question',
  tone: 'unknown',
  means: 'Nobody vouches for what is shown below. Treat the vault as connected.',
};

/** The panel. */
export function LinkPanel({ link, document, isOneOfMany }: Props) {
  const vouched = news.value === 'live';
  const shown = vouched ? STATE_WORDS[link.state] : NO_NEWS;
  return (
    <section class={`link panel tone-${shown.tone}`} aria-label={`Link ${bounded(link.link, 60)}`}>
      <div class="headline">
        <div class="naming">
          <h2 class="name">{bounded(link.link, 40)}</h2>
          <Grade grade={link.evidence_grade} />
          {isOneOfMany && <CutButton links={[link.link]} label={`Cut ${bounded(link.link, 24)}`} />}
        </div>
        <p class="word" data-state={link.state} style={{ '--ems': String(shown.ems) }}>
          <Glyph shape={shown.shape} />
          <span>{shown.word}</span>
        </p>
        {vouched ? <Since link={link} /> : <LastKnown link={link} />}
        <div class="apart">
          <Commanded link={link} />
          <Observed link={link} vouched={vouched} />
        </div>
      </div>
      <LinkDrawing link={link} vouched={vouched} />
      {link.latch !== null && <Latched link={link} document={document} />}
      <HoldsBack link={link} />
    </section>
  );
}

function Since({ link }: { readonly link: LinkState }) {
  return (
    <p class="since">
      <span>
        since <Moment at={link.since} seconds /> · for <Timer at={link.since} />
      </span>
      <span>{STATE_WORDS[link.state].means}</span>
    </p>
  );
}

function LastKnown({ link }: { readonly link: LinkState }) {
  return (
    <p class="since">
      <span>
        last known: <b>{STATE_WORDS[link.state].word.toLowerCase()}</b>,{' '}
        {news.value === 'late' ? `${ticking(silenceMs.value)} ago` : 'before the interlock fell silent'}
      </span>
      <span>{NO_NEWS.means}</span>
    </p>
  );
}

function Commanded({ link: { commanded, lease } }: { readonly link: LinkState }) {
  return (
    <div>
      <h3>Commanded</h3>
      <p class="value">
        <Marked shape={commanded === 'connected' ? 'bar' : 'gap'}>
          {commanded === 'connected' ? 'connect' : 'isolate'}
        </Marked>
      </p>
      <p class="detail">
        {lease === null ? (
          'no lease: nothing may be connected'
        ) : (
          <>
            lease of {bounded(lease.holder, 60)}, ends in <Left ms={lease.ends_in_ms} />
          </>
        )}
      </p>
    </div>
  );
}

function Observed({ link, vouched }: { readonly link: LinkState; readonly vouched: boolean }) {
  const { word, shape } = POSITION_WORDS[vouched ? link.observed : 'unknown'];
  return (
    <div>
      <h3>Observed</h3>
      <p class="value">
        <Marked shape={shape}>{word}</Marked>
      </p>
      <p class="detail">
        {vouched
          ? link.evidence_grade === 'simulated'
            ? `${PROOF_WORDS[link.proof]}; simulated: proves nothing about hardware`
            : PROOF_WORDS[link.proof]
          : 'no news: what is drawn below is old'}
      </p>
    </div>
  );
}

/** Trouble that is worth a line here: proof tests and commissioning that did not pass, heartbeats that are missing. */
function HoldsBack({ link }: { readonly link: LinkState }) {
  const lines = [
    ...link.proofs
      .filter(({ outcome }) => outcome === 'failed')
      .map(
        ({ contact }) =>
          `The last proof test of ${bounded(contact, 40)} failed: alone it was not seen to isolate.`,
      ),
    ...(link.commissioning.state === 'passed' ? [] : [COMMISSIONING_WORDS[link.commissioning.state]]),
    ...link.heartbeats
      .filter(({ state }) => state !== 'fresh')
      .map(({ heartbeat, age_ms, max_age_ms }) =>
        age_ms === null
          ? `The heartbeat ${bounded(heartbeat, 40)} has not been heard yet.`
          : `The heartbeat ${bounded(heartbeat, 40)} is ${duration(age_ms)} old; ${duration(max_age_ms)} is the limit.`,
      ),
  ];
  if (lines.length === 0) return null;
  return (
    <ul class="holds-back">
      {lines.map((line) => (
        <li key={line}>
          <Marked shape="warning">{line}</Marked>
        </li>
      ))}
    </ul>
  );
}

const COMMISSIONING_WORDS: Record<Exclude<LinkState['commissioning']['state'], 'passed'>, string> = {
  failed: 'The last commissioning of this link failed: it opens no window.',
  outdated: 'Configuration or profile changed since this link was commissioned: it opens no window.',
  never: 'This link was never commissioned: it opens no window.',
  unreadable:
    'The commissioning record of this link cannot be read or is not signed by this box: it opens no window.',
};

/** What would refuse a lease now, told beside the next window. */
export function WouldRefuse({ refusals }: { readonly refusals: LinkState['refusals'] }) {
  if (refusals.length === 0)
    return (
      <p class="good">
        <Marked shape="tick">Nothing would refuse it now.</Marked>
      </p>
    );
  return (
    <>
      <p class="bad">
        <Marked shape="cross">It would be refused now:</Marked>
      </p>
      <Refusals refusals={refusals} />
    </>
  );
}

/** Who tripped a link and how fast it was cut, in one sentence. */
export function tripSentence(trip: NonNullable<LinkState['last_trip']>): string {
  const cut =
    trip.cut_ms === null ? 'not every isolate command was written at once' : `cut in ${swift(trip.cut_ms)}`;
  const proven = trip.proven_ms === null ? '' : `, proven after ${duration(trip.proven_ms)}`;
  return `${actor(trip.by)}: ${cut}${proven}`;
}
