import type { TripRecord } from '../../protocol/messages.ts';

/** Why everything has to stop: `tripped`, `window-ended`, `controller-stopping`, or the code with which a lease ended. */
export interface Cut {
  readonly code: string;
  readonly why: string;
  readonly trip?: TripRecord;
}

/** A switch that is thrown once. Listeners run in the same tick, so that restic dies before anything else is awaited. */
export interface CutSwitch {
  readonly signal: AbortSignal;
  /** The first reason stays. */
  throw(cut: Cut): void;
  /** `null` until thrown. */
  reason(): Cut | null;
}

/** A switch not yet thrown. */
export function cutSwitch(): CutSwitch {
  const controller = new AbortController();
  let reason: Cut | null = null;
  return {
    signal: controller.signal,
    throw(cut) {
      if (reason !== null) return;
      reason = cut;
      controller.abort();
    },
    reason: () => reason,
  };
}
