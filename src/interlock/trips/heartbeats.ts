/**
 * Heartbeats as permissives: blind monitoring means no connection.
 *
 * A link that asks for a heartbeat is connected only while its last sign of life is no older than `max_age`. Nothing counts
 * that came before this start, so after a start the link waits for the first. Going stale isolates like any permissive;
 * with `latch` it trips. The journal is told when a heartbeat is lost and when it is back, never of each.
 */
import { type Beat, countBeat, type Counted, freshness, type Sign } from '../../core/heartbeat.ts';
import { leaseOf, type Refusal, type Trip } from '../../core/link.ts';
import type { Millis } from '../../core/time.ts';
import type { HeartbeatStatus } from '../../protocol/messages.ts';
import type { LinkAtWork, Surroundings } from '../link-at-work.ts';

/** A heartbeat that a link asks for. */
export interface HeartbeatPermissive {
  /** Name of the source that sends it. */
  readonly heartbeat: string;
  readonly maxAgeMs: number;
  /** Losing it while a lease is in force trips the link. */
  readonly latch: boolean;
}

/** What heartbeats need of the rest of the interlock. */
type Around = Pick<Surroundings, 'clock' | 'note' | 'announce'>;

type Watched = Pick<LinkAtWork, 'name' | 'parts' | 'shell'>;

const MS_PER_SECOND = 1_000;

/** The last sign of life of every heartbeat, in memory only, and what was told of each link's. */
export class Heartbeats {
  readonly #around: Around;
  readonly #startedAt: Millis;
  readonly #last = new Map<string, Beat>();
  /** By link and heartbeat, whether it was last told to be fresh; missing while the first is awaited. */
  readonly #told = new Map<string, boolean>();

  constructor(around: Around) {
    this.#around = around;
    this.#startedAt = around.clock.now();
  }

  /** A verified sign of life of this source has come. Says why it does not count when it does not. */
  hear(source: string, sign: Sign): Counted {
    const counted = countBeat(this.#last.get(source) ?? null, sign, this.#startedAt);
    if (counted.counts) this.#last.set(source, counted.beat);
    return counted;
  }

  /** How every heartbeat of a link stands. */
  status({ parts }: Pick<LinkAtWork, 'parts'>): readonly HeartbeatStatus[] {
    const now = this.#around.clock.now();
    return (parts.heartbeats ?? []).map(({ heartbeat, maxAgeMs, latch }) => {
      const last = this.#last.get(heartbeat) ?? null;
      return {
        heartbeat,
        state: freshness(last, now, this.#startedAt, maxAgeMs),
        age_ms: last === null ? null : Math.round(now - last.at),
        max_age_ms: maxAgeMs,
        latch,
      };
    });
  }

  /** Why heartbeats refuse this link to be connected. */
  refusals(link: Pick<LinkAtWork, 'parts'>): readonly Refusal[] {
    return this.status(link)
      .filter(({ state }) => state !== 'fresh')
      .map((status) => ({
        code: 'heartbeat-stale',
        why: whyStale(status),
        hint: `look at what sends it to /trip/${status.heartbeat}: nothing connects while the monitoring is silent`,
      }));
  }

  /**
   * Tells what came and went since it last looked, and trips where that is configured. Looked at before any conditions are
   * sampled: a link that latches is tripped, not merely isolated. True when a heartbeat has just gone.
   */
  look(link: Watched): boolean {
    let lost = false;
    for (const status of this.status(link)) {
      const { heartbeat, state } = status;
      const key = JSON.stringify([link.name, heartbeat]);
      const fresh = state === 'fresh';
      if (state === 'awaited' || this.#told.get(key) === fresh) continue;
      this.#told.set(key, fresh);
      this.#tell(link.name, status);
      if (fresh) continue;
      lost = true;
      // Isolated it stays isolated: silence at noon is no reason to call somebody to the box at night.
      if (status.latch && leaseOf(link.shell.state) !== null) this.#trip(link, whyStale(status));
    }
    return lost;
  }

  #trip({ shell }: Watched, reason: string): void {
    const trip: Trip = { by: 'fault:heartbeat-lost', reason };
    void shell.handle({ kind: 'tripped', now: this.#around.clock.now(), trip });
  }

  #tell(link: string, { heartbeat, state, age_ms, max_age_ms }: HeartbeatStatus): void {
    const fresh = state === 'fresh';
    this.#around.note({
      type: fresh ? 'heartbeat.back' : 'heartbeat.lost',
      actor: `source:${heartbeat}`,
      data: { link, heartbeat, age_ms, max_age_ms },
    });
    if (fresh) return;
    this.#around.announce({
      event: 'alarm',
      link,
      code: 'heartbeat-lost',
      why: whyStale({ heartbeat, age_ms, max_age_ms }),
      hint: `look at what sends it to /trip/${heartbeat}; until then the link stays isolated`,
    });
  }
}

function whyStale({
  heartbeat,
  age_ms,
  max_age_ms,
}: Pick<HeartbeatStatus, 'heartbeat' | 'age_ms' | 'max_age_ms'>): string {
  const most = `${seconds(max_age_ms)} may pass`;
  return age_ms === null
    ? `heartbeat ${heartbeat} was not heard since the interlock began; ${most}`
    : `heartbeat ${heartbeat} was last heard ${seconds(age_ms)} ago; ${most}`;
}

const seconds = (ms: number): string => `${Math.round(ms / MS_PER_SECOND)} s`;
