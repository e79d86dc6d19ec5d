/**
 * One restic process, from call to one value. It ends in one of three ways: by itself, asked to stop (`wrapUp`: SIGINT, for
 * a path that is alive), or killed at once with everything it started (`cut`). On a dead path restic hangs for 15 to 40
 * minutes and answers neither SIGINT nor SIGTERM, so a cut never asks; killed backups and prunes leave a clean repository
 * and a stale lock (measured, 49 of 49).
 */
import type { RunOnSettings } from '../../config/schema/steps.ts';
import type { ChildCall, Programs } from '../processes/child.ts';
import type { ResticProgram } from './program.ts';
import { parseResticLine } from './lines.ts';
import type { BackupSummary, FileSeen, ResticProgress, ScanSeen } from './lines.ts';
import { judgeExit } from './verdict.ts';
import type { ResticVerdict } from './verdict.ts';
import { remoteCall } from './remote.ts';
import { accessTo, pairOf, redacted } from './repository.ts';
import type { Access, Repository } from './repository.ts';

/** Both end a restic; a reason travels with each. */
export interface StopSignals {
  /** Kill everything now: lease lost, trip, end of the window. */
  readonly cut: AbortSignal;
  /** Ask to stop; the window is about to end. */
  readonly wrapUp: AbortSignal;
}

export interface ResticHost {
  readonly program: ResticProgram;
  readonly cacheDirectory: string;
  /** Environment for every child, before the repository's own. */
  readonly env: Readonly<Record<string, string>>;
  readonly limits: Limits;
  readonly programs: Programs;
}

/** What restic may take of this machine. */
export interface Limits {
  readonly nice: number;
  readonly isIdleIo: boolean;
  /** `null`: all. */
  readonly cpus: number | null;
}

export const UNLIMITED: Limits = { nice: 0, isIdleIo: false, cpus: null };

export interface ResticCall {
  readonly args: readonly string[];
  /** The repository that is read, for `copy` and for the parameters of a new one. */
  readonly from?: Repository;
  /** The machine on which restic runs; default: this one. */
  readonly on?: RunOnSettings;
  /** ms; `null` where only the window bounds it. */
  readonly timeoutMs: number | null;
  readonly onProgress?: (progress: ResticProgress) => void;
  /** Each new or changed file, as it happens; restic must have been asked with `--verbose=2`. */
  readonly onFile?: (file: FileSeen) => void;
  readonly onScan?: (scan: ScanSeen) => void;
  /** Takes every line of stdout as it is, instead of `output`: for answers of any length. */
  readonly onLine?: (line: string) => void;
}

/** Runs one restic command in the repository at hand. */
export type Run = (call: ResticCall) => Promise<ResticEnd>;

/** How one call ended. */
export interface ResticEnd {
  readonly verdict: ResticVerdict | 'cut-short' | 'timed-out';
  readonly exitCode: number | null;
  /** The last texts that restic wrote, printable and bounded. */
  readonly lastWords: string;
  /** Raw stdout up to `OUTPUT_LIMIT`, for calls that answer with one document. */
  readonly output: string;
  readonly summary: BackupSummary | null;
  readonly missingSources: readonly string[];
  readonly unreadableItems: number;
}

/** Lists of snapshots are one line. */
const OUTPUT_LIMIT = 16 * 1024 * 1024;
const LAST_WORDS_LIMIT = 1_000;
const STDERR_LIMIT = 16_000;
const MISSING_SOURCES_LIMIT = 50;
/** ms for a killed process to be gone; one that waits for a dead disk may take longer and is left to the kernel. */
const KILL_WAIT_MS = 5_000;

/** Runs restic on a repository. Rejects only with `ControllerFault` (a secret that cannot be read). */
export async function runRestic(
  host: ResticHost,
  repository: Repository,
  call: ResticCall,
  signals: StopSignals,
): Promise<ResticEnd> {
  const access = await accessOf(repository, call);
  const start = await startOf(host, access, call);
  const ears = listener(call, start.secrets);
  if (signals.cut.aborted || signals.wrapUp.aborted) return ears.end('cut-short', null);

  const { start: startChild, time } = host.programs;
  const child = startChild({
    ...start,
    onStdout: ears.onStdout,
    onStderr: ears.onStderr,
  });
  const killed = Promise.withResolvers<'cut-short' | 'timed-out'>();
  const kill = (verdict: 'cut-short' | 'timed-out'): void => {
    child.killAll();
    time.after(KILL_WAIT_MS, () => killed.resolve(verdict), 'idle');
  };
  let stoppedAs: 'cut-short' | 'timed-out' | null = null;
  const stop = (verdict: 'cut-short' | 'timed-out', act: () => void) => (): void => {
    stoppedAs ??= verdict;
    act();
  };
  const onCut = stop('cut-short', () => kill('cut-short'));
  const onWrapUp = stop('cut-short', () => child.askToStop());
  const onLate = stop('timed-out', () => kill('timed-out'));
  const inTime = call.timeoutMs === null ? () => undefined : time.after(call.timeoutMs, onLate);
  signals.cut.addEventListener('abort', onCut, { once: true });
  signals.wrapUp.addEventListener('abort', onWrapUp, { once: true });
  try {
    const end = await Promise.race([child.ended, killed.promise]);
    if (typeof end === 'string') return ears.end(end, null);
    if (end.startProblem !== null) ears.onStderr(`restic could not be started: ${end.startProblem}`);
    const judged = judgeExit(host.program.version, end.exitCode, ears.stderr());
    // A restic that was asked to stop may have been done already; its own word for success counts, any other is the stop.
    return ears.end(stoppedAs !== null && judged !== 'done' ? stoppedAs : judged, end.exitCode);
  } finally {
    inTime();
    signals.cut.removeEventListener('abort', onCut);
    signals.wrapUp.removeEventListener('abort', onWrapUp);
  }
}

