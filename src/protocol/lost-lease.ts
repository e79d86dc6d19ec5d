/** What whoever attends to a link does when its lease is lost or refused: ask again, or let the session be over. */
import { InterlockError } from './interlock-error.ts';

/** Ends of a lease after which the session goes on. */
const PASSING: ReadonlySet<string> = new Set([
  'permissive-failed',
  'connect-timeout',
  'evidence-lost',
  'connection-lost',
]);
/** Refusals after which asking again is in vain. */
const FINAL: ReadonlySet<string> = new Set(['session-over', 'tripped', 'stuck', 'stopping', 'budget-spent']);

/** True when a lease that ended with this code may be had again in the same session. */
export const endMayPass = (code: string): boolean => PASSING.has(code);

/** True when the interlock refused a lease for what may pass; an interlock that is gone knows of no session. */
export const refusalMayPass = (error: unknown): boolean =>
  error instanceof InterlockError &&
  error.refusals.length > 0 &&
  !error.refusals.some(({ code }) => FINAL.has(code));
