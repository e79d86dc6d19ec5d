declare const unit: unique symbol;

/** Milliseconds on the monotonic clock; never a calendar time. Fractions are allowed. */
export type Millis = number & { readonly [unit]: 'monotonic-ms' };

/** Marks a number as a monotonic time. */
export const millis = (value: number): Millis => value as Millis;

/** The monotonic time `ms` milliseconds after `now`. */
export const later = (now: Millis, ms: number): Millis => millis(now + ms);
