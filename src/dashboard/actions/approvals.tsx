/** Who vouches for a request: somebody at the box, or two people with their one-time codes. The interlock checks both. */
import type { Signal } from '@preact/signals';
import { account } from '../account.ts';
import { bounded } from '../words.ts';

/** Two people. */
export interface Approval {
  readonly name: string;
  readonly code: string;
}

/** Two empty lines, the first with the name of who is signed in, when that person's codes count. */
export function nobodyYet(): readonly Approval[] {
  const me = account.peek();
  const name = me.kind === 'somebody' && me.me.approver ? me.me.name : '';
  return [
    { name, code: '' },
    { name: '', code: '' },
  ];
}

/** What goes into the request: nothing when nobody filled anything in, for presence needs no codes. */
export function given(approvals: readonly Approval[]): { approvals?: readonly Approval[] } {
  const filled = approvals.filter(({ name, code }) => name.trim() !== '' && code.trim() !== '');
  const trimmed = filled.map(({ name, code }) => ({ name: name.trim(), code: code.replaceAll(/\s/g, '') }));
  return trimmed.length === 0 ? {} : { approvals: trimmed };
}

interface Props {
  readonly of: Signal<readonly Approval[]>;
  /** Names whose codes count, as far as they are known. */
  readonly known: readonly string[];
  /** A held button gives presence now. */
  readonly presence: boolean;
}

/** Two names with codes, or that none are needed. */
export function Approvals({ of, known, presence }: Props) {
  const change = (index: number, part: Partial<Approval>): void => {
    of.value = of.value.map((each, place) => (place === index ? { ...each, ...part } : each));
  };
  if (presence)
    return <p class="note good">The button on the box was held: presence is given, no codes are needed.</p>;
  return (
    <fieldset>
      <legend>Two different people, each with a one-time code</legend>
      <p class="hint">Or hold the button on the box first: then leave this empty.</p>
      {of.value.map((each, index) => (
        <div class="row" key={index}>
          <label>
            {index === 0 ? 'First name' : 'Second name'}
            <input
              list="approvers"
              value={each.name}
              autocomplete="off"
              autocapitalize="none"
              maxLength={100}
              onInput={(event) => change(index, { name: event.currentTarget.value })}
            />
          </label>
          <label>
            {index === 0 ? 'First code' : 'Second code'}
            <input
              value={each.code}
              inputMode="numeric"
              autocomplete="one-time-code"
              maxLength={20}
              onInput={(event) => change(index, { code: event.currentTarget.value })}
            />
          </label>
        </div>
      ))}
      <datalist id="approvers">
        {known.map((name) => (
          <option key={name} value={name}>
            {bounded(name, 60)}
          </option>
        ))}
      </datalist>
    </fieldset>
  );
}
