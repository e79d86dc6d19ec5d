/** What is shown to who is not signed in: sign in, or the very first account. */
import { useSignal } from '@preact/signals';
import type { Me } from '../api/documents/people.ts';
import type { Problem } from '../api/routes/problem.ts';
import { account, welcome } from './account.ts';
import { CutRecord, MainCut } from './actions/cut.tsx';
import { Loading, ProblemNote } from './parts/notes.tsx';
import { ask } from './requests.ts';

/** The page of who is not signed in. */
export function Door() {
  return (
    <main class="door" id="main">
      <h1>Portcullis</h1>
      {account.value.kind === 'nobody' && (
        <>
          <MainCut />
          <CutRecord />
        </>
      )}
      <Inside />
      <p class="hint">
        To cut without an account: the button on the box, a source’s webhook, or the small page that the
        interlock itself serves.
      </p>
    </main>
  );
}

function Inside() {
  const who = account.value;
  switch (who.kind) {
    case 'asking':
    case 'somebody':
      return <Loading what="who you are" />;
    case 'unreachable':
      return (
        <>
          <ProblemNote problem={who.problem} />
          <p role="status">Trying again every two seconds.</p>
        </>
      );
    case 'setup':
      return <SetUp />;
    case 'nobody':
      return (
        <>
          {who.isIdle && (
            <p class="note" role="status">
              Nothing was asked for so long that this login now only cuts. Sign in again to see more.
            </p>
          )}
          <SignIn />
          <WallDisplay />
        </>
      );
  }
}

function SignIn() {
  const name = useSignal('');
  const password = useSignal('');
  const { problem, asking, send } = useSending('/login', () => ({
    name: name.value,
    password: password.value,
  }));
  return (
    <form class="panel" onSubmit={send}>
      <h2>Sign in</h2>
      <Field label="Name" autocomplete="username" of={name} />
      <Field label="Password" autocomplete="current-password" of={password} isSecret />
      {problem.value !== null && <ProblemNote problem={problem.value} />}
      <button type="submit" class="primary" aria-disabled={asking.value}>
        {asking.value ? 'Asking…' : 'Sign in'}
      </button>
    </form>
  );
}

/** A wall display holds a token: it is signed in until the token ends, and may what the token may. */
function WallDisplay() {
  const token = useSignal('');
  const { problem, asking, send } = useSending('/login', () => ({ token: token.value.trim() }));
  return (
    <details class="panel">
      <summary>This is a wall display</summary>
      <form onSubmit={send}>
        <p class="hint">
          Give it a token with the scope `read`, and `trip` if it may cut. It has no idle end and dies with
          the token.
        </p>
        <Field label="Token" autocomplete="off" of={token} isSecret />
        {problem.value !== null && <ProblemNote problem={problem.value} />}
        <button type="submit" aria-disabled={asking.value}>
          {asking.value ? 'Asking…' : 'Sign in as a display'}
        </button>
      </form>
    </details>
  );
}

function SetUp() {
  const code = useSignal('');
  const name = useSignal('');
  const password = useSignal('');
  const { problem, asking, send } = useSending('/setup', () => ({
    code: code.value.trim(),
    name: name.value.trim(),
    password: password.value,
  }));
  return (
    <form class="panel" onSubmit={send}>
      <h2>First account</h2>
      <p>
        Nobody has an account yet. The setup code stands on the console of the box and in the log of the
        controller; who has it makes the first account, an approver, who can add others.
      </p>
      <Field label="Setup code" autocomplete="off" of={code} />
      <Field label="Name" autocomplete="username" of={name} />
      <Field
        label="Password, at least 12 characters"
        autocomplete="new-password"
        of={password}
        isSecret
        minLength={12}
      />
      {problem.value !== null && <ProblemNote problem={problem.value} />}
      <button type="submit" class="primary" aria-disabled={asking.value}>
        {asking.value ? 'Asking…' : 'Make the account'}
      </button>
    </form>
  );
}

function useSending(path: string, body: () => object) {
  const problem = useSignal<Problem | null>(null);
  const asking = useSignal(false);
  const attempt = async (): Promise<void> => {
    if (asking.value) return;
    asking.value = true;
    problem.value = null;
    const answer = await ask<Me>('POST', path, body());
    asking.value = false;
    if (answer.ok) welcome(answer.body);
    else problem.value = answer.problem;
  };
  const send = (event: Event): void => {
    event.preventDefault();
    void attempt();
  };
  return { problem, asking, send };
}

interface FieldProps {
  readonly label: string;
  readonly autocomplete: string;
  readonly of: { value: string };
  readonly isSecret?: boolean;
  readonly minLength?: number;
}

/** A labelled line of text. */
export function Field({ label, autocomplete, of, isSecret = false, minLength = 1 }: FieldProps) {
  return (
    <label>
      {label}
      <input
        {...(isSecret ? { type: 'password' as const } : { type: 'text' as const })}
        required
        minLength={minLength}
        maxLength={isSecret ? 200 : 100}
        autocomplete={autocomplete}
        autocapitalize="none"
        spellcheck={false}
        value={of.value}
        onInput={(event) => {
          of.value = event.currentTarget.value;
        }}
      />
    </label>
  );
}
