/** What is said when something is refused, missing, loading or wrong. */
import type { ComponentChildren } from 'preact';
import type { Problem } from '../../api/routes/problem.ts';
import type { Refusal } from '../../protocol/messages.ts';
import { state } from '../box.ts';
import { Glyph, type Shape } from '../state/symbols.tsx';
import { bounded } from '../words.ts';

/** Refusals that are shown one by one. */
const REFUSALS_SHOWN = 12;

/** A shape and a word that say the same. */
export function Marked({ shape, children }: { readonly shape: Shape; readonly children: ComponentChildren }) {
  return (
    <span class="marked">
      <Glyph shape={shape} /> {children}
    </span>
  );
}

/** Evidence of an emulated board is called so wherever it is shown. */
export function Grade({ grade }: { readonly grade: string }) {
  switch (grade) {
    case 'simulated':
      return (
        <span class="badge simulated" title="Played by an emulator: proves nothing about hardware">
          simulated
        </span>
      );
    case 'paper':
      return (
        <span
          class="badge paper"
          title="The profile of a board was read in a manual and tried on no hardware"
        >
          untried profile
        </span>
      );
    default:
      return null;
  }
}

/** What the evidence of a link is worth today, by its name: beside what the journal says of its past. */
export function GradeOf({ link }: { readonly link: string }) {
  const found = state.value?.links.find((each) => each.link === link);
  return found === undefined ? null : <Grade grade={found.evidence_grade} />;
}

/** Why something would not happen, each with what would allow it. */
export function Refusals({ refusals }: { readonly refusals: readonly Refusal[] }) {
  return (
    <ul class="refusals">
      {refusals.slice(0, REFUSALS_SHOWN).map(({ code, why, hint }) => (
        <li key={`${code} ${why}`}>
          <strong>{bounded(why)}</strong>
          <span class="hint">{bounded(hint)}</span>
        </li>
      ))}
      {refusals.length > REFUSALS_SHOWN && <li>and {refusals.length - REFUSALS_SHOWN} more</li>}
    </ul>
  );
}

/** An answer that was no. */
export function ProblemNote({ problem }: { readonly problem: Problem }) {
  return (
    <div class="note wrong" role="alert">
      <Marked shape="warning">
        <strong>{bounded(problem.detail)}</strong>
      </Marked>
      {problem.refusals.length > 0 ? (
        <Refusals refusals={problem.refusals} />
      ) : (
        problem.hint !== '' && <p class="hint">{bounded(problem.hint)}</p>
      )}
    </div>
  );
}

/** Nothing is there, and why that is so. */
export function Empty({ children }: { readonly children: ComponentChildren }) {
  return <p class="empty">{children}</p>;
}

/** Something is being fetched. */
export function Loading({ what }: { readonly what: string }) {
  return (
    <p class="empty" role="status">
      Fetching {what}…
    </p>
  );
}

/** How something ended, with a shape beside the word. */
export function Outcome({ outcome, why = null }: { readonly outcome: string; readonly why?: string | null }) {
  const isGood = outcome === 'done';
  const isPart = outcome === 'partly-done' || outcome === 'skipped';
  return (
    <span class={isGood ? 'good' : isPart ? 'meagre' : 'bad'}>
      <Marked shape={isGood ? 'tick' : isPart ? 'warning' : 'cross'}>
        {bounded(outcome, 30).replaceAll('-', ' ')}
        {why !== null && `: ${bounded(why, 160)}`}
      </Marked>
    </span>
  );
}
