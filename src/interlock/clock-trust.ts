/** Whether the calendar clock may open windows: a Pi has no RTC and wakes up in the past. */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import type Koffi from 'koffi';

export interface ClockTrust {
  readonly synchronised: boolean;
  /** For the journal: how much the time stamps are worth. */
  readonly quality: 'synchronised' | 'unsynchronised' | 'assumed';
  readonly detail: string;
}

/** systemd-timesyncd touches this file once it has set the clock in this boot. */
const TIMESYNCD_MARK = '/run/systemd/timesync/synchronized';
/** adjtimex(2): the clock is not synchronised. */
const TIME_ERROR = 5;
/** sizeof(struct timex) is 208 on 64-bit Linux; a zeroed `modes` asks only. */
const TIMEX_BYTES = 256;

/** How `clock.trust` is judged; ask as often as needed, each call costs about a microsecond. */
export function clockTrust(kind: 'kernel' | 'timesyncd' | 'always'): () => ClockTrust {
  switch (kind) {
    case 'always':
      return () => ({
        synchronised: true,
        quality: 'assumed',
        detail: 'the configuration says to trust this clock unseen',
      });
    case 'timesyncd':
      return () => judged(existsSync(TIMESYNCD_MARK), `systemd-timesyncd (${TIMESYNCD_MARK})`);
    case 'kernel': {
      // Loaded only where the kernel is asked: its native part costs memory.
      const koffi = createRequire(import.meta.url)('koffi') as typeof Koffi;
      const adjtimex = koffi.load('libc.so.6').func('int adjtimex(void *buffer)');
      return () => {
        const answer: unknown = adjtimex(Buffer.alloc(TIMEX_BYTES));
        return judged(typeof answer === 'number' && answer >= 0 && answer !== TIME_ERROR, 'adjtimex');
      };
    }
  }
}

const judged = (synchronised: boolean, by: string): ClockTrust => ({
  synchronised,
  quality: synchronised ? 'synchronised' : 'unsynchronised',
  detail: `${by} says the clock is ${synchronised ? '' : 'not '}synchronised`,
});
