/** The timer in a device that isolates by itself, as profile and configuration agree on it. */
import type { ContactSettings } from './hardware-settings.ts';
import type { Profile } from './profile.ts';

/** What a device's timer can count. */
export interface LeaseRange {
  /** ms of 1 in the value field. */
  readonly unit_ms: number;
  /** Smallest and largest value field. */
  readonly min: number;
  readonly max: number;
  /** ms asked for unless the configuration says otherwise. */
  readonly default_ms: number;
}

/** The timer of a device, or `null` when it has none. */
export const leaseRange = (profile: Profile): LeaseRange | null =>
  'hardware_lease' in profile ? (profile.hardware_lease ?? null) : null;

/** Whether the device can isolate by itself when nothing reaches it. That is no lease: any request feeds it. */
export const hasWatchdog = (profile: Profile): boolean =>
  'communication_watchdog' in profile && profile.communication_watchdog !== undefined;

/** Whether settings that are read back before every lease show such a watchdog to be armed. */
export const watchdogIsReadBack = (profile: Profile): boolean =>
  'communication_watchdog' in profile && (profile.communication_watchdog?.verified_by.length ?? 0) > 0;

/** ms of the hardware lease in use, or `null` for none. */
export function leaseMs(asked: ContactSettings['hardware_lease'], profile: Profile): number | null {
  if (asked === 'none') return null;
  return asked ?? leaseRange(profile)?.default_ms ?? null;
}

/** What is wrong with a lease that is asked for: the device has no timer, or cannot count it. */
export type LeaseProblem =
  | { readonly kind: 'no-timer' }
  | {
      readonly kind: 'uncountable';
      readonly leastMs: number;
      readonly mostMs: number;
      readonly stepMs: number;
    };

/** Why a device cannot hold the lease that is asked for, or `null` when it can. */
export function leaseProblem(
  asked: ContactSettings['hardware_lease'],
  profile: Profile,
): LeaseProblem | null {
  if (asked === undefined || asked === 'none') return null;
  const range = leaseRange(profile);
  if (range === null) return { kind: 'no-timer' };
  const { unit_ms: stepMs, min, max } = range;
  const value = asked / stepMs;
  if (Number.isInteger(value) && value >= min && value <= max) return null;
  return { kind: 'uncountable', leastMs: min * stepMs, mostMs: max * stepMs, stepMs };
}
