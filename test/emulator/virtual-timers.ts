/** Time that moves only when a test says so. */
import { later, millis, type Millis } from '../../src/core/time.ts';
import type { BoardTimers } from '../../src/emulator/relays.ts';

export interface VirtualTimers extends BoardTimers {
  /** Lets `ms` pass; what falls due is done in order. */
  advance(ms: number): void;
  /** How many timers still run. */
  running(): number;
}

export function virtualTimers(): VirtualTimers {
  let now: Millis = millis(1000);
  let order = 0;
  const due = new Map<number, { at: Millis; act: () => void }>();
  return {
    now: () => now,
    after: (ms, act) => {
      const key = (order += 1);
      due.set(key, { at: later(now, ms), act });
      return () => due.delete(key);
    },
    advance: (ms) => {
      const end = later(now, ms);
      for (;;) {
        const [next] = [...due]
          .filter(([, { at }]) => at <= end)
          .toSorted((a, b) => a[1].at - b[1].at || a[0] - b[0]);
        if (next === undefined) break;
        due.delete(next[0]);
        now = next[1].at;
        next[1].act();
      }
      now = end;
    },
    running: () => due.size,
  };
}
