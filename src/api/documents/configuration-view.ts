/** The configuration file for reading. `portcullis check` looks at it in a process of its own: it takes a second and memory. */
import { execFile } from 'node:child_process';
import { readFile, stat } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { type Configuration, configProblem } from './work.ts';

/** ms for the check. */
const CHECK_TIMEOUT_MS = 30_000;
const MAX_OUTPUT_BYTES = 4 * 1024 * 1024;
const MAX_TEXT_CHARS = 1_000_000;
const MOST_PROBLEMS = 500;

const resultLine = z.object({ result: z.enum(['valid', 'invalid', 'unreadable']) });

/** A password in a URL: the one place where a secret may stand in the file. */
const PASSWORD = /(:\/\/[^\s/:@"']{1,200}:)[^\s/@"']{1,200}@/g;

type Checked = Pick<Configuration, 'result' | 'problems'>;
let last: { readonly mark: string; readonly checked: Promise<Checked> } | null = null;

/** What is said of the file itself. */
type FileView = Omit<Configuration, 'tls_fingerprint'>;

/** The file as it is now. `beganWith`: what stood in it when the controller began. */
export async function configurationOf(file: string | null, beganWith: string | null): Promise<FileView> {
  const nothing = { text: null, modified_at: null, changed: false, result: 'unknown' as const, problems: [] };
  if (file === null) return { file: '', ...nothing, why: 'this controller was not started from a file' };
  try {
    const [text, { mtime, mtimeMs, size, ino }] = await Promise.all([readFile(file, 'utf8'), stat(file)]);
    const mark = `${file} ${ino} ${size} ${mtimeMs}`;
    if (last?.mark !== mark) last = { mark, checked: check(file) };
    return {
      file,
      text: text.slice(0, MAX_TEXT_CHARS).replaceAll(PASSWORD, '$1…@'),
      why: null,
      modified_at: mtime.toISOString(),
      changed: beganWith !== null && text !== beganWith,
      ...(await last.checked),
    };
  } catch (error) {
    return { file, ...nothing, why: String(error).slice(0, 300) };
  }
}

const main = (): string =>
  fileURLToPath(
    new URL(import.meta.url.endsWith('.ts') ? '../../main.ts' : '../../main.js', import.meta.url),
  );

function check(file: string): Promise<Checked> {
  const options = { timeout: CHECK_TIMEOUT_MS, maxBuffer: MAX_OUTPUT_BYTES, encoding: 'utf8' } as const;
  return new Promise((resolve) => {
    // It ends with 1 when it finds errors: what it printed is what counts.
    execFile(process.execPath, [main(), 'check', file, '--json'], options, (_error, out) =>
      resolve(read(out)),
    );
  });
}

function read(out: string): Checked {
  const problems: Configuration['problems'] = [];
  let result: Configuration['result'] = 'unknown';
  for (const line of out.split('\n')) {
    let value: unknown;
    try {
      value = JSON.parse(line);
    } catch {
      continue; // the empty line at the end
    }
    const problem = configProblem.safeParse(value);
    if (problem.success && problems.length < MOST_PROBLEMS) problems.push(problem.data);
    const said = resultLine.safeParse(value);
    if (said.success) result = said.data.result === 'unreadable' ? 'unknown' : said.data.result;
  }
  return { result, problems };
}
