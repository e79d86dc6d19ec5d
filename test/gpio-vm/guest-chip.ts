/** Simulated GPIO chips of the kernel (gpio-sim), seen and moved from outside of the driver. Runs in the machine. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Level } from '../../src/contacts/gpio/lines.ts';

const CONFIG = '/sys/kernel/config/gpio-sim';
const TRACING = '/sys/kernel/tracing';

/** One chip. It comes and goes as a real one does with its driver. */
export class SimulatedChip {
  readonly label: string;
  readonly #directory: string;

  constructor(name: string, label: string, lines: number) {
    this.label = label;
    this.#directory = join(CONFIG, name);
    const bank = join(this.#directory, 'bank');
    mkdirSync(bank, { recursive: true });
    writeFileSync(join(bank, 'label'), label);
    writeFileSync(join(bank, 'num_lines'), String(lines));
  }

  get live(): boolean {
    return readFileSync(join(this.#directory, 'live'), 'utf8').trim() === '1';
  }

  /** The chip comes, all pins inputs and pulled down. */
  come(): void {
    if (!this.live) writeFileSync(join(this.#directory, 'live'), '1');
  }

  /** The chip goes, with everything that was claimed of it. */
  go(): void {
    if (this.live) writeFileSync(join(this.#directory, 'live'), '0');
  }

  renew(): void {
    this.go();
    this.come();
  }

  /** The level on the wire. */
  wire(line: number): Level {
    return readFileSync(this.#file(line, 'value'), 'utf8').trim() === '1' ? 1 : 0;
  }

  /** A hand on the wire: moves an input, and is what an output falls back to. */
  pull(line: number, level: Level): void {
    writeFileSync(this.#file(line, 'pull'), level === 1 ? 'pull-up' : 'pull-down');
  }

  get path(): string {
    const device = readFileSync(join(this.#directory, 'dev_name'), 'utf8').trim();
    const chip = readFileSync(join(this.#directory, 'bank', 'chip_name'), 'utf8').trim();
    return join('/sys/devices/platform', device, chip);
  }

  #file(line: number, name: string): string {
    return join(this.path, `sim_gpio${line}`, name);
  }
}

/** Whether a line is exported in sysfs. */
export const isExported = (number: number): boolean => existsSync(`/sys/class/gpio/gpio${number}`);

/** Starts to record every level that the kernel sets on any pin. */
export function startTrace(): void {
  writeFileSync(join(TRACING, 'events/gpio/enable'), '1');
  writeFileSync(join(TRACING, 'trace'), '');
}

/** What was set since, in order: `NUMBER=LEVEL`. */
export function traced(): readonly string[] {
  return readFileSync(join(TRACING, 'trace'), 'utf8')
    .split('\n')
    .flatMap((line) => {
      const found = /gpio_value: (\d+) set ([01])/.exec(line);
      return found === null ? [] : [`${found[1]}=${found[2]}`];
    });
}
