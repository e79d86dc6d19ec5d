const MAX_WHY = 2_000;
const MAX_NAME = 64;

/** The kernel did not give, or no longer gives, what was asked of a GPIO line; the message says what to do. */
export class GpioFailure extends Error {
  override readonly name = 'GpioFailure';
  /** Such as `EBUSY`, or `null` when no system call failed. */
  readonly code: string | null;

  constructor(message: string, code: string | null = null) {
    super(message.slice(0, MAX_WHY));
    this.code = code;
  }
}

/** The code of a failed system call, or `null`. */
export function codeOf(error: unknown): string | null {
  if (error instanceof GpioFailure) return error.code;
  if (!(error instanceof Error)) return null;
  return (error as NodeJS.ErrnoException).code ?? null;
}

/** A name from the kernel or from another program, escaped and bounded. */
export const quoted = (name: string): string => JSON.stringify(name.slice(0, MAX_NAME));

/** Names the line in every message. */
export const lineName = (place: { readonly chip: string; readonly line: number }): string =>
  `GPIO line ${place.line} of chip ${quoted(place.chip)}`;

/** What the codes that people meet mean for a line, and what to do. */
export function explained(code: string | null): string {
  switch (code) {
    case 'EBUSY':
      return 'another program or kernel driver owns it; `gpioinfo` or /sys/kernel/debug/gpio (as root) names the owner';
    case 'EACCES':
    case 'EPERM':
      return 'not permitted: the user of this process must be in the group of the device (`gpio` on Raspberry Pi OS)';
    case 'ENODEV':
    case 'ENXIO':
      return 'the chip is gone, or cannot do this';
    case 'ENOENT':
      return 'there is no such file';
    case null:
      return 'no reason given';
    default:
      return code;
  }
}

/** A failed system call about a line, as a GpioFailure. One that is a GpioFailure already stays as it is. */
export function lineFailure(
  place: { readonly chip: string; readonly line: number },
  what: string,
  error: unknown,
): GpioFailure {
  if (error instanceof GpioFailure) return error;
  const code = codeOf(error);
  const told = code === null ? (error instanceof Error ? error.message : String(error)) : explained(code);
  return new GpioFailure(
    `${lineName(place)} ${what}: ${told}${code === null || told === code ? '' : ` (${code})`}`,
    code,
  );
}
