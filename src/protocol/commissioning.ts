/**
 * Commissioning over `presence.sock`: what is said in both directions, and the client's side of one session.
 *
 * `POST /v1/commissionings` answers 200 with a stream of `commissioningLine`, or 409 with `refused`. Closing the stream
 * isolates at once. `POST /v1/commissionings/:id/answers` answers a question; the session is renewed like a lease.
 */
import { z } from 'zod';
import { begin, type ClientOptions, exchange, linesOf, parseJson } from './exchange.ts';
import { interlockError, silent } from './interlock-error.ts';
import { renewed } from './messages.ts';

/** `POST /v1/commissionings` (presence socket only). */
export const commissioningRequest = z.strictObject({
  link: z.string(),
  by: z.string().min(1).max(100),
  /** User id of whoever asks, as he states it; null where there is none. */
  uid: z.int().min(0).nullable(),
  /** Nobody is there to lend a hand: for links whose boards are all played by the emulator. */
  unattended: z.boolean(),
});
export type CommissioningRequest = z.infer<typeof commissioningRequest>;

const answer = z.enum(['done', 'yes', 'no', 'skip']);
export type CommissioningAnswer = z.infer<typeof answer>;
/** `POST /v1/commissionings/:id/answers`. */
export const commissioningAnswer = z.strictObject({ question: z.int(), answer });

const spread = z.object({ min: z.number(), p50: z.number(), max: z.number(), count: z.number() }).nullable();
const times = z.object({ written: spread, acknowledged: spread, read_back: spread, witness: spread });
/** What was measured of one contact, as the summary shows it; the record holds more. */
export const contactFigures = z.object({
  name: z.string(),
  kind: z.enum(['fail-safe', 'holding']),
  isolates_alone: z.string(),
  connect: times,
  isolate: times,
  read_back: z.object({ compared: z.number(), contradicted: z.number() }),
  without_power: z.string(),
  hardware_lease: z
    .object({
      lease_ms: z.number(),
      ran_out_after_ms: z.number().nullable(),
      renewal: z.string(),
      isolate_cancels: z.string(),
    })
    .nullable(),
});
export type ContactFigures = z.infer<typeof contactFigures>;

const stepVerdict = z.enum(['passed', 'failed', 'not-tried']);

/** What is told while a commissioning goes on. The last line is `over`. */
export const commissioningLine = z.discriminatedUnion('event', [
  z.object({
    event: z.literal('begun'),
    commissioning: z.string(),
    link: z.string(),
    simulated: z.boolean(),
    ends_in_ms: z.number(),
    renew_every_ms: z.number(),
    steps: z.array(z.object({ step: z.string(), about: z.string().nullable(), what: z.string() })),
  }),
  z.object({ event: z.literal('alive') }),
  z.object({ event: z.literal('step'), step: z.string(), about: z.string().nullable(), what: z.string() }),
  z.object({ event: z.literal('cycle'), cycle: z.number(), of: z.number() }),
  z.object({
    event: z.literal('question'),
    question: z.number(),
    kind: z.string(),
    about: z.string(),
    text: z.string(),
    answers: z.array(answer),
    within_ms: z.number(),
  }),
  z.object({
    event: z.literal('result'),
    step: z.string(),
    about: z.string().nullable(),
    verdict: stepVerdict,
    not_tried: z.string().nullable(),
    code: z.string().nullable(),
    says: z.string(),
  }),
  z.object({
    event: z.literal('over'),
    /** `ended`: from outside, nothing is recorded. `not-kept`: the record could not be written. */
    verdict: z.enum(['passed', 'failed', 'ended', 'not-kept']),
    /** A board of the link is emulated: nothing in this line is proven of hardware. */
    simulated: z.boolean(),
    reasons: z.array(z.string()),
    /** What was measured; empty when it was ended from outside. */
    contacts: z.array(contactFigures),
    connected_ms: z.number().nullable(),
    /** Digest of the record, as the journal has it. */
    record: z.string().nullable(),
  }),
]);
export type CommissioningLine = z.infer<typeof commissioningLine>;

/** ms in which a session must be granted or refused: settings of boards are read before. */
const GRANT_TIMEOUT_MS = 20_000;
const ANSWER_TIMEOUT_MS = 5_000;
/** ms without a line after which the stream counts as stale; the interlock says `alive` every second. */
const STALE_AFTER_MS = 10_000;

/** A session as whoever stands at the box holds it. */
export interface HeldCommissioning {
  /** Its lines, `begun` first; throws `InterlockError` when the stream breaks before `over`. */
  readonly lines: AsyncIterable<CommissioningLine>;
  /** Answers a question. Rejects with `InterlockError` when it is not asked any more. */
  answer(question: number, answer: CommissioningAnswer): Promise<void>;
  /** Ends the session now; the interlock isolates everything. */
  close(): void;
}

/** Begins a commissioning and keeps it alive while its lines are read. Rejects with `InterlockError`. */
export async function holdCommissioning(
  options: ClientOptions,
  request: CommissioningRequest,
): Promise<HeldCommissioning> {
  const ending = new AbortController();
  const limit = setTimeout(() => ending.abort(silent(options.socketPath)), GRANT_TIMEOUT_MS);
  const call = { method: 'POST', path: '/v1/commissionings', body: request } as const;
  const stream = await begin(options, call, ending.signal).finally(() => clearTimeout(limit));
  let path: string | null = null;
  let renewal: NodeJS.Timeout | undefined;
  const keep = (id: string, everyMs: number): void => {
    path = `/v1/commissionings/${encodeURIComponent(id)}`;
    const renew = `/v1/leases/${encodeURIComponent(id)}/renewal`;
    // A renewal that fails is told by the stream, which ends.
    renewal = setInterval(() => {
      exchange(options, { method: 'POST', path: renew }, renewed, ANSWER_TIMEOUT_MS).catch(() => undefined);
    }, everyMs);
  };
  const lines = async function* (): AsyncGenerator<CommissioningLine> {
    const stale = setTimeout(() => ending.abort(silent(options.socketPath)), STALE_AFTER_MS);
    try {
      for await (const text of linesOf(stream, () => stale.refresh())) {
        const line = parseJson(text, commissioningLine, 'POST /v1/commissionings');
        if (line.event === 'begun') keep(line.commissioning, line.renew_every_ms);
        if (line.event !== 'alive') yield line;
        if (line.event === 'over') return;
      }
      throw new Error('the interlock ended the stream without a word');
    } catch (error) {
      throw interlockError(ending.signal.aborted ? ending.signal.reason : error, options.socketPath);
    } finally {
      clearTimeout(stale);
      clearInterval(renewal);
      stream.destroy();
    }
  };
  return {
    lines: lines(),
    async answer(question, given) {
      const body = { question, answer: given };
      await exchange(
        options,
        { method: 'POST', path: `${path ?? '/v1/commissionings/none'}/answers`, body },
        z.unknown(),
        ANSWER_TIMEOUT_MS,
      );
    },
    close: () => stream.destroy(),
  };
}
