import type { SerialProfile } from './profile.ts';

/** Why a hardware lease of `ms` cannot be asked for, or `null`. */
export function leaseProblem(
  { unit_ms, min, max }: NonNullable<SerialProfile['hardware_lease']>,
  ms: number,
): string | null {
  const field = ms / unit_ms;
  if (Number.isInteger(field) && field >= min && field <= max) return null;
  return `${ms} ms is no multiple of ${unit_ms} ms from ${min * unit_ms} to ${max * unit_ms} ms`;
}
