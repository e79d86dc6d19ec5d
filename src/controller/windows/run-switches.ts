/** What stops a run. */
import { cutSwitch } from './cut.ts';
import type { CutSwitch } from './cut.ts';
import type { Halt } from './record.ts';

/** The switches of a run, thrown from outside (trip, shutdown) and from inside. */
export interface RunSwitches {
  /** Kills what is at work in the vault. */
  readonly cut: CutSwitch;
  /** Asks it to stop. */
  readonly wrapUp: CutSwitch;
  /** Stops also what is done when the link is isolated again, which a cut is no reason for. */
  readonly quit: CutSwitch;
}

/** None of them thrown. */
export const runSwitches = (): RunSwitches => ({
  cut: cutSwitch(),
  wrapUp: cutSwitch(),
  quit: cutSwitch(),
});

/** Why nothing more may be begun, or `null`. */
export const stopOf = ({ cut, wrapUp }: RunSwitches): Halt | null => cut.reason() ?? wrapUp.reason();
/** Aborts when the work has to stop, in whatever way. */
export const stopSignal = ({ cut, wrapUp }: RunSwitches): AbortSignal =>
  AbortSignal.any([cut.signal, wrapUp.signal]);
