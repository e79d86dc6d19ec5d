/** Which pins of known Raspberry Pi models move a relay before any program runs. Pure. */
import type { Level } from './lines.ts';

/** The words with which a configuration takes the responsibility. */
export const ACCEPT_RESET_PULL = 'the relay may connect at power-on before any software runs';

/** Chips whose header pins have the pulls below: BCM2835 peripherals manual, page 102. RP1 (Pi 5) is believed to have the same. */
const PI_CHIPS: readonly string[] = ['pinctrl-bcm2835', 'pinctrl-bcm2711', 'pinctrl-rp1'];
const LAST_PULLED_UP = 8;
const LAST_ON_HEADER = 27;
const UART_TX = 14;
const HAT_EEPROM: readonly number[] = [0, 1];
const BOARD_PULL_UPS: readonly number[] = [2, 3];

/** Lines to offer instead: those with the right pull and no other work at boot. */
const BETTER: Readonly<Record<Level, string>> = {
  1: 'use line 17, 23, 25 or 16',
  0: 'use line 5 or 6, or better an active-high board',
};

/**
 * Why the line energises a relay from power-on on a known Raspberry Pi, and what to do; `null` where it does not.
 * `activeLevel`: the level of the pin that energises. A chip that is not known has no known pulls.
 */
export function resetPullProblem(
  chipLabel: string,
  line: number,
  activeLevel: Level,
): { readonly what: string; readonly hint: string } | null {
  if (!PI_CHIPS.includes(chipLabel) || line > LAST_ON_HEADER) return null;
  const why = energised(line, activeLevel);
  if (why === null) return null;
  const polarity = activeLevel === 1 ? 'high' : 'low';
  return {
    what: `line ${line} of ${chipLabel} ${why}, which energises an active-${polarity} relay before any program runs`,
    hint: `${BETTER[activeLevel]}; or, where the wiring makes up for it, write accept_reset_pull: "${ACCEPT_RESET_PULL}"`,
  };
}

function energised(line: number, activeLevel: Level): string | null {
  if (HAT_EEPROM.includes(line)) return 'goes high and low at boot while the firmware looks for a HAT EEPROM';
  if (activeLevel === 0) return line > LAST_PULLED_UP ? 'is pulled down from power-on' : null;
  if (BOARD_PULL_UPS.includes(line)) return 'has a 1.8 kΩ pull-up on the board';
  if (line <= LAST_PULLED_UP) return 'is pulled up from power-on';
  return line === UART_TX ? 'is driven high at boot (UART TX)' : null;
}
