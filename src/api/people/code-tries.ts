/**
 * Who may try one-time codes how often. The interlock refuses an approver after seven wrong codes in five minutes, whoever sent
 * them: without this, one login could keep two people from ever resetting, or guess a colleague's code for months. So one person
 * may send three wrong ones, and then one after five minutes, ten, twenty, … up to a day. What is right clears it.
 *
 * It is the sender who waits, never the approver. The box itself needs no code.
 */
import { ApiRefusal } from '../routes/refusal.ts';

/** Wrong ones that cost nothing: those of two people are fewer than lock an approver. */
export const FREE_TRIES = 3;
/** As long as the interlock remembers a wrong code, ms. */
export const FIRST_WAIT_MS = 300_000;
export const LONGEST_WAIT_MS = 86_400_000;
/** People remembered at one time. */
const MOST_KEPT = 1_000;

interface Tries {
  wrong: number;
  lastAtMs: number;
}

/** Remembers who sent wrong codes. Times are monotonic ms. */
export class CodeTries {
  readonly #tries = new Map<string, Tries>();
  readonly #trying = new Set<string>();

  /** Sends codes of this person's request. Rejects with `ApiRefusal` 429 while he has to wait. `isWrong`: a code was wrong. */
  async take<T>(person: string, send: () => Promise<T>, isWrong: (error: unknown) => boolean): Promise<T> {
    const waitMs = this.waitMs(person, performance.now());
    if (waitMs > 0) throw waiting(waitMs);
    if (this.#trying.has(person)) throw oneByOne();
    this.#trying.add(person);
    try {
      const done = await send();
      this.#tries.delete(person);
      return done;
    } catch (error) {
      if (isWrong(error)) this.wrong(person, performance.now());
      throw error;
    } finally {
      this.#trying.delete(person);
    }
  }

  /** ms until this person may send codes again; 0: now. */
  waitMs(person: string, nowMs: number): number {
    const tries = this.#tries.get(person);
    if (tries === undefined || tries.wrong < FREE_TRIES) return 0;
    const waitMs = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** Math.min(30, tries.wrong - FREE_TRIES));
    return Math.max(0, tries.lastAtMs + waitMs - nowMs);
  }

  /** This person has sent a wrong code. */
  wrong(person: string, nowMs: number): void {
    const tries = this.#tries.get(person);
    // What was quiet for twice the longest wait is forgotten.
    const known = tries === undefined || nowMs - tries.lastAtMs > 2 * LONGEST_WAIT_MS ? 0 : tries.wrong;
    this.#tries.delete(person);
    this.#tries.set(person, { wrong: known + 1, lastAtMs: nowMs });
    if (this.#tries.size <= MOST_KEPT) return;
    const [oldest] = this.#tries.keys();
    if (oldest !== undefined) this.#tries.delete(oldest);
  }
}

const waiting = (waitMs: number): ApiRefusal =>
  new ApiRefusal(
    429,
    'codes-wait',
    'too many codes that this login sent were wrong',
    `wait ${Math.ceil(waitMs / 60_000)} minutes, have somebody else ask, or do it at the box: nobody needs a code there`,
    waitMs,
  );

const oneByOne = (): ApiRefusal =>
  new ApiRefusal(
    429,
    'codes-wait',
    'codes that this login sent are being looked at',
    'one after the other',
    1_000,
  );
