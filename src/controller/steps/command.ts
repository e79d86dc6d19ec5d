/** `command`: a program of the user's, between other steps while the vault is connected. */
import type { CommandSettings } from '../../config/schema/steps.ts';
import { runCommand } from '../processes/command.ts';
import { failed } from '../restic/outcome.ts';
import type { StepEnd, StepTools } from './step.ts';

/** Runs it. Stopped with everything it started when the step has to end. */
export async function runProgram(
  settings: CommandSettings,
  { env, stop, programs }: StepTools,
): Promise<StepEnd> {
  const call = { command: settings.command, timeoutMs: settings.timeout, env };
  const end = await runCommand(call, stop, programs);
  const facts = end.output === '' ? {} : { output: end.output };
  switch (end.kind) {
    case 'done':
      return { outcome: { kind: 'done' }, facts };
    case 'stopped':
      return { outcome: { kind: 'cut-short', code: 'stopped', why: 'the program was killed' }, facts };
    case 'failed':
      return {
        outcome: failed('command-failed', end.why, 'run it by hand as the user of the controller'),
        facts,
      };
  }
}
