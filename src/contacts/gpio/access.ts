/** Which way into the kernel a bus takes. */
import { accessSync, constants } from 'node:fs';
import { join } from 'node:path';
import type { Timers } from '../timers.ts';
import { CharacterDevice } from './character-device.ts';
import { SYS_CLASS_GPIO } from './chips.ts';
import { codeOf, GpioFailure } from './failure.ts';
import type { AccessKind, GpioAccess } from './lines.ts';
import { onoffMissing, Sysfs } from './sysfs.ts';

/** What a bus of the configuration asks for. */
export type AskedAccess = 'auto' | AccessKind;

/** What there is on this machine. */
export interface KernelOffer {
  /** Why sysfs cannot be written here, or `null`: kernels may leave it out, and a sandbox makes it read-only. */
  readonly sysfsMissing: string | null;
  /** Why onoff cannot be loaded, or `null`. */
  readonly onoffMissing: string | null;
}

/** The way taken and why, or what is missing and what to do. */
export type ChosenAccess =
  | { readonly kind: AccessKind; readonly why: string }
  | { readonly kind: 'none'; readonly why: string };

/** Looks at this machine. */
export const kernelOffer = (root: string = SYS_CLASS_GPIO): KernelOffer => ({
  sysfsMissing: sysfsMissing(join(root, 'export')),
  onoffMissing: onoffMissing(),
});

function sysfsMissing(file: string): string | null {
  try {
    accessSync(file, constants.W_OK);
    return null;
  } catch (error) {
    switch (codeOf(error)) {
      case 'ENOENT':
        return `this kernel has no ${file}`;
      case 'EROFS':
        return `${file} is read-only here (ProtectKernelTunables= of the unit)`;
      default:
        return `${file} may not be written by the user of this process`;
    }
  }
}

/** Which way to take. Pure. `biased`: an input wants a pull resistor, which only the character device can set. */
export function chosenAccess(asked: AskedAccess, offer: KernelOffer, biased = false): ChosenAccess {
  const noOnoff =
    offer.onoffMissing === null
      ? null
      : `onoff cannot be loaded (${offer.onoffMissing}); bin/prepare builds it`;
  const lacking = offer.sysfsMissing ?? noOnoff;
  switch (asked) {
    case 'character-device':
      return { kind: 'character-device', why: 'the configuration says so' };
    case 'sysfs':
      if (lacking === null) return { kind: 'sysfs', why: 'the configuration says so' };
      return {
        kind: 'none',
        why: `access: sysfs is not possible: ${lacking}. Or write access: character-device`,
      };
    case 'auto':
      if (biased) return { kind: 'character-device', why: 'sysfs cannot set a pull resistor' };
      return lacking === null
        ? { kind: 'sysfs', why: `${SYS_CLASS_GPIO} can be written` }
        : { kind: 'character-device', why: lacking };
  }
}

/** The way taken on this machine. Throws GpioFailure where what is asked for is missing. */
export function gpioAccess(asked: AskedAccess, timers: Timers, biased = false): GpioAccess {
  const chosen = chosenAccess(asked, kernelOffer(), biased);
  switch (chosen.kind) {
    case 'sysfs':
      return new Sysfs(timers);
    case 'character-device':
      return new CharacterDevice(timers);
    case 'none':
      throw new GpioFailure(chosen.why);
  }
}
