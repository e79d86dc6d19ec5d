/** Sources: who may cut, when each was last heard, how much a request of it proves, and what its sender needs. */
import { useSignal } from '@preact/signals';
import type { Source, Sources } from '../../api/documents/work.ts';
import type { Problem } from '../../api/routes/problem.ts';
import type { DrillReport } from '../../protocol/messages.ts';
import { may } from '../account.ts';
import { Shown, useLoaded } from '../parts/loaded.tsx';
import { Empty, Marked, ProblemNote } from '../parts/notes.tsx';
import { Ago } from '../parts/times.tsx';
import { ask } from '../requests.ts';
import { POSITION_WORDS } from '../state/state-words.ts';
import { state } from '../box.ts';
import { Notices } from './notices.tsx';
import { bounded, count, duration } from '../words.ts';

const TIERS = [
  'secret in the URL: the weakest; whoever reads a log of the sender has it',
  'secret in a header',
  'body or connection signed',
  'body and time signed: the strongest',
] as const;

/** The view. */
export function SourcesView() {
  const heard = state.value?.sources.map(({ last }) => last?.at).join(' ');
  const sources = useLoaded<Sources>('/sources', heard);
  return (
    <>
      <h1>Sources</h1>
      <p class="lead">
        Who may cut by webhook. A drill sends a message all the way up to the contacts and cuts nothing.
      </p>
      <Shown what="the sources" of={sources}>
        {({ sources: all }) =>
          all.length === 0 ? (
            <Empty>
              No source is configured: only people and the button cut. `docs/sources` says how to let an alarm
              cut.
            </Empty>
          ) : (
            <div class="cards">
              {all.map((source) => (
                <SourceCard key={source.source} source={source} />
              ))}
            </div>
          )
        }
      </Shown>
      <Notices />
    </>
  );
}

function SourceCard({ source }: { readonly source: Source }) {
  const { last, tier, heartbeat, format, verify, trips, unverified } = source;
  return (
    <section class="panel" aria-label={`Source ${bounded(source.source, 60)}`}>
      <h2>{bounded(source.source, 60)}</h2>
      <dl class="goods">
        <dt>last heard</dt>
        <dd class={last === null ? 'meagre' : ''}>
          {last === null ? (
            <Marked shape="question">never: try it before you need it</Marked>
          ) : (
            <>
              <Ago at={last.at} />, verdict <b>{last.verdict}</b>
              {last.note !== null && `: ${bounded(last.note, 120)}`}
            </>
          )}
        </dd>
        <dt>proves</dt>
        <dd>
          tier {tier}: {TIERS[tier] ?? 'unknown tier'}
        </dd>
        <dt>verified by</dt>
        <dd>
          {bounded(verify, 40)}
          {format !== null && `, speaks ${bounded(format, 40)}`}
        </dd>
        <dt>{heartbeat ? 'role' : 'cuts'}</dt>
        <dd>
          {heartbeat
            ? 'heartbeat: its silence isolates'
            : trips.map((link) => bounded(link, 40)).join(', ') || 'nothing'}
        </dd>
        {unverified > 0 && (
          <>
            <dt>not verified</dt>
            <dd class="bad">
              <Marked shape="warning">{count(unverified)} requests in its name</Marked>
            </dd>
          </>
        )}
      </dl>
      {may('operate') && <Drill source={source.source} />}
      {source.paste.length > 0 && (
        <details>
          <summary>Set up its sender</summary>
          <p>
            It posts to <code>{bounded(source.url, 200)}</code>
          </p>
          {source.paste.map((paste) => (
            <Paste key={paste.title} {...paste} />
          ))}
        </details>
      )}
    </section>
  );
}

function Paste({ title, text }: Source['paste'][number]) {
  const copied = useSignal(false);
  const copy = async (): Promise<void> => {
    // There is no clipboard over plain HTTP: the text can be marked by hand then.
    await navigator.clipboard.writeText(text);
    copied.value = true;
  };
  return (
    <figure>
      <figcaption>
        {bounded(title, 100)}{' '}
        {'clipboard' in navigator && (
          <button type="button" class="quiet" onClick={() => void copy()}>
            {copied.value ? 'copied' : 'copy'}
          </button>
        )}
      </figcaption>
      <pre tabIndex={0}>{text.slice(0, 20_000)}</pre>
    </figure>
  );
}

function Drill({ source }: { readonly source: string }) {
  const report = useSignal<DrillReport | null>(null);
  const problem = useSignal<Problem | null>(null);
  const asking = useSignal(false);
  const drill = async (): Promise<void> => {
    if (asking.value) return;
    asking.value = true;
    const answer = await ask<DrillReport>('POST', `/sources/${encodeURIComponent(source)}/drill`, {});
    asking.value = false;
    report.value = answer.ok ? answer.body : null;
    problem.value = answer.ok ? null : answer.problem;
  };
  return (
    <>
      <button type="button" aria-disabled={asking.value} onClick={() => void drill()}>
        {asking.value ? 'Drilling…' : 'Drill'}
      </button>
      <div role="status">
        {problem.value !== null && <ProblemNote problem={problem.value} />}
        {report.value !== null && <Drilled report={report.value} />}
      </div>
    </>
  );
}

function Drilled({
  report: { verdict, why_not, reason, decided_ms, links },
}: {
  readonly report: DrillReport;
}) {
  return (
    <div class={`note ${verdict === null ? 'wrong' : 'good'}`}>
      <Marked shape={verdict === null ? 'warning' : 'tick'}>
        <strong>
          {verdict === null ? `It did not verify: ${bounded(why_not ?? '')}` : `It would: ${verdict}`}
        </strong>
      </Marked>
      <p>
        {bounded(reason)} Decided after {duration(decided_ms)}. Nothing was cut.
      </p>
      <ul>
        {links.flatMap(({ link, contacts }) =>
          contacts.map(({ contact, position, answered_ms }) => (
            <li key={`${link} ${contact}`}>
              {bounded(link, 40)}, {bounded(contact, 40)}: reads {POSITION_WORDS[position].word},{' '}
              {answered_ms === null ? 'did not answer in time' : `answered after ${duration(answered_ms)}`}
            </li>
          )),
        )}
      </ul>
    </div>
  );
}
