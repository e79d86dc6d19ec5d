import { cpSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';
import { begin, decide } from '../../src/core/decide.ts';
import { explore, promises } from './explore.ts';
import { mutants } from './mutants.ts';

const core = fileURLToPath(new URL('../../src/core/', import.meta.url));
const scratch = mkdtempSync(join(tmpdir(), 'portcullis-mutants-'));
afterAll(() => rmSync(scratch, { recursive: true }));

/** Matches the text whatever the formatter did to its white space. */
const loosely = (text: string): RegExp =>
  new RegExp(
    text
      .trim()
      .split(/\s+/)
      .map((word) => word.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&'))
      .join('\\s+'),
  );

/** Loads the core with one text replaced; the replacement must have happened, in one file. */
async function loadMutant(
  index: number,
  find: string,
  replace: string,
): Promise<{ decide: typeof decide; begin: typeof begin }> {
  const directory = join(scratch, String(index));
  cpSync(core, directory, { recursive: true });
  let planted = 0;
  for (const file of readdirSync(directory)) {
    const source = readFileSync(join(directory, file), 'utf8');
    const text = source.replace(loosely(find), () => replace);
    if (text !== source) planted += 1;
    const plain = stripTypeScriptTypes(text).replaceAll(/(from '\.\/[^']+)\.ts'/g, "$1.mjs'");
    writeFileSync(join(directory, file.replace(/\.ts$/, '.mjs')), plain);
  }
  if (planted !== 1)
    throw new Error(`the text of mutant ${index} is in ${planted} files of src/core, not in one`);
  return (await import(/* @vite-ignore */ pathToFileURL(join(directory, 'decide.mjs')).href)) as {
    decide: typeof decide;
    begin: typeof begin;
  };
}

describe('the whole space of one link', () => {
  test('keeps every promise in every situation with every event', () => {
    const visited = explore({ decide, begin });
    expect([...visited.states].toSorted()).toEqual([
      'commissioning',
      'connected',
      'connecting',
      'isolated',
      'isolating',
      'proving',
      'stuck',
      'tripped',
      'unproven',
    ]);
    expect([...visited.acts].toSorted()).toEqual([
      'alarm',
      'connect',
      'drive',
      'proof-ended',
      'refuse',
      'tell-connected',
      'tell-granted',
      'tell-over',
      'tell-renewed',
      'tell-reset',
    ]);
    expect([...visited.proofs].toSorted()).toEqual(['failed', 'not-done', 'passed']);
    expect(visited.situations).toBeGreaterThan(500);
    console.info(
      `explored ${visited.situations} situations in ${visited.steps} steps, ${Object.keys(promises).length} promises`,
    );
  }, 120_000);

  test.each(mutants.map((mutant, index) => ({ ...mutant, index })))(
    'is caught: $name',
    async ({ index, find, replace }) => {
      const mutant = await loadMutant(index, find, replace);
      expect(() => explore(mutant)).toThrow(/broken|begin must/);
    },
    120_000,
  );
});
