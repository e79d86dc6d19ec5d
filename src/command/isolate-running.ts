/**
 * What `portcullis isolate --all` asks of an interlock that runs: it owns the contacts, and a second program on the same wires finds
 * them claimed (GPIO lines are held by one process) or garbles both programs' frames. So it is asked first, to trip
 * everything: what is isolated by hand must not be connected again by the next lease.
 *
 * Whoever hangs is not waited for: without an answer within `ANSWER_TIMEOUT_MS` the contacts are driven directly. Another
 * build is asked all the same, without naming ours: an upgrade in place must not hinder a cut.
 */
import type { IncomingMessage } from 'node:http';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { setTimeout as after } from 'node:timers/promises';
import { z } from 'zod';
import type { IsolateResult } from '../interlock/last-resort/isolate-all.ts';
import { INTERLOCK_SOCKET, position } from '../protocol/messages.ts';

const { request: httpRequest } = process.getBuiltinModule('node:http');

/** A trip is answered once its latch is on disk; the cut comes before. ms */
const ANSWER_TIMEOUT_MS = 2_000;
/** How long isolation is waited for, ms. */
const PROOF_WAIT_MS = 5_000;
const LOOK_EVERY_MS = 100;
const MAX_ANSWER_BYTES = 4 * 1_024 * 1_024;

/** As much of a status as is needed, of whatever build. */
const seen = z.object({
  links: z.array(
    z.object({
      link: z.string(),
      indicators: z.array(
        z.object({
          name: z.string(),
          kind: z.string(),
          position,
          age_ms: z.number().nullable(),
          detail: z.string().default(''),
        }),
      ),
    }),
  ),
});

/** What came of asking. */
export type Asked =
  /** Nobody listens there. */
  | { readonly kind: 'nobody' }
  /** Somebody does, and did not do it, or did not say. */
  | { readonly kind: 'failed'; readonly why: string }
  /** It was tripped; how each contact reads, by link. */
  | {
      readonly kind: 'tripped';
      readonly latched: boolean;
      readonly contacts: ReadonlyMap<string, ReadonlyMap<string, IsolateResult>>;
    };

/** Trips everything through the interlock of this runtime directory. Never rejects. */
export async function tripRunning(runtimeDirectory: string): Promise<Asked> {
  const socketPath = join(runtimeDirectory, INTERLOCK_SOCKET);
  const body = JSON.stringify({ links: [], by: userInfo().username, reason: 'portcullis isolate --all' });
  const askedAt = performance.now();
  try {
    const { status } = await ask(socketPath, 'POST', '/v1/trip', body);
    // 503: cut, but the latch is not on disk.
    if (status !== 200 && status !== 503) return { kind: 'failed', why: `it answered ${status}` };
    return { kind: 'tripped', latched: status === 200, contacts: await untilIsolated(socketPath, askedAt) };
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ECONNREFUSED') return { kind: 'nobody' };
    return { kind: 'failed', why: message };
  }
}

/** How the contacts read once all read isolated, to questions asked since `since`, or when the time is over. */
async function untilIsolated(
  socketPath: string,
  since: number,
): Promise<Map<string, Map<string, IsolateResult>>> {
  const until = performance.now() + PROOF_WAIT_MS;
  for (;;) {
    // oxlint-disable-next-line no-await-in-loop -- polling
    const { text } = await ask(socketPath, 'GET', '/v1/status', null);
    const { links } = seen.parse(JSON.parse(text));
    const agesMs = performance.now() - since;
    const found = new Map(links.map(({ link, indicators }) => [link, contactsAmong(indicators, agesMs)]));
    const all = [...found.values()].flatMap((contacts) => [...contacts.values()]);
    if (all.every(({ isolated }) => isolated) || performance.now() > until) return found;
    // oxlint-disable-next-line no-await-in-loop
    await after(LOOK_EVERY_MS);
  }
}

/** A reading from before the cut says nothing of what came of it. */
const contactsAmong = (
  indicators: z.infer<typeof seen>['links'][number]['indicators'],
  youngerThanMs: number,
): Map<string, IsolateResult> =>
  new Map(
    indicators.flatMap(({ name, kind, position: at, age_ms: ageMs, detail }): [string, IsolateResult][] => {
      const isolated = at === 'isolated' && ageMs !== null && ageMs < youngerThanMs;
      return kind === 'contact' ? [[name, { contact: name, isolated, detail }]] : [];
    }),
  );

/** One exchange with the interlock, of whatever build, within `ANSWER_TIMEOUT_MS`. */
export function ask(
  socketPath: string,
  method: 'GET' | 'POST',
  path: string,
  body: string | null,
): Promise<{ status: number; text: string }> {
  const signal = AbortSignal.timeout(ANSWER_TIMEOUT_MS);
  const headers =
    body === null ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
  return new Promise((resolve, reject) => {
    const take = (answer: IncomingMessage): void => {
      let text = '';
      answer.setEncoding('utf8');
      answer.on('data', (piece: string) => {
        text += piece;
        if (text.length > MAX_ANSWER_BYTES) answer.destroy(new Error('its answer is too long'));
      });
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, text }));
      answer.on('error', reject);
    };
    const asked = httpRequest({ socketPath, agent: false, signal, method, path, headers }, take);
    asked.on('error', (error) =>
      reject(signal.aborted ? new Error(`it did not answer within ${ANSWER_TIMEOUT_MS} ms`) : error),
    );
    asked.end(body ?? undefined);
  });
}
