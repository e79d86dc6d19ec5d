import { readSync, writeSync } from 'node:fs';
import type { SerialPort } from 'serialport';
import type { Transport, Wire, WireEvents } from './transport.ts';

/** How a serial line is set. */
export interface SerialLine {
  readonly device: string;
  readonly baud: number;
  readonly dataBits: 7 | 8;
  readonly parity: 'none' | 'even' | 'odd';
  readonly stopBits: 1 | 2;
  /** `released`: DTR and RTS are let go after opening, and closing does not hang up. */
  readonly controlLines?: 'released' | 'as-opened';
}

/** What the configuration says of a serial line; what it leaves out is the device's factory setting. */
interface AskedLine {
  readonly device: string;
  readonly baud?: number;
  readonly parity?: SerialLine['parity'];
  readonly stop_bits?: SerialLine['stopBits'];
}

/** How a device leaves the factory, as its profile says. */
interface FactoryLine {
  readonly baud: number;
  readonly data_bits: SerialLine['dataBits'];
  readonly parity: SerialLine['parity'];
  readonly stop_bits: SerialLine['stopBits'];
}

/** Bits per second where neither configuration nor profile says any; the configuration is refused before that matters. */
const USUAL_BAUD = 9600;

/** The line that a bus asks for. */
export const lineOf = (asked: AskedLine, factory: FactoryLine | undefined): SerialLine => ({
  device: asked.device,
  baud: asked.baud ?? factory?.baud ?? USUAL_BAUD,
  dataBits: factory?.data_bits ?? 8,
  parity: asked.parity ?? factory?.parity ?? 'none',
  stopBits: asked.stop_bits ?? factory?.stop_bits ?? 1,
});

/** ms within which a serial device must be open; the kernel needs microseconds, a dying USB adapter may need for ever. */
export const OPEN_TIMEOUT_MS = 2000;
/** Above this speed the standard fixes the silence between frames instead of counting characters. */
const FIXED_QUIET_ABOVE_BAUD = 19_200;
const FIXED_QUIET_MS = 1.75;
const QUIET_CHARACTERS = 3.5;
/** Bytes forgotten per read while draining, and how often at most: a line that never stops talking must not hold us. */
const DRAIN_BYTES = 256;
const MAX_DRAIN_READS = 64;

/** Loads what a serial device needs, for whoever must not wait for a file later. Who opens says what is wrong with it. */
export const loadSerial = (): Promise<void> =>
  import('serialport').then(
    () => undefined,
    () => undefined,
  );

/** A serial device. Frames are written by this process in the same tick, not by a thread of serialport. */
export class SerialTransport implements Transport {
  readonly where: string;
  readonly byteMs: number;
  readonly quietMs: number;
  readonly #line: SerialLine;
  readonly #openTimeoutMs: number;
  /** Settles when the previous port is wholly closed (or could not be opened). Never rejects. */
  #previous: Promise<void> = Promise.resolve();

  constructor(line: SerialLine, openTimeoutMs: number = OPEN_TIMEOUT_MS) {
    this.#line = line;
    this.#openTimeoutMs = openTimeoutMs;
    this.where = `serial ${line.device}`;
    const bits = 1 + line.dataBits + (line.parity === 'none' ? 0 : 1) + line.stopBits;
    this.byteMs = (bits * 1000) / line.baud;
    this.quietMs = line.baud > FIXED_QUIET_ABOVE_BAUD ? FIXED_QUIET_MS : QUIET_CHARACTERS * this.byteMs;
  }

