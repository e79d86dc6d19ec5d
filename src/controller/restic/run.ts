/**
 * One restic process, from call to one value. It ends in one of three ways: by itself, asked to stop (`wrapUp`: SIGINT, for
 * a path that is alive), or killed at once with everything it started (`cut`). On a dead path restic hangs for 15 to 40
 * minutes and answers neither SIGINT nor SIGTERM, so a cut never asks; killed backups and prunes leave a clean repository
 * and a stale lock (measured, 49 of 49).
 */
import { readFile } from 'node:fs/promises';
import { startChild } from '../processes/child.ts';
import { ControllerFault } from '../fault.ts';
import type { ResticProgram } from './program.ts';
import { parseResticLine } from './lines.ts';
import type { BackupSummary, ResticProgress } from './lines.ts';
import { judgeExit } from './verdict.ts';
import type { ResticVerdict } from './verdict.ts';

/** A repository as configured. */
export interface Repository {
  readonly name: string;
  readonly url: string;
  readonly passwordFile: string;
  readonly environmentFile: string | null;
  /** Extended options (`-o`). */
  readonly options: Readonly<Record<string, string>>;
}

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
}

export interface ResticCall {
  readonly args: readonly string[];
  /** ms; `null` where only the window bounds it. */
  readonly timeoutMs: number | null;
  readonly onProgress?: (progress: ResticProgress) => void;
}

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

const OUTPUT_LIMIT = 1024 * 1024;
const LAST_WORDS_LIMIT = 1_000;
const STDERR_LIMIT = 16_000;
const MISSING_SOURCES_LIMIT = 50;
/** ms for a killed process to be gone; one that waits for a dead disk may take longer and is left to the kernel. */
const KILL_WAIT_MS = 5_000;

/** Runs restic on a repository. Rejects only with `ControllerFault` (unreadable environment file). */
export async function runRestic(
  host: ResticHost,
  repository: Repository,
  call: ResticCall,
  signals: StopSignals,
): Promise<ResticEnd> {
  const env = await environmentOf(host, repository);
  const ears = listener(call);
  if (signals.cut.aborted || signals.wrapUp.aborted) return ears.end('cut-short', null);

  const child = startChild({
    command: host.program.path,
    args: [...optionsOf(repository), ...call.args],
    env,
    onStdout: ears.onStdout,
    onStderr: ears.onStderr,
  });
  const killed = Promise.withResolvers<'cut-short' | 'timed-out'>();
  const kill = (verdict: 'cut-short' | 'timed-out'): void => {
    child.killAll();
    setTimeout(() => killed.resolve(verdict), KILL_WAIT_MS).unref();
  };
  let stoppedAs: 'cut-short' | 'timed-out' | null = null;
  const stop = (verdict: 'cut-short' | 'timed-out', act: () => void) => (): void => {
    stoppedAs ??= verdict;
    act();
  };
  const onCut = stop('cut-short', () => kill('cut-short'));
  const onWrapUp = stop('cut-short', () => child.askToStop());
  const timer =
    call.timeoutMs === null
      ? undefined
      : setTimeout(
          stop('timed-out', () => kill('timed-out')),
          call.timeoutMs,
        );
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
    clearTimeout(timer);
    signals.cut.removeEventListener('abort', onCut);
    signals.wrapUp.removeEventListener('abort', onWrapUp);
  }
}

const optionsOf = (repository: Repository): string[] =>
  Object.entries(repository.options).flatMap(([name, value]) => ['-o', `${name}=${value}`]);

function listener(call: ResticCall) {
  let output = '';
  let stderr = '';
  let lastWords = '';
  let summary: BackupSummary | null = null;
  let unreadableItems = 0;
  const missingSources: string[] = [];
  const say = (text: string): void => {
    lastWords = `${lastWords}${lastWords === '' ? '' : '; '}${text}`.slice(-LAST_WORDS_LIMIT);
  };
  const hear = (line: string, from: 'stdout' | 'stderr'): void => {
    const heard = parseResticLine(line);
    switch (heard.kind) {
      case 'progress':
        return call.onProgress?.(heard.progress);
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

async function environmentOf(host: ResticHost, repository: Repository): Promise<Record<string, string>> {
  return {
    ...host.env,
    ...(repository.environmentFile === null ? {} : await readEnvironmentFile(repository.environmentFile)),
    RESTIC_REPOSITORY: repository.url,
    RESTIC_PASSWORD_FILE: repository.passwordFile,
    RESTIC_CACHE_DIR: host.cacheDirectory,
    RESTIC_PROGRESS_FPS: '1',
  };
}

const ASSIGNMENT = /^(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)=(.*)$/;

/** Reads `NAME=VALUE` lines; `#` begins a comment line, quotes around a whole value are taken off. Throws `ControllerFault`. */
export async function readEnvironmentFile(path: string): Promise<Record<string, string>> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    throw new ControllerFault(
      'ENVIRONMENT_FILE',
      `the environment file ${path} cannot be read: ${(error as Error).message.slice(0, 200)}`,
      'it must exist and be readable by the user of the controller',
      error,
    );
  });
  const variables: Record<string, string> = {};
  for (const [index, line] of text.split('\n').entries()) {
    const trimmed = line.trim();
    if (trimmed === '' || trimmed.startsWith('#')) continue;
    const [, name, value] = ASSIGNMENT.exec(trimmed) ?? [];
    // The line itself is not shown: it may be half a secret.
    if (name === undefined || value === undefined)
      throw new ControllerFault(
        'ENVIRONMENT_FILE',
        `${path}, line ${index + 1}: not NAME=VALUE`,
        'write one NAME=VALUE per line',
      );
    variables[name] = /^(["']).*\1$/.test(value) ? value.slice(1, -1) : value;
  }
  return variables;
}
