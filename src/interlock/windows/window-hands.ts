/** What is done to the window calendar besides letting its time pass: opened by hand, ended with its work; and how it is told. */
import { endEarly, openByHand, type CalendarEvent, type WindowPlan } from '../../core/calendar.ts';
import type { Authority } from '../../core/attended.ts';
import { calendarText } from '../clock.ts';
import type { Interlock } from '../interlock.ts';
import type { Claim } from '../outlook.ts';
import { readinessOf } from '../rights/session-asking.ts';

/** Opens a window now. Null when it is open already, or waits for its jitter. */
export function openWindow(
  interlock: Interlock,
  plan: WindowPlan,
  byHand: string,
  right: Authority['by'],
): { occurrence: string; endsInMs: number } | null {
  const { clock, windows } = interlock.parts;
  const now = clock.now();
  const occurrence = `by-hand-${calendarText(clock.calendarMs())}`;
  const opened = openByHand(windows.calendar, plan, now, occurrence, { byHand, right });
  if (opened === null) return null;
  windows.calendar = opened.calendar;
  tellWindows(interlock, [{ kind: 'opened', opening: opened.opening }]);
  return { occurrence, endsInMs: Math.round(opened.opening.endsAt - now) };
}

/** True when nothing but the time would refuse a lease of this link. */
export function linkReady(interlock: Interlock, name: string): boolean {
  const link = interlock.links.get(name);
  return link !== undefined && readinessOf(interlock, link, false).length === 0;
}

/** A lease was granted in a window: this opening is not missed. */
export function windowUsed(interlock: Interlock, claim: Claim): void {
  if ('session' in claim) return;
  const { clock, ledger, trust, windows } = interlock.parts;
  windows.granted(claim.window, claim.occurrence, trust().synchronised ? clock.calendarMs() : null);
  // Not written: after a restart it may be told as missed, and be made up for once.
  ledger.remember(windows.past).catch(() => undefined);
}

/** The work of a window is done: nothing entitles its link any more. */
export function endWindow(interlock: Interlock, claim: Claim): void {
  const { windows } = interlock.parts;
  if ('session' in claim) return;
  const ended = endEarly(windows.calendar, claim.window, claim.occurrence);
  if (ended === null) return;
  windows.calendar = ended.calendar;
  tellWindows(interlock, [{ kind: 'ended', opening: ended.opening, early: true }]);
}

/** Journals and announces what happened in the calendar. */
export function tellWindows(interlock: Interlock, events: readonly CalendarEvent[]): void {
  const { clock, ledger, windows } = interlock.parts;
  for (const event of events) {
    const told = windows.tell(event, clock.now());
    interlock.note(told.entry);
    if (event.kind === 'missed' || event.kind === 'opened')
      // Not written: after a restart it is told again.
      ledger.remember(windows.past).catch(() => undefined);
    if (told.line !== null) interlock.announcer.announce(told.line);
    if (event.kind !== 'opened') continue;
    // Not written: after a restart the same minute is over, so nothing begins twice; the journal shows the failure.
    ledger.begun(windows.calendar.lastBegun).catch(() => undefined);
  }
}
