/** The clocks of the interlock: monotonic for durations, calendar for schedules and labels. Injected, so tests can own time. */
import { readFileSync } from 'node:fs';
import { monotonicNow } from '../contacts/clock.ts';
import type { Millis } from '../core/time.ts';

/** Everything the interlock knows of time. */
export interface Clock {
  now(): Millis;
  /** ms since 1970. Never used for a duration. */
  calendarMs(): number;
  /** Calls `what` once after `ms`; returns a function that prevents it. */
  after(ms: number, what: () => void): () => void;
  /** Resolves after `ms`. A pause that lost a race costs one small timer until it fires. */
  pause(ms: number): Promise<void>;
}

/** The clocks of this machine. */
export const machineClock: Clock = {
  now: monotonicNow,
  calendarMs: () => Date.now(),
  after(ms, what) {
    const timer = setTimeout(what, ms);
    return () => clearTimeout(timer);
  },
  pause: (ms) =>
    new Promise((resolve) => {
      setTimeout(resolve, ms);
    }),
};

/** RFC 3339 with ms, UTC. */
export const calendarText = (calendarMs: number): string => new Date(calendarMs).toISOString();

/** The id the kernel gave this boot (random(4), /proc/sys/kernel/random/boot_id). */
export const readBootId = (): string => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();

/** Resolves with null after `ms`; does not keep the process alive. */
export const pausedFor = (ms: number): Promise<null> =>
  new Promise((resolve) => {
    setTimeout(() => resolve(null), ms).unref();
  });
