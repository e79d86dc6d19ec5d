/** Windows: what comes, what runs, and how each past opening went. */
import { useState } from 'preact/hooks';
import type { ReportsPage, ReportSummary } from '../../api/documents/work.ts';
import type { WindowState } from '../../api/documents/state-document.ts';
import { may } from '../account.ts';
import { SessionDialog, SessionNote } from '../actions/attend.tsx';
import { RunDialog } from '../actions/run.tsx';
import { state } from '../box.ts';
import { Shown, useLoaded } from '../parts/loaded.tsx';
import { Empty, Loading, Marked, Outcome } from '../parts/notes.tsx';
import { Left, Moment, Until } from '../parts/times.tsx';
import { address, route } from '../route.ts';
import { MonthPapers, ReportPaper } from './papers.tsx';
import { OneReport } from './report.tsx';
import { MissedWords, NextChance } from '../state/alarms.tsx';
import { WouldRefuse } from '../state/link-panel.tsx';
import { RunningPanel } from '../state/running.tsx';
import { bounded, bytes, duration } from '../words.ts';

/** The view. */
export function WindowsView() {
  const document = state.value;
  const [run, setRun] = useState<string | null>(null);
  const [attend, setAttend] = useState<string | null>(null);
  if (document === null) return <Loading what="the windows" />;
  const toRun = document.windows.find(({ window }) => window === run);
  const toAttend = document.links.find(({ link }) => link === attend);
  return (
    <>
      <h1>Windows</h1>
      {document.running.map((running) => (
        <RunningPanel key={running.occurrence} running={running} />
      ))}
      {document.windows.length === 0 && (
        <Empty>No window is configured: nothing is ever connected, and nothing is backed up.</Empty>
      )}
      <div class="cards">
        {document.windows.map((window) => (
          <WindowCard key={window.window} window={window} onRun={() => setRun(window.window)} />
        ))}
      </div>
      <section class="panel">
        <h2>Attended sessions</h2>
        {document.sessions.map((session) => (
          <SessionNote key={session.id} session={session} />
        ))}
        <p class="hint">
          For a restore or a repair a person may have a link connected outside windows, for a while and with a
          reason.
        </p>
        {may('operate') ? (
          <div class="buttons">
            {document.links.map(({ link }) => (
              <button type="button" key={link} onClick={() => setAttend(link)}>
                Attended session on {bounded(link, 40)}…
              </button>
            ))}
          </div>
        ) : (
          <p class="hint">It takes an operator or approver.</p>
        )}
      </section>
      <PastWindows />
      {toRun !== undefined && <RunDialog window={toRun} document={document} onLeave={() => setRun(null)} />}
      {toAttend !== undefined && (
        <SessionDialog link={toAttend} document={document} onLeave={() => setAttend(null)} />
      )}
    </>
  );
}

function WindowCard({ window, onRun }: { readonly window: WindowState; readonly onRun: () => void }) {
  const { opens, timezone, jitter_ms, lasts_ms, steps, last, next_opens, open } = window;
  return (
    <section class="panel">
      <h2>{bounded(window.window, 40)}</h2>
      <p class="value">
        {open !== null ? (
          <Marked shape="moving">
            ends in <Left ms={open.ends_in_ms} />
          </Marked>
        ) : next_opens === null ? (
          'never again'
        ) : (
          <>
            in <Until at={next_opens} />
          </>
        )}
      </p>
      <dl class="goods">
        <dt>link</dt>
        <dd>{bounded(window.link, 40)}</dd>
        <dt>next</dt>
        <dd>{next_opens === null ? 'the schedule has no further run' : <Moment at={next_opens} />}</dd>
        <dt>schedule</dt>
        <dd>
          <code>{bounded(opens, 60)}</code> {bounded(timezone, 40)}
          {jitter_ms > 0 && `, up to ${duration(jitter_ms)} later`}
        </dd>
        <dt>lasts</dt>
        <dd>{duration(lasts_ms)} at most</dd>
        <dt>steps</dt>
        <dd>
          {steps
            .map(({ step, repository }) =>
              bounded(`${step}${repository === null ? '' : ` ${repository}`}`, 60),
            )
            .join(', ')}
        </dd>
        <dt>last</dt>
        <dd>
          {last === null ? 'no report yet' : <Outcome outcome={last.outcome} why={last.why} />}
          {last !== null && (
            <>
              {' '}
              <Moment at={last.started_at} />
            </>
          )}
        </dd>
      </dl>
      <Missed window={window} />
      {open === null && <WouldRefuse refusals={window.refusals} />}
      {window.by_hand === 'never' && <p class="hint">It is configured never to be run by hand.</p>}
      {window.by_hand !== 'never' && may('operate') && open === null && (
        <button type="button" onClick={onRun}>
          Run now…
        </button>
      )}
    </section>
  );
}

