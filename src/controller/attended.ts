/**
 * Attended sessions that were asked for through this controller: it holds their leases, so that the death of this process ends
 * them, as it ends a window. Whether there is a session at all, the interlock says; by what right, too.
 */
import type { InterlockClient } from '../protocol/client.ts';
import type { Lease } from '../protocol/lease.ts';
import type { LinkStatus } from '../protocol/messages.ts';
import type { SessionBegun } from '../protocol/authority.ts';
import type { Voice } from './voice.ts';

/** How long a session that is over is still shown, ms. */
const SHOWN_AFTER_MS = 300_000;
const MOST_SHOWN = 20;

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
  readonly #held = new Map<string, Held>();

  constructor(client: InterlockClient, voice: Pick<Voice, 'note'>, changed: () => void) {
    this.#client = client;
    this.#voice = voice;
    this.#changed = changed;
  }

  /** Begins a session and takes its lease. Rejects with `InterlockError` when either is refused; nothing is connected then. */
  async begin(asked: SessionAsked): Promise<AttendedSession> {
    const begun = await this.#client.beginSession(asked);
    const held: Held = {
      begun,
      asked,
      approvers: (asked.approvals ?? []).map(({ name }) => name),
      beganAt: new Date().toISOString(),
      endsAtMs: performance.now() + begun.ends_in_ms,
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
    await this.#client.endSession(session);
    this.#changed();
  }

  /** The interlock says why a session is over: it knows better than its lease does. */
  ended(session: string, why: string): void {
    const held = this.#held.get(session);
    if (held === undefined) return;
    held.over = { why, atMs: held.over?.atMs ?? performance.now() };
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
    const nowMs = performance.now();
    const ours = [...this.#held.values()].filter(
      ({ over }) => over === null || nowMs - over.atMs < SHOWN_AFTER_MS,
    );
    return [...ours.map((held) => this.#shown(held)), ...theirs];
  }

  /** Gives every lease back. */
  async stop(): Promise<void> {
    const live = [...this.#held.values()].flatMap(({ lease, over }) =>
      lease === null || over !== null ? [] : [lease],
    );
    await Promise.all(live.map((lease) => lease.release()));
  }

  #watch(held: Held, lease: Lease): void {
    void lease.connected.then(() => {
      held.isConnected = true;
      this.#changed();
    });
    void lease.lost.then(({ code, why }) => {
      held.over ??= { why: code, atMs: performance.now() };
      const { link } = held.asked;
      this.#voice.note('info', `the attended session of ${link} is over`, { why });
      this.#changed();
    });
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
      ends_in_ms: over === null ? Math.max(0, Math.round(endsAtMs - performance.now())) : 0,
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
