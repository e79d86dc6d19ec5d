/** The words of `portcullis canary` and `portcullis anomaly`; what they do is loaded when they are called. */
import type { Command } from 'commander';
import type { AskOptions } from './ask.ts';
import type { ExitCode } from './exit.ts';
import type { CommonOptions } from './people-words.ts';

/** Adds both commands. */
export function addSentryWords(
  program: Command,
  { config, json }: CommonOptions,
  ends: (code: ExitCode) => void,
): void {
  const canary = program.command('canary').description('files that nobody has a reason to touch');
  canary
    .command('plant')
    .description('leave two canaries in each directory and remember them; at the box')
    .argument('<directory...>', 'directories that are backed up')
    .option('--again', 'replace canaries that are not as they were')
    .addOption(config())
    .addOption(json())
    .action(async (directories: string[], options: AskOptions & { again?: true }) =>
      (await import('./canary.ts')).plantCanaries(directories, options),
    );
  canary
    .command('verify')
    .description('look at every canary; 1 when one is not as it was')
    .addOption(config())
    .addOption(json())
    .action(async (options: AskOptions) => ends(await (await import('./canary.ts')).verifyCanaries(options)));
  const anomaly = program.command('anomaly').description('what was found unusual, and holds something');
  anomaly
    .command('list')
    .description('what nobody has released yet; 1 when there is something')
    .option('--all', 'also what was released')
    .addOption(config())
    .addOption(json())
    .action(async (options: AskOptions & { all?: true }) =>
      ends(await (await import('./anomaly.ts')).listAnomalies(options)),
    );
  anomaly
    .command('release')
    .description('say that a person has looked: nothing is held for it any more; at the box')
    .argument('<id>', 'as `anomaly list` shows it')
    .requiredOption('--reason <text>', 'what it was, for the journal')
    .option('--expected', 'it was meant to be: the next backup of this kind is let through, and learnt from')
    .addOption(config())
    .addOption(json())
    .action(async (id: string, options: AskOptions & { reason: string; expected?: true }) =>
      (await import('./anomaly.ts')).releaseAnomaly(id, options),
    );
}