  open(events: WireEvents): Promise<Wire> {
    return new Promise((resolve, reject) => {
      let late = false;
      const limit = setTimeout(() => {
        late = true;
        reject(new Error(`the serial device did not open within ${this.#openTimeoutMs} ms`));
      }, this.#openTimeoutMs);
      const attempt = this.#previous.then(() => (late ? null : this.#openPort()));
      const closed = attempt.then((port) => (port === null ? undefined : untilClosed(port)));
      this.#previous = closed.catch(() => undefined);
      attempt.then(
        (port) => {
          clearTimeout(limit);
          if (port === null) return;
          if (late) closePort(port);
          else resolve(serialWire(port, events));
        },
        (error: unknown) => {
          clearTimeout(limit);
          reject(error instanceof Error ? error : new Error(String(error)));
        },
      );
    });
  }

  async #openPort(): Promise<SerialPort> {
    const line = this.#line;
    // Loaded with the first serial device: most boxes have none, and its native part costs 10 MB.
    const { SerialPort } = await import('serialport');
    const port = new SerialPort({
      path: line.device,
      baudRate: line.baud,
      dataBits: line.dataBits,
      parity: line.parity,
      stopBits: line.stopBits,
      autoOpen: false,
      hupcl: line.controlLines !== 'released',
    });
    await new Promise<void>((resolve, reject) => {
      port.open((error) => (error === null ? resolve() : reject(error)));
    });
    if (line.controlLines === 'released') {
      // A terminal without such lines (a pseudo-terminal) refuses this, and has nothing to let go.
      await new Promise<void>((resolve) => {
        port.set({ brk: false, dtr: false, rts: false }, () => resolve());
      });
    }
    // What an earlier user of the line left in the kernel, in both directions, is not ours.
    await new Promise<void>((resolve) => {
      port.flush(() => resolve());
    });
    return port;
  }
}

function untilClosed(port: SerialPort): Promise<void> {
  return new Promise((resolve) => {
    if (!port.isOpen) resolve();
    else port.once('close', () => resolve());
  });
}

/** Throws away queued output first: a close alone lets the kernel send it. */
function closePort(port: SerialPort): void {
  if (!port.isOpen) return;
  port.flush(() => {
    // An error on the way down has no reader: the next open says what is wrong.
    if (port.isOpen) port.close(() => undefined);
  });
}

function serialWire(port: SerialPort, events: WireEvents): Wire {
  let over = false;
  const gone = (why: string): void => {
    if (over) return;
    over = true;
    events.onGone(why);
  };
  port.on('data', (chunk: Buffer) => {
    if (!over) events.onBytes(chunk);
  });
  port.on('error', (error: Error) => gone(`serial device failed (${error.message.slice(0, 100)})`));
  port.on('close', () => gone('the serial device is gone'));
  return {
    write: (bytes) => !over && writeNow(port, bytes),
    drain: () => (over ? 0 : drainNow(port)),
    discard: () => {
      over = true;
      closePort(port);
    },
  };
}

/** The descriptor behind an open port, or `null`. */
function descriptor(port: SerialPort): number | null {
  const binding = port.port;
  return binding !== undefined && 'fd' in binding && typeof binding.fd === 'number' ? binding.fd : null;
}

/** serialport opens the device non-blocking, so this returns at once: taken, full, or broken. */
function writeNow(port: SerialPort, bytes: Uint8Array): boolean {
  const fd = descriptor(port);
  if (fd === null) return false;
  try {
    return writeSync(fd, bytes) === bytes.length;
  } catch {
    // EIO, ENXIO, EBADF, EAGAIN: whatever the reason, the frame is not wholly out and the caller discards the wire.
    return false;
  }
}

function drainNow(port: SerialPort): number {
  const fd = descriptor(port);
  if (fd === null) return 0;
  const bytes = Buffer.alloc(DRAIN_BYTES);
  let forgotten = 0;
  for (let reads = 0; reads < MAX_DRAIN_READS; reads += 1) {
    try {
      const count = readSync(fd, bytes);
      if (count === 0) return forgotten;
      forgotten += count;
    } catch {
      // EAGAIN: nothing waits. Anything else shows itself at the write that follows.
      return forgotten;
    }
  }
  return forgotten;
}
