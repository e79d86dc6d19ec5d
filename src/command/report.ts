/** `portcullis report list | show | month`: reports of windows, and what a month came to. Reads files; needs no running controller. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Config } from '../config/schema.ts';
import { reportsIn } from '../controller/machine.ts';
import { recentReports, reportName } from '../controller/report.ts';
import { reportIn, type ReportDocument } from '../controller/reports/document.ts';
import { moment, said, spell } from '../controller/reports/figures.ts';
import { makeMonth } from '../controller/reports/make-month.ts';
import { monthLines, monthPage } from '../controller/reports/month-page.ts';
import { type Heads, NOTHING_FROM_ELSEWHERE, proveFiles } from '../controller/reports/proving.ts';
import { reportPage } from '../controller/reports/report-page.ts';
import { spanOf } from '../controller/reports/span.ts';
import { nodeDisk } from '../journal/disk.ts';
import { MAX_HEAD_LENGTH, readVkey, verifyHead } from '../journal/heads.ts';
import { JOURNAL_DIRECTORY } from '../journal/names.ts';
import { buildId } from '../protocol/build.ts';
import { type AskOptions, interlock } from './ask.ts';
import { configured } from './configured.ts';
import { CommandError, type ExitCode, say, warn } from './exit.ts';

/** How a document is printed: text for a terminal unless one of these is set. */
export interface ReportOptions extends AskOptions {
  readonly html?: boolean;
}

const reportsOf = async (config: Config): ReturnType<typeof recentReports> =>
  recentReports(nodeDisk, reportsIn(config), Number.POSITIVE_INFINITY).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []; // no window ever ran
    throw error;
  });

/** Lists reports, newest first. */
export async function listReports({
  config: file,
  json,
  count,
}: AskOptions & { readonly count: number }): Promise<void> {
  const { config } = await configured(file, 'none');
  for (const each of (await reportsOf(config)).slice(0, count)) {
    const { window, link, occurrence, outcome, exposure_seconds, isolation_proven, actual } = each;
    const { started_at } = actual;
    if (json === true)
      say(
        JSON.stringify({ window, link, occurrence, started_at, outcome, exposure_seconds, isolation_proven }),
      );
    else
      say(
        `${said(window)}  ${said(occurrence)}  ${outcome}  exposed for ${spell(exposure_seconds * 1_000)}, isolation ${isolation_proven ? 'proven' : 'NOT PROVEN'}  started ${moment(started_at)}`,
      );
  }
}

/** Prints one report: the newest of the window unless an occurrence is named. */
export async function showReport(
  window: string,
  occurrence: string | undefined,
  { config: file, html }: ReportOptions,
): Promise<void> {
  const { config } = await configured(file, 'none');
  const wanted =
    occurrence ?? (await reportsOf(config)).find((each) => each.window === window)?.occurrence ?? null;
  const report = wanted === null ? null : await reportAt(config, window, wanted);
  if (report === null)
    throw new CommandError(1, `there is no such report of ${window}: \`portcullis report list\` shows them`);
  process.stdout.write(html === true ? reportPage(report) : `${JSON.stringify(report, null, 2)}\n`);
}

async function reportAt(config: Config, window: string, occurrence: string): Promise<ReportDocument | null> {
  try {
    return reportIn(await readFile(join(reportsIn(config), reportName(window, occurrence)), 'utf8'));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

/** Prints what a month came to. 1 when the journal does not verify. */
export async function showMonth(
  month: string,
  options: ReportOptions & { readonly head?: readonly string[]; readonly vkey?: string },
): Promise<ExitCode> {
  const span = spanOf(month);
  if (span === null) throw new CommandError(2, `${month} is no month: write it as 2026-11`);
  const { config } = await configured(options.config, 'none');
  const directory = join(config.state_directory, JOURNAL_DIRECTORY);
  const vkey = options.vkey === undefined ? await readVkey(directory) : await vkeyIn(options.vkey);
  const brought = await Promise.all((options.head ?? []).map((path) => headIn(path, vkey)));
  const client = await interlock(options.config, false);
  const signedHead = await client.head().catch(() => null); // it is not running: that is said
  const made = await makeMonth({
    config,
    span,
    now: new Date(),
    build: buildId(),
    signedHead,
    vkey,
    prove: async (tally, heads) => {
      const all: Heads = { ...heads, known: [...heads.known, ...brought] };
      const proof = await proveFiles(directory, tally, all);
      const isDated = brought.length > 0 && options.vkey !== undefined;
      return isDated ? proof : { ...proof, notes: [...proof.notes, NOTHING_FROM_ELSEWHERE] };
    },
  });
  if (options.html === true) process.stdout.write(monthPage(made));
  else if (options.json === true) say(JSON.stringify(made));
  else for (const line of monthLines(made)) say(line);
  if (made.journal.state === 'verified') return 0;
  warn('portcullis: the journal does not verify; `portcullis journal verify` says where');
  return 1;
}

/** The key itself, or the file it is in. */
const vkeyIn = async (given: string): Promise<string> =>
  /^\S+\+[0-9a-f]{8}\+\S+$/.test(given) ? given : (await readFile(given, 'utf8')).trim();

async function headIn(path: string, vkey: string | null) {
  if (vkey === null) throw new CommandError(2, 'name the verification key with --vkey');
  const verified = verifyHead((await readFile(path, 'utf8')).slice(0, MAX_HEAD_LENGTH + 1), vkey);
  if (!verified.ok) throw new CommandError(1, `${said(path)}: ${verified.why}`);
  return { ...verified.head, label: path };
}
