/** Requests to the box that serves this page, and to nobody else. */
import type { Problem } from '../api/routes/problem.ts';

/** ms until an answer is given up; long, for an interlock may be waiting for a board. */
const ANSWER_TIMEOUT_MS = 20_000;

export type Answer<Body> =
  | { readonly ok: true; readonly body: Body }
  | { readonly ok: false; readonly problem: Problem };

type Method = 'GET' | 'POST' | 'PATCH' | 'DELETE';

/** Where the API stands, seen from this page. */
export const API = 'api/v1';

/** Asks the box. Never rejects: what went wrong on the way is a problem with status 0 and code `no-answer`. */
export async function ask<Body>(
  method: Method,
  path: string,
  body?: object,
  timeoutMs: number = ANSWER_TIMEOUT_MS,
): Promise<Answer<Body>> {
  let response: Response;
  try {
    response = await fetch(`${API}${path}`, {
      method,
      credentials: 'same-origin',
      cache: 'no-store',
      // A cut goes out even when the page is left in the same moment.
      keepalive: method === 'POST',
      signal: AbortSignal.timeout(timeoutMs),
      headers: { accept: 'application/json', ...(body && { 'content-type': 'application/json' }) },
      ...(body && { body: JSON.stringify(body) }),
    });
  } catch (error) {
    return { ok: false, problem: noAnswer(error) };
  }
  const text = await response.text().catch(() => '');
  const value = parsed(text);
  if (response.ok) return { ok: true, body: value as Body };
  return { ok: false, problem: isProblem(value) ? value : oddAnswer(response.status) };
}

function parsed(text: string): unknown {
  try {
    return text === '' ? {} : JSON.parse(text);
  } catch {
    return null; // not JSON: told as an odd answer
  }
}

const isProblem = (value: unknown): value is Problem =>
  typeof value === 'object' && value !== null && 'code' in value && 'detail' in value;

const problemOf = (status: number, code: string, detail: string, hint: string): Problem => ({
  type: 'about:blank',
  title: code,
  status,
  code,
  detail,
  hint,
  refusals: [],
});

const noAnswer = (error: unknown): Problem =>
  problemOf(
    0,
    'no-answer',
    error instanceof DOMException && error.name === 'TimeoutError'
      ? 'the box did not answer in time'
      : 'the box could not be reached from this browser',
    'is the box running, and is this browser still in its network?',
  );

const oddAnswer = (status: number): Problem =>
  problemOf(
    status,
    'odd-answer',
    `the box answered with status ${status} and no explanation`,
    'see the log of the controller',
  );
