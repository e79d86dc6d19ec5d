/** Who uses this page. */
import { effect, signal } from '@preact/signals';
import type { Ability, Me } from '../api/documents/people.ts';
import type { Problem } from '../api/routes/problem.ts';
import { ask } from './requests.ts';
import { hushAndForget, listen, signedOut } from './stream.ts';

/** `asking`: not known yet. `unreachable`: the box does not answer. */
export type Account =
  | { readonly kind: 'asking' }
  | { readonly kind: 'unreachable'; readonly problem: Problem }
  | { readonly kind: 'setup' }
  /** `isIdle`: a login is left that only cuts. */
  | { readonly kind: 'nobody'; readonly isIdle: boolean }
  | { readonly kind: 'somebody'; readonly me: Me };

export const account = signal<Account>({ kind: 'asking' });

const RETRY_MS = 2_000;
const IDLE = 'login-idle';

/** Asks who this is, until the box answers. */
export async function askWho(): Promise<void> {
  const answer = await ask<Me>('GET', '/me');
  if (answer.ok) {
    welcome(answer.body);
  } else if (answer.problem.status === 401) {
    const { code } = answer.problem;
    leave(code === 'setup-needed' ? { kind: 'setup' } : { kind: 'nobody', isIdle: code === IDLE });
  } else {
    account.value = { kind: 'unreachable', problem: answer.problem };
    setTimeout(() => void askWho(), RETRY_MS);
  }
}

/** Somebody has signed in. */
export function welcome(me: Me): void {
  account.value = { kind: 'somebody', me };
  listen();
}

function leave(to: Extract<Account, { kind: 'setup' | 'nobody' }>): void {
  hushAndForget();
  account.value = to;
}

/** Signs out. */
export async function signOut(): Promise<void> {
  await ask('DELETE', '/login');
  leave({ kind: 'nobody', isIdle: false });
}

/** Notices the end of a session; called once. */
export function watchAccount(): void {
  effect(() => {
    if (signedOut.value) void askWho();
  });
}

/** Whether this person may do something, as far as the box has said. */
export const may = (ability: Ability): boolean =>
  account.value.kind === 'somebody' && account.value.me.may.includes(ability);
