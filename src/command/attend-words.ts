/** The words of `portcullis attend`. */
import type { Command, Option } from 'commander';
import type { AttendOptions } from './attend.ts';

/** Adds them. */
export function addAttendWords(
  program: Command,
  { config, json }: Record<'config' | 'json', () => Option>,
): void {
  program
    .command('attend')
    .description('keep a link connected for a restore, outside of windows, while this command runs')
    .argument('<link>', 'name of the link')
    .option('--for <duration>', 'for how long, as in 30m or 1h30m')
    .option('--reason <text>', 'why, for the journal')
    .option('--cause <id>', 'reset the link first: the cause you have understood, as `status` shows it')
    .option('--approve <name:code...>', 'one-time code of an approver; two different people are needed')
    .option('--mount', 'mount the disks behind the link meanwhile, read-only, where the configuration says')
    .option('--end', 'end the session that is in progress')
    .addOption(config())
    .addOption(json())
    .action(async (link: string, options: AttendOptions) =>
      (await import('./attend.ts')).attendLink(link, options),
    );
}
