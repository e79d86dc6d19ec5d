import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { DOCUMENTS } from './rules-documents.ts';
import { exists, pathsOf, type Tree } from './tree.ts';
import type { Objection, TriedCall } from './words-tried.ts';

const MAIN = join(import.meta.dirname, '../../src/main.ts');
const TRIED = join(import.meta.dirname, 'words-tried.ts');

/** A call of portcullis in a document. `whole`: it stands on a line of its own, for somebody to type as it is. */
interface Call {
  readonly path: string;
  readonly text: string;
  readonly whole: boolean;
}

/** What a call in a sentence may leave out: it names a command, it is not one. */
const LEFT_OUT = new Set([
  'commander.help',
  'commander.invalidArgument',
  'commander.missingArgument',
  'commander.optionMissingArgument',
]);

/** The words of a call as a shell would part them, up to what is not its own: a comment, a pipe, a redirection. */
function argumentsOf(call: string): string[] {
  const words: string[] = [];
  for (const [text, double, single] of call.matchAll(/"([^"]*)"|'([^']*)'|[^\s"']+/g)) {
    const quoted = double ?? single;
    if (quoted === undefined && text.startsWith('#')) break;
    // Brackets and dots of a usage line are no part of the word.
    const word = quoted ?? text.replaceAll(/[[\]]/g, '');
    const end = quoted === undefined ? word.search(/[|<>;&]/) : -1;
    const own = end < 0 ? word : word.slice(0, end);
    if (own !== '' && own !== '…') words.push(own);
    if (end >= 0) break;
  }
  return words;
}

function callsIn(path: string, text: string): Call[] {
  const calls: Call[] = [];
  const lines = text.replaceAll(/\\\n\s*/g, '').split('\n');
  let fenced = false;
  for (const line of lines) {
    if (/^\s*(```|~~~)/.test(line)) fenced = !fenced;
    const typed = /^\s*(?:[$#] )?(?:sudo )?(?:bin\/)?portcullis ([a-z].*)$/.exec(line);
    if (typed !== null && (fenced || line.startsWith('    ')))
      calls.push({ path, text: typed[1] ?? '', whole: true });
    else if (!fenced)
      for (const [, said = ''] of line.matchAll(/`(?:sudo )?(?:bin\/)?portcullis ([a-z][^`]*)`/g))
        calls.push({ path, text: said, whole: false });
  }
  return calls;
}

/** What the parser of the command says against each call. */
function objectionsTo(calls: readonly Call[]): readonly (Objection | null)[] {
  const tried = calls.map(({ text, whole }): TriedCall => ({ words: argumentsOf(text), whole }));
  const input = JSON.stringify(tried);
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--import', TRIED, MAIN], {
    input,
    encoding: 'utf8',
    timeout: 60_000,
    maxBuffer: 8 << 20,
  });
  if (status !== 0) throw new Error(`the command could not be asked: ${stderr.slice(0, 2_000)}`);
  return JSON.parse(stdout) as (Objection | null)[];
}

/**
 * What documents tell people to type is there: launchers, npm scripts, and calls of portcullis, which the parser of the
 * command itself judges. In a sentence a call may leave out arguments; on a line of its own it may not.
 */
export function commandsExist(tree: Tree): string[] {
  const found: string[] = [];
  const manifest = JSON.parse(tree.get('package.json') ?? '{}') as { scripts?: Record<string, string> };
  const calls: Call[] = [];
  for (const path of pathsOf(tree, DOCUMENTS)) {
    if (path === 'CHANGELOG.md') continue;
    const text = tree.get(path) ?? '';
    for (const [, launcher = ''] of text.matchAll(/(?<![\w./-])(?:\.\/)?(bin\/[a-z][\w-]*)/g)) {
      if (!exists(tree, launcher)) found.push(`${path}: there is no ${launcher}`);
    }
    for (const [, script = ''] of text.matchAll(/npm run (?:--\w+ )*([\w:-]+)/g)) {
      if (manifest.scripts?.[script] === undefined) found.push(`${path}: there is no npm script ${script}`);
    }
    calls.push(...callsIn(path, text));
  }
  for (const [place, objection] of objectionsTo(calls).entries()) {
    const call = calls[place];
    if (call === undefined || objection === null) continue;
    if (!call.whole && LEFT_OUT.has(objection.code)) continue;
    found.push(
      `${call.path}: portcullis ${call.text}: ${objection.says.replace(/^error: /, '').replaceAll('\n', ' ')}`,
    );
  }
  return [...new Set(found)];
}
