/**
 * The cuts, as this page knows them: what was asked, what the box answered. A cut that got no answer is asked again until
 * there is one or a person stops it; it needs neither the event stream nor fresh news, and waits for no other cut.
 */
import { signal } from '@preact/signals';
import type { TripAnswer } from '../../api/documents/action.ts';
import type { Problem } from '../../api/routes/problem.ts';
import { ask } from '../requests.ts';

/** ms for one attempt; another begins soon after. */
const ATTEMPT_MS = 5_000;
const AGAIN_AFTER_MS = 1_000;
/** Statuses that mean that the box itself could not: asked again, like no answer at all. */
const NO_ANSWER_FROM = 500;

export interface Cut {
  /** Tells two cuts apart. */
  readonly id: number;
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

/** The cuts of this page that nobody has put aside, newest first. */
export const cuts = signal<readonly Cut[]>([]);

let lastId = 0;

/** Cuts `links`, or every link when there are none; at once, and again until the box has answered. */
export async function cut(links: readonly string[]): Promise<void> {
  lastId += 1;
  const id = lastId;
  const asked: Cut = { id, links, askedAt: Date.now(), attempts: 1, outcome: { kind: 'asked' } };
  cuts.value = [asked, ...cuts.peek().filter((each) => !isWithin(each.links, links))];
  for (let attempts = 1; isWanted(id); attempts += 1) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    const outcome = await attempt(links);
    show(id, outcome.kind === 'undelivered' ? attempts + 1 : attempts, outcome);
    if (outcome.kind !== 'undelivered') return;
    // oxlint-disable-next-line no-await-in-loop -- the pause between two attempts
    await new Promise((resolve) => setTimeout(resolve, AGAIN_AFTER_MS));
  }
}

async function attempt(links: readonly string[]): Promise<Exclude<Cut['outcome'], { kind: 'asked' }>> {
  const body = { links, reason: 'cut from the dashboard' };
  const answer = await ask<TripAnswer>('POST', '/trip', body, ATTEMPT_MS);
  if (answer.ok) return { kind: 'taken', answer: answer.body };
  const { problem } = answer;
  const isAnswered = problem.status !== 0 && problem.status < NO_ANSWER_FROM;
  return { kind: isAnswered ? 'refused' : 'undelivered', problem };
}

/** Puts the record of a cut aside, and stops asking when nobody has answered yet. */
export function putAside(id: number): void {
  cuts.value = cuts.peek().filter((each) => each.id !== id);
}

const isWanted = (id: number): boolean => cuts.peek().some((each) => each.id === id);

/** A newer cut takes over what it cuts as well: it asks for the same and more. */
const isWithin = (older: readonly string[], newer: readonly string[]): boolean =>
  newer.length === 0 || (older.length > 0 && older.every((link) => newer.includes(link)));

function show(id: number, attempts: number, outcome: Cut['outcome']): void {
  cuts.value = cuts.peek().map((each) => (each.id === id ? { ...each, attempts, outcome } : each));
}
