/** Loads the core with one fault planted. */
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { onTestFinished } from 'vitest';

const core = fileURLToPath(new URL('../../src/core/', import.meta.url));

/** Matches the text whatever the formatter did to its white space. */
const loosely = (text: string): RegExp =>
  new RegExp(
    text
      .trim()
      .split(/\s+/)
      .map((word) => word.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&'))
      .join('\\s+'),
  );

const plain = (typed: string): string =>
  stripTypeScriptTypes(typed).replaceAll(/(from '\.\/[^']+)\.ts'/g, "$1.mjs'");

/** Every file of the core, with its types and without. */
const sources = new Map(
  readdirSync(core).map((file) => {
    const typed = readFileSync(join(core, file), 'utf8');
    return [file, { typed, plain: plain(typed) }];
  }),
);

/** A module of the core with one text replaced, in one file of it; throws when it is in none or in several. */
export async function planted<Module>(module: string, find: string, replace: string): Promise<Module> {
  const directory = mkdtempSync(join(tmpdir(), 'portcullis-mutant-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  let files = 0;
  for (const [file, source] of sources) {
    const text = source.typed.replace(loosely(find), () => replace);
    const isPlanted = text !== source.typed;
    if (isPlanted) files += 1;
    writeFileSync(join(directory, file.replace(/\.ts$/, '.mjs')), isPlanted ? plain(text) : source.plain);
  }
  if (files !== 1) throw new Error(`the text is in ${files} files of src/core, not in one: ${find}`);
  return (await import(/* @vite-ignore */ pathToFileURL(join(directory, `${module}.mjs`)).href)) as Module;
}
