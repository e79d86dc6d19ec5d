/** What a pin does when the process that drives it dies. Pure, but for `persistsOutputs`. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { AccessKind } from './lines.ts';

/** What becomes of the pin. `input`: nobody drives it, so the pull resistors and the relay board decide. */
export type AfterDeath = 'keeps' | 'input' | 'unknown';

/** What becomes of the pin, and the sentence for `check`. */
export interface DeathNote {
  readonly after: AfterDeath;
  readonly sentence: string;
}

/** Where the kernel shows the parameters of its drivers. */
export const SYS_MODULE = '/sys/module';

/** The kernel module behind a chip label that has the parameter persist_gpio_outputs in Raspberry Pi's kernels. */
function persistingModule(chipLabel: string): string | null {
  if (chipLabel === 'pinctrl-bcm2835' || chipLabel === 'pinctrl-bcm2711') return 'pinctrl_bcm2835';
  return chipLabel === 'pinctrl-rp1' ? 'pinctrl_rp1' : null;
}

/** Whether this kernel's driver keeps released outputs driven; `null`: it does not say (no such parameter, or another chip). */
export function persistsOutputs(chipLabel: string, root: string = SYS_MODULE): boolean | null {
  const module = persistingModule(chipLabel);
  if (module === null) return null;
  try {
    const text = readFileSync(join(root, module, 'parameters', 'persist_gpio_outputs'), 'utf8').trim();
    return text === 'Y' ? true : text === 'N' ? false : null;
  } catch {
    // Upstream kernels have no such parameter; on another machine there is no such driver.
    return null;
  }
}

const KEEPS =
  'A connected contact stays connected until something outside that process isolates it: systemd (ExecStopPost), or hardware.';
const LETS_GO =
  'What the contact does then is decided by the pull resistor at the relay input; fit one that isolates.';

/** What a pin does when the process that drives it dies; `persists` as from `persistsOutputs`. */
export function deathNote(access: AccessKind, chipLabel: string, persists: boolean | null): DeathNote {
  if (access === 'sysfs') {
    return {
      after: 'keeps',
      sentence: `When the process dies, sysfs keeps the pin as it was, whatever the chip. ${KEEPS}`,
    };
  }
  if (chipLabel.endsWith('pl061')) {
    return {
      after: 'keeps',
      sentence: `When the process dies, the PL061 driver leaves the pin as it was, also over the character device. ${KEEPS}`,
    };
  }
  if (chipLabel.startsWith('gpio-sim')) {
    return {
      after: 'input',
      sentence: `When the process dies, the simulated pin falls to its pull. ${LETS_GO}`,
    };
  }
  const module = persistingModule(chipLabel);
  if (module === null) {
    return {
      after: 'unknown',
      sentence: `Nobody has tried what chip ${JSON.stringify(chipLabel.slice(0, 64))} does with the pin when the process dies: reckon with a contact that stays connected, and try it (kill -9 while connected).`,
    };
  }
  const parameter = `${module}.persist_gpio_outputs`;
  if (persists === true) {
    return {
      after: 'keeps',
      sentence: `When the process dies, the kernel keeps the pin as it was (${parameter}=Y, as Raspberry Pi's kernels have it). ${KEEPS} To have the pin let go instead, add dtparam=strict_gpiod to config.txt.`,
    };
  }
  if (persists === false) {
    return {
      after: 'input',
      sentence: `When the process dies, the pin becomes an input (${parameter}=N). ${LETS_GO}`,
    };
  }
  return {
    after: 'unknown',
    sentence: `What the pin does when the process dies depends on the kernel: upstream's lets it go, Raspberry Pi's keeps it (${parameter}, which cannot be read here). Reckon with a contact that stays connected.`,
  };
}
