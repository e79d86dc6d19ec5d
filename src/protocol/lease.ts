/** A lease as its holder sees it: it renews itself, and says at once when it is no more. */
import { z } from 'zod';
import { begin, exchange, linesOf, parseJson } from './exchange.ts';
import type { Answer, Call, ClientOptions } from './exchange.ts';
import { InterlockError, interlockError, silent } from './interlock-error.ts';
import { leaseLine, renewed } from './messages.ts';
import type { LeaseLine, LeaseRequest } from './messages.ts';
import { limitOf, machineTime } from './time.ts';
import type { Time } from './time.ts';

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
  /** Monotonic ms of its holder at which it was granted. */
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
  const { time = machineTime, socketPath } = options;
  const stop = new AbortController();
  const limit = limitOf(time, GRANT_TIMEOUT_MS, () => silent(socketPath));
  limit.signal.addEventListener('abort', () => stop.abort(limit.signal.reason), { once: true });
  try {
    const answer = await begin(options, { method: 'POST', path: '/v1/leases', body: request }, stop.signal);
    const lines = linesOf(answer);
    const first = await lines.next();
    const line = first.done === true ? null : parseJson(first.value, leaseLine, 'POST /v1/leases');
    if (line?.event === 'granted') {
      const lease = new HeldLease(options, answer, line);
      lease.keep(lines);
      return lease;
    }
    answer.destroy();
    const why = line?.event === 'over' ? line.why : 'the stream ended before a lease was granted';
    throw new InterlockError(
      'INTERLOCK_CLOSED',
      `no lease: ${why}`,
      'look at `portcullis status` for what refuses a lease',
    );
  } catch (error) {
    const fault = interlockError(stop.signal.aborted ? stop.signal.reason : error, socketPath);
    stop.abort();
    throw fault;
  } finally {
    limit.clear();
  }
}

type Granted = Extract<LeaseLine, { event: 'granted' }>;

/** The lease as kept here. */
class HeldLease implements Lease {
  readonly id: string;
  readonly renewEveryMs: number;
  readonly grantedAtMs: number;
  readonly #time: Time;
  readonly #options: ClientOptions;
  readonly #answer: Answer;
  readonly #path: string;
  readonly #connected = Promise.withResolvers<void>();
  readonly #lost = Promise.withResolvers<LeaseEnd>();
  readonly connected = this.#connected.promise;
  readonly lost = this.#lost.promise;
  #endsAtMs: number;
  #isOver = false;
  #isReleasing = false;
  #cancelRenewal: () => void = () => undefined;

  constructor(options: ClientOptions, answer: Answer, granted: Granted) {
    this.id = granted.lease;
    this.renewEveryMs = granted.renew_every_ms;
    this.#options = options;
    this.#time = options.time ?? machineTime;
    this.grantedAtMs = this.#time.now();
    this.#answer = answer;
    this.#path = `/v1/leases/${encodeURIComponent(granted.lease)}`;
    this.#endsAtMs = this.grantedAtMs + granted.ends_in_ms;
  }

  endsInMs(): number {
    return Math.max(0, this.#endsAtMs - this.#time.now());
  }

  async release(): Promise<void> {
    if (this.#isOver || this.#isReleasing) return;
    this.#isReleasing = true;
    this.#cancelRenewal();
    try {
      await exchange(this.#options, { method: 'DELETE', path: this.#path }, z.unknown(), RELEASE_TIMEOUT_MS);
      this.#end('released', 'released by its holder');
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      this.#end(
        'released',
        `released by closing the stream, for the interlock did not take it otherwise: ${why}`,
      );
    }
  }

  /** Renews until it is over. Call once. */
  keep(lines: AsyncIterable<string>): void {
    void this.#listen(lines);
    this.#cancelRenewal = this.#time.after(this.renewEveryMs, () => void this.#renew());
  }

  /*
   * Renewals come from the same event loop that does the work, on purpose, and not from a thread or a child of their
   * own: a loop that is blocked cannot kill restic either, so it must not keep the vault connected. It stops renewing,
   * and the interlock isolates.
   */
  async #renew(): Promise<void> {
    const askedAtMs = this.#time.now();
    const call: Call = { method: 'POST', path: `${this.#path}/renewal` };
    try {
      const answered = await exchange(this.#options, call, renewed, RENEWAL_TIMEOUT_MS);
      // Counted from the question, not the answer: on this side the end may only come too early.
      this.#endsAtMs = askedAtMs + answered.ends_in_ms;
    } catch (error) {
      if (this.#isReleasing) return; // a renewal that crossed our own release on the wire is no loss
      this.#end(...lossOf(error));
    }
    if (this.#isOver || this.#isReleasing) return;
    const waitMs = Math.max(0, askedAtMs + this.renewEveryMs - this.#time.now());
    this.#cancelRenewal = this.#time.after(waitMs, () => void this.#renew());
  }

  async #listen(lines: AsyncIterable<string>): Promise<void> {
    // Asked when it happens: a stream that ends while we give the lease back was given back.
    const broken = (): string => (this.#isReleasing ? 'released' : 'stream-closed');
    try {
      for await (const text of lines) {
        const line = parseJson(text, leaseLine, 'POST /v1/leases');
        if (line.event === 'connected') this.#connected.resolve();
        if (line.event === 'over') this.#end(line.why, `the interlock ended the lease: ${line.why}`);
      }
      this.#end(broken(), 'the interlock ended the stream of the lease without a word');
    } catch (error) {
      this.#end(broken(), error instanceof Error ? error.message : String(error));
    }
  }

  #end(code: string, why: string): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#cancelRenewal();
    this.#lost.resolve({ code, why });
    this.#answer.destroy();
  }
}

function lossOf(error: unknown): [code: string, why: string] {
  const fault = error as InterlockError;
  const [first] = fault.refusals ?? [];
  return first === undefined ? ['renewal-failed', fault.message] : [first.code, first.why];
}
