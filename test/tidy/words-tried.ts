/**
 * Loaded before src/main.ts (`node --import`): instead of doing what it is called with, the command reads calls from standard
 * input, a JSON list, and prints for each what its own parser says against it, or null.
 */
import { Command, CommanderError, type Option } from 'commander';
import { readFileSync } from 'node:fs';

function muted(command: Command): void {
  command
    .exitOverride()
    .configureOutput({ writeOut: () => undefined, writeErr: () => undefined })
    .showHelpAfterError(false);
  // A group of commands keeps having none: called alone it is an error.
  if (command.commands.length === 0) command.action(() => undefined);
  for (const each of command.commands) muted(each);
}

/** One call. `whole`: what is mandatory must be there. */
export interface TriedCall {
  readonly words: readonly string[];
  readonly whole: boolean;
}

/** What stands against one call: commander's code and sentence. */
export interface Objection {
  readonly code: string;
  readonly says: string;
}

const mandatoryOf = (command: Command): Option[] => [
  ...command.options.filter(({ mandatory }) => mandatory),
  ...command.commands.flatMap(mandatoryOf),
];

// oxlint-disable-next-line typescript/unbound-method -- called with the command that it is of
const parse = Command.prototype.parseAsync;
Command.prototype.parseAsync = async function tryAll(this: Command): Promise<Command> {
  muted(this);
  const objections: (Objection | null)[] = [];
  const mandatory = mandatoryOf(this);
  for (const { words, whole } of JSON.parse(readFileSync(0, 'utf8')) as TriedCall[]) {
    for (const option of mandatory) option.mandatory = whole;
    try {
      // oxlint-disable-next-line no-await-in-loop -- one program, one call at a time
      await parse.call(this, [...words], { from: 'user' });
      objections.push(null);
    } catch (error) {
      if (!(error instanceof CommanderError)) throw error;
      objections.push({ code: error.code, says: error.message });
    }
  }
  process.stdout.write(JSON.stringify(objections));
  return this;
};
