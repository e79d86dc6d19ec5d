/** People and tokens: who may see, cut, ask; and the keys that programs use. */
import { useSignal } from '@preact/signals';
import type { People, Person, Role } from '../../api/documents/people.ts';
import type { Problem } from '../../api/routes/problem.ts';
import { account, may } from '../account.ts';
import { Field } from '../door.tsx';
import { Shown, useLoaded, type Loaded } from '../parts/loaded.tsx';
import { ProblemNote } from '../parts/notes.tsx';
import { Ago, Moment } from '../parts/times.tsx';
import { ask } from '../requests.ts';
import { bounded, duration } from '../words.ts';
import { TokensPanel } from './tokens.tsx';

const ROLES: Record<Role, string> = {
  viewer: 'sees everything and may cut',
  operator: 'also asks for resets, windows and sessions, and drills sources',
  approver: 'also keeps people and tokens',
};

/** The view. */
export function PeopleView() {
  return (
    <>
      <h1>People</h1>
      <Myself />
      {may('administer') ? (
        <>
          <PeoplePanel />
          <TokensPanel />
        </>
      ) : (
        <p class="hint">People and tokens are kept by approvers.</p>
      )}
    </>
  );
}

function Myself() {
  const old = useSignal('');
  const fresh = useSignal('');
  const problem = useSignal<Problem | null>(null);
  const isChanged = useSignal(false);
  const who = account.value;
  if (who.kind !== 'somebody') return null;
  const { me } = who;
  const change = async (event: Event): Promise<void> => {
    event.preventDefault();
    const answer = await ask('POST', '/me/password', { old: old.value, new: fresh.value });
    problem.value = answer.ok ? null : answer.problem;
    isChanged.value = answer.ok;
    if (answer.ok) old.value = fresh.value = '';
  };
  return (
    <section class="panel" aria-label="You">
      <h2>You</h2>
      <p>
        <b>{bounded(me.name, 60)}</b>
        {me.role !== null && `, ${me.role}: ${ROLES[me.role]}`}.{' '}
        {me.approver
          ? 'Your one-time codes count at the interlock.'
          : 'No one-time codes of this name are set up at the interlock.'}
      </p>
      {me.session !== null && (
        <p class="hint">
          {me.session.idle_ends_in_ms === null
            ? 'This display stays signed in'
            : `Without a request for ${duration(me.session.idle_ends_in_ms)} this session only cuts; it is over`}{' '}
          {me.session.idle_ends_in_ms === null ? 'for' : 'in'} {duration(me.session.ends_in_ms)}
          {me.session.idle_ends_in_ms === null ? ', or until its token is revoked.' : ' at the latest.'}
        </p>
      )}
      {me.kind === 'person' && (
        <details>
          <summary>Change your password</summary>
          <form onSubmit={(event) => void change(event)}>
            <Field label="Old password" autocomplete="current-password" of={old} isSecret />
            <Field
              label="New password, at least 12 characters"
              autocomplete="new-password"
              of={fresh}
              isSecret
              minLength={12}
            />
            {problem.value !== null && <ProblemNote problem={problem.value} />}
            {isChanged.value && <p role="status">Changed.</p>}
            <button type="submit">Change it</button>
          </form>
        </details>
      )}
    </section>
  );
}

function PeoplePanel() {
  const people = useLoaded<People>('/people');
  const problem = useSignal<Problem | null>(null);
  const act = async (method: 'PATCH' | 'DELETE', name: string, body?: object): Promise<void> => {
    const answer = await ask(method, `/people/${encodeURIComponent(name)}`, body);
    problem.value = answer.ok ? null : answer.problem;
    people.again();
  };
  return (
    <section class="panel" aria-label="Accounts">
      <h2>Accounts</h2>
      {problem.value !== null && <ProblemNote problem={problem.value} />}
      <Shown what="the people" of={people}>
        {(found) => (
          <div class="scroll" tabIndex={0} role="region" aria-label="Accounts, as a table">
            <table>
              <thead>
                <tr>
                  <th scope="col">Name</th>
                  <th scope="col">Role</th>
                  <th scope="col">Made</th>
                  <th scope="col">Last signed in</th>
                  <th scope="col">
                    <span class="unseen">What can be done</span>
                  </th>
                </tr>
              </thead>
              <tbody>
                {found.people.map((person) => (
                  <Row key={person.name} person={person} act={act} />
                ))}
              </tbody>
            </table>
          </div>
        )}
      </Shown>
      <NewPerson people={people} />
    </section>
  );
}

interface RowProps {
  readonly person: Person;
  readonly act: (method: 'PATCH' | 'DELETE', name: string, body?: object) => Promise<void>;
}

function Row({ person, act }: RowProps) {
  const sure = useSignal(false);
  const name = bounded(person.name, 60);
  return (
    <tr>
      <th scope="row">{name}</th>
      <td>
        <select
          aria-label={`Role of ${name}`}
          value={person.role}
          onChange={(event) => void act('PATCH', person.name, { role: event.currentTarget.value })}
        >
          {Object.keys(ROLES).map((role) => (
            <option key={role} value={role}>
              {role}
            </option>
          ))}
        </select>
      </td>
      <td>
        <Moment at={person.created_at} />
      </td>
      <td>{person.last_login_at === null ? 'never' : <Ago at={person.last_login_at} />}</td>
      <td>
        <button
          type="button"
          onClick={() => {
            if (sure.value) void act('DELETE', person.name);
            else sure.value = true;
          }}
        >
          {sure.value ? `Really remove ${name}` : `Remove ${name}`}
        </button>
      </td>
    </tr>
  );
}

function NewPerson({ people }: { readonly people: Loaded<People> }) {
  const name = useSignal('');
  const password = useSignal('');
  const role = useSignal<Role>('viewer');
  const problem = useSignal<Problem | null>(null);
  const make = async (event: Event): Promise<void> => {
    event.preventDefault();
    const body = { name: name.value.trim(), role: role.value, password: password.value };
    const answer = await ask('POST', '/people', body);
    problem.value = answer.ok ? null : answer.problem;
    if (!answer.ok) return;
    name.value = password.value = '';
    people.again();
  };
  return (
    <details>
      <summary>Add somebody</summary>
      <form onSubmit={(event) => void make(event)}>
        <div class="row">
          <Field label="Name of the new account" autocomplete="off" of={name} />
          <label>
            Role of the new account
            <select
              value={role.value}
              onChange={(event) => {
                role.value = event.currentTarget.value as Role;
              }}
            >
              {Object.entries(ROLES).map(([value, means]) => (
                <option key={value} value={value}>
                  {value}: {means}
                </option>
              ))}
            </select>
          </label>
          <Field
            label="First password, at least 12 characters"
            autocomplete="new-password"
            of={password}
            isSecret
            minLength={12}
          />
        </div>
        {problem.value !== null && <ProblemNote problem={problem.value} />}
        <button type="submit">Add the account</button>
      </form>
    </details>
  );
}
