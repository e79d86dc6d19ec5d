/** The words of `portcullis` for a box as a whole: may it be taken down, and what is on it. */
import type { Command, Option } from 'commander';
import type { ExitCode } from './exit.ts';

/** What `main.ts` shares with words that are added elsewhere. */
export interface SharedWords {
  readonly config: () => Option;
  readonly json: () => Option;
  readonly ends: (code: ExitCode) => void;
}

/** Adds `at-rest`. */
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
}
