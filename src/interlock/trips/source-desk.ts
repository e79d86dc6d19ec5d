/**
 * What becomes of a request to a source, however it came in: verified, judged, and then cut, drilled or written down.
 *
 * Order: verified, judged; a trip cuts in the same tick; then the latch is saved and journaled; then there is an answer.
 * It never parses what is not verified, never lets a refusal say more than the sender already knows, and never takes a
 * message for less because it came late or came before: a first cut is never blocked.
 */
import { hash } from 'node:crypto';
import { millis } from '../../core/time.ts';
import type { JsonObject } from '../../journal/entry.ts';
import type { DrillReport } from '../../protocol/messages.ts';
import { excerptOf, printable } from '../../sources/excerpt.ts';
import type { Message } from '../../sources/message.ts';
import { readMessage } from '../../sources/read.ts';
import type { SourceRequest } from '../../sources/request.ts';
import { signedTimeOf } from '../../sources/signed-time.ts';
import { heartbeatOf, type Verdict, verdictOf } from '../../sources/verdict.ts';
import { tierOf, type Verification, verify } from '../../sources/verify.ts';
import { cutMsOf, thousandths } from './cut-figures.ts';
import type { Interlock } from '../interlock.ts';
import type { LinkAtWork } from '../link-at-work.ts';
import type { Step } from '../link-shell.ts';
import type { RefusalTally } from './refusal-tally.ts';
import { isSecretIn, unverifiedAlarm } from './source-alarm.ts';
import { reachContacts } from './source-drill.ts';
import { TripRepeats } from './trip-repeats.ts';
import type { TripSource } from './trip-sources.ts';

/** What a sender is told. */
export interface Heard {
  /** HTTP status; 200 means: cut commanded, and the latch survives power loss. */
  readonly status: number;
  readonly answer: JsonObject;
}

type Verified = Extract<Verification, { ok: true }>;

const MS_PER_SECOND = 1_000;
/** A drill that comes this soon after the last one of its source is only counted, ms; one lasts no longer. */
const DRILL_REST_MS = 1_000;
/** Longest source name shown in the journal when there is no such source. */
const MAX_NAME_CHARS = 60;
/** Stands in the journal for whoever names no source that there is. */
export const UNKNOWN_SOURCE = 'unknown';
const NOT_VERIFIED: Heard = {
  status: 401,
  answer: { error: 'not verified', hint: 'compare secret and signature settings on both sides' },
};

/** Why a sign of life does not count. */
const UNCOUNTED = {
  'before-start': 'not a sign of life: signed before the interlock began',
  repeated: 'not a sign of life: signed no later than the last one',
} as const;

/** What tells one burst of refusals from another. */
export const burstOf = (source: string, status: number): readonly [string, string, { status: number }] => [
  'trip.refused',
  `source:${source}`,
  { status },
];

/** Hears what sources say. */
export class SourceDesk {
  readonly #interlock: Interlock;
  readonly #sources: Readonly<Record<string, TripSource>>;
  readonly #tally: RefusalTally;
  readonly #repeats = new TripRepeats();
  /** When the last drill of each source began, monotonic ms: boards answer one at a time. */
  readonly #drilledAt = new Map<string, number>();

  constructor(interlock: Interlock, sources: Readonly<Record<string, TripSource>>, tally: RefusalTally) {
    this.#interlock = interlock;
    this.#sources = sources;
    this.#tally = tally;
    for (const [source, { verify: rule, reading, heartbeat }] of Object.entries(sources)) {
      const format = reading === null ? null : (reading?.format ?? 'generic');
      interlock.heard.expect({ source, format, tier: tierOf(rule), heartbeat: heartbeat === true });
    }
  }

