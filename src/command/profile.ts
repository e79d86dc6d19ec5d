/** `portcullis profile …`: what is shipped, shown and checked. */
import type { Command, Option } from 'commander';
import type { ExitCode } from './exit.ts';

/** Adds what `profile` can do; `json` makes the option of that name, `ends` takes the exit code. */
export function addProfileCommands(
  profile: Command,
  json: () => Option,
  ends: (code: ExitCode) => void,
): void {
  const profileOptions = (options: { json?: true }) => ({
    json: options.json === true,
    write: (text: string) => void process.stdout.write(text),
    writeError: (text: string) => void process.stderr.write(text),
  });
  profile
    .command('list')
    .description('every shipped profile')
    .addOption(json())
    .action(async (options: { json?: true }) =>
      ends(await (await import('../contacts/profile-command.ts')).profileList(profileOptions(options))),
    );
  profile
    .command('show')
    .description('one profile')
    .argument('<id>', 'maker/model')
    .addOption(json())
    .action(async (id: string, options: { json?: true }) =>
      ends(await (await import('../contacts/profile-command.ts')).profileShow(id, profileOptions(options))),
    );
  profile
    .command('check')
    .description('check a profile file')
    .argument('<file>', 'profile file')
    .addOption(json())
    .action(async (file: string, options: { json?: true }) =>
      ends(
        await (await import('../contacts/profile-command.ts')).profileCheck(file, profileOptions(options)),
      ),
    );

  profile
    .command('schema')
    .description('the JSON schema of profiles, for editors')
    .action(async () =>
      ends((await import('../contacts/profile-command.ts')).profileSchemaText(profileOptions({}))),
    );
}
