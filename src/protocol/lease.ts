/** A lease as its holder sees it: it renews itself, and says at once when it is no more. */
import type { IncomingMessage } from 'node:http';
import { z } from 'zod';
import { begin, exchange, linesOf, parseJson } from './exchange.ts';
import type { ClientOptions } from './exchange.ts';
import { InterlockError, interlockError, silent } from './interlock-error.ts';
import { leaseLine, renewed } from './messages.ts';
import type { LeaseLine, LeaseRequest } from './messages.ts';

/** ms in which a lease must be granted or refused. */
const GRANT_TIMEOUT_MS = 10_000;
/** ms in which a renewal must be answered; as long as the interlock waits for one, so neither side outwaits the other. */
const RENEWAL_TIMEOUT_MS = 3_000;
const RELEASE_TIMEOUT_MS = 5_000;

/** Why a lease ended: a code (`released`, `tripped`, `window-ended`, `stream-closed`, `renewal-failed`, …) and a sentence. */
export interface LeaseEnd {
  readonly code: string;
  readonly why: string;
}

/** A granted lease. Its promises never reject. */
export interface Lease {
  readonly id: string;
  readonly renewEveryMs: number;
  /** Monotonic ms (`performance.now()`) at which it was granted. */
  readonly grantedAtMs: number;
  /** ms from now to the absolute end, as the interlock last said; never negative. */
  endsInMs(): number;
  /** Evidence says connected; stays pending for ever when that never happens. */
  readonly connected: Promise<void>;
  /** Settles when the lease is over for whatever reason. After this nothing may touch the vault. */
  readonly lost: Promise<LeaseEnd>;
  /** Gives the lease back; safe to call twice, and when lost. Never rejects: closing the stream releases too. */
  release(): Promise<void>;
}

/** Asks for a lease and keeps it alive. Rejects with `InterlockError` when it is refused or nobody answers. */
export async function holdLease(options: ClientOptions, request: LeaseRequest): Promise<Lease> {
  const stop = new AbortController();
  const limit = setTimeout(() => stop.abort(silent(options.socketPath)), GRANT_TIMEOUT_MS);
  try {
    const answer = await begin(options, { method: 'POST', path: '/v1/leases', body: request }, stop.signal);
    const lines = linesOf(answer);
    const first = await lines.next();
    const line = first.done === true ? null : parseJson(first.value, leaseLine, 'POST /v1/leases');
    if (line?.event === 'granted') return keepLease(options, answer, lines, line);
    answer.destroy();
    const why = line?.event === 'over' ? line.why : 'the stream ended before a lease was granted';
    throw new InterlockError(
      'INTERLOCK_CLOSED',
      `no lease: ${why}`,
      'look at `portcullis status` for what refuses a lease',
    );
  } catch (error) {
    const fault = interlockError(stop.signal.aborted ? stop.signal.reason : error, options.socketPath);
    stop.abort();
    throw fault;
  } finally {
    clearTimeout(limit);
  }
}

type Granted = Extract<LeaseLine, { event: 'granted' }>;

function keepLease(
  options: ClientOptions,
  answer: IncomingMessage,
  lines: AsyncGenerator<string>,
  granted: Granted,
): Lease {
  const grantedAtMs = performance.now();
  const connected = Promise.withResolvers<void>();
  const lost = Promise.withResolvers<LeaseEnd>();
  const path = `/v1/leases/${encodeURIComponent(granted.lease)}`;
  let endsAtMs = grantedAtMs + granted.ends_in_ms;
  let isOver = false;
  let isReleasing = false;
  let timer: NodeJS.Timeout | undefined;

  const end = (code: string, why: string): void => {
    if (isOver) return;
    isOver = true;
    clearTimeout(timer);
    lost.resolve({ code, why });
    answer.destroy();
  };

  /*
   * Renewals come from the same event loop that does the work, on purpose, and not from a thread or a child of their
   * own: a loop that is blocked cannot kill restic either, so it must not keep the vault connected. It stops renewing,
   * and the interlock isolates.
   */
  const renew = async (): Promise<void> => {
    const askedAtMs = performance.now();
    try {
      const answered = await exchange(
        options,
        { method: 'POST', path: `${path}/renewal` },
        renewed,
        RENEWAL_TIMEOUT_MS,
      );
      // Counted from the question, not the answer: on this side the end may only come too early.
      endsAtMs = askedAtMs + answered.ends_in_ms;
    } catch (error) {
      if (isReleasing) return; // a renewal that crossed our own release on the wire is no loss
      end(...lossOf(error));
    }
    if (!isOver && !isReleasing)
      timer = setTimeout(
        () => void renew(),
        Math.max(0, askedAtMs + granted.renew_every_ms - performance.now()),
      );
  };

  const listen = async (): Promise<void> => {
    try {
      for await (const text of lines) {
        const line = parseJson(text, leaseLine, 'POST /v1/leases');
        if (line.event === 'connected') connected.resolve();
        if (line.event === 'over') end(line.why, `the interlock ended the lease: ${line.why}`);
      }
      end(
        isReleasing ? 'released' : 'stream-closed',
        'the interlock ended the stream of the lease without a word',
      );
    } catch (error) {
      end('stream-closed', error instanceof Error ? error.message : String(error));
    }
  };

  void listen();
  timer = setTimeout(() => void renew(), granted.renew_every_ms);
  return {
    id: granted.lease,
    renewEveryMs: granted.renew_every_ms,
    grantedAtMs,
    endsInMs: () => Math.max(0, endsAtMs - performance.now()),
    connected: connected.promise,
    lost: lost.promise,
    async release() {
      if (isOver || isReleasing) return;
      isReleasing = true;
      clearTimeout(timer);
      try {
        await exchange(options, { method: 'DELETE', path }, z.unknown(), RELEASE_TIMEOUT_MS);
      } catch (error) {
        end(
          'released',
          `released by closing the stream, for the interlock did not take it otherwise: ${String(error).slice(0, 200)}`,
        );
      }
      end('released', 'released by its holder');
    },
  };
}

function lossOf(error: unknown): [code: string, why: string] {
  const fault = error as InterlockError;
  const [first] = fault.refusals ?? [];
  return first === undefined ? ['renewal-failed', fault.message] : [first.code, first.why];
}
