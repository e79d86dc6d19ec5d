#!/usr/bin/env node
/** The `portcullis` command: parses arguments, calls one command. Each is loaded only when it is called. */
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { readFileSync } from 'node:fs';
import { addApplianceWords } from './command/appliance-words.ts';
import { addAttendWords } from './command/attend-words.ts';
import { addProfileCommands } from './command/profile.ts';
import { bearLostReader, CommandError, type ExitCode, say, warn } from './command/exit.ts';
import { addTokenWords, addUserWords } from './command/people-words.ts';
import { addReportWords } from './command/report-words.ts';
import { addSentryWords } from './command/sentry-words.ts';
import { DEFAULT_CONFIG_FILE } from './config/default-file.ts';

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
  version: string;
};

const program = new Command('portcullis')
  .description(
    'Keeps a backup vault physically disconnected, connects it only for restic windows, cuts it on one request',
  )
  .version(version)
  .showHelpAfterError('(`portcullis --help` lists the commands)')
  .exitOverride();

let exitCode: ExitCode = 0;
const ends = (code: ExitCode): void => {
  exitCode = code;
};

const config = (): Option => new Option('--config <file>', 'configuration file').default(DEFAULT_CONFIG_FILE);
const json = (): Option => new Option('--json', 'print JSON, one object or one per line');
const reason = (): Option => new Option('--reason <text>', 'why, for the journal').makeOptionMandatory();

program
  .command('up')
  .description('run interlock and controller together (laptop, container); systemd runs them as two units')
  .addOption(config())
  .action(async (options: { config: string }) => (await import('./command/serve.ts')).runUp(options.config));
program
  .command('interlock')
  .description('run the interlock: owns contacts, latch, journal, window calendar, trip webhooks')
  .addOption(config())
  .action(async (options: { config: string }) =>
    (await import('./command/serve.ts')).runInterlock(options.config),
  );
program
  .command('controller')
  .description('run the controller: restic, guards, reports')
  .addOption(config())
  .action(async (options: { config: string }) =>
    (await import('./command/serve.ts')).runController(options.config),
  );
program
  .command('configuration', { hidden: true })
  .addOption(config())
  .addOption(new Option('--secrets <of>').choices(['interlock', 'controller', 'all']))
  .action(async (options) =>
    ends(await (await import('./command/configured-apart.ts')).sendConfigured(options)),
  );
program
  .command('mount-hand', { hidden: true })
  .description(
    'mount or unmount one disk of a vault for the controller, as a line on standard input says; as root',
  )
  .addOption(config())
  .action(async (options: { config: string }) =>
    ends(await (await import('./command/mount-hand.ts')).mountForController(options.config)),
  );
program
  .command('demo')
  .description('the real thing on an emulated relay board: a real restic window, and the curl that cuts it')
  .option('--once', 'run one window and exit')
  .addOption(json())
  .action(async (options: { once?: true; json?: true }) =>
    (await import('./demo/demo.ts')).runDemo(options).then(ends),
  );
program
  .command('check')
  .description('check a configuration file and print everything that is wrong with it')
  .argument('[file]', 'configuration file', DEFAULT_CONFIG_FILE)
  .addOption(json())
  .action(async (file: string, options: { json?: true }) => {
    const { shippedProfiles } = await import('./command/configured.ts');
    const { checkCommand } = await import('./config/schema/command.ts');
    ends(await checkCommand(file, { json: options.json === true, profiles: await shippedProfiles() }, say));
  });

program
  .command('status')
  .description('where every link stands, how that is known, and what would refuse a lease')
  .addOption(config())
  .addOption(json())
  .action(async (options) => (await import('./command/ask.ts')).showStatus(options));
program
  .command('trip')
  .description('isolate links and latch them; all when none is named')
  .argument('[link...]', 'names of links')
  .addOption(reason())
  .addOption(config())
  .addOption(json())
  .action(async (links: string[], options) =>
    (await import('./command/ask.ts')).tripLinks(links, options.reason, options),
  );
program
  .command('reset')
  .description(
    'lift the latch of a link: as root at the box, with its button held, or with the codes of two people',
  )
  .argument('<link>', 'name of the link')
  .addOption(reason())
  .option(
    '--cause <id>',
    'the cause you have understood, as `status` shows it; without it the answer says what it is',
  )
  .option('--approve <name:code...>', 'one-time code of an approver; two different people are needed')
  .addOption(config())
  .addOption(json())
  .action(async (link: string, options) => (await import('./command/reset.ts')).resetLink(link, options));
program
  .command('approver')
  .description('people whose one-time codes count')
  .command('add')
  .description(
    'make the secret of an approver and show it once, as a URI for an authenticator; at the box, as root',
  )
  .argument('<name>', 'name under `approvers` in the configuration')
  .option('--again', 'replace the secret of somebody who is enrolled')
  .addOption(config())
  .action(async (name: string, options: { config: string; again?: boolean }) =>
    (await import('./command/reset.ts')).addApprover(name, options),
  );
program
  .command('lamps')
  .description('the lamps of the box')
  .command('test')
  .description('light all of them for two seconds: one that stays dark is broken')
  .addOption(config())
  .addOption(json())
  .action(async (options) => (await import('./command/lamps.ts')).testLamps(options));
program
  .command('commission')
  .description('prove the wiring, the timing and the fail-safe behaviour of a link; at the box, as root')
  .argument('<link>', 'name of the link')
  .option('--yes', 'nobody lends a hand; only for boards that are emulated')
  .addOption(config())
  .addOption(json())
  .action(async (link: string, options) =>
    (await import('./command/commission.ts')).commissionLink(link, options),
  );
