/** Figures for Prometheus. */
import type { Desk } from './desk.ts';
import type { Known } from './interlock-now.ts';

/** The text of `/metrics`. */
export function metricsOf(_desk: Desk, _known: Known): string {
  return '';
}
