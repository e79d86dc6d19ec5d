/** What a bus needs from a byte stream to one or more devices. */

/** An open byte stream. */
export interface Wire {
  /**
   * Hands `bytes` to the kernel before it returns. `false`: not all of them were taken, or the wire is broken;
   * the caller must then discard the wire. Never throws.
   */
  readonly write: (bytes: Uint8Array) => boolean;
  /** Reads and forgets input that waits in the kernel; returns how many bytes it forgot, as far as that can be known. */
  readonly drain: () => number;
  /** Ends the wire at once so that nothing written and not yet delivered is delivered later. No event follows. */
  readonly discard: () => void;
}

/** What an open wire reports. */
export interface WireEvents {
  readonly onBytes: (chunk: Uint8Array) => void;
  /** The peer or the device is gone; reported at most once, and not after `discard`. */
  readonly onGone: (why: string) => void;
}

/** A way to open a wire, again and again. The constructor opens nothing. */
export interface Transport {
  /** For people: where this leads. */
  readonly where: string;
  /** ms that one byte takes on the line; 0 where the line has no such speed. */
  readonly byteMs: number;
  /** ms of silence that separate two frames; 0 where frames carry their own length. */
  readonly quietMs: number;
  /** Opens a fresh wire after the previous one is wholly gone. Bounded in time; rejects with an Error that says why. */
  open(events: WireEvents): Promise<Wire>;
}
