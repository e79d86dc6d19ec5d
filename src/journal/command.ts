/**
 * `portcullis journal verify | tail | export`, without the argument parser: plain options, somewhere to write, an exit code
 * (0 done, 1 it did not happen and says why, 2 the call was wrong).
 */
import { readFile } from 'node:fs/promises';
import type { Entry } from './entry.ts';
import { exportJournal, type ExportFormat, type ExportRange } from './export.ts';
import { MAX_HEAD_LENGTH, readVkey, verifyHead } from './heads.ts';
import { verifyJournal, type KnownHead, type Verification } from './reading.ts';
import { followJournal, MAX_TAIL, tailJournal, type TailLine } from './tail.ts';

/** Exit code of a command. */
export type ExitCode = 0 | 1 | 2;
/** Where output goes: results, and messages about what went wrong. */
export interface Output {
  result(text: string): void | Promise<void>;
  problem(text: string): void;
}

const MAX_SHOWN_DATA = 1_000;
const VKEY = /^\S+\+[0-9a-f]{8}\+\S+$/;

/** Makes text harmless for a terminal: control, formatting and bidirectional characters become escapes. */
export const printable = (text: string): string =>
  text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu, (character) => {
    const code = character.codePointAt(0) ?? 0;
    return code > 0xffff ? `\\u{${code.toString(16)}}` : `\\u${code.toString(16).padStart(4, '0')}`;
  });

const reason = (error: unknown): string =>
  printable(error instanceof Error ? error.message : String(error)).slice(0, MAX_SHOWN_DATA);

/** Options of `journal verify`. */
export interface VerifyOptions {
  readonly directory: string;
  /** Files with signed heads that were kept elsewhere. */
  readonly heads?: readonly string[];
  /** The verification key, or the file it is in. Without it the one beside the journal is taken, and that is said. */
  readonly vkey?: string;
  readonly json?: boolean;
}

/** The signed heads to compare with; anything that cannot be used is a reason to stop. */
async function knownHeads(options: VerifyOptions, output: Output): Promise<KnownHead[] | ExitCode> {
  const paths = options.heads ?? [];
  if (paths.length === 0) return [];
  const given = options.vkey;
  const vkey =
    given === undefined
      ? await readVkey(options.directory)
      : VKEY.test(given)
        ? given
        : (await readFile(given, 'utf8')).trim();
  if (vkey === null) {
    output.problem(`there is no heads.vkey in ${options.directory}: name the verification key with --vkey`);
    return 2;
  }
  if (given === undefined)
    output.problem(
      'note: the verification key was taken from beside the journal; whoever rewrote the one could replace the other',
    );
  const known: KnownHead[] = [];
  for (const path of paths) {
    const text = await readFile(path, 'utf8');
    const verified = verifyHead(text.slice(0, MAX_HEAD_LENGTH + 1), vkey);
    if (!verified.ok) {
      output.problem(`${printable(path)}: ${verified.why}`);
      return 1;
    }
    known.push({ ...verified.head, label: path });
  }
  return known;
}

const asJson = (found: Verification): string =>
  `${JSON.stringify({
    ok: found.ok,
    entries: found.entries,
    first_seq: found.firstSeq,
    head: found.head,
    files: found.files,
    problems: found.problems,
    confirmed_heads: found.confirmedHeads,
    contradicted_heads: found.contradictedHeads,
    unchecked_heads: found.uncheckedHeads,
  })}\n`;

