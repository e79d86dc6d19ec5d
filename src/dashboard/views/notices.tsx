/** Who is told when something happens, and whether that arrives. */
import { useSignal } from '@preact/signals';
import type { NotificationTest } from '../../api/documents/action.ts';
import type { Problem } from '../../api/routes/problem.ts';
import type { NotificationState } from '../../api/documents/state-document.ts';
import { may } from '../account.ts';
import { state } from '../box.ts';
import { Empty, Marked, ProblemNote } from '../parts/notes.tsx';
import { Ago } from '../parts/times.tsx';
import { ask } from '../requests.ts';
import { bounded, many } from '../words.ts';

/** Every destination of notices. */
export function Notices() {
  const destinations = state.value?.notifications ?? [];
  return (
    <section class="panel" aria-label="Who is told">
      <h2>Who is told</h2>
      {destinations.length === 0 && (
        <Empty>
          Nobody is told of trips, alarms and failed windows: name somebody under `notify` in the
          configuration.
        </Empty>
      )}
      <ul class="proofs">
        {destinations.map((each) => (
          <Notice key={each.name} of={each} />
        ))}
      </ul>
    </section>
  );
}

function Notice({
  of: { name, type, waiting, last_delivered_at, failures, problem },
}: {
  readonly of: NotificationState;
}) {
  const tested = useSignal<NotificationTest | null>(null);
  const refused = useSignal<Problem | null>(null);
  const asking = useSignal(false);
  const test = async (): Promise<void> => {
    if (asking.value) return;
    asking.value = true;
    const answer = await ask<NotificationTest>('POST', `/notifications/${encodeURIComponent(name)}/test`);
    asking.value = false;
    tested.value = answer.ok ? answer.body : null;
    refused.value = answer.ok ? null : answer.problem;
  };
  return (
    <li>
      <b>{bounded(name, 60)}</b> {bounded(type, 30)},{' '}
      {last_delivered_at === null ? (
        'nothing delivered yet'
      ) : (
        <>
          last delivered <Ago at={last_delivered_at} />
        </>
      )}
      {waiting > 0 && `, ${waiting} waiting`}
      {problem !== null && (
        <span class="bad">
          {' '}
          <Marked shape="warning">
            {bounded(problem, 160)} ({many(failures, 'failure')})
          </Marked>
        </span>
      )}{' '}
      {may('operate') && (
        <button type="button" aria-disabled={asking.value} onClick={() => void test()}>
          {asking.value ? 'Sending…' : `Test ${bounded(name, 40)}`}
        </button>
      )}
      <span role="status">
        {tested.value !== null && (
          <span class={tested.value.delivered ? 'good' : 'bad'}>
            {' '}
            {tested.value.delivered ? 'delivered' : 'NOT delivered'}: {bounded(tested.value.answer, 120)}
          </span>
        )}
      </span>
      {refused.value !== null && <ProblemNote problem={refused.value} />}
    </li>
  );
}
