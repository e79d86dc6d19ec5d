/**
 * One HTTP exchange with the interlock over its Unix socket. Nothing is kept alive between exchanges: a renewal must never
 * fail because an idle connection was closed at the wrong moment, and a new connection on a Unix socket costs less than a
 * millisecond.
 */
import type { IncomingMessage, RequestOptions } from 'node:http';
import { z } from 'zod';
import { InterlockError, interlockError, silent } from './interlock-error.ts';
import { lineReader } from './line-reader.ts';
import { BUILD_HEADER, refused } from './messages.ts';
import { limitOf, machineTime } from './time.ts';
import type { Time } from './time.ts';

// Not by `import`: that loads Node's whole fetch as well, see `listener.ts`.
const { request: httpRequest } = process.getBuiltinModule('node:http');

const BODY_LIMIT = 4 * 1024 * 1024;
const LINE_LIMIT = 1024 * 1024;

export interface ClientOptions {
  /** `interlock.sock` or `presence.sock` in the runtime directory. */
  readonly socketPath: string;
  /** This program's own build id. */
  readonly build: string;
  /** Default: the time of this machine. */
  readonly time?: Time;
  /** Default: HTTP over the Unix socket. */
  readonly wire?: Wire;
}

/** An answer whose head has arrived; the body comes as it comes. */
export type Answer = Pick<
  IncomingMessage,
  'headers' | 'statusCode' | 'destroy' | 'setEncoding' | 'once' | typeof Symbol.asyncIterator
>;

/** Carries a request to the interlock. Rejects when nobody answers, or when the signal of the request aborts. */
export type Wire = (
  request: Pick<RequestOptions, 'socketPath' | 'method' | 'path' | 'headers' | 'signal'>,
  body: string | null,
) => Promise<Answer>;

/** One exchange, as put on the wire. */
export interface Call {
  readonly method: 'GET' | 'POST' | 'DELETE';
  readonly path: string;
  readonly body?: unknown;
}

/** Asks one question and reads the whole answer within `timeoutMs`. Rejects with `InterlockError`. */
export async function exchange<T>(
  options: ClientOptions,
  call: Call,
  shape: z.ZodType<T>,
  timeoutMs: number,
): Promise<T> {
  const limit = limitOf(options.time ?? machineTime, timeoutMs, () => silent(options.socketPath));
  try {
    const answer = await begin(options, call, limit.signal);
    const body = await bodyOf(answer, options.socketPath, limit.signal);
    return parseJson(body, shape, `${call.method} ${call.path}`);
  } finally {
    limit.clear();
  }
}

/**
 * Puts the request on the wire and returns the answer once its head arrived and was found good: same build, code 200 or 204.
 * `stop` bounds the whole exchange, body included. Rejects with `InterlockError`.
 */
export async function begin(options: ClientOptions, call: Call, stop: AbortSignal): Promise<Answer> {
  const answer = await headOf(options, call, stop).catch((error: unknown) => {
    throw interlockError(stop.aborted ? stop.reason : error, options.socketPath);
  });
  // Errors after the head reach whoever reads the body; this listener only keeps an abandoned answer from ending the process.
  answer.once('error', () => undefined);
  const build = answer.headers[BUILD_HEADER];
  if (build !== options.build) {
    answer.destroy();
    throw otherBuild(options.build, build);
  }
  if (answer.statusCode === 200 || answer.statusCode === 204) return answer;
  const body = await bodyOf(answer, options.socketPath, stop);
  throw refusalOf(body, `${call.method} ${call.path}`, answer.statusCode ?? 0);
}

function headOf(options: ClientOptions, call: Call, signal: AbortSignal): Promise<Answer> {
  const body = call.body === undefined ? null : JSON.stringify(call.body);
  const headers: Record<string, string> = { [BUILD_HEADER]: options.build };
  if (body !== null) {
    headers['content-type'] = 'application/json';
    headers['content-length'] = String(Buffer.byteLength(body));
  }
  const { socketPath, wire = socketWire } = options;
  const { method, path } = call;
  return wire({ socketPath, method, path, headers, signal }, body);
}

const socketWire: Wire = (request, body) =>
  new Promise((resolve, reject) => {
    const asked = httpRequest({ ...request, agent: false }, resolve);
    asked.on('error', reject);
    asked.end(body ?? undefined);
  });

function otherBuild(ours: string, theirs: unknown): InterlockError {
  const name = typeof theirs === 'string' ? theirs.slice(0, 80) : 'of no known build';
  return new InterlockError(
    'INTERLOCK_BUILD',
    `the interlock is ${name}, this program is ${ours}`,
    'parts of different builds do not work together: restart both after an upgrade (`systemctl restart portcullis-interlock portcullis-controller`)',
  );
}

function refusalOf(body: string, what: string, code: number): InterlockError {
  const said = refused.safeParse(jsonOf(body));
  if (said.success && said.data.refusals[0] !== undefined) {
    const { refusals } = said.data;
    const why = refusals.map((each) => `${each.why} (${each.code})`).join('; ');
    const hints = refusals.map((each) => each.hint).join('; ');
    return new InterlockError('INTERLOCK_REFUSED', `refused: ${why}`, hints, { refusals });
  }
  return new InterlockError(
    'INTERLOCK_GARBLED',
    `the interlock answered ${code} to ${what} without saying why`,
    'look into the log of the interlock',
  );
}

async function bodyOf(answer: Answer, socketPath: string, stop: AbortSignal): Promise<string> {
  const pieces: Buffer[] = [];
  let size = 0;
  try {
    for await (const piece of answer as AsyncIterable<Buffer>) {
      size += piece.length;
      if (size > BODY_LIMIT) throw garbled('a question', `the answer is longer than ${BODY_LIMIT} bytes`);
      pieces.push(piece);
    }
  } catch (error) {
    throw interlockError(stop.aborted ? stop.reason : error, socketPath);
  }
  return Buffer.concat(pieces).toString('utf8');
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // no JSON value is `undefined`, so every schema that asks for something refuses it with its own words
  }
}

/** Reads JSON of a known shape or throws `InterlockError` naming the question it answered. */
export function parseJson<T>(text: string, shape: z.ZodType<T>, question: string): T {
  const parsed = shape.safeParse(jsonOf(text));
  if (parsed.success) return parsed.data;
  throw garbled(question, z.prettifyError(parsed.error).slice(0, 300));
}

function garbled(question: string, why: string): InterlockError {
  return new InterlockError(
    'INTERLOCK_GARBLED',
    `what the interlock said to ${question} cannot be read: ${why}`,
    'report this with the log of the interlock',
  );
}

/** The lines of a streamed answer; `onData` is called whenever anything arrives. Throws what the stream throws. */
export async function* linesOf(answer: Answer, onData: () => void = () => undefined): AsyncGenerator<string> {
  const ready: string[] = [];
  const reader = lineReader(LINE_LIMIT, (line, cut) => {
    if (cut) throw garbled('a stream', `a line is longer than ${LINE_LIMIT} characters`);
    if (line !== '') ready.push(line);
  });
  answer.setEncoding('utf8');
  for await (const text of answer as AsyncIterable<string>) {
    onData();
    reader.feed(text);
    yield* ready.splice(0);
  }
}