addAttendWords(program, { config, json });
program
  .command('isolate')
  .description(
    'isolate everything: through the interlock when it runs (which latches), else straight from the configuration',
  )
  .requiredOption('--all', 'every contact of every link')
  .addOption(config())
  .addOption(json())
  .action(async (options: { config: string; json?: true }) =>
    (await import('./command/isolate-first.ts')).isolateFirst(options.config, options.json === true),
  );
addApplianceWords(program, { config, json, ends });

const window = program.command('window').description('windows: when the vault may be connected');
window
  .command('list')
  .description('when each window opens next')
  .addOption(config())
  .addOption(json())
  .action(async (options) => (await import('./command/ask.ts')).listWindows(options));
window
  .command('run')
  .description('open a window now: as root at the box, with its button held, or with the codes of two people')
  .argument('<name>', 'name of the window')
  .option('--approve <name:code...>', 'one-time code of an approver; two different people are needed')
  .addOption(new Option('--reason <text>', 'why, for the journal').default('run by hand'))
  .addOption(config())
  .addOption(json())
  .action(async (name: string, options) =>
    (await import('./command/ask.ts')).runWindow(name, options.reason, options),
  );

program
  .command('source')
  .description('sources: who may pull the kill switch')
  .command('test')
  .description('take a message the whole way, up to the contacts, without cutting')
  .argument('<name>', 'name of the source')
  .argument('<body-file>', 'what its sender would send; `-` reads standard input')
  .addOption(config())
  .addOption(json())
  .action(async (name: string, file: string, options) =>
    ends(await (await import('./command/source.ts')).testSource(name, file, options)),
  );

const notify = program.command('notify').description('notifications: who is told what happened');
notify
  .command('test')
  .description('send a test message and print what each destination answered')
  .argument('[name]', 'name of one destination; all when none is named')
  .addOption(config())
  .addOption(json())
  .action(async (name: string | undefined, options) =>
    ends(await (await import('./command/notify.ts')).testNotifications(name, options)),
  );

addProfileCommands(program.command('profile').description('firmware profiles: boards as data'), json, ends);

addUserWords(program.command('user'), { config, json });
addTokenWords(program.command('token'), { config, json }, wholeNumber);

addSentryWords(program, { config, json }, ends);

const journal = program
  .command('journal')
  .description('the record of everything that happened and was refused');
const inJournal = (command: Command): Command =>
  command
    .addOption(config())
    .option('--directory <directory>', 'journal directory, instead of the configured one');
inJournal(journal.command('verify').description('prove that nothing was changed, removed or re-ordered'))
  .option('--head <file...>', 'signed heads that were kept elsewhere')
  .option('--vkey <key>', 'verification key of signed heads, or the file it is in')
  .addOption(json())
  .action(async (options) => ends(await (await import('./command/journal.ts')).verify(options)));
journal
  .command('head')
  .description('the signed head: keep it elsewhere, `journal verify --head FILE` finds a cut-off end by it')
  .addOption(config())
  .addOption(json())
  .action(async (options) => (await import('./command/ask.ts')).showHead(options));
inJournal(journal.command('tail').description('the newest entries'))
  .option('-n, --count <number>', 'how many', wholeNumber, 20)
  .option('-f, --follow', 'go on with new entries')
  .addOption(json())
  .action(async (options) => ends(await (await import('./command/journal.ts')).tail(options)));
inJournal(journal.command('export').description('the verified entries, for other programs'))
  .addOption(new Option('--format <format>', 'what to write').choices(['jsonl', 'csv']).default('jsonl'))
  .action(async (options) => ends(await (await import('./command/journal.ts')).exportAll(options)));

addReportWords(program.command('report'), { config, json }, wholeNumber, ends);

program
  .command('emulate')
  .description('play a board on TCP or a pseudo-terminal, with faults on request')
  .argument('<profile>', 'maker/model')
  .option('--tcp <host:port>', 'listen there; port 0 takes a free one')
  .option('--pty <path>', 'make a pseudo-terminal there (needs socat)')
  .addOption(new Option('--framing <framing>', 'frames on the wire').choices(['modbus-tcp', 'rtu']))
  .option('--fault <name...>', 'faults from the start; `--fault help` lists them')
  .option('--mirror <channel:input...>', 'an input that reads 1 while the contact of a channel is isolated')
  .option('--cable <spec...>', 'CHANNEL,LISTEN=TARGET: a TCP cable through the contact of a channel')
  .option('--control <path>', 'Unix socket that takes faults and inputs while it runs')
  .addOption(json())
  .action(async (id: string, options) =>
    ends(await (await import('./command/emulate.ts')).emulate(id, options)),
  );

function wholeNumber(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('not a whole number');
  return Number(text);
}

bearLostReader();
try {
  await program.parseAsync();
  process.exitCode = exitCode;
} catch (error) {
  process.exitCode = failed(error);
}

/** Prints why a command did not happen and what to do next. What nobody foresaw is thrown again: a crash isolates. */
function failed(error: unknown): ExitCode {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  if (error instanceof CommandError) {
    warn(`portcullis: ${error.message}`);
    return error.code;
  }
  if (error instanceof Error && 'hint' in error) {
    warn(`portcullis: ${error.message}; ${String(error.hint)}`);
    const refusals =
      'refusals' in error && Array.isArray(error.refusals)
        ? (error.refusals as { why: string; hint: string }[])
        : [];
    for (const { why, hint } of refusals) warn(`  ${why}; ${hint}`);
    return 1;
  }
  throw error;
}
