/** `REWRITE=1 npx vitest run test/config` writes the page anew. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { renderReference } from './reference.ts';

const file = join(import.meta.dirname, '../../docs/configuration.md');

test('docs/configuration.md is what the schema says', () => {
  if (process.env['REWRITE'] !== undefined) writeFileSync(file, renderReference());
  expect(readFileSync(file, 'utf8')).toBe(renderReference());
});

test('every key says what it is for', () => {
  const rows = renderReference()
    .split('\n')
    .filter((line) => line.startsWith('| `'));
  expect(rows.length).toBeGreaterThan(80);
  for (const row of rows) expect(row).not.toMatch(/\| {1,2}\|$/);
});
