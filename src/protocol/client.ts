/** The interlock as seen from outside: status, events, leases, journal, trip, reset. Every wait is bounded. */
import { z } from 'zod';
import { begin, exchange, linesOf, parseJson } from './exchange.ts';
import type { Call, ClientOptions } from './exchange.ts';
import { InterlockError, interlockError, silent } from './interlock-error.ts';
import { holdLease } from './lease.ts';
import { machineTime } from './time.ts';
import type { Lease } from './lease.ts';
import { opened, sessionBegun } from './authority.ts';
import type { resetRequest, runRequest, SessionBegun, sessionRequest } from './authority.ts';
import { journaled, journalPage, signedHead } from './journal.ts';
import type { JournalPage, JournalRequest } from './journal.ts';
import { lampsTested, type lampTestRequest } from './lamps.ts';
import { drillReport, eventLine, status, tripDone } from './messages.ts';
import type {
  DrillReport,
  drillRequest,
  EventLine,
  LeaseRequest,
  Status,
  TripDone,
  tripRequest,
} from './messages.ts';

/** ms in which the interlock must have answered an ordinary question. */
const ANSWER_TIMEOUT_MS = 5_000;
/** ms for an answer that the interlock gives only after a write survived power loss, on slow storage. */
const DURABLE_TIMEOUT_MS = 15_000;
/** ms without a line after which the event stream counts as stale; the interlock says `alive` every second. */
export const STALE_AFTER_MS = 3_000;

/** What a program may ask of the interlock. All methods reject with `InterlockError` only. */
export interface InterlockClient {
  status(): Promise<Status>;
  /** The event stream from `hello` on. Throws when it is stale, closed or garbled; ends when `stop` aborts. Take lines promptly. */
  events(stop: AbortSignal): AsyncIterable<EventLine>;
  /** Asks for a lease; the granted lease renews itself until it is released or lost. */
  askLease(request: LeaseRequest): Promise<Lease>;
  /** Writes a controller's entry; returns its sequence number. */
  journal(type: JournalRequest['type'], data: JournalRequest['data']): Promise<number>;
  /** Entries behind `after`, at most `limit` (`MOST_ENTRIES`). */
  entries(after: number, limit: number): Promise<JournalPage>;
  /** The signed head of the journal, to be kept elsewhere. */
  head(): Promise<string>;
  /** Isolates and latches; no links means all. */
  trip(request: z.input<typeof tripRequest>): Promise<TripDone>;
  /** Sends a message to a source all the way, up to the contacts, without cutting. */
  drill(source: string, request: z.input<typeof drillRequest>): Promise<DrillReport>;
  /** Lights every lamp for a moment. */
  testLamps(request: z.input<typeof lampTestRequest>): Promise<z.infer<typeof lampsTested>>;
  /** Lifts a latch: over the presence socket, after a hold of the button, or with the codes of two people. */
  reset(request: z.input<typeof resetRequest>): Promise<void>;
  /** Begins a window by hand, by the same right, as far as the window allows. */
  runWindow(window: string, request: z.input<typeof runRequest>): Promise<z.infer<typeof opened>>;
  /** Permits a lease outside of windows, by the same right; `askLease({ link, session })` takes it. */
  beginSession(request: z.input<typeof sessionRequest>): Promise<SessionBegun>;
  /** Ends a session and isolates; one that is over already is no error. */
  endSession(session: string): Promise<void>;
}

/** Talks to the interlock behind `options.socketPath`; connects only when a method is called. */
export function interlockClient(options: ClientOptions): InterlockClient {
  const post = <T>(path: string, body: unknown, shape: z.ZodType<T>): Promise<T> =>
    exchange(options, { method: 'POST', path, body }, shape, DURABLE_TIMEOUT_MS);
  return {
    status: () => exchange(options, { method: 'GET', path: '/v1/status' }, status, ANSWER_TIMEOUT_MS),
    events: (stop) => eventsOf(options, stop),
    askLease: (request) => holdLease(options, request),
    head: async () =>
      (await exchange(options, { method: 'GET', path: '/v1/head' }, signedHead, ANSWER_TIMEOUT_MS)).head,
    journal: async (type, data) => (await post('/v1/journal', { type, data }, journaled)).seq,
    trip: (request) => post('/v1/trip', request, tripDone),
    drill: (source, request) => post(`/v1/sources/${encodeURIComponent(source)}/drill`, request, drillReport),
    testLamps: (request) => post('/v1/lamps/test', request, lampsTested),
    reset: async (request) => void (await post('/v1/reset', request, z.unknown())),
    runWindow: (window, request) => post(`/v1/windows/${encodeURIComponent(window)}/run`, request, opened),
    beginSession: (request) => post('/v1/sessions', request, sessionBegun),
    endSession: async (session) => {
      const path = `/v1/sessions/${encodeURIComponent(session)}`;
      await exchange(options, { method: 'DELETE', path }, z.unknown(), DURABLE_TIMEOUT_MS);
    },
    entries: (after, limit) =>
      exchange(
        options,
        { method: 'GET', path: `/v1/journal?after=${after}&limit=${limit}` },
        journalPage,
        ANSWER_TIMEOUT_MS,
      ),
  };
}

async function* eventsOf(options: ClientOptions, stop: AbortSignal): AsyncGenerator<EventLine> {
  const call: Call = { method: 'GET', path: '/v1/events' };
  const { time = machineTime, socketPath } = options;
  const stale = new AbortController();
  const watched = (): (() => void) => time.after(STALE_AFTER_MS, () => stale.abort(silent(socketPath)));
  let unwatch = watched();
  const heard = (): void => {
    unwatch();
    unwatch = watched();
  };
  try {
    const answer = await begin(options, call, AbortSignal.any([stop, stale.signal]));
    try {
      for await (const line of linesOf(answer, heard)) yield parseJson(line, eventLine, 'GET /v1/events');
    } finally {
      answer.destroy();
    }
    throw new InterlockError(
      'INTERLOCK_CLOSED',
      'the interlock ended the event stream',
      'it stopped or was restarted: wait for it, or look into its log',
    );
  } catch (error) {
    if (stop.aborted) return;
    throw interlockError(stale.signal.aborted ? stale.signal.reason : error, socketPath);
  } finally {
    unwatch();
  }
}
