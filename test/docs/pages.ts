/** What the pages tell people to type, and what they show: fenced blocks, and the commands in them. */
import { existsSync, globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const TOP = join(import.meta.dirname, '../..');
/** Languages of blocks that people type into a shell. */
const TYPED = new Set(['sh', 'console']);

/** One fenced block. */
export interface Block {
  readonly page: string;
  readonly language: string;
  readonly text: string;
}

/** One command of a page. `shows`: what stands below it in a `console` block. */
export interface Command {
  readonly page: string;
  readonly text: string;
  readonly shows: readonly string[];
}

/** Every page that people read, by its path. */
export const pages: ReadonlyMap<string, string> = new Map(
  globSync(['README.md', '{docs,hardware,systemd,firmware-profiles}/**/*.md'], { cwd: TOP })
    .toSorted()
    .map((path) => [path, readFileSync(join(TOP, path), 'utf8')]),
);

/** The fenced blocks of a page, in order; indented ones, too. */
export function blocksIn(page: string, text: string): readonly Block[] {
  return [...text.matchAll(/^( *)```(\w*)\n([\s\S]*?)^\1```$/gm)].map(
    ([, indent = '', language = '', inside = '']) => ({
      page,
      language,
      text: inside.replaceAll(new RegExp(`^${indent}`, 'gm'), ''),
    }),
  );
}

/** A block that is one program: it begins by saying of which shell, or sets what its later lines use. */
const isScript = (text: string): boolean => /^#!|^\w+=\$?[('"]/.test(text);

function commandsOf({ page, language, text }: Block): readonly Command[] {
  if (language === 'sh' && isScript(text)) return [{ page, text: text.trimEnd(), shows: [] }];
  const joined = text.replaceAll(/\\\n\s*/g, '').trimEnd();
  if (language === 'sh')
    return joined
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'))
      .map((line) => ({ page, text: line, shows: [] }));
  // In a session what follows `$ ` was typed, up to the end of a here-document, and the rest was shown.
  return joined
    .split(/^\$ /m)
    .filter((part) => part !== '')
    .map((part) => {
      const [line = '', ...rest] = part.trimEnd().split('\n');
      return line.includes('<<')
        ? { page, text: [line, ...rest].join('\n'), shows: [] }
        : { page, text: line, shows: rest };
    });
}

/** A call of this project's own tests, which needs no test; what it names is there. */
const OWN_TESTS = /^(?:PORTCULLIS_LONG=1 )?npx vitest run (\S+)/;
const isOwnTests = ({ text }: Command): boolean => {
  const [, path] = OWN_TESTS.exec(text) ?? [];
  return path !== undefined && existsSync(join(TOP, path));
};

/** Every command of a page, in order. */
export const commandsIn = (page: string, text: string): readonly Command[] =>
  blocksIn(page, text)
    .filter(({ language }) => TYPED.has(language))
    .flatMap(commandsOf)
    .filter((command) => !isOwnTests(command));
