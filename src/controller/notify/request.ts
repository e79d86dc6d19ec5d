/** One bounded HTTP request: no redirects, TLS verified, the answer read up to a limit, an end to every wait. */
import type { ClientRequest, IncomingMessage } from 'node:http';
import { request as encrypted } from 'node:https';
import { retryAfterMs, type Attempt } from './retry.ts';

// Not by `import`: that loads Node's whole fetch as well, see `listener.ts`.
const { request: plain } = process.getBuiltinModule('node:http');

/** What is read of an answer, bytes; the rest is not waited for. */
const MOST_ANSWER_BYTES = 4_096;

export interface Post {
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** Certificate authorities to trust instead of those of the system, PEM. */
  readonly ca: string | null;
  /** ms for all of it. */
  readonly timeoutMs: number;
}

/** A question. */
export interface Question extends Omit<Post, 'body'> {
  /** What is read of the answer. */
  readonly mostAnswerBytes: number;
}

/** What came back. */
export interface Answer {
  readonly status: number;
  readonly retryAfterMs: number | null;
  /** The beginning of the body, not yet fit for a log. */
  readonly text: string;
}

/** Posts. Rejects with a system, TLS or time-out error; its message may hold the address. */
export const post = (message: Post, stop: AbortSignal): Promise<Answer> =>
  send('POST', { ...message, mostAnswerBytes: MOST_ANSWER_BYTES }, stop);

/** Asks. Rejects like `post`. */
export const get = (question: Question, stop: AbortSignal): Promise<Answer> =>
  send('GET', { ...question, body: '' }, stop);

async function send(
  method: 'GET' | 'POST',
  { url, headers, body, ca, timeoutMs, mostAnswerBytes }: Post & Question,
  stop: AbortSignal,
): Promise<Answer> {
  const signal = AbortSignal.any([stop, AbortSignal.timeout(timeoutMs)]);
  const length = { 'content-length': String(Buffer.byteLength(body)) };
  const options = {
    method,
    agent: false,
    signal,
    headers: { 'user-agent': 'portcullis', ...headers, ...(method === 'GET' ? {} : length) },
  } as const;
  const request =
    url.protocol === 'https:'
      ? encrypted(url, {
          ...options,
          minVersion: 'TLSv1.2',
          rejectUnauthorized: true,
          ...(ca === null ? {} : { ca }),
        })
      : plain(url, options);
  try {
    const response = await responseTo(request, body);
    return {
      status: response.statusCode ?? 0,
      retryAfterMs: retryAfterMs(response.headers['retry-after'], Date.now()),
      text: await beginningOf(response, mostAnswerBytes),
    };
  } finally {
    request.destroy();
  }
}

function responseTo(request: ClientRequest, body: string): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    request.once('response', resolve);
    // Stays: a connection that is destroyed after its answer may still have something to say.
    request.on('error', reject);
    request.end(body);
  });
}

/** The status is what counts: an answer that breaks off or never ends is one, too. */
async function beginningOf(response: IncomingMessage, most: number): Promise<string> {
  const pieces: Buffer[] = [];
  let size = 0;
  try {
    for await (const piece of response as AsyncIterable<Buffer>) {
      pieces.push(piece.subarray(0, most - size));
      size += piece.length;
      if (size >= most) break;
    }
  } catch {
    // Cut off or timed out in its body: what came is enough.
  }
  return Buffer.concat(pieces).toString('utf8');
}

const LATER: ReadonlySet<number> = new Set([408, 425, 429]);

/** What an answer means. `shown` is its text, fit for a log. */
export function attemptOf({ status, retryAfterMs: afterMs }: Answer, shown: string): Attempt {
  const said = `it answered ${status}${shown === '' ? '' : `: ${shown}`}`;
  if (status >= 200 && status < 300) return { kind: 'taken', answer: said };
  if (status >= 300 && status < 400)
    return { kind: 'refused', why: `${said}; redirects are not followed: configure the address it leads to` };
  if (status >= 500 || LATER.has(status)) return { kind: 'later', why: said, afterMs };
  return { kind: 'refused', why: said };
}
