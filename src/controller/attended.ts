/**
 * Attended sessions that were asked for through this controller: it holds their leases, so that the death of this process ends
 * them, as it ends a window. Whether there is a session at all, the interlock says; by what right, too. A lease that is lost for a
 * reason that may pass is asked for again, as long as the session lasts: nobody needs new codes for a cable that was moved.
 */
import { endMayPass, refusalMayPass } from '../protocol/lost-lease.ts';
import type { InterlockClient } from '../protocol/client.ts';
import type { Lease } from '../protocol/lease.ts';
import type { LinkStatus } from '../protocol/messages.ts';
import type { SessionBegun } from '../protocol/authority.ts';
import { machineTime } from '../protocol/time.ts';
import type { Time } from '../protocol/time.ts';
import type { Voice } from './voice.ts';

/** How long a session that is over is still shown, ms. */
const SHOWN_AFTER_MS = 300_000;
const MOST_SHOWN = 20;
/** Between two attempts to have a lease again, ms. */
const AGAIN_MS = 2_000;

/** What is asked for a session. */
export type SessionAsked = Parameters<InterlockClient['beginSession']>[0];

/** A session, as people see it. */
export interface AttendedSession {
  readonly id: string;
  readonly link: string;
  readonly by: string;
  readonly reason: string;
  readonly authority: SessionBegun['authority'];
  readonly approvers: string[];
  readonly began_at: string;
  readonly ends_in_ms: number;
  readonly phase: 'connecting' | 'connected' | 'over';
  readonly why: string | null;
  /** This controller holds its lease. */
  readonly held: boolean;
}

interface Held {
  readonly begun: SessionBegun;
  readonly asked: SessionAsked;
  readonly approvers: string[];
  readonly beganAt: string;
  readonly endsAtMs: number;
  lease: Lease | null;
  isConnected: boolean;
  over: { readonly why: string; readonly atMs: number } | null;
}

/** Leases held for people. */
export class AttendedSessions {
  readonly #client: InterlockClient;
  readonly #voice: Pick<Voice, 'note'>;
  readonly #changed: () => void;
  readonly #time: Time;
  readonly #held = new Map<string, Held>();
  readonly #stopping = new AbortController();

  constructor(
    client: InterlockClient,
    voice: Pick<Voice, 'note'>,
    changed: () => void,
    time: Time = machineTime,
  ) {
    this.#client = client;
    this.#voice = voice;
    this.#changed = changed;
    this.#time = time;
  }

  /** Begins a session and takes its lease. Rejects with `InterlockError` when either is refused; nothing is connected then. */
  async begin(asked: SessionAsked): Promise<AttendedSession> {
    const begun = await this.#client.beginSession(asked);
    const held: Held = {
      begun,
      asked,
      approvers: (asked.approvals ?? []).map(({ name }) => name),
      beganAt: this.#time.date().toISOString(),
      endsAtMs: this.#time.now() + begun.ends_in_ms,
      lease: null,
      isConnected: false,
      over: null,
    };
    this.#forgetOld();
    this.#held.set(begun.session, held);
    try {
      held.lease = await this.#client.askLease({ link: asked.link, session: begun.session });
    } catch (error) {
      this.#held.delete(begun.session);
      // It would be over by itself soon; nobody needs to wait for that.
      await this.#client.endSession(begun.session).catch(() => undefined);
      throw error;
    }
    this.#watch(held, held.lease);
    this.#changed();
    return this.#shown(held);
  }

  /** Ends a session, whoever holds its lease, and isolates. */
  async end(session: string): Promise<void> {
    const held = this.#held.get(session);
    if (held?.lease !== null && held?.over === null) await held.lease.release();
    if (held !== undefined) held.over ??= { why: 'ended', atMs: this.#time.now() };
    await this.#client.endSession(session);
    this.#changed();
  }

  /** The interlock says why a session is over: it knows better than its lease does. */
  ended(session: string, why: string): void {
    const held = this.#held.get(session);
    if (held === undefined) return;
    held.over = { why, atMs: held.over?.atMs ?? this.#time.now() };
    this.#changed();
  }

  /** Those of the interlock and those that are just over. */
  show(links: readonly LinkStatus[]): AttendedSession[] {
    const theirs = links.flatMap(({ link, session, observed }) =>
      session === null || this.#held.has(session.session)
        ? []
        : [
            {
              id: session.session,
              link,
              by: session.by,
              reason: session.reason,
              authority: session.authority,
              approvers: session.approvers,
              began_at: session.since,
              ends_in_ms: session.ends_in_ms,
              phase: observed === 'connected' ? ('connected' as const) : ('connecting' as const),
              why: null,
              held: false,
            },
          ],
    );
    const nowMs = this.#time.now();
    const ours = [...this.#held.values()].filter(
      ({ over }) => over === null || nowMs - over.atMs < SHOWN_AFTER_MS,
    );
    return [...ours.map((held) => this.#shown(held)), ...theirs];
  }

  /** Gives every lease back. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    const live = [...this.#held.values()].flatMap(({ lease, over }) =>
      lease === null || over !== null ? [] : [lease],
    );
    await Promise.all(live.map((lease) => lease.release()));
  }

  #watch(held: Held, lease: Lease): void {
    void lease.connected.then(() => {
      held.isConnected = held.lease === lease;
      this.#changed();
    });
    void lease.lost.then(({ code, why }) => {
      held.isConnected = false;
      if (held.over === null && endMayPass(code)) void this.#again(held, code);
      else this.#over(held, code, why);
      this.#changed();
    });
  }

  /** Asks for the lease of a session again, until it is had, refused for good, or the session is over. */
  async #again(held: Held, code: string): Promise<void> {
    const { signal } = this.#stopping;
    const { link } = held.asked;
    for (;;) {
      // oxlint-disable-next-line no-await-in-loop -- one attempt after the other
      await this.#time.pause(AGAIN_MS, signal);
      if (held.over !== null || signal.aborted) return;
      try {
        // oxlint-disable-next-line no-await-in-loop
        const lease = await this.#client.askLease({ link, session: held.begun.session });
        // It was ended meanwhile.
        if (this.#isOver(held)) return await lease.release();
        held.lease = lease;
        this.#watch(held, lease);
        return this.#changed();
      } catch (error) {
        if (refusalMayPass(error)) continue;
        // oxlint-disable-next-line no-await-in-loop -- the last thing that is done
        await this.#client.endSession(held.begun.session).catch(() => undefined); // over by itself soon
        this.#over(held, code, error instanceof Error ? error.message : String(error));
        return this.#changed();
      }
    }
  }

  #isOver({ over }: Held): boolean {
    return over !== null || this.#stopping.signal.aborted;
  }

  #over(held: Held, code: string, why: string): void {
    held.over ??= { why: code, atMs: this.#time.now() };
    this.#voice.note('info', `the attended session of ${held.asked.link} is over`, { why });
  }

  #shown({ begun, asked, approvers, beganAt, endsAtMs, lease, isConnected, over }: Held): AttendedSession {
    return {
      id: begun.session,
      link: asked.link,
      by: asked.by,
      reason: asked.reason,
      authority: begun.authority,
      approvers,
      began_at: beganAt,
      ends_in_ms: over === null ? Math.max(0, Math.round(endsAtMs - this.#time.now())) : 0,
      phase: over === null ? (isConnected ? 'connected' : 'connecting') : 'over',
      why: over?.why ?? null,
      held: lease !== null,
    };
  }

  #forgetOld(): void {
    for (const [id, { over }] of this.#held)
      if (over !== null && this.#held.size >= MOST_SHOWN) this.#held.delete(id);
  }
}
