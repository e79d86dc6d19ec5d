/**
 * GPIO over sysfs, through onoff. The kernel keeps direction and level of an exported line whatever becomes of the
 * process. Whoever may write to sysfs may drive the same line: nothing there says whose it is, but a line that the
 * character device or a kernel driver has claimed is refused (EBUSY).
 *
 * onoff has ways of its own, which are met here: it takes errors lightly on a line that is exported already, so what it
 * should have set is read back; opened as 'out' it drives low, so a line is opened as 'high' or 'low'; it waits for file
 * permissions in a busy loop, so they are looked at before; it dies of a chip that goes while it is watched.
 */
import { accessSync, closeSync, constants, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type * as Onoff from 'onoff';
import type { Timers } from '../timers.ts';
import { type Chip, SYS_CLASS_GPIO, sysfsChips, sysfsNumber } from './chips.ts';
import { GpioFailure, lineFailure, lineName } from './failure.ts';
import type { Bias, GpioAccess, InputEvents, InputLine, Level, LinePlace, OutputLine } from './lines.ts';

type Gpio = Onoff.Gpio;

/** Why onoff cannot be used in this process, or `null`. Its epoll is compiled by `bin/prepare`. */
export function onoffMissing(): string | null {
  try {
    onoff();
    return null;
  } catch (error) {
    return (error instanceof Error ? error.message : String(error)).split('\n')[0]?.slice(0, 200) ?? '';
  }
}

// A CommonJS module with a native part, loaded with the first line. Its own types say what it is.
const onoff = (): typeof Onoff => createRequire(import.meta.url)('onoff') as typeof Onoff;

/** sysfs. The place of its files is onoff's own and the kernel's. */
export class Sysfs implements GpioAccess {
  readonly kind = 'sysfs';
  readonly #timers: Timers;

  constructor(timers: Timers) {
    this.#timers = timers;
  }

  chips(): readonly Chip[] {
    return sysfsChips();
  }

  claimOutput(place: LinePlace): OutputLine {
    return new SysfsOutput(place, this.#exported(place));
  }

  claimInput(place: LinePlace, bias: Bias, events: InputEvents): InputLine {
    if (bias !== 'none') {
      throw new GpioFailure(
        `${lineName(place)} cannot be given a ${bias} over sysfs: set access: character-device on its bus, or fit a resistor and write bias: none`,
      );
    }
    return new SysfsInput(place, this.#exported(place), events, this.#timers);
  }

  /** Exports the line as it is; the number of the line in sysfs. */
  #exported(place: LinePlace): number {
    try {
      const number = sysfsNumber(place, this.chips());
      if (!existsSync(fileOf(number, 'value'))) {
        writeFileSync(join(SYS_CLASS_GPIO, 'export'), String(number));
      }
      return number;
    } catch (error) {
      throw lineFailure(place, 'cannot be claimed', error);
    }
  }
}

const fileOf = (number: number, name: string): string => join(SYS_CLASS_GPIO, `gpio${number}`, name);

const textOf = (number: number, name: string): string => readFileSync(fileOf(number, name), 'utf8').trim();

const levelOf = (text: string): Level => (text === '1' ? 1 : 0);

/** Opens an exported line with onoff. udev may still be about to hand the files to us: then this throws, and is tried again. */
function opened(number: number, direction: 'in' | 'high' | 'low'): Gpio {
  for (const name of ['value', 'direction', 'active_low']) {
    accessSync(fileOf(number, name), constants.R_OK | constants.W_OK);
  }
  const { Gpio: Line } = onoff();
  const gpio =
    direction === 'in'
      ? new Line(number, 'in', 'both', { activeLow: false })
      : new Line(number, direction, 'none', { activeLow: false });
  const wanted = direction === 'in' ? 'in' : 'out';
  const problems = settingsProblems(number, wanted);
  if (direction === 'in' && textOf(number, 'edge') !== 'both')
    problems.push('the chip reports no edges (interrupts)');
  if (problems.length === 0) return gpio;
  closeKept(gpio);
  throw new Error(problems.join(', '));
}

function settingsProblems(number: number, direction: 'in' | 'out'): string[] {
  const problems: string[] = [];
  const found = textOf(number, 'direction');
  if (found !== direction)
    problems.push(`direction reads ${JSON.stringify(found.slice(0, 8))}, not ${direction}`);
  if (textOf(number, 'active_low') !== '0') problems.push('active_low is set');
  return problems;
}

/** Closes what onoff opened and leaves the line exported: onoff itself can only unexport, which lets the pin go. */
function closeKept(gpio: Gpio): void {
  gpio.unwatchAll();
  closeSync((gpio as unknown as { readonly _valueFd: number })._valueFd);
}

class SysfsOutput implements OutputLine {
  readonly #place: LinePlace;
  readonly #number: number;
  #gpio: Gpio | null = null;

  constructor(place: LinePlace, number: number) {
    this.#place = place;
    this.#number = number;
  }

  drive(level: Level): void {
    try {
      if (this.#gpio === null) this.#gpio = opened(this.#number, level === 1 ? 'high' : 'low');
      else this.#gpio.writeSync(level);
    } catch (error) {
      throw lineFailure(this.#place, 'could not be driven', error);
    }
  }

  read(): Level {
    try {
      if (this.#gpio === null) return levelOf(textOf(this.#number, 'value'));
      const level = this.#gpio.readSync();
      // Anybody with access to sysfs can turn the line round; a level that is not driven says nothing about us.
      const problems = settingsProblems(this.#number, 'out');
      if (problems.length > 0) throw new Error(`it was changed by another program: ${problems.join(', ')}`);
      return level;
    } catch (error) {
      throw lineFailure(this.#place, 'could not be read', error);
    }
  }

  problems(): readonly string[] {
    try {
      if (this.#gpio !== null) {
        this.#gpio.readSync();
        return settingsProblems(this.#number, 'out').map((what) => `${lineName(this.#place)}: ${what}`);
      }
      textOf(this.#number, 'value');
      return [];
    } catch (error) {
      throw lineFailure(this.#place, 'could not be read', error);
    }
  }

  release(): void {
    if (this.#gpio !== null) closeKept(this.#gpio);
    this.#gpio = null;
  }
}

class SysfsInput implements InputLine {
  readonly #place: LinePlace;
  readonly #read: () => Level;
  #gpio: Gpio | null;

  constructor(place: LinePlace, number: number, events: InputEvents, timers: Timers) {
    this.#place = place;
    let gpio: Gpio;
    try {
      gpio = opened(number, 'in');
    } catch (error) {
      throw lineFailure(place, 'cannot be claimed', error);
    }
    this.#gpio = gpio;
    this.#read = gpio.readSync.bind(gpio);
    let last: Level = this.#read();
    // onoff reads the line when it is woken, outside of any call of ours: an error there would end the process.
    gpio.readSync = () => {
      try {
        last = this.#read();
      } catch (error) {
        queueMicrotask(() => {
          if (this.#gpio !== null) events.lost(lineFailure(place, 'could not be read', error).message);
        });
      }
      return last;
    };
    gpio.watch((_, level) => {
      if (this.#gpio !== null) events.edge(level, timers.now());
    });
  }

  read(): Level {
    if (this.#gpio === null) throw new GpioFailure(`${lineName(this.#place)} was released`);
    try {
      return this.#read();
    } catch (error) {
      throw lineFailure(this.#place, 'could not be read', error);
    }
  }

  release(): void {
    const gpio = this.#gpio;
    this.#gpio = null;
    gpio?.unexport();
  }
}
