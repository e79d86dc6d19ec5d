/**
 * One lamp on the output of a board or on a GPIO line. It is driven like a contact (lit as connected, dark as isolated) by a
 * worker of its own, and read nowhere: a lamp is never evidence.
 */
import type { LampName } from '../core/lamps.ts';
import { leaseRange } from './hardware-lease.ts';
import type { CommandOutcome, Contact, Fence } from './port.ts';
import type { Profile } from './profile.ts';

/** A lamp whose driver died, or whose board does not end its timer for an order to be dark, is wrong for about this long, ms. */
const LAMP_LEASE_MS = 2_000;

/** The shortest time near that which the timer of a device can count, ms; `null` when it has none. */
export function lampLeaseMs(profile: Profile): number | null {
  const range = leaseRange(profile);
  if (range === null) return null;
  const { unit_ms: stepMs, min, max } = range;
  return Math.min(max, Math.max(min, Math.ceil(LAMP_LEASE_MS / stepMs))) * stepMs;
}

/** What the interlock may ask of a lamp. */
export interface LampOutput {
  readonly lamp: LampName;
  /** ms after which the device itself darkens the lamp unless it is told again, or `null`. */
  readonly leaseMs: number | null;
  /** Never rejects, and is over within a bounded time. */
  show(lit: boolean): Promise<CommandOutcome>;
  close(): Promise<void>;
}

/** A lamp on the output that `contact` drives. */
export class DrivenLamp implements LampOutput {
  readonly lamp: LampName;
  readonly leaseMs: number | null;
  readonly #contact: Contact;
  #orders = 0;

  constructor(lamp: LampName, contact: Contact) {
    this.lamp = lamp;
    this.#contact = contact;
    this.leaseMs = contact.hardwareLeaseMs;
  }

  show(lit: boolean): Promise<CommandOutcome> {
    this.#orders += 1;
    const order = this.#orders;
    if (!lit) return this.#contact.isolate().acknowledged;
    const fence: Fence = { isCurrent: () => this.#orders === order };
    return this.#contact.connect(fence);
  }

  close(): Promise<void> {
    return this.#contact.close();
  }
}
