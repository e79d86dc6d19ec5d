/** The lint configuration says what the tidy test says, and oxlint is seen to find it. */
import { execa } from 'execa';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { ASSEMBLY, MAY_IMPORT } from './layout.ts';

const ROOT = join(import.meta.dirname, '../..');

/** The part of the lint configuration that restricts imports. */
interface Configuration {
  readonly overrides: readonly {
    readonly files: readonly string[];
    readonly rules: {
      readonly 'no-restricted-imports'?: readonly [
        string,
        { readonly patterns: readonly { readonly regex: string; readonly message: string }[] },
      ];
    };
  }[];
}

let folder: string | undefined;
afterEach(() => {
  if (folder !== undefined) rmSync(folder, { recursive: true });
  folder = undefined;
});

/** What oxlint says of planted files under the configuration of this repository. */
async function verdictsOn(files: Readonly<Record<string, string>>): Promise<string[]> {
  folder = mkdtempSync(join(tmpdir(), 'portcullis-lint-'));
  copyFileSync(join(ROOT, '.oxlintrc.json'), join(folder, '.oxlintrc.json'));
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(join(folder, dirname(path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  const { stdout } = await execa(join(ROOT, 'node_modules/.bin/oxlint'), ['--format=unix', '.'], {
    cwd: folder,
    reject: false,
    timeout: 30_000,
  });
  return stdout.split('\n').filter((line) => line.includes(': '));
}

test('the lint configuration forbids what the table does not allow', () => {
  const text = readFileSync(join(ROOT, '.oxlintrc.json'), 'utf8').replaceAll(/^\s*\/\/.*$/gm, '');
  const { overrides } = JSON.parse(text) as Configuration;
  const folders = [...Object.keys(MAY_IMPORT), ...ASSEMBLY].toSorted();
  for (const [name, allowed] of Object.entries(MAY_IMPORT)) {
    const own = overrides.find(({ files }) => files.includes(`src/${name}/**`));
    const pattern = own?.rules['no-restricted-imports']?.[1].patterns[0];
    const forbidden = folders.filter((other) => other !== name && allowed[other] === undefined);
    const regex =
      name === 'core' ? String.raw`^(\.\./|[^.])` : String.raw`^(\.\./)+(${forbidden.join('|')})/`;
    expect({ name, regex: pattern?.regex }).toEqual({ name, regex });
    expect(pattern?.message, `the reason for src/${name}`).toMatch(/\w+ \w+/);
  }
});

test('oxlint is seen to fail on imports the wrong way and on an impure core', async () => {
  const verdicts = await verdictsOn({
    'src/core/a.ts': "import { z } from 'zod';\nexport const b = z.number().parse(Date.now());\n",
    'src/core/c.ts': 'export const d = (): number => Math.random();\n',
    'src/contacts/modbus/e.ts':
      "import { f } from '../../journal/f.ts';\nimport { g } from '../port.ts';\nf(g);\n",
    'src/interlock/h.ts':
      "import { i } from '../controller/i.ts';\nimport { j } from '../core/j.ts';\ni(j);\n",
    'src/controller/k.ts': "import { l } from '../contacts/l.ts';\nl();\n",
  });
  const blamed = (path: string, what: RegExp): boolean =>
    verdicts.some((line) => line.includes(path) && what.test(line));
  expect(blamed('core/a.ts:1', /core is pure|restricted/)).toBe(true);
  expect(blamed('core/a.ts:2', /core has no clock/)).toBe(true);
  expect(blamed('core/c.ts:1', /Math\.random/)).toBe(true);
  expect(blamed('modbus/e.ts:1', /journal/)).toBe(true);
  expect(blamed('modbus/e.ts:2', /./)).toBe(false);
  expect(blamed('interlock/h.ts:1', /controller/)).toBe(true);
  expect(blamed('interlock/h.ts:2', /./)).toBe(false);
  expect(blamed('controller/k.ts:1', /contacts/)).toBe(true);
});
