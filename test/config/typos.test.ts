/** Any key of the example, at any level, mistyped in any way, is reported at its own place. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isScalar, LineCounter, parseDocument, visit } from 'yaml';
import { quoted } from '../../src/config/text/problems.ts';
import { check } from './machine.ts';

const example = readFileSync(join(import.meta.dirname, '../../docs/examples/portcullis.yaml'), 'utf8');

interface Key {
  readonly text: string;
  readonly offset: number;
  readonly line: number;
  readonly column: number;
}

/** Groups whose keys are names that the author chooses. */
const CHOSEN = new Set(['buses', 'links', 'sources', 'repositories', 'windows', 'options']);

function schemaKeys(): readonly Key[] {
  const lines = new LineCounter();
  const keys: Key[] = [];
  visit(parseDocument(example, { lineCounter: lines }), {
    Pair(_, pair, ancestors) {
      const outer = ancestors.at(-2);
      const outerKey =
        typeof outer === 'object' && 'key' in outer && isScalar(outer.key) ? String(outer.key.value) : '';
      if (!isScalar(pair.key) || CHOSEN.has(outerKey)) return;
      const offset = pair.key.range?.[0] ?? 0;
      const { line, col } = lines.linePos(offset);
      keys.push({ text: String(pair.key.value), offset, line, column: col });
    },
  });
  return keys;
}

const keys = schemaKeys();
const allNames = new Set(keys.map((key) => key.text));

const typo = fc
  .record({
    key: fc.constantFrom(...keys),
    kind: fc.constantFrom('leave out', 'put in', 'change', 'swap'),
    at: fc.nat(),
    letter: fc.constantFrom(...'abcdefghijklmnopqrstuvwxyz_'.split('')),
  })
  .map(({ key, kind, at, letter }) => {
    const { text } = key;
    const index = at % text.length;
    const wrong = {
      'leave out': text.slice(0, index) + text.slice(index + 1),
      'put in': text.slice(0, index) + letter + text.slice(index),
      change: text.slice(0, index) + letter + text.slice(index + 1),
      swap: text.slice(0, index) + (text[index + 1] ?? '') + (text[index] ?? '') + text.slice(index + 2),
    }[kind];
    return { key, wrong };
  })
  // Letters left out may make another key of the same group, such as `keep_within`; that is not a typo.
  .filter(({ wrong }) => wrong !== '' && !allNames.has(wrong) && !/^(y|n|keep_.*)$/.test(wrong));

test('the example has keys at every level', () => {
  expect(keys.length).toBeGreaterThan(80);
});

test('every mistyped key is reported at its line and column', async () => {
  await fc.assert(
    fc.asyncProperty(typo, async ({ key, wrong }) => {
      const text = example.slice(0, key.offset) + wrong + example.slice(key.offset + key.text.length);
      const { kind, problems } = await check(text);
      const found = problems.find(({ what }) => what === `unknown key ${quoted(wrong)}`);
      expect(kind).toBe('invalid');
      expect(found).toMatchObject({ severity: 'error', line: key.line, column: key.column });
      expect(found?.hint).toMatch(/did you mean|known here|write "/);
    }),
    { numRuns: 100 },
  );
});

test('a key with one wrong letter is told its right name', async () => {
  const long = keys.filter(({ text }) => text.length >= 6);
  for (const key of long) {
    const wrong = `${key.text.slice(0, 3)}z${key.text.slice(4)}`;
    const text = example.slice(0, key.offset) + wrong + example.slice(key.offset + key.text.length);
    const { problems } = await check(text);
    const found = problems.find(({ what }) => what === `unknown key ${quoted(wrong)}`);
    expect(found?.hint, key.text).toBe(`did you mean "${key.text}"?`);
    expect(problems.filter(({ what }) => what === `missing "${key.text}"`)).toEqual([]);
  }
});
