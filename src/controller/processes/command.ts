/** One run of a program of the user's, bounded in time and output. */
import { printable } from '../../sources/excerpt.ts';
import { machinePrograms } from './child.ts';
import type { Programs } from './child.ts';

export interface Command {
  /** Program and arguments; no shell. */
  readonly command: readonly string[];
  /** ms; killed and failed after this. */
  readonly timeoutMs: number;
}

export interface CommandCall extends Command {
  /** The whole environment. */
  readonly env: Readonly<Record<string, string>>;
}

/** How it ended. `output` is the end of what it printed on both streams, printable and bounded. */
export type CommandEnd =
  | { readonly kind: 'done'; readonly output: string }
  | { readonly kind: 'failed'; readonly why: string; readonly output: string }
  | { readonly kind: 'stopped'; readonly output: string };

/** Characters of output that are kept. */
const OUTPUT_LIMIT = 4_000;
/** Characters of output in the reason of a failure. */
const WORDS_LIMIT = 500;
const COMMAND_LIMIT = 100;
/** ms for a killed program to be gone. */
const KILL_WAIT_MS = 5_000;

/** A command line as people are shown it. */
export const shownCommand = (command: readonly string[]): string =>
  printable(command.join(' '), COMMAND_LIMIT);

/** Runs a program to its end; `stop` kills it. Its session ends with it: what it leaves running in the background is killed. */
export async function runCommand(
  call: CommandCall,
  stop: AbortSignal,
  { start, time }: Programs = machinePrograms,
): Promise<CommandEnd> {
  if (stop.aborted) return { kind: 'stopped', output: '' };
  const [command = '', ...args] = call.command;
  let heard = '';
  const hear = (line: string): void => {
    heard = `${heard}${line}\n`.slice(-OUTPUT_LIMIT);
  };
  const child = start({ command, args, env: call.env, onStdout: hear, onStderr: hear });
  const gone = Promise.withResolvers<null>();
  let isLate = false;
  const kill = (): void => {
    child.killAll();
    time.after(KILL_WAIT_MS, () => gone.resolve(null), 'idle');
  };
  const inTime = time.after(call.timeoutMs, () => {
    isLate = true;
    kill();
  });
  stop.addEventListener('abort', kill, { once: true });
  const end = await Promise.race([child.ended, gone.promise]);
  inTime();
  stop.removeEventListener('abort', kill);

  const lines = heard.trim() === '' ? [] : heard.trim().split('\n');
  const output = lines.map((line) => printable(line, OUTPUT_LIMIT)).join('\n');
  if (stop.aborted) return { kind: 'stopped', output };
  const shown = shownCommand(call.command);
  const said = output === '' ? '' : `; it said: ${output.replaceAll('\n', ' / ').slice(-WORDS_LIMIT)}`;
  const wrong = (why: string): CommandEnd => ({ kind: 'failed', why, output });
  if (isLate) return wrong(`${shown} did not end within ${call.timeoutMs} ms and was killed${said}`);
  if (end === null) return wrong(`${shown} was killed and is not gone`);
  if (end.startProblem !== null) return wrong(`${shown} could not be started: ${end.startProblem}`);
  if (end.exitCode === 0) return { kind: 'done', output };
  const how =
    end.exitCode === null ? `died by ${end.signal ?? 'a signal'}` : `ended with code ${end.exitCode}`;
  return wrong(`${shown} ${how}${said}`);
}
