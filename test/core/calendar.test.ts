import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type Calendar,
  type CalendarEvent,
  emptyCalendar,
  endEarly,
  entitledUntil,
  openByHand,
  STEP_HOLD_MS,
  tickCalendar,
  type WindowPlan,
} from '../../src/core/calendar.ts';
import { millis } from '../../src/core/time.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const NIGHT = 2.5 * HOUR;

const nightly: WindowPlan = {
  window: 'nightly',
  link: 'vault',
  lastsMs: 3 * HOUR,
  jitterMs: 20 * MINUTE,
  byHand: 'presence',
  names: (minute) => minute % DAY === NIGHT,
  label: (minute) => `at ${minute}`,
};

/** Runs a calendar once a second (or slower) through a list of moments. */
class Walk {
  calendar: Calendar = emptyCalendar({});
  now = 1_000;
  calendarMs = 0;
  events: { at: number; event: CalendarEvent }[] = [];
  trusted = true;
  step(ms: number, clockStep = 0): void {
    this.now += ms;
    this.calendarMs += ms + clockStep;
    const ticked = tickCalendar(this.calendar, [nightly], {
      now: millis(this.now),
      calendarMs: this.calendarMs,
      clockTrusted: this.trusted,
      draw: () => 0.5,
    });
    this.calendar = ticked.calendar;
    this.events.push(...ticked.events.map((event) => ({ at: this.now, event })));
  }
  walk(ms: number): void {
    for (const end = this.now + ms; this.now < end;) this.step(1_000);
  }
  of(kind: CalendarEvent['kind']): number {
    return this.events.filter((each) => each.event.kind === kind).length;
  }
}

describe('the window calendar', () => {
  test('opens once at its minute plus jitter and ends after its length, by the monotonic clock', () => {
    const walk = new Walk();
    walk.walk(2 * DAY);
    const opened = walk.events.filter((each) => each.event.kind === 'opened').map((each) => each.at);
    const ended = walk.events.filter((each) => each.event.kind === 'ended').map((each) => each.at);
    expect(opened.map((at) => at - 1_000)).toEqual([NIGHT + 10 * MINUTE, NIGHT + DAY + 10 * MINUTE]);
    expect(ended.map((at, i) => at - (opened[i] ?? 0))).toEqual([3 * HOUR, 3 * HOUR]);
  });

  test('an unsynchronised clock begins nothing and says so', () => {
    const walk = new Walk();
    walk.trusted = false;
    walk.walk(DAY);
    expect(walk.of('opened')).toBe(0);
    expect(walk.events.map((each) => each.event)).toContainEqual({
      kind: 'missed',
      window: 'nightly',
      minuteMs: NIGHT,
      why: 'clock-unsynchronised',
    });
  });

  test('a step forward a day and back during a window neither lengthens it nor begins another', () => {
    const walk = new Walk();
    walk.walk(NIGHT + 30 * MINUTE);
    expect(walk.of('opened')).toBe(1);
    walk.step(1_000, DAY);
    walk.walk(10 * MINUTE);
    walk.step(1_000, -DAY);
    walk.walk(5 * HOUR);
    expect(walk.of('clock-stepped')).toBe(2);
    expect(walk.of('opened')).toBe(1);
    const [opened, ended] = ['opened', 'ended'].map(
      (kind) => walk.events.find((each) => each.event.kind === kind)?.at,
    );
    expect((ended ?? 0) - (opened ?? 0)).toBe(3 * HOUR);
  });

  test('a step straight onto the minute begins nothing', () => {
    const walk = new Walk();
    walk.walk(HOUR);
    walk.step(1_000, NIGHT - walk.calendarMs - 1_000);
    expect(walk.calendarMs).toBe(NIGHT);
    walk.walk(HOUR);
    expect(walk.of('opened')).toBe(0);
    expect(walk.of('missed')).toBe(1);
  });

  test('after any sequence of steps, no minute begins a window twice and no window outlasts its length', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: 1, max: 90 }), fc.integer({ min: -2 * DAY, max: 2 * DAY })), {
          maxLength: 6,
        }),
        (steps) => {
          const walk = new Walk();
          for (const [minutes, clockStep] of steps) {
            walk.walk(minutes * MINUTE);
            walk.step(1_000, clockStep);
          }
          walk.walk(STEP_HOLD_MS + 4 * HOUR);
          const openings = walk.events.flatMap(({ event }) =>
            event.kind === 'opened' ? [event.opening] : [],
          );
          expect(new Set(openings.map((each) => each.occurrence)).size).toBe(openings.length);
          expect(openings.every((each) => each.endsAt - each.opensAt === 3 * HOUR)).toBe(true);
          const [first, second] = openings;
          if (first !== undefined && second !== undefined)
            expect(second.opensAt).toBeGreaterThanOrEqual(first.endsAt);
        },
      ),
      { numRuns: 40 },
    );
  }, 60_000);

  test('a window opened by hand entitles its own link and occurrence only, and not twice', () => {
    const opened = openByHand(emptyCalendar({}), nightly, millis(5), 'by-hand-1', {
      byHand: 'root: trying',
      right: 'box',
    });
    expect(opened).not.toBeNull();
    if (opened === null) return;
    const { calendar } = opened;
    expect(entitledUntil(calendar, 'vault', 'nightly', 'by-hand-1')).toBe(5 + 3 * HOUR);
    expect(entitledUntil(calendar, 'vault', 'nightly', 'another')).toBeNull();
    expect(entitledUntil(calendar, 'other', 'nightly', 'by-hand-1')).toBeNull();
    expect(
      openByHand(calendar, nightly, millis(6), 'by-hand-2', { byHand: 'again', right: 'box' }),
    ).toBeNull();
  });

  test('a window whose work is done entitles nobody any more, and does not begin again', () => {
    const walk = new Walk();
    walk.walk(NIGHT + 30 * MINUTE);
    const [open] = walk.calendar.open;
    if (open === undefined) throw new Error('the window should be open');
    const ended = endEarly(walk.calendar, 'nightly', open.occurrence);
    if (ended === null) throw new Error('the window should have ended');
    expect(entitledUntil(ended.calendar, 'vault', 'nightly', open.occurrence)).toBeNull();
    expect(endEarly(ended.calendar, 'nightly', open.occurrence)).toBeNull();
    walk.calendar = ended.calendar;
    walk.walk(3 * HOUR);
    expect(walk.of('opened')).toBe(1);
  });
});
