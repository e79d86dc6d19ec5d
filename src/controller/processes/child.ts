/**
 * A child process that can be killed whole and never outlives this program.
 *
 * - It leads a session of its own, so that everything it starts can be found and killed with it.
 * - `setpriv --pdeathsig KILL` makes the kernel kill it when this program dies, however it dies: a restic that outlives
 *   its controller would write on into a vault that nobody watches. What the child itself started is not covered by that
 *   (the signal is not inherited); those carry `MARK` in their environment, and the next start of the controller kills them.
 * - A killed child takes with it also what left its session (daemons do), as long as that kept its environment.
 * - No stdin, unless there is something to say there: restic without a password would wait on it for ever.
 */
import { randomUUID } from 'node:crypto';
import { execa } from 'execa';
import { lineReader } from '../../protocol/line-reader.ts';
import { machineTime } from '../../protocol/time.ts';
import type { Time } from '../../protocol/time.ts';
import { processesWith, sessionMembers, signalProcess } from './proc.ts';

/** Name of the environment variable by which a later controller recognises what this one left behind. */
export const MARK = 'PORTCULLIS_CONTROLLER';
/** Name of the environment variable by which everything is found that one child started. */
const OWN_MARK = 'PORTCULLIS_CHILD';
/** Characters of one line of output; restic prints whole snapshot lists on one line. */
const LINE_LIMIT = 16 * 1024 * 1024;
/** ms for the output to end after the child did; a process that left the session may hold it. */
const DRAIN_MS = 5_000;
/** A killed tree is looked through again this often for what was forked meanwhile. */
const KILL_PASSES = 3;

export interface ChildCall {
  readonly command: string;
  readonly args: readonly string[];
  /** The whole environment; nothing is inherited. */
  readonly env: Readonly<Record<string, string>>;
  /** Written to its stdin, which then stays open as long as it runs. */
  readonly input?: string;
  readonly onStdout: (line: string) => void;
  readonly onStderr: (line: string) => void;
}

export interface ChildEnd {
  /** `null` when it died by a signal or never started. */
  readonly exitCode: number | null;
  readonly signal: string | null;
  /** Why it could not be started, else `null`. */
  readonly startProblem: string | null;
}

export interface Child {
  readonly pid: number | null;
  /** Never rejects. Whatever was left of the session is dead by then. */
  readonly ended: Promise<ChildEnd>;
  /** SIGINT to the child alone: its helpers must live until it has said goodbye to the vault. */
  askToStop(): void;
  /** SIGKILL to the child, its process group and everything else that it started, in this very tick. */
  killAll(): void;
}

/** What starts programs, and the time in which they are waited for. */
export interface Programs {
  readonly start: (call: ChildCall) => Child;
  readonly time: Time;
}

/** Starts a child. What it leaves behind in its session when it ends is killed. */
export function startChild(call: ChildCall): Child {
  const id = randomUUID();
  const started = execa('setpriv', ['--pdeathsig', 'KILL', '--', call.command, ...call.args], {
    cwd: '/',
    env: { ...call.env, [OWN_MARK]: id },
    extendEnv: false,
    stdin: call.input === undefined ? 'ignore' : 'pipe',
    buffer: false,
    reject: false,
    detached: true,
  });
  if (call.input !== undefined) {
    started.stdin?.on('error', () => undefined); // it did not read to the end: its exit code says more
    started.stdin?.write(call.input);
  }
  readLines(started.stdout, call.onStdout);
  readLines(started.stderr, call.onStderr);
  const pid = started.pid ?? null;
  let hasEnded = false;
  const killAll = (): void => {
    if (pid === null || hasEnded) return;
    killEach(() => sessionMembers(pid), pid);
    killEach(() => processesWith(`${OWN_MARK}=${id}`));
  };
  const drained = new Promise<void>((resolve) => {
    started.nodeChildProcess.once('exit', () => {
      // What left the session on purpose may stay: the child was not killed.
      if (pid !== null && !hasEnded) killEach(() => sessionMembers(pid), pid);
      hasEnded = true;
      setTimeout(resolve, DRAIN_MS).unref();
    });
  });
  const ended = Promise.race([started, drained.then(() => null)]).then((result): ChildEnd => {
    hasEnded = true;
    started.stdout.destroy();
    started.stderr.destroy();
    return {
      exitCode: started.nodeChildProcess.exitCode,
      signal: started.nodeChildProcess.signalCode,
      startProblem: pid === null ? (result?.originalMessage ?? 'it did not start') : null,
    };
  });
  return {
    pid,
    ended,
    askToStop: () => {
      if (pid !== null && !hasEnded) signalProcess(pid, 'SIGINT');
    },
    killAll,
  };
}

/** The programs of this machine. */
export const machinePrograms: Programs = { start: startChild, time: machineTime };

function killEach(found: () => readonly number[], group: number | null = null): void {
  for (let pass = 0; pass < KILL_PASSES; pass += 1) {
    // Collected before anything dies: afterwards the tree is torn.
    const members = found();
    if (members.length === 0) return;
    if (group !== null) signalProcess(-group, 'SIGKILL');
    for (const member of members) signalProcess(member, 'SIGKILL');
  }
}

function readLines(stream: NodeJS.ReadableStream, onLine: (line: string) => void): void {
  const reader = lineReader(LINE_LIMIT, onLine);
  stream.setEncoding('utf8');
  stream.on('data', (text: string) => reader.feed(text));
  stream.on('end', () => reader.finish());
}
