/** The button that cuts, and the record of what it did. One click, no question, never out of reach, also without news. */
import type { TripAnswer } from '../../api/documents/action.ts';
import { news, state } from '../box.ts';
import { ProblemNote, Marked } from '../parts/notes.tsx';
import { POSITION_WORDS } from '../state/state-words.ts';
import { bounded, many, swift } from '../words.ts';
import { cut, cuts, putAside, type Cut } from './cutting.ts';

interface ButtonProps {
  /** None: every link. */
  readonly links: readonly string[];
  readonly label: string;
  /** The one that the key stands for. */
  readonly isMain?: boolean;
}

/** A button that cuts. */
export function CutButton({ links, label, isMain = false }: ButtonProps) {
  return (
    <button
      type="button"
      class={`cut ${isMain ? 'main' : ''}`}
      {...(isMain && { 'aria-keyshortcuts': 'Shift+C' })}
      title={
        isMain
          ? 'Isolates and latches at once, without a question (Shift+C)'
          : 'Isolates and latches this link at once, without a question'
      }
      onClick={() => void cut(links)}
    >
      <svg class="glyph" viewBox="0 0 24 24" aria-hidden="true">
        <path d="M2 12H8M16 12H22M10 5 14 19" />
      </svg>
      {label}
    </button>
  );
}

/** The cut that is always there. */
export function MainCut() {
  const isOneOfMany = (state.value?.links.length ?? 1) > 1;
  return <CutButton links={[]} label={isOneOfMany ? 'Cut all links' : 'Cut link'} isMain />;
}

/** What was commanded, what the box answered, and what is observed since: told apart. */
export function CutRecord() {
  return (
    <div role="status">
      {cuts.value.map((each) => (
        <div key={each.id} class={`cut-record ${each.outcome.kind}`}>
          <div class="told">
            <h2>{headline(each)}</h2>
            <Answered cut={each} />
            <Since cut={each} />
          </div>
          <button type="button" class="quiet" onClick={() => putAside(each.id)}>
            {each.outcome.kind === 'undelivered' ? 'Stop trying' : 'Put aside'}
          </button>
        </div>
      ))}
    </div>
  );
}

const clock = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit' });

function headline({ links, askedAt, outcome }: Cut): string {
  const what = links.length === 0 ? 'every link' : links.map((link) => bounded(link, 40)).join(', ');
  const at = clock.format(askedAt);
  switch (outcome.kind) {
    case 'asked':
      return `Cut of ${what} asked at ${at}; no answer yet`;
    case 'taken':
      return `Cut of ${what} commanded at ${at}`;
    case 'undelivered':
      return `The cut of ${what} is NOT delivered: use the button on the box`;
    case 'refused':
      return `The cut of ${what} was refused`;
  }
}

function Answered({ cut: { outcome, attempts } }: { readonly cut: Cut }) {
  switch (outcome.kind) {
    case 'asked':
      return null;
    case 'taken':
      return (
        <p>
          {written(outcome.answer)}{' '}
          {outcome.answer.latched ? 'Latched.' : 'The latch could NOT be saved: a power loss would lift it.'}
        </p>
      );
    case 'undelivered':
      return (
        <p>
          {bounded(outcome.problem.detail)}. Attempt {attempts} follows; asked again until the box answers.
        </p>
      );
    case 'refused':
      return <ProblemNote problem={outcome.problem} />;
  }
}

/** Names that are listed; of more, how many. */
const NAMES_LISTED = 8;

const named = (links: readonly string[]): string =>
  links.length > NAMES_LISTED
    ? many(links.length, 'link')
    : links.map((link) => bounded(link, 40)).join(', ');

/** How fast the isolate commands were on their wires, and where one was not. */
function written({ links }: TripAnswer): string {
  const isThere = links.flatMap(({ link, written_ms }) =>
    written_ms === null ? [] : [{ link, written_ms }],
  );
  const missing = links.filter(({ written_ms }) => written_ms === null).map(({ link }) => link);
  const slowest = Math.max(...isThere.map(({ written_ms }) => written_ms));
  return [
    ...(isThere.length === 0
      ? []
      : [
          `${named(isThere.map(({ link }) => link))}: last isolate command on its wire after ${swift(slowest)}.`,
        ]),
    ...(missing.length === 0 ? [] : [`${named(missing)}: not every isolate command could be written yet.`]),
  ].join(' ');
}

/** What is seen now of the links that were cut. */
function Since({ cut: { links, outcome } }: { readonly cut: Cut }) {
  if (outcome.kind !== 'taken') return null;
  const concerned = (state.value?.links ?? []).filter(
    ({ link }) => links.length === 0 || links.includes(link),
  );
  if (news.value !== 'live')
    return (
      <p>
        <Marked shape="question">Observed: not known, for this page has no news.</Marked>
      </p>
    );
  return (
    <p>
      {(['isolated', 'unknown', 'connected'] as const).map((position) => {
        const those = concerned.filter(({ observed }) => observed === position).map(({ link }) => link);
        if (those.length === 0) return null;
        return (
          <Marked key={position} shape={POSITION_WORDS[position].shape}>
            Observed: {named(those)} {POSITION_WORDS[position].word}
          </Marked>
        );
      })}
    </p>
  );
}
