/**
 * Who may import whom. A folder of src that is not listed here does not exist. `types` gives the types of the other
 * folder only: nothing of it runs. `.oxlintrc.json` says the same to the editor; a test compares the two.
 */
export const MAY_IMPORT: Readonly<Record<string, Readonly<Record<string, 'all' | 'types'>>>> = {
  core: {},
  contacts: { core: 'types' },
  sources: { core: 'types' },
  protocol: { core: 'types' },
  journal: { core: 'types' },
  config: { contacts: 'all', core: 'all', listener: 'all', sources: 'all' },
  listener: {},
  setup: { contacts: 'all' },
  emulator: { contacts: 'all', core: 'all' },
  interlock: {
    config: 'all',
    contacts: 'all',
    core: 'all',
    journal: 'all',
    listener: 'all',
    protocol: 'all',
    sources: 'all',
  },
  controller: {
    config: 'all',
    core: 'all',
    journal: 'all',
    listener: 'all',
    protocol: 'all',
    sources: 'all',
  },
  api: {
    config: 'all',
    controller: 'all',
    core: 'all',
    journal: 'all',
    listener: 'all',
    protocol: 'all',
  },
  dashboard: { api: 'types', protocol: 'types' },
};

/** Folders whose files put the parts together: they may import every part, and only they and main.ts import them. */
export const ASSEMBLY: readonly string[] = ['command', 'demo'];

/** Files that put one process together. Only the assembly folders and main.ts import them. */
export const COMPOSITION_ROOT = /^src\/\w+\/compose\.ts$/;

/** What makes a number a time: the one file of core whose values go wherever its types go. */
export const VOCABULARY = 'src/core/time.ts';

/** Where the program starts. */
export const ENTRY = 'src/main.ts';

/** Where the dashboard starts, and what builds it: bundled, so all that it imports is there only while it is built. */
export const PAGE_ENTRIES: readonly string[] = ['src/dashboard/main.tsx', 'src/dashboard/vite.config.ts'];

/** What may stand at the top of the repository, besides what git and npm put there. */
export const TOP_LEVEL: readonly string[] = [
  '.ci',
  '.editorconfig',
  '.gitattributes',
  '.gitignore',
  '.npmrc',
  '.oxfmtrc.json',
  '.oxlintrc.json',
  'CHANGELOG.md',
  'LICENSE',
  'README.md',
  'bin',
  'docs',
  'firmware-profiles',
  'hardware',
  'package-lock.json',
  'package.json',
  'src',
  'systemd',
  'test',
  'tsconfig.build.json',
  'tsconfig.json',
  'vitest.config.ts',
];

/** Lines of a source file, of a test file, and of a function in src. */
export const MAX_LINES = { source: 300, test: 500, function: 60 } as const;

/** Files that may be longer, each with its reason. A file that fits again must leave this list. */
export const LONG_FILES: Readonly<Record<string, string>> = {
  'src/contacts/bus.ts': 'who may write when on one wire is one argument, and is read in one go',
};

/** Functions that may be longer (`file#function`), each with its reason. */
export const LONG_FUNCTIONS: Readonly<Record<string, string>> = {};
