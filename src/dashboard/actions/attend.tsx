/** An attended session: the link is connected for a person, outside windows, with a reason and an end. */
import { useSignal } from '@preact/signals';
import { useState } from 'preact/hooks';
import type { Problem } from '../../api/routes/problem.ts';
import type { AttendedSession, LinkState, State } from '../../api/documents/state-document.ts';
import { may } from '../account.ts';
import { ProblemNote, Marked, Refusals } from '../parts/notes.tsx';
import { Left, Moment } from '../parts/times.tsx';
import { ask } from '../requests.ts';
import { bounded } from '../words.ts';
import { AskingDialog } from './asking.tsx';
import { isPresent, standing } from './needs.ts';

const MINUTE_MS = 60_000;
/** Minutes that are offered. */
const DURATIONS = [15, 30, 60, 120, 240] as const;

interface Props {
  readonly link: LinkState;
  readonly document: State;
  readonly onLeave: () => void;
}

/** Asks for a session. */
export function SessionDialog({ link, document, onLeave }: Props) {
  const minutes = useSignal(30);
  const against = standing(link.session_needs);
  return (
    <AskingDialog
      title={`Attended session on ${bounded(link.link, 40)}`}
      path={`/links/${encodeURIComponent(link.link)}/sessions`}
      more={{ for_ms: minutes.value * MINUTE_MS }}
      submit="Ask the interlock to connect"
      presence={isPresent(link.session_needs)}
      known={document.approvers}
      onLeave={onLeave}
    >
      <p>
        For restores and repairs. The link is connected until you end the session, its time is over, or
        anything trips it. It counts against the exposure budget.
      </p>
      {against.length > 0 && (
        <>
          <p>It would be refused now:</p>
          <Refusals refusals={against} />
        </>
      )}
      <label>
        For
        <select
          value={minutes.value}
          onChange={(event) => {
            minutes.value = Number(event.currentTarget.value);
          }}
        >
          {DURATIONS.map((each) => (
            <option key={each} value={each}>
              {each < 60 ? `${each} minutes` : `${each / 60} ${each === 60 ? 'hour' : 'hours'}`}
            </option>
          ))}
        </select>
      </label>
    </AskingDialog>
  );
}

const RIGHTS: Record<AttendedSession['authority'], string> = {
  box: 'at the box',
  button: 'with the button held',
  approvers: 'approved by two people',
};

/** A session that runs, with its countdown and its end. */
export function SessionNote({ session }: { readonly session: AttendedSession }) {
  const [problem, setProblem] = useState<Problem | null>(null);
  const end = async (): Promise<void> => {
    const answer = await ask('DELETE', `/sessions/${encodeURIComponent(session.id)}`);
    setProblem(answer.ok ? null : answer.problem);
  };
  if (session.phase === 'over')
    return (
      <p class="note">
        The session of {bounded(session.by, 60)} on {bounded(session.link, 40)} is over
        {session.why === null ? '' : `: ${bounded(session.why, 80)}`}.
      </p>
    );
  return (
    <div class="note session">
      <Marked shape={session.phase === 'connected' ? 'bar' : 'moving'}>
        <strong>
          Attended session on {bounded(session.link, 40)}: {session.phase}
        </strong>
      </Marked>
      <p>
        {bounded(session.by, 60)}, {RIGHTS[session.authority]}
        {session.approvers.length > 0 &&
          ` (${session.approvers.map((name) => bounded(name, 40)).join(', ')})`}
        , since <Moment at={session.began_at} />: “{bounded(session.reason)}”. Ends by itself in{' '}
        <Left ms={session.ends_in_ms} />.{!session.held && ' Its lease is held at the box.'}
      </p>
      {may('operate') && (
        <button type="button" onClick={() => void end()}>
          End the session now
        </button>
      )}
      {problem !== null && <ProblemNote problem={problem} />}
    </div>
  );
}
