import type { Refusal } from './messages.ts';

/** What can go wrong between a client and the interlock. */
export type InterlockErrorCode =
  | 'INTERLOCK_MISSING'
  | 'INTERLOCK_GONE'
  | 'INTERLOCK_DENIED'
  | 'INTERLOCK_SILENT'
  | 'INTERLOCK_CLOSED'
  | 'INTERLOCK_BUILD'
  | 'INTERLOCK_REFUSED'
  | 'INTERLOCK_GARBLED';

/** An exchange with the interlock that did not happen; `hint` says what to do next. */
export class InterlockError extends Error {
  override readonly name = 'InterlockError';
  readonly code: InterlockErrorCode;
  readonly hint: string;
  /** What the interlock refused, when it answered at all. */
  readonly refusals: readonly Refusal[];

  constructor(
    code: InterlockErrorCode,
    what: string,
    hint: string,
    more: { refusals?: readonly Refusal[]; cause?: unknown } = {},
  ) {
    super(what, more.cause === undefined ? {} : { cause: more.cause });
    this.code = code;
    this.hint = hint;
    this.refusals = more.refusals ?? [];
  }
}

const START_HINT =
  'is the interlock running? Start it with `portcullis interlock --config FILE`, or `systemctl start portcullis-interlock`';

/** The typed form of whatever `node:http` threw while talking to `socketPath`. */
export function interlockError(cause: unknown, socketPath: string): InterlockError {
  if (cause instanceof InterlockError) return cause;
  const { code, name, message } = cause as NodeJS.ErrnoException;
  if (name === 'TimeoutError') return silent(socketPath, cause);
  switch (code) {
    case 'ENOENT':
      return new InterlockError(
        'INTERLOCK_MISSING',
        `there is no interlock socket at ${socketPath}`,
        START_HINT,
        { cause },
      );
    case 'ECONNREFUSED':
      return new InterlockError(
        'INTERLOCK_GONE',
        `nobody answers at ${socketPath}; the interlock that made it has ended`,
        START_HINT,
        {
          cause,
        },
      );
    case 'EACCES':
    case 'EPERM':
      return new InterlockError(
        'INTERLOCK_DENIED',
        `this user may not use ${socketPath}`,
        'run this as root on the box, or as a member of the group that owns the socket',
        { cause },
      );
    default:
      return new InterlockError(
        'INTERLOCK_CLOSED',
        `the exchange with the interlock at ${socketPath} broke: ${message.slice(0, 200)}`,
        'look into the log of the interlock; it may just have been restarted',
        { cause },
      );
  }
}

/** The interlock did not say anything in time. */
export function silent(socketPath: string, cause?: unknown): InterlockError {
  return new InterlockError(
    'INTERLOCK_SILENT',
    `the interlock at ${socketPath} did not answer in time`,
    'it hangs or the machine is overloaded: look into its log; the watchdog restarts it, and links isolate meanwhile',
    { cause },
  );
}
