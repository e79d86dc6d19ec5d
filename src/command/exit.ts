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