  /** A source of this name is configured. */
  knows(name: string): boolean {
    return Object.hasOwn(this.#sources, name);
  }

  /** Judges one request and does what it asks. `from`: the sender's address; `receivedAt`: monotonic ms. */
  async hear(name: string, request: SourceRequest, from: string, receivedAt: number): Promise<Heard> {
    const source = this.#source(name);
    if (source === undefined) return this.#refuseUnknown(name, request, from);
    const verified = this.#verify(source, request);
    if (!verified.ok) return this.#refuseUnverified(name, verified.why, request, from);
    const judged = this.#counted(name, source, request, judge(source, request.rawBody, verified), receivedAt);
    const decidedAt = this.#interlock.parts.clock.now();
    // Called after the cut: hashing and escaping a body takes time.
    const told = (): JsonObject => ({
      source: name,
      tier: verified.tier,
      verdict: judged.verdict,
      reason: judged.reason,
      ...(verified.note === undefined ? {} : { note: verified.note }),
      body: { ...excerptOf(request.rawBody) },
    });
    const answered = this.#perform(name, source, request.rawBody, judged, receivedAt, decidedAt, told);
    this.#remember(name, judged.verdict, verified.note);
    const { status, answer } = await answered;
    return { status, answer: verified.note === undefined ? answer : { ...answer, note: verified.note } };
  }

  /**
   * Takes a message the whole way without cutting; for people at the box. `unsigned`: only the sender could sign it, so it
   * is judged unverified; nothing but a drill comes of it.
   */
  async drill(
    name: string,
    request: SourceRequest,
    by: string,
    unsigned: boolean,
  ): Promise<DrillReport | null> {
    const { clock } = this.#interlock.parts;
    const receivedAt = clock.now();
    const source = this.#source(name);
    if (source === undefined) return null;
    const verified = this.#verify(source, request);
    const judged =
      verified.ok || unsigned ? judge(source, request.rawBody, verified.ok ? verified : null) : null;
    const decided_ms = thousandths(clock.now() - receivedAt);
    const cuts = judged?.verdict === 'trip' || judged?.verdict === 'drill';
    const report: DrillReport = {
      source: name,
      tier: verified.ok ? verified.tier : null,
      why_not: verified.ok ? null : unsigned ? 'only the sender can sign; not verified' : verified.why,
      note: (verified.ok ? verified.note : undefined) ?? null,
      verdict: judged?.verdict ?? null,
      reason: judged?.reason ?? 'not verified',
      decided_ms,
      links: cuts ? await reachContacts(clock, this.#linksOf(source), receivedAt) : [],
    };
    const data = { ...report, note: report.note, by: printable(by, MAX_NAME_CHARS) };
    this.#interlock.note({
      type: 'trip.drill',
      actor: `source:${name}`,
      data: { ...data, links: [...data.links] },
    });
    return report;
  }

