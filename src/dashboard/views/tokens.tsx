/** API tokens: shown once, scoped, expiring. No scope connects or resets anything. */
import { useSignal } from '@preact/signals';
import type { NewToken, Scope, Token, Tokens } from '../../api/documents/people.ts';
import type { Problem } from '../../api/routes/problem.ts';
import { Field } from '../door.tsx';
import { Shown, useLoaded } from '../parts/loaded.tsx';
import { Empty, ProblemNote } from '../parts/notes.tsx';
import { Ago, Moment } from '../parts/times.tsx';
import { ask } from '../requests.ts';
import { bounded } from '../words.ts';

const SCOPES: Record<Scope, string> = {
  read: 'everything that is shown here',
  metrics: '/metrics for Prometheus',
  trip: 'cut',
};
const DAYS = [30, 90, 365, 1_095] as const;

/** The panel. */
export function TokensPanel() {
  const tokens = useLoaded<Tokens>('/tokens');
  const made = useSignal<NewToken | null>(null);
  const problem = useSignal<Problem | null>(null);
  const revoke = async (id: string): Promise<void> => {
    const answer = await ask('DELETE', `/tokens/${encodeURIComponent(id)}`);
    problem.value = answer.ok ? null : answer.problem;
    tokens.again();
  };
  return (
    <section class="panel" aria-label="Tokens">
      <h2>Tokens</h2>
      {problem.value !== null && <ProblemNote problem={problem.value} />}
      {made.value !== null && (
        <div class="note good" role="status">
          <p>
            The token {bounded(made.value.token.label, 60)}. It is shown only now: take it away before you
            leave this page.
          </p>
          <pre tabIndex={0}>{made.value.secret}</pre>
        </div>
      )}
      <Shown what="the tokens" of={tokens}>
        {(found) =>
          found.tokens.length === 0 ? (
            <Empty>No program has a token yet.</Empty>
          ) : (
            <TokenTable tokens={found.tokens} onRevoke={(id) => void revoke(id)} />
          )
        }
      </Shown>
      <NewTokenForm
        onMade={(token) => {
          made.value = token;
          tokens.again();
        }}
      />
    </section>
  );
}

interface TableProps {
  readonly tokens: readonly Token[];
  readonly onRevoke: (id: string) => void;
}

function TokenTable({ tokens, onRevoke }: TableProps) {
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label="Tokens, as a table">
      <table>
        <thead>
          <tr>
            <th scope="col">Label</th>
            <th scope="col">May</th>
            <th scope="col">Made by</th>
            <th scope="col">Ends</th>
            <th scope="col">Last used</th>
            <th scope="col">
              <span class="unseen">What can be done</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {tokens.map((token) => (
            <tr key={token.id}>
              <th scope="row">{bounded(token.label, 60)}</th>
              <td>{token.scopes.join(', ')}</td>
              <td>{bounded(token.created_by, 60)}</td>
              <td>
                <Moment at={token.expires_at} />
              </td>
              <td>{token.last_used_at === null ? 'never' : <Ago at={token.last_used_at} />}</td>
              <td>
                <button type="button" onClick={() => onRevoke(token.id)}>
                  Revoke {bounded(token.label, 30)}
                </button>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function NewTokenForm({ onMade }: { readonly onMade: (token: NewToken) => void }) {
  const label = useSignal('');
  const scopes = useSignal<readonly Scope[]>(['read']);
  const days = useSignal<number>(365);
  const problem = useSignal<Problem | null>(null);
  const make = async (event: Event): Promise<void> => {
    event.preventDefault();
    const body = { label: label.value.trim(), scopes: scopes.value, days: days.value };
    const answer = await ask<NewToken>('POST', '/tokens', body);
    problem.value = answer.ok ? null : answer.problem;
    if (!answer.ok) return;
    label.value = '';
    onMade(answer.body);
  };
  const choose = (scope: Scope, isChosen: boolean): void => {
    scopes.value = [...scopes.value.filter((each) => each !== scope), ...(isChosen ? [scope] : [])];
  };
  return (
    <details>
      <summary>Make a token</summary>
      <form onSubmit={(event) => void make(event)}>
        <Field label="What it is for" autocomplete="off" of={label} />
        <fieldset>
          <legend>It may</legend>
          {(Object.entries(SCOPES) as [Scope, string][]).map(([scope, means]) => (
            <label key={scope} class="check">
              <input
                type="checkbox"
                checked={scopes.value.includes(scope)}
                onChange={(event) => choose(scope, event.currentTarget.checked)}
              />
              {scope}: {means}
            </label>
          ))}
        </fieldset>
        <label>
          For
          <select
            value={days.value}
            onChange={(event) => {
              days.value = Number(event.currentTarget.value);
            }}
          >
            {DAYS.map((each) => (
              <option key={each} value={each}>
                {each} days
              </option>
            ))}
          </select>
        </label>
        {problem.value !== null && <ProblemNote problem={problem.value} />}
        <button type="submit">Make the token</button>
      </form>
    </details>
  );
}
