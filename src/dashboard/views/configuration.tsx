/** The configuration file as it stands on disk: shown with its problems, never changed from here. */
import type { Configuration } from '../../api/documents/work.ts';
import { Shown, useLoaded } from '../parts/loaded.tsx';
import { Empty, Marked } from '../parts/notes.tsx';
import { Moment } from '../parts/times.tsx';
import { bounded } from '../words.ts';

const LINES_SHOWN = 3_000;

/** The view. */
export function ConfigurationView() {
  const configuration = useLoaded<Configuration>('/configuration');
  return (
    <>
      <h1>Configuration</h1>
      <Shown what="the configuration" of={configuration}>
        {(found) => (
          <>
            <section class="panel" aria-label="What is wrong with it">
              <p>
                <code>{bounded(found.file)}</code>
                {found.modified_at !== null && (
                  <>
                    , changed <Moment at={found.modified_at} seconds />
                  </>
                )}
                . Who edits it, edits the file; this page only shows it.
              </p>
              {found.tls_fingerprint !== null && (
                <p>
                  SHA-256 fingerprint of the certificate:{' '}
                  <code class="fingerprint">{bounded(found.tls_fingerprint, 100)}</code>
                </p>
              )}
              {found.changed && (
                <p class="bad">
                  <Marked shape="warning">
                    The file is another than the one that runs: start interlock and controller again to use
                    it.
                  </Marked>
                </p>
              )}
              <Verdict found={found} />
              <button type="button" onClick={() => configuration.again()}>
                Read it again
              </button>
            </section>
            {found.text === null ? (
              <Empty>The file cannot be read: {bounded(found.why ?? '')}</Empty>
            ) : (
              <Text text={found.text} problems={found.problems} />
            )}
          </>
        )}
      </Shown>
    </>
  );
}

function Verdict({ found: { result, problems } }: { readonly found: Configuration }) {
  return (
    <>
      <p class={result === 'valid' ? 'good' : 'bad'}>
        <Marked shape={result === 'valid' ? 'tick' : result === 'invalid' ? 'cross' : 'question'}>
          {result === 'valid'
            ? 'It is valid'
            : result === 'invalid'
              ? 'It is not valid'
              : 'It could not be checked'}
          {problems.length > 0 && `; ${problems.length} to look at`}
        </Marked>
      </p>
      {problems.length > 0 && (
        <ul class="refusals">
          {problems.map(({ severity, line, path, what, hint }) => (
            <li key={`${line} ${path} ${what}`}>
              <a href={`#/configuration`} onClick={(event) => toLine(event, line)}>
                line {line}
              </a>{' '}
              <strong>
                {severity}: {bounded(what)}
              </strong>
              <span class="hint">{bounded(hint)}</span>
            </li>
          ))}
        </ul>
      )}
    </>
  );
}

function toLine(event: Event, line: number): void {
  event.preventDefault();
  document.querySelector(`#line-${line}`)?.scrollIntoView({ block: 'center' });
}

function Text({ text, problems }: { readonly text: string; readonly problems: Configuration['problems'] }) {
  const lines = text.split('\n').slice(0, LINES_SHOWN);
  const marked = new Map(problems.map((problem) => [problem.line, problem.severity]));
  return (
    <section class="panel" aria-label="The file">
      <div class="scroll" tabIndex={0} role="region" aria-label="The file, line by line">
        <ol class="code">
          {lines.map((line, index) => (
            <li key={index} id={`line-${index + 1}`} class={marked.get(index + 1) ?? ''}>
              <code>{line.slice(0, 1_000) || ' '}</code>
              {marked.has(index + 1) && <span class="unseen"> ({marked.get(index + 1)})</span>}
            </li>
          ))}
        </ol>
      </div>
      {text.split('\n').length > LINES_SHOWN && (
        <p class="hint">Only the first {LINES_SHOWN} lines are shown.</p>
      )}
    </section>
  );
}
