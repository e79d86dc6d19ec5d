/**
 * What is news: turns the interlock's events, its state and window reports into notices, each thing once. Pure but for
 * what it remembers; time is given to it.
 *
 * What was told is remembered over restarts, so a trip or a stuck link that began while this program was away is told when
 * it is back, and one that was told before is not. A trip is told when its isolation is proven, or after a short wait
 * without proof: one message that says how it ended is worth more than two.
 */
import { z } from 'zod';
import type { EventLine, LinkStatus, TripRecord } from '../../protocol/messages.ts';
import type { WindowReport } from '../report.ts';
import { anomaliesFound } from './anomaly-texts.ts';
import type { Draft } from './notice.ts';
import * as texts from './texts.ts';
import { tripped, trippedAndReset } from './trip-texts.ts';

/** ms that the news of a trip waits for the proof of its isolation. */
const PROOF_WAIT_MS = 3_000;
/** ms for which isolation may be unproven without an alarm of the interlock before it is news: it starts that way. */
const UNPROVEN_GRACE_MS = 30_000;
/** ms until it is told again that isolation is unproven; the last one for ever. */
export const REPEAT_AFTER_MS = [60_000, 120_000, 300_000, 600_000, 1_800_000] as const;
/** ms in which the same alarm of the same link is counted rather than told again. */
const ALARM_QUIET_MS = 600_000;
/** Share of the exposure budget that is nearly all of it. */
const NEARLY = 0.8;
/** Different alarms and windows that are remembered; more come from no interlock in its right mind. */
const MOST_REMEMBERED = 500;

const tripTold = z.strictObject({ by: z.string(), reason: z.string(), at: z.string() }).nullable();
const linkTold = z.strictObject({
  /** The latch that was told last, while it stands. */
  latch: tripTold,
  /** The trip that was told last, also after its reset. */
  trip: tripTold.default(null),
  /** How often it was told that isolation is unproven, since it is. */
  unproven: z.number(),
  /** It was said that the link is stuck. */
  stuck: z.boolean(),
  budget: z.enum(['within', 'nearly', 'spent']),
  overdue: z.boolean(),
  /** Heartbeats that were told to be silent. */
  silent: z.array(z.string()).default([]),
});
/** What was told of every link, as it is kept over restarts. */
export const told = z.record(z.string(), linkTold);
export type Told = z.output<typeof told>;
type LinkTold = z.output<typeof linkTold>;

/** What is known of a link beside what was told; monotonic ms. */
interface Watch {
  link: LinkStatus | null;
  trip: { readonly record: TripRecord; readonly cutMs: number | null; readonly heardMs: number } | null;
  unprovenMs: number | null;
  againMs: number | null;
}

const UNPROVEN = { observed: 'unknown', proof: 'none', last_trip: null } as const;
const SAME_TRIP_MS = 60_000;
const NOTHING_TOLD: LinkTold = {
  latch: null,
  trip: null,
  unproven: 0,
  stuck: false,
  budget: 'within',
  overdue: false,
  silent: [],
};

/** What was told, what is being watched, and what is news about it. Times are monotonic ms. */
export class News {
  readonly #told: Map<string, LinkTold>;
  readonly #watch = new Map<string, Watch>();
  readonly #alarms = new Map<string, { readonly line: AlarmLine; toldMs: number; more: number }>();
  readonly #started = new Set<string>();

  constructor(before: Told) {
    this.#told = new Map(Object.entries(before));
  }

