import type { Reading } from '../../core/evidence.ts';
import type { Millis } from '../../core/time.ts';

const MAX_DETAIL = 160;

/** The code of a system error, or its message; bounded. */
export function errorCode(error: unknown): string {
  if (!(error instanceof Error)) return String(error).slice(0, MAX_DETAIL);
  const code = (error as NodeJS.ErrnoException).code;
  return (code ?? error.message).slice(0, MAX_DETAIL);
}

/** A reading that proves nothing, and why. */
export function unknownReading(takenAt: Millis, what: string, why: unknown): Reading {
  return { position: 'unknown', takenAt, detail: `${what}: ${errorCode(why)}`.slice(0, MAX_DETAIL) };
}
