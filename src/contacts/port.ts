/** What the rest of the program may ask of a contact or a witness, whatever device is behind it. */
import type { Reading } from '../core/evidence.ts';
import type { Millis } from '../core/time.ts';

/**
 * Permission to drive a contact to connected. A cut makes every fence issued before it stale; a driver asks
 * `isCurrent` in the same tick in which it writes the frame, so that no queued connect outlives a cut.
 */
export interface Fence {
  readonly isCurrent: () => boolean;
}

/** How a command ended. `unknown`: written or not, nobody answered for it. `fenced`: never written. `refused`: the device said no. */
export type CommandOutcome =
  | { readonly kind: 'done'; readonly at: Millis }
  | { readonly kind: 'unknown'; readonly why: string }
  | { readonly kind: 'refused'; readonly why: string }
  | { readonly kind: 'fenced' };

/** What an isolate command became. Neither promise ever rejects. */
export interface IsolateReceipt {
  /** Monotonic ms at which the frame was handed to the kernel, or `null` when this command was superseded or the driver closed. */
  readonly written: Promise<Millis | null>;
  /**
   * How the first attempt ended: `done` only when the device's echo was checked, `unknown` when nobody answered or no
   * wire could be had. Whatever it says, an isolate that is not `done` is tried again until it is.
   */
  readonly acknowledged: Promise<CommandOutcome>;
}

/** One switchable element of a link. */
export interface Contact {
  readonly name: string;
  /** Fail-safe contacts fall to isolated without power or permission; holding contacts keep their last state. */
  readonly kind: 'fail-safe' | 'holding';
  /** ms after which the device itself isolates unless `connect` is repeated, or `null` when it has no such timer. */
  readonly hardwareLeaseMs: number | null;
  /** Drives to connected, or renews the hardware lease. Never rejects. */
  connect(fence: Fence): Promise<CommandOutcome>;
  /**
   * Isolates: when this returns, the frame has been written, or stands before everything else on its bus and will
   * be retried for ever. Never throws, never waits for another device. Use `cut` to isolate several together.
   */
  isolate(): IsolateReceipt;
  /** What the device reports, `unknown` when it does not; never what was last commanded. Never rejects. */
  read(): Promise<Reading>;
  /** Reads back every device setting the profile demands. Empty: all as demanded. Unreadable settings are problems. Never rejects. */
  settingsProblems(): Promise<readonly string[]>;
  /** Releases the bus when its last contact is released. Does not move the contact. */
  close(): Promise<void>;
}

/** Independent evidence of where a link stands. */
export interface Witness {
  readonly name: string;
  readonly type: string;
  /** False when it can only say connected, and its silence proves nothing. Absent: it can show isolation, too. */
  readonly showsIsolation?: boolean;
  /** Never rejects. */
  read(): Promise<Reading>;
  close(): Promise<void>;
}
