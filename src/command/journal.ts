/** `portcullis journal`: finds the journal of a configuration and calls the command of `src/journal`. */
import { join } from 'node:path';
import { journalExport, journalTail, journalVerify, type Output } from '../journal/command.ts';
import { JOURNAL_DIRECTORY } from '../journal/names.ts';
import { configured } from './configured.ts';
import { type ExitCode, readerGone, warn } from './exit.ts';
import { stopAsked } from './serve.ts';

/** Where the journal is. */
export interface JournalPlace {
  readonly config: string;
  readonly directory?: string;
}

/** Verifies the chain, and signed heads kept elsewhere. */
export async function verify(
  options: JournalPlace & { head?: string[]; vkey?: string; json?: true },
): Promise<ExitCode> {
  const { head, vkey, json } = options;
  const heads = head === undefined ? {} : { heads: head };
  const key = vkey === undefined ? {} : { vkey };
  return journalVerify(
    { directory: await directoryOf(options), ...heads, ...key, json: json === true },
    output,
  );
}

/** Shows the newest entries. */
export async function tail(
  options: JournalPlace & { count: number; follow?: true; json?: true },
): Promise<ExitCode> {
  const directory = await directoryOf(options);
  const stop = new AbortController();
  if (options.follow === true) void stopAsked().then(() => stop.abort());
  const follow = options.follow === true ? { follow: AbortSignal.any([stop.signal, readerGone]) } : {};
  return journalTail({ directory, count: options.count, json: options.json === true, ...follow }, output);
}

/** Prints the verified entries. */
export async function exportAll(options: JournalPlace & { format: 'jsonl' | 'csv' }): Promise<ExitCode> {
  return journalExport({ directory: await directoryOf(options), format: options.format }, output);
}

async function directoryOf({ config, directory }: JournalPlace): Promise<string> {
  if (directory !== undefined) return directory;
  return join((await configured(config, 'none')).config.state_directory, JOURNAL_DIRECTORY);
}

const output: Output = {
  result: (text) =>
    new Promise((resolve) => {
      process.stdout.write(text.endsWith('\n') ? text : `${text}\n`, () => resolve());
    }),
  problem: warn,
};
