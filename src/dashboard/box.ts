/**
 * What this page knows of the box, and how old that is. Nothing here is guessed: what no news vouches for is said to be
 * old. Ages run on the monotonic clock of the browser from the moment a document arrived; calendar time is the box's.
 */
import { computed, signal } from '@preact/signals';
import type { LinkState, State } from '../api/documents/state-document.ts';

/** ms without a word from the box until the page says so; it says `alive` each second. */
export const NEWS_LATE_MS = 2_500;
/** How often that is looked at, ms: together less than the 3 s that are promised. */
const LOOK_EVERY_MS = 250;
/** What people see tick, ms. */
const TICK_MS = 1_000;

/** The last document; `null` before the first. */
export const state = signal<State | null>(null);
/** Monotonic ms of this browser when it arrived. */
const arrivedAtMs = signal(0);
/** Monotonic ms when the box last said anything; `null` before its first word. */
export const heardAtMs = signal<number | null>(null);
/** Monotonic ms, advancing each second. */
export const nowMs = signal(performance.now());

/** `awaited`: nothing came yet. `late`: the box is silent. `interlock-silent`: the controller speaks, but knows nothing. */
export type News = 'awaited' | 'live' | 'late' | 'interlock-silent';

/** How far what is shown can be vouched for. */
export const news = signal<News>('awaited');
export const isLive = computed(() => news.value === 'live');

/** Calendar time of the box, ms since 1970, advancing each second. */
export const boxMs = computed(() =>
  state.value === null
    ? Date.now()
    : Date.parse(state.value.at) + Math.max(0, nowMs.value - arrivedAtMs.value),
);

/** The midnight before now, in the zone of the reader: what words such as `yesterday` rest on. */
export const todayMs = computed(() => new Date(boxMs.value).setHours(0, 0, 0, 0));

/** ms since the last document arrived, advancing each second. */
export const sinceArrivalMs = computed(() => Math.max(0, nowMs.value - arrivedAtMs.value));

/** ms since the box last said anything. */
export const silenceMs = computed(() =>
  heardAtMs.value === null ? 0 : Math.max(0, nowMs.value - heardAtMs.value),
);

/** Takes a document of the box. */
export function take(document: State): void {
  state.value = document;
  arrivedAtMs.value = performance.now();
  heard();
}

/** The box said something. */
export function heard(): void {
  heardAtMs.value = performance.now();
  judge();
}

/** Forgets everything: somebody else may sign in next. */
export function forget(): void {
  state.value = null;
  heardAtMs.value = null;
  judge();
}

function judge(): void {
  const now = performance.now();
  if (now - nowMs.peek() >= TICK_MS || news.peek() !== 'live') nowMs.value = now;
  news.value = judged(now);
}

function judged(now: number): News {
  const last = heardAtMs.peek();
  if (last !== null && now - last > NEWS_LATE_MS) return 'late';
  if (last === null || state.peek() === null) return 'awaited';
  return state.peek()?.interlock.problem === null ? 'live' : 'interlock-silent';
}

/** Begins to watch the age of the news; called once. */
export function watchNews(): void {
  setInterval(judge, LOOK_EVERY_MS);
  document.addEventListener('visibilitychange', judge);
}

/** The link that needs eyes most: stuck before tripped before unknown before connected before isolated. */
export const worstLink = computed<LinkState | null>(() => {
  const links = state.value?.links ?? [];
  return links.toSorted((a, b) => URGENCY.indexOf(a.state) - URGENCY.indexOf(b.state))[0] ?? null;
});

const URGENCY: readonly LinkState['state'][] = [
  'stuck',
  'tripped',
  'unproven',
  'isolating',
  'connected',
  'connecting',
  'commissioning',
  'proving',
  'isolated',
];
