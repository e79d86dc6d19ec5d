/** What a handler throws to say no, and what becomes of errors on their way out. */
import { z } from 'zod';
import { InterlockError } from '../../protocol/interlock-error.ts';
import type { Refusal } from '../../protocol/messages.ts';
import { printable } from '../../journal/command.ts';
import type { Problem } from './problem.ts';

/** Longest sentence that is made of somebody's input, UTF-16 units. */
const MAX_WHY_CHARS = 500;

/** A request that is refused, with what would allow it. */
export class ApiRefusal extends Error {
  override readonly name = 'ApiRefusal';
  readonly status: number;
  readonly code: string;
  readonly hint: string;
  readonly retryAfterMs: number | null;

  constructor(status: number, code: string, why: string, hint: string, retryAfterMs: number | null = null) {
    super(why);
    this.status = status;
    this.code = code;
    this.hint = hint;
    this.retryAfterMs = retryAfterMs;
  }
}

const TITLES: Readonly<Record<number, string>> = {
  400: 'The request is wrong',
  401: 'Who are you?',
  403: 'Not allowed',
  404: 'There is no such thing',
  409: 'Refused',
  413: 'Too long',
  415: 'Not JSON',
  421: 'Not the name of this box',
  429: 'Not so fast',
  500: 'This failed',
  503: 'Not now',
};

/** What the interlock refuses because there is no such thing. */
const UNKNOWN = new Set([
  'link-unknown',
  'window-unknown',
  'source-unknown',
  'session-unknown',
  'lamps-missing',
]);

/** What the interlock could not do, as opposed to what it would not. */
const FAILED = new Set(['latch-unsaved', 'journal-unwritable', 'failed']);

/** The body and status of a problem. */
export function problemOf(error: unknown): Problem {
  if (error instanceof ApiRefusal) {
    const { status, code, hint, retryAfterMs } = error;
    // Where files lie is for the log.
    const why = code === 'people-unreadable' ? 'accounts and tokens cannot be read' : error.message;
    return problemBody(status, code, why, hint, [], retryAfterMs);
  }
  if (error instanceof z.ZodError)
    return problemBody(400, 'bad-request', bounded(z.prettifyError(error)), 'see /api/v1/openapi.json');
  if (error instanceof InterlockError) return interlockProblem(error);
  const { statusCode, message } = error as { statusCode?: number; message?: string };
  if (statusCode !== undefined && statusCode >= 400 && statusCode < 500)
    return problemBody(
      statusCode,
      statusCode === 415 ? 'not-json' : 'bad-request',
      bounded(message ?? ''),
      'see /api/v1/openapi.json',
    );
  return problemBody(500, 'failed', 'the controller could not do this', 'see the log of the controller');
}

/** True when `problemOf` hides the reason: it belongs into the log. */
export const isSurprise = (error: unknown): boolean =>
  (!(error instanceof ApiRefusal) || error.code === 'people-unreadable') &&
  !(error instanceof z.ZodError) &&
  !(error instanceof InterlockError) &&
  !(((error as { statusCode?: number }).statusCode ?? 500) < 500);

function interlockProblem({ code, message, hint, refusals }: InterlockError): Problem {
  const [first] = refusals;
  if (first === undefined) return problemBody(503, code.toLowerCase().replaceAll('_', '-'), message, hint);
  const status = UNKNOWN.has(first.code) ? 404 : FAILED.has(first.code) ? 503 : 409;
  return problemBody(status, first.code, first.why, first.hint, refusals);
}

function problemBody(
  status: number,
  code: string,
  detail: string,
  hint: string,
  refusals: readonly Refusal[] = [],
  retryAfterMs: number | null = null,
): Problem {
  return {
    type: 'about:blank',
    title: TITLES[status] ?? 'Refused',
    status,
    code,
    detail,
    hint,
    refusals: [...refusals],
    ...(retryAfterMs === null ? {} : { retry_after_ms: retryAfterMs }),
  };
}

const bounded = (text: string): string => printable(text.slice(0, MAX_WHY_CHARS));
