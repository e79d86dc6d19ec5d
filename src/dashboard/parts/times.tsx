/** Times that tick. Only the text itself is drawn again each second; screen readers are not told of it. */
import { boxMs, sinceArrivalMs, todayMs } from '../box.ts';
import { age, moment, ticking, timer } from '../words.ts';

/** The age of a reading that was `ms` old when the document arrived. */
export function Age({ ms }: { readonly ms: number | null }) {
  return <span class="figure">{age(ms === null ? null : ms + sinceArrivalMs.value)}</span>;
}

/** What is left of `ms` that were left when the document arrived. */
export function Left({ ms }: { readonly ms: number }) {
  return <span class="figure">{ticking(Math.max(0, ms - sinceArrivalMs.value))}</span>;
}

/** Time until a moment; `now` when it has come. */
export function Until({ at }: { readonly at: string }) {
  const left = Date.parse(at) - boxMs.value;
  return <span class="figure">{left <= 0 ? 'now' : ticking(left)}</span>;
}

/** Time since a moment, as a running timer. */
export function Timer({ at }: { readonly at: string }) {
  return (
    <span class="figure" role="timer" aria-live="off">
      {timer(boxMs.value - Date.parse(at))}
    </span>
  );
}

/** Time since a moment, in words. */
export function Ago({ at }: { readonly at: string }) {
  return <span class="figure">{ticking(boxMs.value - Date.parse(at))} ago</span>;
}

/** A moment of the calendar, with the whole of it for whoever points at it. */
export function Moment({ at, seconds = false }: { readonly at: string; readonly seconds?: boolean }) {
  return (
    <time dateTime={at} title={at}>
      {moment(at, todayMs.value, seconds)}
    </time>
  );
}
