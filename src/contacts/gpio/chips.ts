/** Which GPIO chips there are. A chip is chosen by its label: numbers change with kernel and model. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { GpioFailure, lineName, quoted } from './failure.ts';
import type { LinePlace } from './lines.ts';

/** Where the kernel keeps the older interface. */
export const SYS_CLASS_GPIO = '/sys/class/gpio';
const MAX_LISTED = 16;

/** One chip as the kernel names it. */
export interface Chip {
  readonly label: string;
  readonly lines: number;
  /** Such as `/dev/gpiochip0` or `/sys/class/gpio/gpiochip512`. */
  readonly path: string;
  /** First global number of the chip in sysfs; `null` on the character device, which has none. */
  readonly base: number | null;
}

/** The chips in sysfs. A chip whose files are half there (it is just going) is left out. Throws when there is no sysfs. */
export function sysfsChips(root: string = SYS_CLASS_GPIO): readonly Chip[] {
  return readdirSync(root)
    .filter((entry) => /^gpiochip\d+$/.test(entry))
    .toSorted()
    .flatMap((entry) => {
      const path = join(root, entry);
      const [label, base, lines] = ['label', 'base', 'ngpio'].map((name) => textOf(join(path, name)));
      if (label === undefined || label === null || !isNumber(base) || !isNumber(lines)) return [];
      return [{ label, path, base: Number(base), lines: Number(lines) }];
    });
}

const isNumber = (text: string | null | undefined): text is string => /^\d+$/.test(text ?? '');

/** `null` when the file went away while the directory was read. */
function textOf(path: string): string | null {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return null;
  }
}

/** The one chip with the label of `place`, which must have the line. Throws GpioFailure, which lists the chips found. */
export function chipFor(place: LinePlace, chips: readonly Chip[]): Chip {
  const found = chips.filter((chip) => chip.label === place.chip);
  const [chip, second] = found;
  if (chip === undefined) {
    throw new GpioFailure(
      `there is no GPIO chip labelled ${quoted(place.chip)}; found: ${listed(chips)}. Write the label of one of these as the chip of the bus`,
    );
  }
  if (second !== undefined) {
    throw new GpioFailure(
      `${found.length} GPIO chips are labelled ${quoted(place.chip)}: ${listed(found)}. Which one is meant cannot be known; give the other one another label or leave its driver out`,
    );
  }
  if (place.line >= chip.lines) {
    throw new GpioFailure(`${lineName(place)} does not exist: the chip has lines 0 to ${chip.lines - 1}`);
  }
  return chip;
}

/** The global number of a line in sysfs, which is not its offset. Throws GpioFailure. */
export function sysfsNumber(place: LinePlace, chips: readonly Chip[]): number {
  const chip = chipFor(place, chips);
  if (chip.base === null) throw new GpioFailure(`${chip.path} has no number in sysfs`);
  return chip.base + place.line;
}

function listed(chips: readonly Chip[]): string {
  if (chips.length === 0) return 'none';
  const shown = chips
    .slice(0, MAX_LISTED)
    .map((chip) => `${quoted(chip.label)} (${chip.lines} lines, ${chip.path})`);
  const more = chips.length - shown.length;
  return shown.join(', ') + (more > 0 ? ` and ${more} more` : '');
}
