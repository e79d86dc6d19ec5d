/** The newest trip of a link since this start: who, why, how fast it was cut, and how its isolation was then proven. */
import type { Evidence } from '../../core/evidence.ts';
import { isolationProvenAt, latchOf, type State } from '../../core/link.ts';
import type { Millis } from '../../core/time.ts';
import type { EntryInput } from '../../journal/entry.ts';
import type { LinkStatus } from '../../protocol/messages.ts';
import type { Latch } from '../records/latch-file.ts';

/** What is kept of one trip, for status and journal. A latch found at the start is no trip of this run. */
export class NewestTrip {
  #latched: boolean;
  #decidedAt: Millis | null = null;
  #saved: { readonly latch: Latch; readonly cutMs: number | null } | null = null;
  #proof: { readonly ms: number; readonly basis: Evidence['basis'] } | null = null;
  #isRecorded = false;
  #isTold = false;

  constructor(latched: boolean) {
    this.#latched = latched;
  }

  /** Called in the tick of every change of state. `basis`: what the evidence rests on that was just seen. True when its isolation is proven now. */
  changed(state: State, now: Millis, basis: Evidence['basis']): boolean {
    const latched = latchOf(state) !== null;
    if (latched && !this.#latched) {
      this.#decidedAt = now;
      this.#saved = null;
      this.#proof = null;
      this.#isRecorded = false;
      this.#isTold = false;
    }
    this.#latched = latched;
    if (this.#decidedAt === null || this.#proof !== null) return false;
    if (!latched || isolationProvenAt(state) === null) return false;
    this.#proof = { ms: Math.max(0, Math.round(now - this.#decidedAt)), basis };
    return true;
  }

  /** Its frames are written, or were waited for. `cutMs`: ms from what was received to the last of them; null while one is not. */
  saved(latch: Latch, cutMs: number | null): void {
    if (this.#decidedAt !== null) this.#saved = { latch, cutMs };
  }

  /** The step that latched the link is in the journal: whatever comes next follows it. */
  recorded(state: State): void {
    if (latchOf(state) !== null) this.#isRecorded = true;
  }

  shown(): LinkStatus['last_trip'] {
    if (this.#saved === null) return null;
    const { latch, cutMs } = this.#saved;
    const { ms = null, basis = 'none' } = this.#proof ?? {};
    return { ...latch, cut_ms: cutMs, proven_ms: ms, proof: basis };
  }

  /** Its proof as an entry of the journal, once it and the trip are known; null again until the next trip. */
  proofEntry(link: string): EntryInput | null {
    if (this.#proof === null || this.#saved === null || !this.#isRecorded || this.#isTold) return null;
    this.#isTold = true;
    const { ms, basis } = this.#proof;
    const { by, at } = this.#saved.latch;
    const data = { link, tripped_by: by, tripped_at: at, proven_ms: ms, proof: basis };
    return { type: 'link.trip-proven', actor: 'interlock', data };
  }
}
