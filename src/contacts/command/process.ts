import { spawn } from 'node:child_process';
import type { Millis } from '../../core/time.ts';
import type { Timers } from '../timers.ts';

/** The whole environment of a command: nothing of ours, no secret, no locale. */
export const ENVIRONMENT: Readonly<Record<string, string>> = {
  PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  LC_ALL: 'C',
};
/** Most bytes that a command may print on each of stdout and stderr; one that prints more is killed. */
export const MAX_OUTPUT_BYTES = 65_536;
/** ms after SIGKILL for which the end of a process is awaited; one that hangs in the kernel is left behind. */
export const KILL_WAIT_MS = 1000;
/** ms after its end for which the output of a process is awaited; something in its group may keep the pipes. */
const OUTPUT_WAIT_MS = 100;

/** How a command ended. `lost`: nobody knows what it did. `not-started`: it surely did nothing. */
export type Ended =
  | { readonly kind: 'exited'; readonly code: number; readonly stdout: string; readonly stderr: string }
  | { readonly kind: 'not-started'; readonly why: string }
  | { readonly kind: 'lost'; readonly why: string };

/** A command that was started in this tick. */
export interface Running {
  readonly startedAt: Millis;
  /** Settles at the latest KILL_WAIT_MS after the time-out or a kill. Never rejects. */
  readonly ended: Promise<Ended>;
  /** Settles when the process is really gone, which may be never. */
  readonly gone: Promise<void>;
  /** Kills its process group. `why` becomes the reason of its end. */
  readonly kill: (why: string) => void;
}

/**
 * Starts a program with its arguments: no shell, an own process group, no input. Whatever of the group is left when the
 * program has ended, or has taken too long or printed too much, is killed with SIGKILL. A descendant that makes a session
 * of its own escapes.
 */
export function run(argv: readonly string[], timeoutMs: number, timers: Timers): Running {
  const startedAt = timers.now();
  const ended = Promise.withResolvers<Ended>();
  const gone = Promise.withResolvers<void>();
  const [program, ...args] = argv;
  let child: ReturnType<typeof start> | null = null;
  try {
    child = start(program ?? '', args);
  } catch (error) {
    gone.resolve();
    ended.resolve({ kind: 'not-started', why: reason(error) });
    return { startedAt, ended: ended.promise, gone: gone.promise, kill: () => undefined };
  }
  const { pid, stdout, stderr } = child;
  let doom: string | null = null;
  let cancel = timers.after(timeoutMs, () => kill(`it took longer than ${timeoutMs} ms`));
  const kill = (why: string): void => {
    if (doom !== null) return;
    doom = why;
    killGroup(pid);
    cancel();
    cancel = timers.after(KILL_WAIT_MS, () => finish({ kind: 'lost', why: `${why}, and it does not die` }));
  };
  const finish = (end: Ended): void => {
    cancel();
    stdout.destroy();
    stderr.destroy();
    ended.resolve(end);
  };
  const flood = (): void => kill(`it printed more than ${MAX_OUTPUT_BYTES} bytes`);
  const texts = [collect(stdout, flood), collect(stderr, flood)] as const;
  child.on('error', (error) => {
    if (pid !== undefined) return;
    gone.resolve();
    finish({ kind: 'not-started', why: reason(error) });
  });
  child.once('exit', (code, signal) => {
    gone.resolve();
    killGroup(pid);
    cancel();
    const whole = (): void => {
      if (doom !== null) finish({ kind: 'lost', why: doom });
      else if (code === null) finish({ kind: 'lost', why: `it was ended by ${signal ?? 'a signal'}` });
      else finish({ kind: 'exited', code, stdout: texts[0](), stderr: texts[1]() });
    };
    cancel = timers.after(OUTPUT_WAIT_MS, whole);
    child.once('close', whole);
  });
  return { startedAt, ended: ended.promise, gone: gone.promise, kill };
}

const start = (program: string, args: readonly string[]) =>
  spawn(program, args, {
    cwd: '/',
    detached: true,
    env: { ...ENVIRONMENT },
    shell: false,
    stdio: ['ignore', 'pipe', 'pipe'],
  });

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // ESRCH: nothing of the group is left. EPERM: what is left has changed its user, and is not ours to kill.
  }
}

/** Keeps what a stream says; returns what gives it as text. */
function collect(stream: NodeJS.ReadableStream, flood: () => void): () => string {
  const chunks: Buffer[] = [];
  let size = 0;
  stream.on('error', () => undefined);
  stream.on('data', (chunk: Buffer) => {
    size += chunk.length;
    if (size > MAX_OUTPUT_BYTES) flood();
    else chunks.push(chunk);
  });
  return () => Buffer.concat(chunks).toString('utf8');
}

function reason(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
  switch (code) {
    case 'ENOENT':
      return 'there is no such program (ENOENT); install it';
    case 'EACCES':
      return 'it may not be run (EACCES); correct its permissions';
    default:
      return `it cannot be started (${code.slice(0, 60)})`;
  }
}
