import { millis, type Millis } from '../core/time.ts';

/** The monotonic clock of this process (CLOCK_MONOTONIC), in ms with µs resolution. */
export const monotonicNow = (): Millis => millis(Number(process.hrtime.bigint() / 1000n) / 1000);
