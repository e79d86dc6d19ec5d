/** The attended session of one link at work: what `core/attended.ts` decides is kept, journaled and told. */
import {
  decideSession,
  type Session,
  sessionEntitledUntil,
  type SessionDecision,
  type SessionEvent,
} from '../../core/attended.ts';
import type { Millis } from '../../core/time.ts';
import type { EntryInput } from '../../journal/entry.ts';
import type { SessionStatus } from '../../protocol/authority.ts';
import type { EventLine } from '../../protocol/messages.ts';
import { rightShown } from './authority.ts';
import { calendarText, type Clock } from '../clock.ts';

/** A session outlives that nobody holds its lease for this long, ms. */
export const UNHELD_MS = 60_000;

/** What it needs of the interlock. */
interface Around {
  readonly clock: Clock;
  announce(line: EventLine): void;
  note(entry: EntryInput): void;
}

/** The session of a link, or none. */
export class Attended {
  readonly #link: string;
  readonly #longestMs: number;
  readonly #around: Around;
  #session: Session | null = null;
  /** Calendar ms at which it began. */
  #since = 0;

  constructor(link: string, longestMs: number, around: Around) {
    this.#link = link;
    this.#longestMs = longestMs;
    this.#around = around;
  }

  get session(): Session | null {
    return this.#session;
  }

  /** What became of it; journaled and told when one begins or ends. `actor` is whoever asked. */
  handle(event: SessionEvent, actor = 'interlock'): SessionDecision {
    const before = this.#session;
    const decision = decideSession(before, event, { longestMs: this.#longestMs, unheldMs: UNHELD_MS });
    this.#session = decision.session;
    if (before !== null && decision.ended !== null) this.#ended(before, decision.ended, actor);
    if (decision.session !== null && decision.session.id !== before?.id) this.#began(decision.session);
    return decision;
  }

  /** Until when it entitles a lease that names this session; null when it does not. */
  entitledUntil(id: string): Millis | null {
    return sessionEntitledUntil(this.#session, id, this.#around.clock.now());
  }

  status(): SessionStatus | null {
    return this.#session === null ? null : this.#shown(this.#session);
  }

  #began(session: Session): void {
    const { clock } = this.#around;
    this.#since = clock.calendarMs();
    const shown = this.#shown(session);
    const { by, reason, ends_in_ms } = shown;
    const data = {
      link: this.#link,
      session: session.id,
      reason,
      ends_in_ms,
      ...rightShown(session.authority),
    };
    this.#around.note({ type: 'session.began', actor: by, data });
    this.#around.announce({ event: 'session-began', link: this.#link, session: shown });
  }

  #ended({ id }: Session, why: NonNullable<SessionDecision['ended']>, actor: string): void {
    this.#around.note({ type: 'session.ended', actor, data: { link: this.#link, session: id, why } });
    this.#around.announce({ event: 'session-ended', link: this.#link, session: id, why });
  }

  #shown({ id, by, reason, authority, endsAt, takeBy }: Session): SessionStatus {
    const now = this.#around.clock.now();
    return {
      session: id,
      by,
      reason,
      authority: authority.by,
      approvers: [...rightShown(authority).approvers],
      since: calendarText(this.#since),
      ends_in_ms: Math.max(0, Math.floor(endsAt - now)),
      take_within_ms: takeBy === null ? null : Math.max(0, Math.floor(takeBy - now)),
    };
  }
}
