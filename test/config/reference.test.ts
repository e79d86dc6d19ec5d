import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { renderReference } from '../../src/config/reference.ts';

test('docs/configuration.md is what the schema says (`node src/config/reference.ts > docs/configuration.md`)', () => {
  const page = readFileSync(join(import.meta.dirname, '../../docs/configuration.md'), 'utf8');
  expect(page).toBe(renderReference());
});

test('every key says what it is for', () => {
  const rows = renderReference()
    .split('\n')
    .filter((line) => line.startsWith('| `'));
  expect(rows.length).toBeGreaterThan(80);
  for (const row of rows) expect(row).not.toMatch(/\| {1,2}\|$/);
});