async function accessOf(repository: Repository, { from }: ResticCall): Promise<Access> {
  const access = await accessTo(repository);
  return from === undefined ? access : pairOf(access, await accessTo(from));
}

/** restic takes an option for a line of comma-separated values. */
const optionsOf = ({ options }: Access): string[] =>
  Object.entries(options).flatMap(([name, value]) => {
    const option = `${name}=${value}`;
    return ['-o', /[",\n]/.test(option) ? `"${option.replaceAll('"', '""')}"` : option];
  });

/** What is started for a call: restic here, or the ssh that has it run there. */
async function startOf(
  host: ResticHost,
  access: Access,
  { on, args }: ResticCall,
): Promise<Pick<ChildCall, 'command' | 'args' | 'env' | 'input'> & { readonly secrets: readonly string[] }> {
  const whole = [...access.args, ...optionsOf(access), ...args];
  if (on !== undefined) return { ...(await remoteCall(on, access, whole)), env: host.env };
  return { ...commandOf(host, whole), env: environmentOf(host, access), secrets: access.secrets };
}

/** Each of these programs becomes the next one, so that the child stays one process. */
function commandOf(
  { program, limits }: ResticHost,
  args: readonly string[],
): { readonly command: string; readonly args: readonly string[] } {
  const words = [
    ...(limits.nice === 0 ? [] : ['nice', '-n', String(limits.nice)]),
    ...(limits.isIdleIo ? ['ionice', '-c', '3'] : []),
    program.path,
    ...args,
  ];
  const [command = program.path, ...rest] = words;
  return { command, args: rest };
}

const environmentOf = (host: ResticHost, access: Access): Record<string, string> => ({
  ...host.env,
  ...access.env,
  ...(host.limits.cpus === null ? {} : { GOMAXPROCS: String(host.limits.cpus) }),
  RESTIC_CACHE_DIR: host.cacheDirectory,
  RESTIC_PROGRESS_FPS: '1',
});

function listener(call: ResticCall, secrets: readonly string[]) {
  let output = '';
  let stderr = '';
  let lastWords = '';
  let summary: BackupSummary | null = null;
  let unreadableItems = 0;
  const missingSources: string[] = [];
  const say = (text: string): void => {
    lastWords = `${lastWords}${lastWords === '' ? '' : '; '}${redacted(text, secrets)}`.slice(
      -LAST_WORDS_LIMIT,
    );
  };
  const hear = (line: string, from: 'stdout' | 'stderr'): void => {
    const heard = parseResticLine(line);
    switch (heard.kind) {
      case 'progress':
        return call.onProgress?.(heard.progress);
      case 'file':
        return call.onFile?.(heard.file);
      case 'scan':
        return call.onScan?.(heard.scan);
      case 'backup-summary':
        summary = heard.summary;
        return;
      case 'source-missing':
        if (missingSources.length < MISSING_SOURCES_LIMIT) missingSources.push(heard.path);
        return say(`${heard.path} does not exist`);
      case 'item-error':
        unreadableItems += 1;
        return say(`${heard.item}: ${heard.text === '' ? 'could not be read' : heard.text}`);
      case 'text':
        // On stdout text is chatter, or a piece of the document that was asked for.
        return from === 'stderr' ? say(heard.text) : undefined;
      case 'other':
        return;
    }
  };
  return {
    onStdout: (line: string): void => {
      if (call.onLine !== undefined) return call.onLine(line);
      if (output.length + line.length < OUTPUT_LIMIT) output += `${line}\n`;
      hear(line, 'stdout');
    },
    onStderr: (line: string): void => {
      stderr = `${stderr}${line}\n`.slice(-STDERR_LIMIT);
      hear(line, 'stderr');
    },
    stderr: () => stderr,
    end: (verdict: ResticEnd['verdict'], exitCode: number | null): ResticEnd => ({
      verdict,
      exitCode,
      lastWords,
      output,
      summary,
      missingSources,
      unreadableItems,
    }),
  };
}
