/** One bounded HTTP request: no redirects, TLS verified, the answer read up to a limit, an end to every wait. */
import { request as plain } from 'node:http';
import type { ClientRequest, IncomingMessage } from 'node:http';
import { request as encrypted } from 'node:https';
import { retryAfterMs, type Attempt } from './retry.ts';

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

/** What came back. */
export interface Answer {
  readonly status: number;
  readonly retryAfterMs: number | null;
  /** The beginning of the body, not yet fit for a log. */
  readonly text: string;
}

/** Posts. Rejects with a system, TLS or time-out error; its message may hold the address. */
export async function post({ url, headers, body, ca, timeoutMs }: Post, stop: AbortSignal): Promise<Answer> {
  const signal = AbortSignal.any([stop, AbortSignal.timeout(timeoutMs)]);
  const options = {
    method: 'POST',
    agent: false,
    signal,
    headers: { 'user-agent': 'portcullis', ...headers, 'content-length': String(Buffer.byteLength(body)) },
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
      text: await beginningOf(response),
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
async function beginningOf(response: IncomingMessage): Promise<string> {
  const pieces: Buffer[] = [];
  let size = 0;
  try {
    for await (const piece of response as AsyncIterable<Buffer>) {
      pieces.push(piece.subarray(0, MOST_ANSWER_BYTES - size));
      size += piece.length;
      if (size >= MOST_ANSWER_BYTES) break;
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
