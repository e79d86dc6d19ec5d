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

/** Lines that isolate an active-high relay from power-on; the ones to offer. */
const GOOD_FOR_ACTIVE_HIGH = '16, 17 or 22 to 27';
const GOOD_FOR_ACTIVE_LOW = '5 or 6';

/**
 * Why the line energises a relay from power-on on a known Raspberry Pi, in a sentence that says what to do, or `null`.
 * `activeLevel`: the level of the pin that energises. An unknown chip has no known pulls.
 */
export function resetPullProblem(chipLabel: string, line: number, activeLevel: Level): string | null {
  if (!PI_CHIPS.includes(chipLabel) || line > LAST_ON_HEADER) return null;
  const why = energised(line, activeLevel);
  if (why === null) return null;
  const better = activeLevel === 1 ? GOOD_FOR_ACTIVE_HIGH : GOOD_FOR_ACTIVE_LOW;
  return `line ${line} of ${chipLabel} ${why}, which energises an active-${activeLevel === 1 ? 'high' : 'low'} relay before any program runs. Use line ${better}${activeLevel === 0 ? ', or better an active-high board' : ''}; or, if the wiring makes up for it, write accept_reset_pull: "${ACCEPT_RESET_PULL}" at the contact`;
}

function energised(line: number, activeLevel: Level): string | null {
  if (HAT_EEPROM.includes(line))
    return 'is driven up and down at boot while the firmware looks for a HAT EEPROM';
  if (activeLevel === 1) {
    if (BOARD_PULL_UPS.includes(line)) return 'has a 1.8 kΩ pull-up on the board';
    if (line <= LAST_PULLED_UP) return 'is pulled up from power-on';
    return line === UART_TX ? 'is driven high at boot (UART TX)' : null;
  }
  return line > LAST_PULLED_UP ? 'is pulled down from power-on' : null;
}