function Missed({ window }: { readonly window: WindowState }) {
  if (window.missed === undefined) return null;
  return (
    <p class="bad">
      <Marked shape="warning">
        <MissedWords window={window} />; <NextChance window={window} />
      </Marked>
    </p>
  );
}

function PastWindows() {
  const [name, occurrence] = route.value.rest;
  const [cursors, setCursors] = useState<readonly string[]>([]);
  const cursor = cursors.at(-1);
  const newest = state.value?.windows.map(({ last }) => last?.occurrence).join(' ');
  const page = useLoaded<ReportsPage>(
    `/reports?limit=20${cursor === undefined ? '' : `&cursor=${encodeURIComponent(cursor)}`}`,
    newest,
  );
  return (
    <section class="panel" aria-label="Past windows">
      <h2>Past windows</h2>
      <MonthPapers />
      {name !== undefined && occurrence !== undefined && <OneReport window={name} occurrence={occurrence} />}
      <Shown what="the reports" of={page}>
        {({ reports, next }) => (
          <>
            {reports.length === 0 ? (
              <Empty>No window has run yet; its report will stand here.</Empty>
            ) : (
              <ReportTable reports={reports} />
            )}
            <div class="buttons">
              {cursors.length > 0 && (
                <button type="button" onClick={() => setCursors(cursors.slice(0, -1))}>
                  Newer
                </button>
              )}
              {next !== null && (
                <button type="button" onClick={() => setCursors([...cursors, next])}>
                  Older
                </button>
              )}
            </div>
          </>
        )}
      </Shown>
    </section>
  );
}

function ReportTable({ reports }: { readonly reports: readonly ReportSummary[] }) {
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label="Reports">
      <table>
        <thead>
          <tr>
            <th scope="col">Began</th>
            <th scope="col">Window</th>
            <th scope="col">Outcome</th>
            <th scope="col" class="number">
              Exposed
            </th>
            <th scope="col">Isolation</th>
            <th scope="col" class="number">
              New data
            </th>
            <th scope="col">Page</th>
          </tr>
        </thead>
        <tbody>
          {reports.map((report) => (
            <tr key={`${report.window} ${report.occurrence}`}>
              <th scope="row">
                <a href={address('windows', report.window, report.occurrence)}>
                  <Moment at={report.started_at} />
                </a>
              </th>
              <td>{bounded(report.window, 40)}</td>
              <td>
                <Outcome outcome={report.outcome} why={report.why} />
              </td>
              <td class="number">{duration(report.exposure_seconds * 1_000)}</td>
              <td>
                <Marked shape={report.isolation_proven ? 'tick' : 'cross'}>
                  {report.isolation_proven ? 'proven' : 'NOT proven'}
                </Marked>
              </td>
              <td class="number">{bytes(report.bytes_added)}</td>
              <td>
                <ReportPaper window={report.window} occurrence={report.occurrence}>
                  to print
                </ReportPaper>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
