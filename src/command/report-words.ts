/** How `portcullis report` is called. The command itself is loaded only when it is. */
import { type Command, Option } from 'commander';
import type { AskOptions } from './ask.ts';
import type { ExitCode } from './exit.ts';
import type { CommonOptions } from './people-words.ts';
import type { ReportOptions } from './report.ts';

const html = (): Option => new Option('--html', 'a page to print, self-contained').conflicts('json');

/** Adds `list`, `show` and `month`. */
export function addReportWords(
  report: Command,
  { config, json }: CommonOptions,
  wholeNumber: (text: string) => number,
  ends: (code: ExitCode) => void,
): void {
  report.description('reports of windows, and what a month came to');
  report
    .command('list')
    .description('the reports that are kept, newest first')
    .option('-n, --count <number>', 'how many', wholeNumber, 50)
    .addOption(config())
    .addOption(json())
    .action(async (options: AskOptions & { count: number }) =>
      (await import('./report.ts')).listReports(options),
    );
  report
    .command('show')
    .description('one report as JSON; the newest of the window unless an occurrence is named')
    .argument('<window>', 'name of the window')
    .argument('[occurrence]', 'as `report list` shows it')
    .addOption(config())
    .addOption(html())
    .addOption(json())
    .action(async (name: string, occurrence: string | undefined, options: ReportOptions) =>
      (await import('./report.ts')).showReport(name, occurrence, options),
    );
  report
    .command('month')
    .description('a month for an auditor: windows, exposure, drills, proof tests, trips; proves the journal')
    .argument('<month>', 'as in 2026-11')
    .option('--head <file...>', 'signed heads that were kept elsewhere')
    .option('--vkey <key>', 'your own copy of the verification key, or the file it is in')
    .addOption(config())
    .addOption(html())
    .addOption(json())
    .action(async (month: string, options: ReportOptions & { head?: string[]; vkey?: string }) =>
      ends(await (await import('./report.ts')).showMonth(month, options)),
    );
}
