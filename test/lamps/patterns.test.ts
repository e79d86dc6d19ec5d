/** What the lamps show: every row of the table, every promise in every case, and planted faults that must be noticed. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';
import * as lamps from '../../src/core/lamps.ts';
import { mutants } from './mutants.ts';
import { everyLink, explore, quiet, rows, shownAs, type Subject } from './table.ts';

const source = readFileSync(fileURLToPath(new URL('../../src/core/lamps.ts', import.meta.url)), 'utf8');
const scratch = mkdtempSync(join(tmpdir(), 'portcullis-lamps-'));
afterAll(() => rmSync(scratch, { recursive: true }));

/** Loads the lamps with one text replaced; the text must be there once. */
async function loadMutant(index: number, find: string, replace: string): Promise<Subject> {
  const words = find.split(/\s+/).map((word) => word.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  const sought = new RegExp(words.join('\\s+'), 'g');
  const places = [...source.matchAll(sought)].length;
  if (places !== 1) throw new Error(`the text of mutant ${index} is in ${places} places`);
  const file = join(scratch, `${index}.mjs`);
  writeFileSync(file, stripTypeScriptTypes(source.replace(sought, () => replace)));
  return (await import(/* @vite-ignore */ pathToFileURL(file).href)) as Subject;
}

describe('lamps', () => {
  test.each(rows)('%s', (_name, facts, shown) => {
    expect(shownAs(lamps.lampsFor({ ...quiet, ...facts }))).toBe(shown);
  });

  test('keep every promise, whatever is known', () => {
    expect(everyLink.length).toBe(9 * 3 * 2 ** 4);
    expect(explore(lamps)).toBe(everyLink.length * 6 * 5 * 2 ** 3);
  });

  test.each(mutants.map((mutant, index) => ({ ...mutant, index })))('is caught: $name', async (mutant) => {
    const subject = await loadMutant(mutant.index, mutant.find, mutant.replace);
    expect(() => explore(subject)).toThrow(/broken/);
  });

  test('the page says of every pattern what the program says', () => {
    const page = readFileSync(
      fileURLToPath(new URL('../../docs/button-and-lamps.md', import.meta.url)),
      'utf8',
    );
    for (const lamp of lamps.LAMP_NAMES)
      for (const pattern of ['dark', 'lit', 'slow-blink', 'fast-blink'] as const)
        if (lamp !== 'isolated' || !pattern.endsWith('blink'))
          expect(page).toContain(lamps.lampMeaning(lamp, pattern, false));
  });
});
