/** The input a button is wired to: a GPIO line, an input of a Modbus board, or a status line of a serial port. */
import type { GpioAccess, Level } from './gpio/lines.ts';
import { gpioAccess } from './gpio/access.ts';
import { GpioInput } from './gpio/input.ts';
import type { ButtonInputSettings } from './hardware-settings.ts';
import type { Witness } from './port.ts';
import type { Timers } from './timers.ts';

/** What the input reads now. A level is the wire's own; which one means pressed is reckoned above. */
export type ButtonReading =
  | { readonly kind: 'level'; readonly level: Level }
  | { readonly kind: 'unknown'; readonly why: string };

/** One input, whatever is behind it. */
export interface ButtonInput {
  /** How often it wants to be read, ms. Where edges are told, this only finds out that it is alive. */
  readonly pollMs: number;
  /** Never rejects. Claims or connects when it is asked for the first time. */
  read(): Promise<ButtonReading>;
  /** Tells every edge from now on, however brief. An input without edges never calls it. */
  listen(edge: (level: Level) => void): void;
  close(): Promise<void>;
}

/** A GPIO line is looked at this often beside its edges, ms. */
const GPIO_LOOK_MS = 100;
/** An input of a board is asked this often, ms: a press of a tenth of a second is seen. */
const BOARD_LOOK_MS = 100;
/** A status line is read by one call into the kernel, ms. */
const STATUS_LOOK_MS = 20;
const MAX_WHY_CHARS = 200;

/** A button on a GPIO line: the kernel tells edges, and nothing is debounced here. */
export class GpioButton implements ButtonInput {
  readonly pollMs = GPIO_LOOK_MS;
  readonly #input: GpioInput;
  #edge: (level: Level) => void = () => undefined;

  constructor(
    settings: Extract<ButtonInputSettings, { type: 'gpio' }>,
    timers: Timers,
    access: () => GpioAccess = () => gpioAccess(settings.access, timers, settings.bias !== 'none'),
  ) {
    this.#input = new GpioInput({
      access,
      place: { chip: settings.chip, line: settings.line },
      bias: settings.bias,
      debounceMs: 0,
      timers,
      listener: {
        edge: (level) => this.#edge(level),
        settled: () => undefined,
        // The next look says the same.
        lost: () => undefined,
      },
    });
  }

  listen(edge: (level: Level) => void): void {
    this.#edge = edge;
  }

  async read(): Promise<ButtonReading> {
    const found = this.#input.look();
    return found.kind === 'settled' ? { kind: 'level', level: found.level } : found;
  }

  close(): Promise<void> {
    return this.#input.close();
  }
}

/** A button on an input of a Modbus board. `seen` is made with `isolated_when: 1`: it says isolated while the input reads 1. */
export class BoardButton implements ButtonInput {
  readonly pollMs = BOARD_LOOK_MS;
  readonly #seen: Witness;

  constructor(seen: Witness) {
    this.#seen = seen;
  }

  listen(): void {
    // A board is polled; it tells no edges.
  }

  async read(): Promise<ButtonReading> {
    const { position, detail } = await this.#seen.read();
    if (position === 'unknown') return { kind: 'unknown', why: detail };
    return { kind: 'level', level: position === 'isolated' ? 1 : 0 };
  }

  close(): Promise<void> {
    return this.#seen.close();
  }
}

/** What a serial port tells of its status lines. */
export interface StatusPort {
  lines(): Promise<{ readonly cts: boolean; readonly dsr: boolean; readonly dcd: boolean }>;
  close(): Promise<void>;
}

/** A button between RTS or DTR and a status line of a serial port. A pseudo-terminal has none: this needs a real port. */
export class StatusLineButton implements ButtonInput {
  readonly pollMs = STATUS_LOOK_MS;
  readonly #settings: Extract<ButtonInputSettings, { type: 'serial-status-line' }>;
  readonly #connect: (device: string) => Promise<StatusPort>;
  #port: StatusPort | null = null;
  #closed = false;

  constructor(
    settings: Extract<ButtonInputSettings, { type: 'serial-status-line' }>,
    connect: (device: string) => Promise<StatusPort> = statusPort,
  ) {
    this.#settings = settings;
    this.#connect = connect;
  }

  listen(): void {
    // The kernel tells no edges of status lines without a call that waits; they are read often instead.
  }

  async read(): Promise<ButtonReading> {
    if (this.#closed) return { kind: 'unknown', why: 'the driver was closed' };
    try {
      this.#port ??= await this.#connect(this.#settings.device);
      const lines = await this.#port.lines();
      return { kind: 'level', level: lines[this.#settings.line] ? 1 : 0 };
    } catch (error) {
      const why = (error instanceof Error ? error.message : String(error)).slice(0, MAX_WHY_CHARS);
      await this.#letGo();
      return { kind: 'unknown', why };
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#letGo();
  }

  /** A port that failed is opened anew with the next look. */
  async #letGo(): Promise<void> {
    const port = this.#port;
    this.#port = null;
    // It may be gone with its adapter; there is nothing left to release then.
    await port?.close().catch(() => undefined);
  }
}

const SETTLED = (resolve: () => void, reject: (error: Error) => void) => (error: Error | null | undefined) =>
  error === null || error === undefined ? resolve() : reject(error);

/** Connects a real port, with RTS and DTR asserted: they feed the button. */
async function statusPort(device: string): Promise<StatusPort> {
  const { SerialPort } = await import('serialport');
  const port = new SerialPort({ path: device, baudRate: 9600, autoOpen: false, lock: false });
  // What goes wrong shows with the next look.
  port.on('error', () => undefined);
  await new Promise<void>((resolve, reject) => port.open(SETTLED(resolve, reject)));
  await new Promise<void>((resolve, reject) => port.set({ rts: true, dtr: true }, SETTLED(resolve, reject)));
  return {
    lines: () =>
      new Promise((resolve, reject) =>
        port.get((error, status) => {
          if (status === undefined) reject(error ?? new Error('the port does not tell its status lines'));
          else resolve(status);
        }),
      ),
    close: () => new Promise<void>((resolve, reject) => port.close(SETTLED(resolve, reject))),
  };
}
