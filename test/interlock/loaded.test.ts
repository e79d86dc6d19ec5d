/** What interlock and controller load and keep for years. */
import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';

const ROOTS = ['interlock', 'controller', 'api'].map((room) =>
  new URL(`../../src/${room}/compose.ts`, import.meta.url).toString(),
);
/** Prints the parts of Node that are loaded once these are. */
const LISTING = `
  for (const root of ${JSON.stringify(ROOTS)}) await import(root);
  console.log(JSON.stringify(process.moduleLoadList));`;

test('neither loads the whole of fetch, which a value imported from node:http brings along', () => {
  const printed = execFileSync(process.execPath, ['--input-type=module', '--eval', LISTING], {
    encoding: 'utf8',
  });
  const loaded = JSON.parse(printed) as readonly string[];
  expect(loaded).toContain('NativeModule http');
  expect(loaded.filter((name) => name.includes('undici'))).toEqual([]);
});
