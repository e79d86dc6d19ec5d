/** A dialog with a reason and approvals that asks the box for something and shows its answer, whichever it is. */
import { useSignal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import type { Problem } from '../../api/routes/problem.ts';
import { Dialog } from '../parts/dialog.tsx';
import { ProblemNote } from '../parts/notes.tsx';
import { ask } from '../requests.ts';
import { Approvals, given, nobodyYet } from './approvals.tsx';

interface Props {
  readonly title: string;
  readonly path: string;
  /** What the request says besides reason and approvals. */
  readonly more: object;
  readonly submit: string;
  /** `unneeded`: a reason is all that it takes; it connects nothing. */
  readonly presence: boolean | 'unneeded';
  readonly known: readonly string[];
  readonly onLeave: () => void;
  /** Before the reason. */
  readonly children: ComponentChildren;
}

const REASON_LIMIT = 500;

/** The dialog; it leaves when the box said yes, and shows why when it said no. */
export function AskingDialog({ title, path, more, submit, presence, known, onLeave, children }: Props) {
  const reason = useSignal('');
  const approvals = useSignal(nobodyYet());
  const problem = useSignal<Problem | null>(null);
  const asking = useSignal(false);
  const send = async (event: Event): Promise<void> => {
    event.preventDefault();
    asking.value = true;
    problem.value = null;
    const body = {
      ...more,
      reason: reason.value.trim(),
      ...(presence !== false ? {} : given(approvals.value)),
    };
    const answer = await ask('POST', path, body);
    asking.value = false;
    if (answer.ok) onLeave();
    else problem.value = answer.problem;
  };
  return (
    <Dialog title={title} onLeave={onLeave}>
      <form onSubmit={(event) => void send(event)}>
        {children}
        <label>
          Reason
          <textarea
            required
            rows={2}
            maxLength={REASON_LIMIT}
            value={reason.value}
            onInput={(event) => {
              reason.value = event.currentTarget.value;
            }}
          />
        </label>
        {presence !== 'unneeded' && <Approvals of={approvals} known={known} presence={presence} />}
        {problem.value !== null && <ProblemNote problem={problem.value} />}
        <div class="buttons">
          <button type="submit" class="primary" aria-disabled={asking.value}>
            {!asking.value ? submit : presence === 'unneeded' ? 'Asking the box…' : 'Asking the interlock…'}
          </button>
          <button type="button" onClick={onLeave}>
            Leave it
          </button>
        </div>
      </form>
    </Dialog>
  );
}
