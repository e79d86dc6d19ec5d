import { posix } from 'node:path';
import { LONG_FILES, LONG_FUNCTIONS, MAX_LINES, TOP_LEVEL } from './layout.ts';
import { isNode, lineAt, nameOf, placesIn, statementsOf, stringOf, type Node } from './syntax.ts';
import { pathsOf, type Tree } from './tree.ts';

const CODE = /^(src|test)\/.*\.tsx?$/;

function lineCount(text: string): number {
  return text.split('\n').length - (text.endsWith('\n') ? 1 : 0);
}

/** Files stay readable in one sitting; exceptions are named, and leave the list when they fit again. */
export function filesAreShort(
  tree: Tree,
  exceptions: Readonly<Record<string, string>> = LONG_FILES,
): string[] {
  const found: string[] = [];
  for (const path of pathsOf(tree, CODE)) {
    const limit = path.startsWith('src/') ? MAX_LINES.source : MAX_LINES.test;
    const lines = lineCount(tree.get(path) ?? '');
    if (lines > limit && exceptions[path] === undefined)
      found.push(`${path}: ${lines} lines, ${limit} at most`);
    if (lines <= limit && exceptions[path] !== undefined)
      found.push(`${path}: fits; take it out of LONG_FILES`);
  }
  return found;
}

const FUNCTIONS = new Set(['FunctionDeclaration', 'FunctionExpression', 'ArrowFunctionExpression']);

function functionName(node: Node, parent: Node | undefined): string {
  return nameOf(node['id']) ?? nameOf(parent?.['key']) ?? nameOf(parent?.['id']) ?? 'a function';
}

/** Functions of src fit on a screen. */
export function functionsAreShort(
  tree: Tree,
  exceptions: Readonly<Record<string, string>> = LONG_FUNCTIONS,
): string[] {
  const found: string[] = [];
  const met = new Set<string>();
  for (const path of pathsOf(tree, /^src\/.*\.tsx?$/)) {
    const text = tree.get(path) ?? '';
    for (const [node, parent] of placesIn(text)) {
      if (!FUNCTIONS.has(node.type)) continue;
      const lines = lineAt(text, node.end) - lineAt(text, node.start) + 1;
      if (lines <= MAX_LINES.function) continue;
      const name = `${path}#${functionName(node, parent)}`;
      met.add(name);
      if (exceptions[name] === undefined) {
        found.push(`${path}:${lineAt(text, node.start)}: ${functionName(node, parent)} has ${lines} lines`);
      }
    }
  }
  for (const name of Object.keys(exceptions)) {
    if (!met.has(name)) found.push(`${name}: fits or is gone; take it out of LONG_FUNCTIONS`);
  }
  return found;
}

const BANNED_FOLDERS = /^(utils?|helpers?|common|managers?|misc|shared|lib)$/;

/** Folders and files say what is in them; the top level is fixed. */
export function namesSayWhatIsInside(tree: Tree): string[] {
  const found: string[] = [];
  for (const path of tree.keys()) {
    const parts = path.split('/');
    const stem = posix.basename(path).replace(/\.(test\.)?\w+$/, '');
    if (!TOP_LEVEL.includes(parts[0] ?? '')) found.push(`${path}: not in the layout of the top level`);
    if (!CODE.test(path)) continue;
    const banned = [...parts.slice(0, -1), stem].find((name) => BANNED_FOLDERS.test(name));
    if (banned !== undefined) found.push(`${path}: '${banned}' says nothing about what is inside`);
    if (stem === 'index') found.push(`${path}: a barrel; import from the file that has it`);
  }
  return [...new Set(found)];
}

/** No barrels (files that only pass on) and no base classes (of ours; errors and Node.js' own may be extended). */
export function nothingIsInherited(tree: Tree): string[] {
  const found: string[] = [];
  const ours = new Set<string>();
  const derived: [path: string, base: string][] = [];
  for (const path of pathsOf(tree, /^src\/.*\.tsx?$/)) {
    const text = tree.get(path) ?? '';
    const body = statementsOf(text);
    if (body.length > 0 && body.every((node) => isNode(node['source']) && node.type.startsWith('Export'))) {
      found.push(`${path}: a barrel; import from the file that has it`);
    }
    for (const [node] of placesIn(text)) {
      if (node.type !== 'ClassDeclaration' && node.type !== 'ClassExpression') continue;
      const name = nameOf(node['id']);
      if (name !== undefined) ours.add(name);
      if (node['abstract'] === true) found.push(`${path}: abstract class ${name ?? ''}`);
      const base = nameOf(node['superClass']);
      if (base !== undefined) derived.push([path, base]);
    }
  }
  for (const [path, base] of derived) {
    if (ours.has(base) && !base.endsWith('Error')) found.push(`${path}: ${base} is used as a base class`);
  }
  return found;
}

const EXPLAINED = new Set(['FunctionDeclaration', 'ClassDeclaration']);

/** Every exported function and class of src has a doc comment; types and schemas may speak through their fields. */
export function exportsAreExplained(tree: Tree): string[] {
  const found: string[] = [];
  for (const path of pathsOf(tree, /^src\/.*\.tsx?$/)) {
    const text = tree.get(path) ?? '';
    for (const node of statementsOf(text)) {
      const declaration = node['declaration'];
      if (node.type !== 'ExportNamedDeclaration' || !isNode(declaration)) continue;
      if (!EXPLAINED.has(declaration.type) || text.slice(0, node.start).trimEnd().endsWith('*/')) continue;
      found.push(`${path}:${lineAt(text, node.start)}: an export without a doc comment`);
    }
  }
  return found;
}

/** Nothing is mocked by module path: tests fake the wire. */
export function nothingIsMocked(tree: Tree): string[] {
  const found: string[] = [];
  for (const path of pathsOf(tree, /^test\/.*\.ts$/)) {
    const text = tree.get(path) ?? '';
    for (const [node] of placesIn(text)) {
      const isVi = node.type === 'MemberExpression' && nameOf(node['object']) === 'vi';
      const method = nameOf(node['property']) ?? stringOf(node['property']) ?? '';
      if (isVi && /^(do|un|doUn)?[mM]ock$/.test(method))
        found.push(`${path}:${lineAt(text, node.start)}: vi.${method}`);
    }
  }
  return found;
}