  /** A sign of life that was given before, or heard before, is none. */
  #counted(
    name: string,
    source: TripSource,
    request: SourceRequest,
    judged: Verdict,
    receivedAt: number,
  ): Verdict {
    if (judged.verdict !== 'beat') return judged;
    const { clock } = this.#interlock.parts;
    const at = signedTimeOf(source.verify, request);
    const signed = at === null ? null : { at, ageMs: clock.calendarMs() - at * MS_PER_SECOND };
    const counted = this.#interlock.heartbeats.hear(name, { receivedAt: millis(receivedAt), signed });
    if (counted.counts) return judged;
    return { ...judged, verdict: 'refuse', about: 'unrecognised', reason: UNCOUNTED[counted.why] };
  }

  async #perform(
    name: string,
    source: TripSource,
    body: Uint8Array,
    judged: Verdict,
    receivedAt: number,
    decidedAt: number,
    told: () => JsonObject,
  ): Promise<Heard> {
    const actor = `source:${name}`;
    const { reason } = judged;
    switch (judged.verdict) {
      case 'trip':
        return this.#trip(name, source, body, judged, receivedAt, told);
      case 'drill': {
        const decided_ms = thousandths(decidedAt - receivedAt);
        const answer = { status: 'drill', cut: false, reason, decided_ms };
        if (receivedAt - (this.#drilledAt.get(name) ?? -Infinity) < DRILL_REST_MS) {
          this.#tally.refused('trip.drill-repeated', actor, {}, told);
          return { status: 200, answer: { ...answer, links: [] } };
        }
        this.#drilledAt.set(name, receivedAt);
        const links = await this.#reach(source, receivedAt);
        this.#interlock.note({ type: 'trip.drill', actor, data: { ...told(), decided_ms, links } });
        return { status: 200, answer: { ...answer, links } };
      }
      case 'annotate':
        this.#tally.refused('trip.annotated', actor, { about: judged.about }, told);
        return { status: 200, answer: { status: 'noted', cut: false, reason } };
      case 'beat':
        return { status: 200, answer: { status: 'beat', cut: false } };
      case 'refuse':
        this.#tally.refused(...burstOf(name, 422), told);
        return { status: 422, answer: { error: reason } };
    }
  }

  /** Everything up to the first `await` happens in the tick of the request. */
  async #trip(
    name: string,
    source: TripSource,
    body: Uint8Array,
    { reason, key }: Verdict,
    receivedAt: number,
    told: () => JsonObject,
  ): Promise<Heard> {
    const actor = `source:${name}`;
    const links = this.#linksOf(source);
    const event = (): string => key ?? hash('sha256', body);
    const shells = links.map(({ shell }) => shell);
    if (this.#repeats.isRepeat(name, shells, event)) {
      // They are held isolated and latched; one more frame does no harm, and whoever asks for a cut gets one.
      this.#interlock.parts.cut(shells.flatMap(({ contacts }) => contacts));
      this.#tally.refused('trip.repeated', actor, {}, told);
      const held = links.map((link) => ({ link: link.name, written_ms: null }));
      return { status: 200, answer: { status: 'tripped', cut: true, repeated: true, links: held } };
    }
    const named = source.trips === 'all' ? [] : source.trips;
    const tripping = this.#interlock.trip(named, { by: actor, reason }, millis(receivedAt));
    this.#repeats.tripped(name, event());
    this.#interlock.note({ type: 'trip.received', actor, data: told() });
    return tripAnswer(await tripping, receivedAt);
  }

  async #reach(source: TripSource, receivedAt: number): Promise<JsonObject[]> {
    const reached = await reachContacts(this.#interlock.parts.clock, this.#linksOf(source), receivedAt);
    return reached.map(({ link, contacts }) => ({ link, contacts: contacts.map((each) => ({ ...each })) }));
  }

  #source(name: string): TripSource | undefined {
    return this.knows(name) ? this.#sources[name] : undefined;
  }

  #linksOf({ trips }: TripSource): readonly LinkAtWork[] {
    const links = [...this.#interlock.links.values()];
    return trips === 'all' ? links : links.filter((link) => trips.includes(link.name));
  }

  #verify(source: TripSource, request: SourceRequest): Verification {
    const nowSeconds = Math.floor(this.#interlock.parts.clock.calendarMs() / MS_PER_SECOND);
    return verify(source.verify, source.secrets, request, nowSeconds);
  }

  #remember(source: string, verdict: Verdict['verdict'] | 'unverified', note: Verified['note']): void {
    const calendarMs = this.#interlock.parts.clock.calendarMs();
    this.#interlock.heard.heard(source, { calendarMs, verdict, note: note ?? null });
  }

  #refuseUnknown(name: string, request: SourceRequest, from: string): Heard {
    this.#tally.refused(...burstOf(UNKNOWN_SOURCE, 401), () => ({
      why: 'there is no such source',
      name: isSecretIn(this.#sources, name)
        ? '(a secret of another source)'
        : printable(name, MAX_NAME_CHARS),
      from,
      body: { ...excerptOf(request.rawBody) },
    }));
    return NOT_VERIFIED;
  }

  #refuseUnverified(name: string, why: string, request: SourceRequest, from: string): Heard {
    this.#remember(name, 'unverified', undefined);
    this.#tally.refused(...burstOf(name, 401), () => {
      const source = this.#source(name);
      for (const { name: link } of source === undefined ? [] : this.#linksOf(source))
        this.#interlock.announcer.announce(unverifiedAlarm(link, name, why));
      return { why, from, body: { ...excerptOf(request.rawBody) } };
    });
    return NOT_VERIFIED;
  }
}

/** What a verified message of this source does; `null`: a drill that could not be verified. */
function judge(source: TripSource, body: Uint8Array, verified: Verified | null): Verdict {
  const reading = source.reading === undefined ? { format: 'generic' as const } : source.reading;
  const note = verified?.note;
  if (source.heartbeat === true || reading === null)
    return heartbeatOf(reading === null ? null : readMessage(reading, body), note);
  const trips = (message: Message): boolean => verdictOf(source, message).verdict === 'trip';
  return verdictOf(source, readMessage(reading, body, trips), note);
}

/** 200 only when every latch survives power loss; the cut itself was commanded either way. */
export function tripAnswer(steps: readonly Step[], receivedAt: number): Heard {
  const links = steps.map(({ link, cut }) => ({
    link,
    written_ms: cut === null ? null : cutMsOf(cut, millis(receivedAt)),
  }));
  if (steps.every((step) => step.latchSaved))
    return { status: 200, answer: { status: 'tripped', cut: true, links } };
  const hint =
    'the links were cut; send it again until it is answered 200, and look at the disk of state_directory';
  return { status: 503, answer: { error: 'cut, but the latch could not be saved', cut: true, hint, links } };
}
