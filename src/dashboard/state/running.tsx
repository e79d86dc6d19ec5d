/** A window at work: phase, step, and how far restic is. */
import type { State } from '../../api/documents/state-document.ts';
import { sinceArrivalMs } from '../box.ts';
import { Marked } from '../parts/notes.tsx';
import { bounded, bytes, count, duration, ticking } from '../words.ts';

type Running = State['running'][number];

const FILES_SHOWN = 3;

const PHASES: Readonly<Record<string, string>> = {
  prepare: 'preparing, still isolated',
  lease: 'asking for a lease',
  connect: 'connecting',
  settle: 'letting the link settle',
  reach: 'waiting for the vault to answer',
  work: 'at work',
  leave: 'leaving: isolating and proving it',
  after: 'afterwards, isolated again',
};

/** The panel; its figures are those of the step in progress. */
export function RunningPanel({ running }: { readonly running: Running }) {
  const { step, phase } = running;
  return (
    <section class="panel running" aria-label={`Window ${bounded(running.window, 40)} at work`}>
      <div>
        <h2>
          <Marked shape="moving">
            Window {bounded(running.window, 40)} to {bounded(running.link, 40)}, for{' '}
            <span class="figure">{ticking(running.running_ms + sinceArrivalMs.value)}</span>
          </Marked>
        </h2>
        <p class="value">
          {step === null
            ? (PHASES[phase] ?? bounded(phase, 40))
            : `step ${step.number} of ${step.of}: ${bounded(step.name, 40)} ${bounded(step.repository, 40)}`}
        </p>
      </div>
      {step !== null && <Progress running={running} what={bounded(step.name, 40)} />}
    </section>
  );
}

function Progress({ running, what }: { readonly running: Running; readonly what: string }) {
  const share = running.bytes_total === 0 ? 0 : Math.min(1, running.bytes_done / running.bytes_total);
  const left = running.left_ms === null ? null : Math.max(0, running.left_ms - sinceArrivalMs.value);
  const figures = [
    ['bytes', `${bytes(running.bytes_done)} of ${bytes(running.bytes_total)}`],
    ['files', `${count(running.files_done)} of ${count(running.files_total)}`],
    ['speed', running.bytes_per_second === null ? 'not known yet' : `${bytes(running.bytes_per_second)}/s`],
    ['time left', left === null ? 'not known yet' : `about ${duration(left)}`],
  ] as const;
  return (
    <>
      <dl class="figures">
        {figures.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      <progress max={1} value={share} aria-label={`${what}: bytes done`}>
        {Math.round(share * 100)} %
      </progress>
      {running.current_files.length > 0 && (
        <p class="detail files">
          {running.current_files.slice(0, FILES_SHOWN).map((file) => (
            <code key={file}>{bounded(file, 120)}</code>
          ))}
        </p>
      )}
    </>
  );
}
