/**
 * Bad configurations with what `portcullis check` says about them: `bad/NAME.yaml` beside `bad/NAME.txt`.
 * `REWRITE=1 npx vitest run test/config` writes the answers anew; commit only a difference that you understand.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { formatProblem } from '../../src/config/schema/command.ts';
import { check } from './machine.ts';

const folder = join(import.meta.dirname, 'bad');
const names = readdirSync(folder).filter((name) => name.endsWith('.yaml'));

async function answer(name: string): Promise<string> {
  const { kind, problems } = await check(readFileSync(join(folder, name), 'utf8'));
  return `${[...problems.map(formatProblem), kind].join('\n')}\n`;
}

describe('bad configurations', () => {
  test('there are some, each with an answer, and no answer without a question', () => {
    expect(names.length).toBeGreaterThan(10);
    const answers = readdirSync(folder).filter((name) => name.endsWith('.txt'));
    if (process.env['REWRITE'] === undefined) {
      expect(answers.toSorted()).toEqual(names.map((name) => name.replace(/\.yaml$/, '.txt')).toSorted());
    }
  });

  test.each(names)('%s', async (name) => {
    const expected = join(folder, name.replace(/\.yaml$/, '.txt'));
    const actual = await answer(name);
    if (process.env['REWRITE'] !== undefined) writeFileSync(expected, actual);
    expect(actual).toBe(readFileSync(expected, 'utf8'));
  });
});
