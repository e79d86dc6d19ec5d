/** The button as the configuration describes it. */
import type { ButtonInput } from '../../contacts/button-input.ts';
import type { Config } from '../../config/schema.ts';
import { Button } from './button.ts';
import type { Clock } from '../clock.ts';

/** A hold lasts at most this much longer than it must; what is pressed for longer was left in. ms */
const LONGEST_HOLD_BEYOND_MS = 20_000;

/** The button of this box, or none. */
export function configuredButton(
  { button }: Config,
  input: ButtonInput | null,
  clock: Clock,
): { readonly button?: Button } {
  if (button === undefined || input === null) return {};
  const policy = {
    debounceMs: button.debounce,
    deadMs: button.dead_after,
    holdMs: button.hold,
    longestHoldMs: button.hold + LONGEST_HOLD_BEYOND_MS,
    presenceMs: button.presence,
  };
  const { trips, hold_gives: holdGives } = button;
  const releasedWhen = button.input.released_when;
  return {
    button: new Button({ clock, input, policy, releasedWhen, trips, holdGives }),
  };
}
