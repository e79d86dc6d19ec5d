/** How a command ends: 0 done, 1 it did not happen (and says why), 2 the call was wrong. */
export type ExitCode = 0 | 1 | 2;

/** A command that cannot go on. `code` 2 when the call itself was wrong. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
  readonly code: Exclude<ExitCode, 0>;

  constructor(code: Exclude<ExitCode, 0>, message: string) {
    super(message);
    this.code = code;
  }
}

/** One line on standard output. */
export const say = (line: string): void => void process.stdout.write(`${line}\n`);

/** One line on standard error. */
export const warn = (line: string): void => void process.stderr.write(`${line}\n`);

const lost = new AbortController();
/** Aborts when nobody reads standard output any more, as behind `| head -1`, or when its terminal is gone. What is only there to be read, or to be attended to, ends then. */
export const readerGone: AbortSignal = lost.signal;

/**
 * From here on a reader that has gone is no fault: what is said after that is dropped, and a command goes on to the end and the
 * code it would have had. A verification that failed must fail in `journal verify | head -1`, too.
 */
export function bearLostReader(): void {
  for (const stream of [process.stdout, process.stderr])
    stream.on('error', (error: NodeJS.ErrnoException) => {
      // So says a terminal that was closed; whoever gets a SIGHUP for it must live to end in order.
      const isHungUp = error.code === 'EIO' && stream.isTTY;
      if (error.code !== 'EPIPE' && !isHungUp) throw error;
      if (stream === process.stdout || isHungUp) lost.abort();
    });
}
