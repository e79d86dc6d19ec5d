import { posix } from 'node:path';
import { ASSEMBLY, COMPOSITION_ROOT, ENTRY, MAY_IMPORT, PAGE_ENTRIES, VOCABULARY } from './layout.ts';
import { filesNamedIn, importsOf, lineAt, nameOf, placesIn } from './syntax.ts';
import { pathsOf, type Tree } from './tree.ts';

const SOURCES = /^src\/.*\.tsx?$/;
const CODE = /^(src|test)\/.*\.tsx?$/;

function folderOf(path: string): string {
  return path.split('/')[1] ?? '';
}

function targetOf(path: string, specifier: string): string | undefined {
  return specifier.startsWith('.') ? posix.join(posix.dirname(path), specifier) : undefined;
}

function trespass(path: string, target: string, typeOnly: boolean): string | undefined {
  if (target === ENTRY) return 'nobody imports the entry';
  const from = folderOf(path);
  const to = folderOf(target);
  const assembles = path === ENTRY || ASSEMBLY.includes(from);
  if (COMPOSITION_ROOT.test(target) && !assembles)
    return 'a composition root is imported only where parts are put together';
  if (assembles || from === to) return undefined;
  const allowed = MAY_IMPORT[from]?.[to];
  if (allowed === undefined) return `${from} may not import ${to}`;
  if (allowed === 'types' && !typeOnly && target !== VOCABULARY)
    return `${from} may import only types of ${to}`;
  return undefined;
}

/** Imports run one way (design section 12), end in .ts and lead to a file; src never imports tests. */
export function importsRunOneWay(tree: Tree): string[] {
  const found: string[] = [];
  for (const path of pathsOf(tree, CODE)) {
    for (const { specifier, typeOnly } of importsOf(tree.get(path) ?? '')) {
      const target = targetOf(path, specifier);
      if (target === undefined) continue;
      if (!tree.has(target)) found.push(`${path}: no file at ${specifier}`);
      else if (path.startsWith('src/') && !target.startsWith('src/') && target.endsWith('.ts')) {
        found.push(`${path}: src may not import ${target}`);
      } else if (path.startsWith('src/') && target.startsWith('src/')) {
        const why = trespass(path, target, typeOnly);
        if (why !== undefined) found.push(`${path}: ${specifier}: ${why}`);
      }
    }
  }
  return found;
}

/** Every folder of src has a row in the table. */
export function foldersAreKnown(tree: Tree): string[] {
  const folders = new Set(pathsOf(tree, /^src\/[^/]+\//).map(folderOf));
  return [...folders]
    .filter((folder) => MAY_IMPORT[folder] === undefined && !ASSEMBLY.includes(folder))
    .map((folder) => `src/${folder} has no row in test/tidy/layout.ts`);
}

/** What makes core depend on when or where it runs. */
const IMPURE = new Set(
  'Date process setTimeout setInterval setImmediate queueMicrotask performance console fetch crypto globalThis Promise'.split(
    ' ',
  ),
);

/** Core is pure: no clock, no timer, no process, no chance, no waiting, nothing imported from outside core. */
export function coreIsPure(tree: Tree): string[] {
  const found: string[] = [];
  for (const path of pathsOf(tree, /^src\/core\/.*\.ts$/)) {
    const text = tree.get(path) ?? '';
    const blame = (place: number, what: string): number =>
      found.push(`${path}:${lineAt(text, place)}: ${what}`);
    for (const { specifier } of importsOf(text)) {
      if (!specifier.startsWith('./')) found.push(`${path}: imports ${specifier}`);
    }
    for (const [node, parent] of placesIn(text)) {
      const isField = parent?.['property'] === node || parent?.['key'] === node;
      const name = nameOf(node) ?? '';
      if (IMPURE.has(name) && !isField) blame(node.start, name);
      if (name === 'random' && nameOf(parent?.['object']) === 'Math') blame(node.start, 'Math.random');
      if (node.type === 'AwaitExpression' || node['async'] === true) blame(node.start, 'waits');
    }
  }
  return found;
}

function reachedFrom(tree: Tree, starts: readonly string[]): Set<string> {
  const reached = new Set<string>();
  const waiting = [...starts];
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    const text = tree.get(path);
    if (text === undefined || reached.has(path)) continue;
    reached.add(path);
    for (const named of filesNamedIn(text)) waiting.push(posix.join(posix.dirname(path), named), named);
  }
  return reached;
}

/** Scripts that only people run, each says at its top how: a measurement that needs a minute and a quiet machine. */
const RUN_BY_PEOPLE = new Set(['test/journal/million.ts']);

/** No file that nobody imports or starts: src is reached from the program, test files from a test, a launcher or a document. */
export function everyFileIsImported(tree: Tree): string[] {
  const running = reachedFrom(tree, [ENTRY, ...PAGE_ENTRIES]);
  const prose = [...tree].filter(([path]) => /^bin\/|\.md$/.test(path)).map(([, text]) => text);
  const called = pathsOf(tree, /^test\/.*\.ts$/).filter((path) => prose.some((text) => text.includes(path)));
  const tested = reachedFrom(tree, [...pathsOf(tree, /^test\/.*\.test\.ts$/), ...called]);
  return [
    ...pathsOf(tree, SOURCES).filter((path) => !running.has(path)),
    ...pathsOf(tree, /^test\/.*\.ts$/).filter((path) => !tested.has(path) && !RUN_BY_PEOPLE.has(path)),
  ].map((path) => `${path}: nothing imports it`);
}

/** Packages are declared: what src runs on in dependencies, what is bundled or used by tests there or in devDependencies. */
export function packagesAreDeclared(tree: Tree): string[] {
  const manifest = JSON.parse(tree.get('package.json') ?? '{}') as Record<
    string,
    Record<string, string> | undefined
  >;
  const needed = Object.keys(manifest['dependencies'] ?? {});
  const developed = [...needed, ...Object.keys(manifest['devDependencies'] ?? {})];
  const found: string[] = [];
  for (const path of pathsOf(tree, CODE)) {
    const isBundled = path.startsWith('src/dashboard/');
    const declared = path.startsWith('src/') && !isBundled ? needed : developed;
    for (const { specifier, typeOnly } of importsOf(tree.get(path) ?? '')) {
      if (specifier.startsWith('.') || specifier.startsWith('node:')) continue;
      const name = specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/');
      if (!(typeOnly ? developed : declared).includes(name))
        found.push(`${path}: ${name} is not declared in package.json`);
    }
  }
  return found;
}
