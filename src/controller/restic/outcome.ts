/** What the end of a restic call means for the step that made it. */
import type { StepOutcome } from '../outcome.ts';
import type { ResticEnd } from './run.ts';

/** ms for the small commands, which read or write a few files; a dead vault must not eat the window. */
export const SMALL_TIMEOUT_MS = 180_000;

const done: StepOutcome = { kind: 'done' };

/** A failure with a way out. */
export const failed = (code: string, why: string, hint: string): StepOutcome => ({
  kind: 'failed',
  code,
  why,
  hint,
});

/** The outcome of a command that has nothing to say for itself but how it ended. */
export function outcomeOf(end: ResticEnd, what: string): StepOutcome {
  const words = end.lastWords === '' ? '' : `: ${end.lastWords}`;
  const code = end.exitCode === null ? '' : ` (restic ended with ${end.exitCode})`;
  switch (end.verdict) {
    case 'done':
      return done;
    case 'cut-short':
      return { kind: 'cut-short', code: 'stopped', why: `${what} was stopped${words}` };
    case 'timed-out':
      return failed(
        'timed-out',
        `${what} took too long and was killed${words}`,
        'see whether the vault answers, and how fast',
      );
    case 'repository-missing':
      return failed(
        'repository-missing',
        `${what}: there is no repository${words}`,
        'see whether the right vault is connected, and whether it is mounted where the repository is expected',
      );
    case 'locked':
      return failed(
        'locked',
        `${what}: somebody else has locked the repository${words}`,
        'let the other restic finish; if it is dead, run `restic unlock` on the machine that made the lock. Locks of others are never removed from here',
      );
    case 'wrong-password':
      return failed(
        'wrong-password',
        `${what}: the password does not fit the repository`,
        'compare password_file with the password that the repository was made with',
      );
    // Only a backup may be done in part; elsewhere 3 says that files could not be deleted.
    case 'partly-done':
    case 'failed':
      return failed(
        'restic-failed',
        `${what} failed${code}${words}`,
        'the words of restic say why; run the same restic command by hand in a window to see more',
      );
  }
}
