/** The words of `portcullis user` and `portcullis token`; what they do is loaded when they are called. */
import { type Command, Option } from 'commander';
import type { AskOptions } from './ask.ts';

/** Options that every command takes. */
export interface CommonOptions {
  readonly config: () => Option;
  readonly json: () => Option;
}

const role = (): Option =>
  new Option('--role <role>', 'what the person may do').choices(['viewer', 'operator', 'approver']);

/** Fills `portcullis user`. */
export function addUserWords(user: Command, { config, json }: CommonOptions): void {
  user.description('accounts of the dashboard; at the box');
  user
    .command('add')
    .description('make an account; its password is asked for, or the first line of standard input')
    .argument('<name>', 'name of the person')
    .addOption(role().default('viewer'))
    .addOption(config())
    .addOption(json())
    .action(async (name: string, options: AskOptions & { role: string }) =>
      (await import('./people.ts')).addUser(name, options),
    );
  user
    .command('change')
    .description('give a person another role or password; every login of that person is over')
    .argument('<name>', 'name of the person')
    .addOption(role())
    .option('--password', 'ask for a new password')
    .addOption(config())
    .addOption(json())
    .action(async (name: string, options: AskOptions & { role?: string; password?: true }) =>
      (await import('./people.ts')).changeUser(name, options),
    );
  user
    .command('list')
    .description('everybody who has an account')
    .addOption(config())
    .addOption(json())
    .action(async (options: AskOptions) => (await import('./people.ts')).listUsers(options));
  user
    .command('remove')
    .description('remove an account; every login of it is over')
    .argument('<name>', 'name of the person')
    .addOption(config())
    .addOption(json())
    .action(async (name: string, options: AskOptions) =>
      (await import('./people.ts')).removeUser(name, options),
    );
}

/** Fills `portcullis token`. */
export function addTokenWords(
  token: Command,
  { config, json }: CommonOptions,
  days: (text: string) => number,
): void {
  token.description('tokens for programs: they read and they cut, and never connect');
  token
    .command('create')
    .description('make a token and print it, once')
    .argument('<label>', 'what it is for')
    .requiredOption('--scope <scope...>', 'read, metrics, trip')
    .option('--days <number>', 'until it expires', days, 365)
    .addOption(config())
    .addOption(json())
    .action(async (label: string, options: AskOptions & { scope: string[]; days: number }) =>
      (await import('./people.ts')).createToken(label, options),
    );
  token
    .command('list')
    .description('every token, without its secret')
    .addOption(config())
    .addOption(json())
    .action(async (options: AskOptions) => (await import('./people.ts')).listTokens(options));
  token
    .command('revoke')
    .description('revoke a token')
    .argument('<id>', 'as `token list` shows it')
    .addOption(config())
    .addOption(json())
    .action(async (id: string, options: AskOptions) =>
      (await import('./people.ts')).revokeToken(id, options),
    );
}
