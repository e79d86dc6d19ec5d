/** The button that cuts, and the record of what it did. One click, no question, never out of reach, also without news. */
import { news, state } from '../box.ts';
import { ProblemNote, Marked } from '../parts/notes.tsx';
import { POSITION_WORDS, STATE_WORDS } from '../state/state-words.ts';
import { bounded, swift } from '../words.ts';
import { cut, lastCut, putAside, type Cut } from './cutting.ts';

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
  const many = (state.value?.links.length ?? 1) > 1;
  return <CutButton links={[]} label={many ? 'Cut all links' : 'Cut link'} isMain />;
}

/** What was commanded, what the box answered, and what is observed since: told apart. */
export function CutRecord() {
  const last = lastCut.value;
  if (last === null) return <div role="status" class="cut-record none" />;
  return (
    <div class={`cut-record ${last.outcome.kind}`} role="status">
      <div class="told">
        <h2>{headline(last)}</h2>
        <Answered cut={last} />
        <Since cut={last} />
      </div>
      <button type="button" class="quiet" onClick={putAside}>
        {last.outcome.kind === 'undelivered' ? 'Stop trying' : 'Put aside'}
      </button>
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
          {outcome.answer.links
            .map(({ link, written_ms }) =>
              written_ms === null
                ? `${bounded(link, 40)}: not every isolate command could be written yet`
                : `${bounded(link, 40)}: last isolate command on its wire after ${swift(written_ms)}`,
            )
            .join('; ')}
          .{' '}
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
      {concerned.map(({ link, observed, state: at }) => (
        <Marked key={link} shape={POSITION_WORDS[observed].shape}>
          Observed: {bounded(link, 40)} {POSITION_WORDS[observed].word} ({STATE_WORDS[at].word.toLowerCase()})
        </Marked>
      ))}
    </p>
  );
}