  /** What has to survive a restart. */
  get told(): Told {
    return Object.fromEntries(this.#told);
  }

  /** An event of the interlock. */
  hear(event: EventLine, nowMs: number): readonly Draft[] {
    switch (event.event) {
      case 'hello':
        return event.status.links.flatMap((link) => this.look(link, nowMs));
      case 'link':
        return this.look(event.link, nowMs);
      case 'tripped': {
        this.#tripHeard(event.link, event.trip, event.cut_ms, nowMs);
        return this.#due(event.link, nowMs);
      }
      case 'alarm':
        return this.#alarm(event, nowMs);
      case 'window-opened':
        return this.#opened(event);
      case 'window-closed':
      case 'session-began':
      case 'session-ended':
      case 'alive':
        return [];
    }
  }

  /** How a link stands. Asked for at times, too, for budget and time pass without an event. */
  look(link: LinkStatus, nowMs: number): readonly Draft[] {
    const watch = this.#watchOf(link.link);
    watch.link = link;
    const drafts: Draft[] = [];
    const before = this.#toldOf(link.link);
    if (link.latch === null) {
      watch.trip = null;
      if (before.latch !== null) {
        drafts.push(texts.reset(link));
        this.#tell(link.link, { latch: null });
      } else if (link.last_trip !== null && !isSame(before.trip, link.last_trip)) {
        // It came and went while nobody listened here, or faster than its proof was told.
        const { by, reason, at, cut_ms: cutMs, proven_ms: provenMs } = link.last_trip;
        drafts.push(trippedAndReset(link, { by, reason, at, cutMs, provenMs }));
        this.#tell(link.link, { trip: { by, reason, at } });
      }
    } else this.#tripHeard(link.link, link.latch, link.last_trip?.cut_ms ?? null, nowMs);
    // Whoever commissions it is at the box and drives its contacts.
    const driven = link.state === 'commissioning';
    const mayBeConnected = driven || link.commanded === 'connected' || link.lease !== null;
    if (texts.isProven(link) || (link.state !== 'stuck' && mayBeConnected)) {
      if (before.unproven > 0 && texts.isProven(link))
        drafts.push(texts.provenAgain(link, nowMs - (watch.unprovenMs ?? nowMs)));
      if (before.unproven > 0 || before.stuck) this.#tell(link.link, { unproven: 0, stuck: false });
      watch.unprovenMs = null;
      watch.againMs = null;
    } else {
      watch.unprovenMs ??= nowMs;
      watch.againMs ??= nowMs + (before.unproven > 0 ? againAfter(before.unproven) : UNPROVEN_GRACE_MS);
    }
    const silent = this.#silent(link, nowMs);
    return [
      ...drafts,
      ...this.#due(link.link, nowMs),
      ...this.#budget(link),
      ...this.#overdue(link),
      ...silent,
    ];
  }

  /** Time has passed. */
  tick(nowMs: number): readonly Draft[] {
    const counted = [...this.#alarms].flatMap(([key, alarm]) => {
      if (nowMs - alarm.toldMs < ALARM_QUIET_MS) return [];
      this.#alarms.delete(key);
      return alarm.more === 0 ? [] : [texts.alarm(alarm.line, alarm.more)];
    });
    return [...counted, ...[...this.#watch.keys()].flatMap((link) => this.#due(link, nowMs))];
  }

  /** A window is over. */
  ended(report: WindowReport): readonly Draft[] {
    return [texts.windowEnded(report), ...anomaliesFound(report)];
  }

  /** What is due about a link: the news of a trip, that it is stuck, that isolation is unproven (again). */
  #due(name: string, nowMs: number): readonly Draft[] {
    const watch = this.#watchOf(name);
    const { link, trip } = watch;
    if (link === null) return [];
    const drafts: Draft[] = [];
    const latched = link.state === 'tripped' || link.state === 'stuck';
    // The proof of what came before a trip is none of its own, and the figures of the cut are worth the wait.
    const proven = latched && texts.isProven(link) && (link.last_trip?.proven_ms ?? null) !== null;
    if (trip !== null && (proven || nowMs - trip.heardMs >= PROOF_WAIT_MS)) {
      // A status from before the trip proves nothing about it.
      const shown: LinkStatus = latched ? link : { ...link, ...UNPROVEN };
      const provenMs = shown.last_trip?.proven_ms ?? null;
      drafts.push(tripped(shown, { ...trip.record, cutMs: trip.cutMs, provenMs }));
      const { by, reason, at } = trip.record;
      this.#tell(name, { latch: { by, reason, at }, trip: { by, reason, at } });
      watch.trip = null;
    }
    const before = this.#toldOf(name);
    const stuckIsNews = link.state === 'stuck' && !before.stuck && !texts.isProven(link);
    if (stuckIsNews || (watch.againMs !== null && nowMs >= watch.againMs)) {
      const count = before.unproven + 1;
      drafts.push(
        texts.unproven(link, count, nowMs - (watch.unprovenMs ?? nowMs), count === 1 || stuckIsNews),
      );
      watch.againMs = nowMs + againAfter(count);
      this.#tell(name, { unproven: count, stuck: link.state === 'stuck' });
    }
    return drafts;
  }

  #tripHeard(name: string, record: TripRecord, cutMs: number | null, nowMs: number): void {
    const watch = this.#watchOf(name);
    if (watch.trip !== null) {
      watch.trip = { ...watch.trip, cutMs: watch.trip.cutMs ?? cutMs };
      return;
    }
    if (isSame(this.#toldOf(name).latch, record)) return;
    watch.trip = { record, cutMs, heardMs: nowMs };
  }

  #alarm(line: AlarmLine, nowMs: number): readonly Draft[] {
    if (line.code === 'isolation-unproven' || line.code === 'proof-lost' || line.code === 'stuck') {
      const watch = this.#watchOf(line.link);
      watch.unprovenMs ??= nowMs;
      // Told at once; what it reads, and whether it is stuck, is in the state of the link.
      if (this.#toldOf(line.link).unproven === 0) watch.againMs = nowMs;
      return watch.link === null || texts.isProven(watch.link) ? [] : this.#due(line.link, nowMs);
    }
    // It is in the state of the link, also when nobody listened here while it was lost.
    if (line.code === texts.HEARTBEAT_LOST) return [];
    return this.#alarmed(line, nowMs);
  }

  /** An alarm is told, or counted when it was told lately. */
  #alarmed(line: AlarmLine, nowMs: number): readonly Draft[] {
    // The way out names what it is about, and no times.
    const key = JSON.stringify([line.link, line.code, line.hint]);
    const known = this.#alarms.get(key);
    if (known !== undefined) {
      known.more += 1;
      return [];
    }
    if (this.#alarms.size < MOST_REMEMBERED) this.#alarms.set(key, { line, toldMs: nowMs, more: 0 });
    return [texts.alarm(line, 0)];
  }

  #opened({ window, link, occurrence }: Extract<EventLine, { event: 'window-opened' }>): readonly Draft[] {
    const key = JSON.stringify([window, occurrence]);
    if (this.#started.has(key)) return [];
    if (this.#started.size >= MOST_REMEMBERED) this.#started.clear();
    this.#started.add(key);
    return [texts.windowStarted(window, link, occurrence)];
  }

  #budget(link: LinkStatus): readonly Draft[] {
    const { last_24h_ms, budget_ms } = link.exposure;
    const level =
      last_24h_ms >= budget_ms ? 'spent' : last_24h_ms >= NEARLY * budget_ms ? 'nearly' : 'within';
    const before = this.#toldOf(link.link).budget;
    if (level === before) return [];
    this.#tell(link.link, { budget: level });
    // On the way down from spent it is no news that it is still nearly so.
    return level === 'within' || before === 'spent' ? [] : [texts.budget(link, level)];
  }

  #overdue(link: LinkStatus): readonly Draft[] {
    const found = link.refusals.find(({ code }) => code === 'proof-overdue');
    const before = this.#toldOf(link.link).overdue;
    if (before === (found !== undefined)) return [];
    this.#tell(link.link, { overdue: found !== undefined });
    return found === undefined ? [] : [texts.proofOverdue(link, found.why, found.hint)];
  }

  #silent(link: LinkStatus, nowMs: number): readonly Draft[] {
    const lost = link.heartbeats.filter(({ state }) => state === 'stale');
    const before = this.#toldOf(link.link).silent;
    const silent = lost.map(({ heartbeat }) => heartbeat);
    if (silent.join(' ') === before.join(' ')) return [];
    this.#tell(link.link, { silent });
    return lost
      .filter(({ heartbeat }) => !before.includes(heartbeat))
      .flatMap((each) => this.#alarmed(texts.heartbeatLost(link.link, each), nowMs));
  }

  #watchOf(name: string): Watch {
    const known = this.#watch.get(name);
    if (known !== undefined) return known;
    const fresh: Watch = { link: null, trip: null, unprovenMs: null, againMs: null };
    this.#watch.set(name, fresh);
    return fresh;
  }

  #toldOf(name: string): LinkTold {
    return this.#told.get(name) ?? NOTHING_TOLD;
  }

  #tell(name: string, change: Partial<LinkTold>): void {
    this.#told.set(name, { ...this.#toldOf(name), ...change });
  }
}

/** A latch that was not written yet is shown with a time of its own. */
const isSame = (before: LinkTold['trip'], { by, reason, at }: TripRecord): boolean =>
  before !== null &&
  before.by === by &&
  before.reason === reason &&
  Math.abs(Date.parse(before.at) - Date.parse(at)) < SAME_TRIP_MS;

type AlarmLine = Extract<EventLine, { event: 'alarm' }>;

const againAfter = (count: number): number =>
  REPEAT_AFTER_MS[Math.min(count, REPEAT_AFTER_MS.length) - 1] ?? REPEAT_AFTER_MS[0];
