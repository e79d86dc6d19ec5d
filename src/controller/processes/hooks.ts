/** Hooks that run before a window connects anything: database dumps, snapshots of a file system. */
import { printable } from '../../sources/excerpt.ts';
import { startChild } from './child.ts';

export interface Hook {
  /** Program and arguments; no shell. */
  readonly command: readonly string[];
  /** ms; killed and failed after this. */
  readonly timeoutMs: number;
}

/** How the hooks ended; `failed` and `stopped` cancel the window. */
export type Prepared =
  | { readonly kind: 'done' }
  | { readonly kind: 'failed'; readonly why: string }
  | { readonly kind: 'stopped' };

const OUTPUT_LIMIT = 500;
const COMMAND_LIMIT = 100;
/** ms for a killed hook to be gone. */
const KILL_WAIT_MS = 5_000;

/**
 * Runs the hooks in order until one fails; `stop` kills the one that runs. A hook's session ends with it: what it leaves
 * running in the background is killed.
 */
export async function prepare(
  hooks: readonly Hook[],
  env: Readonly<Record<string, string>>,
  stop: AbortSignal,
): Promise<Prepared> {
  for (const hook of hooks) {
    if (stop.aborted) return { kind: 'stopped' };
    // oxlint-disable-next-line no-await-in-loop -- hooks run in order
    const why = await runHook(hook, env, stop);
    if (stop.aborted) return { kind: 'stopped' };
    if (why !== null) return { kind: 'failed', why };
  }
  return stop.aborted ? { kind: 'stopped' } : { kind: 'done' };
}

/** Why the hook failed, or `null`. */
async function runHook(
  hook: Hook,
  env: Readonly<Record<string, string>>,
  stop: AbortSignal,
): Promise<string | null> {
  const [command = '', ...args] = hook.command;
  const shown = printable(hook.command.join(' '), COMMAND_LIMIT);
  let output = '';
  const hear = (line: string): void => {
    output = `${output}${line}\n`.slice(-OUTPUT_LIMIT);
  };
  const child = startChild({ command, args, env, onStdout: hear, onStderr: hear });
  const gone = Promise.withResolvers<null>();
  let isLate = false;
  const kill = (): void => {
    child.killAll();
    setTimeout(() => gone.resolve(null), KILL_WAIT_MS).unref();
  };
  const timer = setTimeout(() => {
    isLate = true;
    kill();
  }, hook.timeoutMs);
  stop.addEventListener('abort', kill, { once: true });
  const end = await Promise.race([child.ended, gone.promise]);
  clearTimeout(timer);
  stop.removeEventListener('abort', kill);

  const said = output.trim() === '' ? '' : `; it said: ${printable(output.trim(), OUTPUT_LIMIT)}`;
  if (isLate) return `the hook ${shown} did not end within ${hook.timeoutMs} ms and was killed${said}`;
  if (end === null) return `the hook ${shown} was killed`;
  if (end.startProblem !== null) return `the hook ${shown} could not be started: ${end.startProblem}`;
  if (end.exitCode === 0) return null;
  const how =
    end.exitCode === null ? `died by ${end.signal ?? 'a signal'}` : `ended with code ${end.exitCode}`;
  return `the hook ${shown} ${how}${said}`;
}
