/**
 * The cut, as this page knows it: what was asked, what the box answered. A cut that got no answer is asked again until
 * there is one or a person stops it; it needs neither the event stream nor fresh news.
 */
import { signal } from '@preact/signals';
import type { TripAnswer } from '../../api/action-documents.ts';
import type { Problem } from '../../api/problem.ts';
import { ask } from '../requests.ts';

/** ms for one attempt; another begins soon after. */
const ATTEMPT_MS = 5_000;
const AGAIN_AFTER_MS = 1_000;
/** Statuses that mean that the box itself could not: asked again, like no answer at all. */
const NO_ANSWER_FROM = 500;

export interface Cut {
  /** Empty: every link. */
  readonly links: readonly string[];
  /** Calendar ms of this browser when it was asked. */
  readonly askedAt: number;
  readonly attempts: number;
  readonly outcome:
    | { readonly kind: 'asked' }
    | { readonly kind: 'taken'; readonly answer: TripAnswer }
    | { readonly kind: 'undelivered'; readonly problem: Problem }
    | { readonly kind: 'refused'; readonly problem: Problem };
}

/** The last cut of this page; `null` before the first and when a person has put it aside. */
export const lastCut = signal<Cut | null>(null);

/** Cuts `links`, or every link when there are none; at once, and again until the box has answered. */
export async function cut(links: readonly string[]): Promise<void> {
  const askedAt = Date.now();
  const isCurrent = (): boolean => lastCut.peek()?.askedAt === askedAt;
  const show = (attempts: number, outcome: Cut['outcome']): void => {
    lastCut.value = { links, askedAt, attempts, outcome };
  };
  show(1, { kind: 'asked' });
  for (let attempts = 1; isCurrent(); attempts += 1) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    const answer = await ask<TripAnswer>(
      'POST',
      '/trip',
      { links, reason: 'cut from the dashboard' },
      ATTEMPT_MS,
    );
    if (!isCurrent()) return;
    if (answer.ok) return show(attempts, { kind: 'taken', answer: answer.body });
    const { problem } = answer;
    if (problem.status !== 0 && problem.status < NO_ANSWER_FROM)
      return show(attempts, { kind: 'refused', problem });
    show(attempts + 1, { kind: 'undelivered', problem });
    // oxlint-disable-next-line no-await-in-loop -- the pause between two attempts
    await new Promise((resolve) => setTimeout(resolve, AGAIN_AFTER_MS));
  }
}

/** Puts the record of the last cut aside, and stops asking when nobody has answered yet. */
export function putAside(): void {
  lastCut.value = null;
}
