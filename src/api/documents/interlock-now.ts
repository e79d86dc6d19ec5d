/**
 * The interlock's status as fresh as somebody needs it. Its events tell what changes, but ages and countdowns change without
 * one: while somebody looks, it is asked again, for everybody together.
 */
import type { ControllerFace } from '../../controller/face.ts';
import type { Status } from '../../protocol/messages.ts';

/** A status younger than this is not asked for again, ms. */
const FRESH_MS = 400;

/** What is known of the interlock. */
export interface Known {
  readonly status: Status | null;
  /** ms since it last said anything. */
  readonly ageMs: number | null;
  readonly problem: { readonly code: string; readonly why: string; readonly hint: string } | null;
}

/** Asks the interlock, one question at a time. */
export class InterlockNow {
  readonly #face: Pick<ControllerFace, 'client' | 'view'>;
  #status: Status | null = null;
  #askedAtMs = Number.NEGATIVE_INFINITY;
  #asking: Promise<void> | null = null;

  constructor(face: Pick<ControllerFace, 'client' | 'view'>) {
    this.#face = face;
  }

  /** Something has happened: what was asked before is old. */
  stale(): void {
    this.#askedAtMs = Number.NEGATIVE_INFINITY;
  }

  /** Never rejects: an interlock that does not answer is part of what is known. */
  async known(): Promise<Known> {
    const { interlock_problem: problem } = this.#face.view.show();
    if (problem === null && performance.now() - this.#askedAtMs > FRESH_MS) {
      this.#asking ??= this.#ask().finally(() => {
        this.#asking = null;
      });
      await this.#asking;
    }
    const { interlock, interlock_age_ms: ageMs, interlock_problem } = this.#face.view.show();
    const lost = interlock_problem !== null;
    return { status: lost ? interlock : (this.#status ?? interlock), ageMs, problem: interlock_problem };
  }

  async #ask(): Promise<void> {
    const askedAtMs = performance.now();
    try {
      this.#status = await this.#face.client.status();
      this.#askedAtMs = askedAtMs;
    } catch {
      // The event stream says soon why; until then what it said last stands, with its age.
      this.#status = null;
      this.#askedAtMs = askedAtMs;
    }
  }
}
