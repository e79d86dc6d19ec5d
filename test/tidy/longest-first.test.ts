import { globSync } from 'node:fs';
import { expect, test } from 'vitest';
import { LONGEST, missingFrom } from '../longest-first.ts';

test('every file that is to begin early is there, once', () => {
  expect(missingFrom(globSync('test/**/*.test.ts'))).toEqual([]);
  expect(missingFrom([])).toContain('controller/window.test.ts');
  expect(new Set(LONGEST).size).toBe(LONGEST.length);
});
