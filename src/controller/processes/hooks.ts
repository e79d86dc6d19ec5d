/** The user's programs before a window connects anything, and after it is isolated again. */
import type { CommandReport } from '../report.ts';
import type { Command } from './command.ts';
import { machinePrograms } from './child.ts';
import { runCommand, shownCommand } from './command.ts';

/** How the hooks went. `prepare` stops at the first failure, and so does the window; `after` does them all. */
export interface Hooked {
  readonly reports: readonly CommandReport[];
  /** Why the first that failed did. */
  readonly failure: string | null;
}

/** Runs hooks in order. `stop` kills the one that runs and begins no other. */
export async function runHooks(
  phase: CommandReport['phase'],
  hooks: readonly Command[],
  env: Readonly<Record<string, string>>,
  stop: AbortSignal,
  programs = machinePrograms,
): Promise<Hooked> {
  const reports: CommandReport[] = [];
  let failure: string | null = null;
  for (const hook of hooks) {
    if (stop.aborted) break;
    const beganAtMs = programs.time.now();
    // oxlint-disable-next-line no-await-in-loop -- hooks run in order
    const end = await runCommand({ ...hook, env: { ...env, PORTCULLIS_PHASE: phase } }, stop, programs);
    reports.push({
      phase,
      command: shownCommand(hook.command),
      outcome: end.kind,
      ...(end.kind === 'failed' ? { why: end.why } : {}),
      ...(end.output === '' ? {} : { output: end.output }),
      took_ms: Math.round(programs.time.now() - beganAtMs),
    });
    if (end.kind !== 'failed') continue;
    failure ??= `the hook ${end.why}`;
    if (phase === 'prepare') break;
  }
  return { reports, failure };
}
