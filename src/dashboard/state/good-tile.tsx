/** What was last good: backup, check and restore drill of every repository, and windows whose last opening failed. */
import type { State, WindowState } from '../../api/documents/state-document.ts';
import { Marked } from '../parts/notes.tsx';
import { Ago, Moment } from '../parts/times.tsx';
import { address } from '../route.ts';
import { bounded, bytes, many } from '../words.ts';

/** What was last good, per repository. */
export function GoodTile({ document }: { readonly document: State }) {
  return (
    <section class="tile" aria-label="Last good">
      <h2>Last good</h2>
      {document.repositories.length === 0 ? (
        <p class="empty">No repository is configured.</p>
      ) : (
        document.repositories.map((each) => (
          <Repository
            key={each.repository}
            of={each}
            isAlone={document.repositories.length === 1}
            isAtWork={hasWork(document, each.repository)}
          />
        ))
      )}
      {document.windows.map((window) => (
        <LastFailure key={window.window} window={window} />
      ))}
    </section>
  );
}

const hasWork = ({ running, windows }: State, repository: string): boolean =>
  running.some(({ window: name }) =>
    windows.some(
      ({ window, steps }) => window === name && steps.some((step) => step.repository === repository),
    ),
  );

/** The last opening of a window, when it did not do all of its work. */
function LastFailure({ window: { window, last } }: { readonly window: WindowState }) {
  if (last === null || last.outcome === 'done' || last.outcome === 'skipped') return null;
  return (
    <p class="bad">
      <Marked shape="warning">
        <a href={address('windows', window, last.occurrence)}>
          {bounded(window, 40)} <Moment at={last.started_at} />
        </a>{' '}
        {bounded(last.outcome, 30).replaceAll('-', ' ')}
        {last.why !== null && `: ${bounded(last.why, 160)}`}
      </Marked>
    </p>
  );
}

interface RepositoryProps {
  readonly of: State['repositories'][number];
  readonly isAlone: boolean;
  /** A window writes to it: that its mark is set means nothing yet. */
  readonly isAtWork: boolean;
}

function Repository({ of, isAlone, isAtWork }: RepositoryProps) {
  const { last_good_backup: backup, last_check: check, last_restore_drill: drill } = of;
  return (
    <>
      {!isAlone && <h3>{bounded(of.repository, 40)}</h3>}
      <dl class="goods">
        <dt>backup</dt>
        <dd class={backup === null ? 'bad' : 'good'}>
          {backup === null ? (
            <Marked shape="cross">none yet</Marked>
          ) : (
            <Marked shape="tick">
              <Ago at={backup.at} /> <small>{bytes(backup.bytes)}</small>
            </Marked>
          )}
        </dd>
        <dt>check</dt>
        <dd>
          <Outcome of={check} detail={check?.data_read ?? ''} />
        </dd>
        <dt>restore drill</dt>
        <dd>
          <Outcome of={drill} detail={drill?.files === undefined ? '' : many(drill.files, 'file')} />
        </dd>
        {of.recovery_point !== undefined && (
          <>
            <dt>next due</dt>
            <dd>
              <Due point={of.recovery_point} />
            </dd>
          </>
        )}
      </dl>
      {of.interrupted !== null && !isAtWork && (
        <p class="bad">
          <Marked shape="warning">
            interrupted <Ago at={of.interrupted.at} />: the next window begins with recovery
          </Marked>
        </p>
      )}
      {of.frozen !== null && (
        <p class="bad">
          <Marked shape="lock">
            frozen <Ago at={of.frozen.at} />
            {of.frozen.window !== null && ` in ${bounded(of.frozen.window, 40)}`}: nothing is forgotten
            {of.frozen.anomaly === null && `; ${bounded(of.frozen.why, 160)}`}
          </Marked>
        </p>
      )}
    </>
  );
}

type Point = NonNullable<State['repositories'][number]['recovery_point']>;

/** When the newest good backup is too old; why that is near or past stands among the alarms. */
function Due({ point: { state, due_at } }: { readonly point: Point }) {
  if (state === 'unknown') return <Marked shape="question">not known</Marked>;
  return (
    <span class={state === 'met' ? 'good' : 'bad'}>
      <Marked shape={state === 'met' ? 'tick' : 'cross'}>
        {due_at === null ? 'now' : <Moment at={due_at} />}
        {state === 'breached' ? ', too old' : state === 'endangered' ? ', no window in time' : ''}
      </Marked>
    </span>
  );
}

/** How something ended, and when. */
interface Ended {
  readonly at: string;
  readonly outcome: string;
  readonly why: string | null;
}

function Outcome({ of, detail }: { readonly of: Ended | null; readonly detail: string }) {
  if (of === null) return <Marked shape="question">never</Marked>;
  if (of.outcome === 'done')
    return (
      <span class="good">
        <Marked shape="tick">
          <Ago at={of.at} /> <small>{bounded(detail, 40)}</small>
        </Marked>
      </span>
    );
  return (
    <span class="bad">
      <Marked shape="cross">
        {bounded(of.outcome, 30).replaceAll('-', ' ')} <Ago at={of.at} />
        {of.why === null ? '' : `: ${bounded(of.why, 120)}`}
      </Marked>
    </span>
  );
}