function asText(found: Verification): string {
  const lines = [
    `${found.ok ? 'verified' : 'NOT VERIFIED'}: ${found.entries} entries in ${found.files.length} files`,
  ];
  if (found.firstSeq !== null)
    lines.push(
      `from entry ${found.firstSeq}${found.firstSeq > 1 ? ' (older files are not here)' : ''} to entry ${found.head.size}`,
    );
  lines.push(`head ${found.head.size} ${found.head.hash}`);
  for (const { file, line, why } of found.problems)
    lines.push(`problem: ${file}${line === null ? '' : ` line ${line}`}: ${printable(why)}`);
  for (const { label, size, why } of found.contradictedHeads)
    lines.push(`contradicted: head ${size} from ${printable(label)}: ${why}`);
  for (const { label, size } of found.confirmedHeads)
    lines.push(`confirmed: head ${size} from ${printable(label)}`);
  for (const { label, size } of found.uncheckedHeads)
    lines.push(`not checked: head ${size} from ${printable(label)} is older than what is here`);
  if (found.ok && found.confirmedHeads.length === 0)
    lines.push(
      'note: no head kept elsewhere was compared, so a cut-off end or a rewrite of the whole would not show (--head FILE)',
    );
  return `${lines.join('\n')}\n`;
}

/** Verifies a journal and says what was found. 1 when it does not verify or contradicts a head. */
export async function journalVerify(options: VerifyOptions, output: Output): Promise<ExitCode> {
  try {
    const heads = await knownHeads(options, output);
    if (typeof heads === 'number') return heads;
    const found = await verifyJournal(options.directory, { heads });
    await output.result(options.json === true ? asJson(found) : asText(found));
    return found.ok ? 0 : 1;
  } catch (error) {
    output.problem(`the journal could not be verified: ${reason(error)}`);
    return 1;
  }
}

/** Options of `journal tail`. */
export interface TailOptions {
  readonly directory: string;
  readonly count: number;
  readonly json?: boolean;
  /** Goes on until this aborts; without it the command ends after the entries that are there. */
  readonly follow?: AbortSignal;
}

function shown(line: TailLine, json: boolean): string {
  if (line.entry === undefined)
    return json
      ? `${JSON.stringify({ file: line.file, problem: line.problem })}\n`
      : `${line.file}: not an entry: ${printable(line.problem)}\n`;
  return json ? `${JSON.stringify(line.entry)}\n` : `${entryText(line.entry)}\n`;
}

function entryText({ seq, at, clock, type, actor, data }: Entry): string {
  const time = clock === 'synchronised' ? at : `${at} (clock ${clock})`;
  const text = printable(JSON.stringify(data));
  return `${seq}  ${time}  ${type}  ${printable(actor)}  ${text.length > MAX_SHOWN_DATA ? `${text.slice(0, MAX_SHOWN_DATA)}…` : text}`;
}

/** Shows the newest entries. Does not verify. 1 when a line is no entry. */
export async function journalTail(options: TailOptions, output: Output): Promise<ExitCode> {
  if (!Number.isSafeInteger(options.count) || options.count < 0 || options.count > MAX_TAIL) {
    output.problem(`the number of entries must be 0 to ${MAX_TAIL}`);
    return 2;
  }
  const json = options.json === true;
  let code: ExitCode = 0;
  const show = async (line: TailLine): Promise<void> => {
    if (line.entry === undefined) code = 1;
    await output.result(shown(line, json));
  };
  try {
    const { lines, cursor } = await tailJournal(options.directory, options.count);
    for (const line of lines) await show(line);
    if (options.follow !== undefined)
      for await (const line of followJournal(options.directory, cursor, options.follow)) await show(line);
    return code;
  } catch (error) {
    output.problem(`the journal could not be read: ${reason(error)}`);
    return 1;
  }
}

/** Options of `journal export`. */
export interface ExportOptions extends ExportRange {
  readonly directory: string;
  readonly format: ExportFormat;
}

/** Writes the verified entries. 1 when the journal does not verify: what was written then is the verified beginning. */
export async function journalExport(options: ExportOptions, output: Output): Promise<ExitCode> {
  try {
    const found = await exportJournal(
      options.directory,
      options.format,
      (text) => output.result(text),
      options,
    );
    for (const { file, line, why } of found.problems)
      output.problem(
        `exported only up to entry ${found.head.size}: ${file}${line === null ? '' : ` line ${line}`}: ${printable(why)}`,
      );
    return found.ok ? 0 : 1;
  } catch (error) {
    output.problem(`the journal could not be exported: ${reason(error)}`);
    return 1;
  }
}
