/** The event stream: one connection that is renewed whenever it breaks, and given up while nobody looks. */
import { signal } from '@preact/signals';
import type { JournalEvent, OverEvent } from '../api/documents/event.ts';
import type { JournalEntry } from '../api/documents/journal.ts';
import type { State } from '../api/documents/state-document.ts';
import { forget, heard, heardAtMs, take } from './box.ts';
import { API } from './requests.ts';

/** ms without a word until the connection is thought dead and made anew. */
const DEAD_AFTER_MS = 6_000;
/** Waits before the next attempt, ms; some chance is added so that fifty pages do not come at once. */
const RETRY_MS = [500, 1_000, 2_000, 4_000] as const;
/** ms a page may be hidden before it gives its connection back: a browser has six for one box, and a cut needs one. */
const HIDDEN_MS = 60_000;
/** Entries of the journal that are kept for the page that follows it. */
export const ENTRIES_KEPT = 500;

/** New entries are handed on together, ms: a page of them is not drawn for each one. */
const GATHER_MS = 200;

/** New entries of the journal since the page was loaded, newest first. */
export const entries = signal<readonly JournalEntry[]>([]);
/** How often entries were left out: what was shown before no longer joins what comes. */
export const gaps = signal(0);
/** Set when the session is over: by itself or by somebody. */
export const signedOut = signal(false);
/** The stream was given up because the page is hidden. */
export const paused = signal(false);

let source: EventSource | null = null;
let lastSeq: number | null = null;
let attempt = 0;
let retry: ReturnType<typeof setTimeout> | undefined;
let hidden: ReturnType<typeof setTimeout> | undefined;
let startedAtMs = 0;
let gathered: readonly JournalEntry[] = [];
let gathering: ReturnType<typeof setTimeout> | undefined;

/** Begins to listen; called when somebody has signed in. */
export function listen(): void {
  signedOut.value = false;
  attempt = 0;
  begin();
}

/** Ends the stream and forgets what it brought. */
export function hushAndForget(): void {
  hush();
  lastSeq = null;
  gathered = [];
  entries.value = [];
  forget();
}

function hush(): void {
  clearTimeout(retry);
  source?.close();
  source = null;
}

function begin(): void {
  hush();
  startedAtMs = performance.now();
  const stream = new EventSource(`${API}/events${lastSeq === null ? '' : `?after=${lastSeq}`}`);
  source = stream;
  const on = (name: string, hear: (data: unknown, id: string) => void): void =>
    stream.addEventListener(name, (event) => {
      attempt = 0;
      hear(JSON.parse(String(event.data)), event.lastEventId);
    });
  on('state', (data) => take(data as State));
  on('alive', heard);
  on('journal', (data, id) => {
    heard();
    const seq = Number(id);
    if (Number.isSafeInteger(seq)) lastSeq = seq;
    const { entries: fresh, gap } = data as JournalEvent;
    if (gap) {
      gathered = [];
      entries.value = [];
      gaps.value += 1;
    }
    gathered = [...fresh.toReversed(), ...gathered].slice(0, ENTRIES_KEPT);
    gathering ??= setTimeout(handOn, GATHER_MS);
  });
  on('over', (data) => {
    hush();
    if ((data as OverEvent).why === 'login-ended') signedOut.value = true;
    else again();
  });
  stream.addEventListener('error', () => {
    hush();
    again();
  });
}

function handOn(): void {
  gathering = undefined;
  entries.value = [...gathered, ...entries.peek()].slice(0, ENTRIES_KEPT);
  gathered = [];
}

/** Tries again after a while: at once is for nobody's good when the box is just starting. */
function again(): void {
  clearTimeout(retry);
  if (paused.peek()) return;
  const wait = RETRY_MS[Math.min(attempt, RETRY_MS.length - 1)] ?? 4_000;
  attempt += 1;
  retry = setTimeout(() => void attemptAgain(), wait * (0.75 + Math.random() / 2));
}

/** An event stream does not say why it was refused, so that is asked first. */
async function attemptAgain(): Promise<void> {
  const answer = await fetch(`${API}/me`, {
    cache: 'no-store',
    signal: AbortSignal.timeout(DEAD_AFTER_MS),
  }).catch(() => null); // not reachable: the same as any other bad answer, tried again
  if (answer?.status === 401) signedOut.value = true;
  else if (answer?.ok === true) begin();
  else again();
}

/** Looks after the stream: makes a dead one anew, gives it back while the page is hidden. Called once. */
export function watchStream(): void {
  setInterval(() => {
    const last = Math.max(heardAtMs.peek() ?? 0, startedAtMs);
    if (source !== null && performance.now() - last > DEAD_AFTER_MS) begin();
  }, 1_000);
  document.addEventListener('visibilitychange', () => {
    clearTimeout(hidden);
    if (document.hidden)
      hidden = setTimeout(() => {
        if (source === null) return;
        paused.value = true;
        hush();
      }, HIDDEN_MS);
    else if (paused.peek()) {
      paused.value = false;
      begin();
    }
  });
}
