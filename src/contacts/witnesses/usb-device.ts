import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Reading } from '../../core/evidence.ts';
import type { Witness } from '../port.ts';
import type { Timers } from '../timers.ts';
import type { FileReads } from './file-reads.ts';
import { errorCode, unknownReading } from './reading.ts';

/** Where the kernel shows USB devices. */
export const SYS_USB_DEVICES = '/sys/bus/usb/devices';
/** Most entries that are looked at; a bus has 127 addresses. */
const MAX_DEVICES = 1024;

/**
 * A USB device that is there only while connected, known by vendor, product and, where given, serial number. Present:
 * connected. Absent: unknown, for a bridge that hangs or a driver that gave up looks the same as a cable that is cut.
 */
export class UsbDeviceWitness implements Witness {
  readonly name: string;
  readonly type = 'usb-device';
  readonly showsIsolation = false;
  readonly #vendor: string;
  readonly #product: string;
  readonly #serial: string | null;
  readonly #reads: FileReads;
  readonly #timers: Timers;
  readonly #root: string;

  constructor(
    parts: {
      readonly name: string;
      /** Four hexadecimal digits, as `lsusb` prints them. */
      readonly vendor: string;
      readonly product: string;
      readonly serial: string | null;
      readonly reads: FileReads;
      readonly timers: Timers;
    },
    root: string = SYS_USB_DEVICES,
  ) {
    this.name = parts.name;
    this.#vendor = parts.vendor.toLowerCase();
    this.#product = parts.product.toLowerCase();
    this.#serial = parts.serial;
    this.#reads = parts.reads;
    this.#timers = parts.timers;
    this.#root = root;
  }

  async read(): Promise<Reading> {
    const takenAt = this.#timers.now();
    try {
      const place = await this.#reads.run(() => this.#find());
      if (place === null) return { position: 'unknown', takenAt, detail: 'absent, which proves nothing' };
      return { position: 'connected', takenAt, detail: `present at ${place}` };
    } catch (error) {
      return unknownReading(takenAt, 'USB devices cannot be looked at', error);
    }
  }

  async close(): Promise<void> {}

  /** Where the device is, or `null`. */
  async #find(): Promise<string | null> {
    const entries = await readdir(this.#root);
    // Interfaces (`1-1:1.0`) have no ids of their own.
    for (const entry of entries.filter((name) => !name.includes(':')).slice(0, MAX_DEVICES)) {
      const at = join(this.#root, entry);
      if ((await attribute(at, 'idVendor')) !== this.#vendor) continue;
      if ((await attribute(at, 'idProduct')) !== this.#product) continue;
      if (this.#serial === null || (await attribute(at, 'serial')) === this.#serial)
        return entry.slice(0, 40);
    }
    return null;
  }
}

/** What a device says of itself; `null` when it says nothing, or went away while it was asked. */
async function attribute(device: string, name: string): Promise<string | null> {
  try {
    return (await readFile(join(device, name), 'utf8')).trim();
  } catch (error) {
    if (['ENOENT', 'ENODEV', 'ENXIO'].includes(errorCode(error))) return null;
    throw error;
  }
}
