/** Proving that the journal is whole: every hash from the first entry, and against a signed head that was kept elsewhere. */
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import type { Verification } from '../../api/documents/journal.ts';
import type { Problem } from '../../api/routes/problem.ts';
import { state } from '../box.ts';
import { Marked, ProblemNote } from '../parts/notes.tsx';
import { Moment } from '../parts/times.tsx';
import { ask, type Answer } from '../requests.ts';
import { bounded, count } from '../words.ts';

const LOOK_AGAIN_MS = 500;
const PROBLEMS_SHOWN = 20;

/** The button, what it found, and the place for a head. */
export function ProofOfJournal() {
  const head = useSignal('');
  const { found, problem, isBusy, verify } = useVerification(head);
  return (
    <section class="panel" aria-label="Proof that the journal is whole">
      <div class="row apart-row">
        <Size />
        <button type="button" class="primary" aria-disabled={isBusy} onClick={() => void verify()}>
          {isBusy ? 'Verifying…' : 'Verify the whole chain'}
        </button>
      </div>
      <details>
        <summary>Compare with a signed head that was kept elsewhere</summary>
        <label>
          Signed head (from a notification, a report or `portcullis journal head`)
          <textarea
            rows={5}
            maxLength={4_096}
            value={head.value}
            spellcheck={false}
            onInput={(event) => {
              head.value = event.currentTarget.value;
            }}
          />
        </label>
        <p class="hint">
          A chain that is whole does not show a tail that was cut off; a head kept elsewhere does.
        </p>
      </details>
      <div role="status">
        {problem !== null && <ProblemNote problem={problem} />}
        {found !== null && <Found found={found} />}
      </div>
    </section>
  );
}

function Size() {
  const journal = state.value?.journal ?? null;
  if (journal === null) return <p>The size of the journal is not known.</p>;
  return (
    <p>
      {count(journal.size)} entries, head <code>{journal.head.slice(0, 16)}…</code>
      {!journal.writable && <strong> It cannot be written: nothing will be connected.</strong>}
    </p>
  );
}

function useVerification(head: { readonly value: string }) {
  const found = useSignal<Verification | null>(null);
  const problem = useSignal<Problem | null>(null);
  const asking = useSignal(false);
  const take = (answer: Answer<Verification>): void => {
    found.value = answer.ok ? answer.body : found.value;
    problem.value = answer.ok ? null : answer.problem;
  };
  const isRunning = found.value?.state === 'running';
  const verify = async (): Promise<void> => {
    if (asking.value || isRunning) return;
    asking.value = true;
    const text = head.value.trim();
    take(await ask('POST', '/journal/verification', text === '' ? {} : { head: `${text}\n` }));
    asking.value = false;
  };
  useEffect(() => {
    if (!isRunning) return undefined;
    const look = setInterval(
      () => void ask<Verification>('GET', '/journal/verification').then(take),
      LOOK_AGAIN_MS,
    );
    return () => clearInterval(look);
  }, [isRunning]);
  return { found: found.value, problem: problem.value, isBusy: asking.value || isRunning, verify };
}

const WORDS: Record<Verification['state'], string> = {
  running: 'Verifying',
  verified: 'The chain is whole',
  broken: 'The chain is BROKEN',
  failed: 'It could not be verified',
};

function Found({ found }: { readonly found: Verification }) {
  const { state: at, entries, of, ended_at, problems, note } = found;
  return (
    <div class={`note ${at === 'verified' ? 'good' : at === 'running' ? '' : 'wrong'}`}>
      <Marked shape={at === 'verified' ? 'tick' : at === 'running' ? 'moving' : 'warning'}>
        <strong>{WORDS[at]}</strong>
      </Marked>{' '}
      {count(entries)} of {count(of)} entries
      {ended_at !== null && (
        <>
          , <Moment at={ended_at} seconds />
        </>
      )}
      {problems.length > 0 && (
        <ul>
          {problems.slice(0, PROBLEMS_SHOWN).map((each) => (
            <li key={each}>{bounded(each)}</li>
          ))}
        </ul>
      )}
      <p class="hint">{bounded(note, 500)}</p>
    </div>
  );
}
