/** The words of `portcullis` for a box as a whole: may it be taken down, and what is on it. */
import { type Command, Option } from 'commander';
import type { ExitCode } from './exit.ts';
import type { SetupOptions } from './setup.ts';

/** What `main.ts` shares with words that are added elsewhere. */
export interface SharedWords {
  readonly config: () => Option;
  readonly json: () => Option;
  readonly ends: (code: ExitCode) => void;
}

/** Adds `at-rest` and `setup`. */
export function addApplianceWords(program: Command, { config, json, ends }: SharedWords): void {
  program
    .command('at-rest')
    .description(
      'whether this box may be taken down: every link is shown isolated, and nothing is in progress',
    )
    .addOption(config())
    .addOption(json())
    .action(async (options: { config: string; json?: true }) =>
      ends(await (await import('./at-rest.ts')).showRest(options.config, options.json === true)),
    );
  program
    .command('setup')
    .description('look at this machine, ask, and write a configuration; one that is there is copied first')
    .addOption(config())
    .option('--answers <file>', 'answers by the names of the questions, instead of asking')
    .option('--yes', 'take every proposal')
    .addOption(new Option('--machine <directory>', 'look at a machine below this').default('/').hideHelp())
    .action(async (options: SetupOptions) => (await import('./setup.ts')).proposeConfiguration(options));
}
