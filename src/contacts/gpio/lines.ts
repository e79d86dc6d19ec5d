/** What the two ways into the kernel's GPIO have in common. Every call is synchronous, for a cut waits for nothing. */
import type { Millis } from '../../core/time.ts';

/** The level of a pin. Always the wire's own; active-low is reckoned above this layer. */
export type Level = 0 | 1;

/** The other level. */
export const opposite = (level: Level): Level => (level === 1 ? 0 : 1);

/** Where a line is: the label of its chip, and its offset in the chip. Never a global number. */
export interface LinePlace {
  readonly chip: string;
  readonly line: number;
}

/** Resistor that an input asks for. `none` leaves it as it is. */
export type Bias = 'pull-up' | 'pull-down' | 'none';

/** How the kernel is asked. */
export type AccessKind = 'sysfs' | 'character-device';

/** A claimed line that drives a relay. Every call may throw GpioFailure; then the line is to be released and claimed anew. */
export interface OutputLine {
  /** Drives the pin. The first time, direction and level are set in one step, so that no other level is seen in between. */
  drive(level: Level): void;
  /** The level of the pin now. Throws when the line was driven and is no longer an output. */
  read(): Level;
  /** What about the claimed line is not as it must be. Empty before the first `drive`, when all that is asked is that it can be read. */
  problems(): readonly string[];
  /** Lets go. What the pin does then is said by `deathNote`. Never throws. */
  release(): void;
}

/** What an input tells whoever claimed it. Neither is called once it is released. */
export interface InputEvents {
  /**
   * The pin moved. `level` is the level after the edge on the character device, and the level read when the event was
   * handled on sysfs: there a short press may come as two edges of the same level. Any edge is a sign of a hand.
   */
  readonly edge: (level: Level, at: Millis) => void;
  /** The chip is gone or does not answer. The line is to be released. */
  readonly lost: (why: string) => void;
}

/** A claimed line that listens. */
export interface InputLine {
  /** The level of the pin now. Throws GpioFailure. */
  read(): Level;
  release(): void;
}

/** One way into the kernel's GPIO. */
export interface GpioAccess {
  readonly kind: AccessKind;
  /** Claims a line as it is: neither direction nor level changes. Throws GpioFailure. */
  claimOutput(place: LinePlace): OutputLine;
  /** Claims a line as input with an event for each edge. Throws GpioFailure. */
  claimInput(place: LinePlace, bias: Bias, events: InputEvents): InputLine;
}
