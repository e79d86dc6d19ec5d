/** Which contacts a cut is for, and how it went. */
import type { Contact, IsolateReceipt } from '../../contacts/port.ts';
import type { Cut, Why } from '../../core/link.ts';
import type { Millis } from '../../core/time.ts';

/** How a cut went, for record and answer. */
export interface CutFigures {
  readonly why: Why;
  readonly at: Millis;
  /** Per contact that was cut: ms from the decision to the frame in the kernel; null when the wire was not there (it stays pending). */
  readonly writtenMs: Readonly<Record<string, number | null>>;
}

/**
 * ms from what led to a cut until its last frame was in the kernel; null while a wire is not there (the isolate stays pending).
 * `receivedAt`: when that came in; the decision itself when nothing did.
 */
export function cutMsOf({ at, writtenMs }: CutFigures, receivedAt: Millis = at): number | null {
  const decidedMs = Math.max(0, at - receivedAt);
  return Object.values(writtenMs).reduce<number | null>(
    (last, ms) => (last === null || ms === null ? null : Math.max(last, thousandths(decidedMs + ms))),
    thousandths(decidedMs),
  );
}

/** µs are what the clock gives. */
export const thousandths = (ms: number): number => Math.round(ms * 1_000) / 1_000;

/** How long the record of a cut waits for the frames to be written, ms: one transaction in flight, with its reply time-out. */
const WRITTEN_WAIT_MS = 500;

/** Every contact, unless all cuts name one; a name that nobody bears stands for every contact. */
export function chosen(contacts: readonly Contact[], cuts: readonly Cut[]): readonly Contact[] {
  if (cuts.some(({ only }) => only === undefined)) return contacts;
  const named = contacts.filter(({ name }) => cuts.some(({ only }) => only === name));
  return named.length > 0 ? named : contacts;
}

/** Waits (bounded) for the frames to reach the kernel, so that the record comes after the cut. */
export async function figuresOf(
  pause: (ms: number) => Promise<void>,
  at: Millis,
  why: Why,
  contacts: readonly Contact[],
  receipts: readonly IsolateReceipt[],
): Promise<CutFigures> {
  const writtenMs: Record<string, number | null> = Object.fromEntries(
    contacts.map((each) => [each.name, null]),
  );
  const all = Promise.all(
    contacts.map(async (contact, i) => {
      const written = await receipts[i]?.written;
      if (written !== undefined && written !== null) writtenMs[contact.name] = Math.max(0, written - at);
    }),
  );
  await Promise.race([all, pause(WRITTEN_WAIT_MS)]);
  return { why, at, writtenMs: { ...writtenMs } };
}
