/** Openings that were missed, and the one that makes up for them. The clock of the windows, with time that the test passes. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  leavesRoom,
  MINUTES_AT_ONCE,
  MISSED_HORIZON_MS,
  NO_PAST,
  type PastOpenings,
  type Search,
  searchOn,
} from '../../src/core/catch-up.ts';
import { type CalendarEvent, STEP_HOLD_MS } from '../../src/core/calendar.ts';
import { millis } from '../../src/core/time.ts';
import { WindowClock } from '../../src/interlock/windows/window-clock.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const MIDNIGHT = Date.UTC(2026, 10, 21);
const NIGHT = MIDNIGHT + 2.5 * HOUR;

/** A box with one window at half past two, through lives and hours. */
class Box {
  calendarMs = MIDNIGHT;
  now = 1_000;
  trusted = true;
  ready = true;
  /** Grants a lease in each opening. */
  grants = true;
  events: { at: number; event: CalendarEvent }[] = [];
  clock: WindowClock;
  readonly #catchUp: 'none' | 'once';

  constructor(catchUp: 'none' | 'once' = 'once') {
    this.#catchUp = catchUp;
    this.clock = this.#boot(NO_PAST);
  }

  #boot(past: PastOpenings): WindowClock {
    const window = { link: 'vault', opens: '30 2 * * *', timezone: 'UTC', jitter: 0, lasts: HOUR };
    return new WindowClock({ nightly: { ...window, catch_up: this.#catchUp } }, {}, () => 0, past);
  }

  /** Off for a while. */
  off(ms: number): void {
    this.calendarMs += ms;
    this.now = 1_000;
    this.clock = this.#boot(this.clock.past);
  }

  tick(ms: number, step = 0): void {
    this.now += ms;
    this.calendarMs += ms + step;
    for (const event of this.clock.tick(millis(this.now), this.calendarMs, this.trusted, () => this.ready)) {
      this.events.push({ at: this.calendarMs, event });
      if (event.kind === 'opened' && this.grants)
        this.clock.granted('nightly', event.opening.occurrence, this.trusted ? this.calendarMs : null);
    }
  }

  walk(ms: number): void {
    for (const end = this.calendarMs + ms; this.calendarMs < end;) this.tick(10_000);
  }

  openings(): string[] {
    return this.events.flatMap(({ event }) => (event.kind === 'opened' ? [event.opening.occurrence] : []));
  }

  missed(): unknown[] {
    return this.events.flatMap(({ event }) => (event.kind === 'missed' ? [event.why] : []));
  }

  get shown() {
    return this.clock.status(millis(this.now), () => [])[0]?.missed;
  }
}

const FIRST = '2026-11-21T02:30:00.000Z';
const SECOND = '2026-11-22T02:30:00.000Z';

/** A box whose first night went by its schedule. */
function seasoned(catchUp: 'none' | 'once' = 'once'): Box {
  const box = new Box(catchUp);
  box.walk(4 * HOUR);
  expect(box.openings()).toEqual([FIRST]);
  expect(box.shown).toBeUndefined();
  return box;
}

describe('an opening that was missed', () => {
  test('because the box was off: it is told, shown, and made up for once', () => {
    const box = seasoned();
    box.off(DAY);
    box.ready = false;
    box.walk(HOUR);
    expect(box.missed()).toEqual(['not-running']);
    expect(box.shown).toMatchObject({ scheduled: SECOND, by: 'catch-up', next_chance: null });
    box.ready = true;
    box.walk(3 * MINUTE);
    expect(box.openings()).toEqual([FIRST, `catch-up-${SECOND}`]);
    expect(box.shown).toBeUndefined();
    box.off(10 * MINUTE);
    box.walk(4 * HOUR);
    expect(box.openings()).toHaveLength(2);
    expect(box.missed()).toHaveLength(1);
  });

  test('because something refused all the time: made up for when nothing does; one that is refused again is given up', () => {
    const box = seasoned();
    box.grants = false;
    box.ready = false;
    box.walk(DAY);
    expect(box.openings()).toEqual([FIRST, SECOND]);
    expect(box.missed()).toEqual(['unused']);
    expect(box.shown).toMatchObject({ scheduled: SECOND, why: 'it opened, and no lease was granted in it' });
    box.ready = true;
    box.walk(3 * HOUR);
    expect(box.openings()).toEqual([FIRST, SECOND, `catch-up-${SECOND}`]);
    expect(box.shown).toMatchObject({ scheduled: SECOND, by: 'schedule' });
    expect(box.missed()).toEqual(['unused', 'unused']);
  });

  test('without catch_up it is shown, and waits for the schedule', () => {
    const box = seasoned('none');
    box.off(DAY);
    box.walk(4 * HOUR);
    expect(box.openings()).toEqual([FIRST]);
    expect(box.shown).toMatchObject({ scheduled: SECOND, by: 'schedule' });
    expect(box.shown?.next_chance).toMatch(/T02:30:00/);
  });

  test('a clock that is not synchronised opens nothing and tells nothing of the past', () => {
    const box = seasoned();
    box.off(DAY);
    box.trusted = false;
    box.walk(5 * HOUR);
    expect(box.openings()).toEqual([FIRST]);
    expect(box.shown).toBeUndefined();
    // It steps when it is set; then nothing begins for a while.
    box.trusted = true;
    box.tick(1_000, HOUR);
    box.walk(STEP_HOLD_MS - 30_000);
    expect(box.openings()).toEqual([FIRST]);
    box.walk(3 * MINUTE);
    expect(box.openings()).toEqual([FIRST, `catch-up-${SECOND}`]);
  });

  test('shortly before the next scheduled one nothing is made up for', () => {
    const box = seasoned();
    box.off(2 * DAY - 2 * HOUR); // 02:00, two days later
    box.walk(25 * MINUTE);
    expect(box.missed()).toEqual(['not-running']);
    expect(box.openings()).toEqual([FIRST]);
    box.walk(HOUR);
    expect(box.openings()).toEqual([FIRST, '2026-11-23T02:30:00.000Z']);
  });

  test('a window that never had a lease has missed nothing; a run by hand settles what was missed', () => {
    const fresh = new Box();
    fresh.calendarMs += 10 * HOUR;
    fresh.walk(DAY - 12 * HOUR);
    expect(fresh.openings()).toEqual([]);
    const box = seasoned();
    box.off(DAY);
    box.ready = false;
    box.walk(HOUR);
    box.clock.granted('nightly', 'by-hand-1', box.calendarMs);
    box.ready = true;
    box.walk(HOUR);
    expect(box.openings()).toEqual([FIRST]);
    expect(box.shown).toBeUndefined();
  });

  test('longer ago than the horizon it is forgotten, and looking back is done in pieces', () => {
    let search: Search | null = null;
    let asked = 0;
    const names = (minute: number): boolean => {
      asked += 1;
      return minute === NIGHT;
    };
    const at = NIGHT + MISSED_HORIZON_MS + HOUR;
    for (let count = 0; count < 300; count += 1) {
      const before = asked;
      search = searchOn(search, names, at);
      expect(asked - before).toBeLessThanOrEqual(MINUTES_AT_ONCE + 1);
    }
    expect(search).toMatchObject({ newest: null, from: at - MISSED_HORIZON_MS });
    expect(searchOn({ from: at, to: at, newest: null }, () => true, at - DAY).newest).toBe(at - DAY);
    expect(leavesRoom((minute) => minute === NIGHT, NIGHT - HOUR, HOUR)).toBe(false);
    expect(leavesRoom((minute) => minute === NIGHT, NIGHT - HOUR, HOUR - MINUTE)).toBe(true);
  });

  test('whatever happens, no minute is made up for twice, and never without a synchronised clock', () => {
    const deed = fc.record({
      off: fc.integer({ min: 0, max: 40 }),
      on: fc.integer({ min: 1, max: 30 }),
      step: fc.constantFrom(0, 0, 0, -2 * HOUR, 3 * HOUR, DAY),
      trusted: fc.boolean(),
      ready: fc.boolean(),
      grants: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(deed, { maxLength: 5 }), (deeds) => {
        const box = seasoned();
        for (const { off, on, step, trusted, ready, grants } of deeds) {
          if (off > 0) box.off(off * HOUR);
          Object.assign(box, { trusted, ready, grants });
          box.tick(1_000, step);
          const before = box.openings().length;
          for (const end = box.calendarMs + on * HOUR; box.calendarMs < end;) box.tick(30_000);
          if (!trusted) expect(box.openings()).toHaveLength(before);
        }
        const caught = box.openings().filter((each) => each.startsWith('catch-up'));
        expect(new Set(caught).size).toBe(caught.length);
      }),
      { numRuns: 12 },
    );
  }, 60_000);
});
