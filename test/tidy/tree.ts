import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The repository as the rules see it: every file by its path from the top, with its text unless it has none. A planted sample is one of these too. */
export type Tree = ReadonlyMap<string, string>;

const NOT_OURS = new Set(['.git', '.toolchain', 'dist', 'node_modules']);
const BINARY = /\.(png|ico|woff2|gz|zst|jpg)$/;

/** Reads the tree under `root`, without what is installed, built or kept by git. */
export function readTree(root: string): Tree {
  const tree = new Map<string, string>();
  const visit = (folder: string): void => {
    for (const entry of readdirSync(join(root, folder), { withFileTypes: true })) {
      const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
      if (NOT_OURS.has(entry.name) || entry.name.endsWith('.log')) continue;
      if (entry.isDirectory()) visit(path);
      else if (entry.isFile())
        tree.set(path, BINARY.test(path) ? '' : readFileSync(join(root, path), 'utf8'));
    }
  };
  visit('');
  return tree;
}

/** A tree of one's own, to see a rule fail: path and content in turn. */
export function plant(files: Readonly<Record<string, string>>): Tree {
  return new Map(Object.entries(files));
}

/** The paths in a tree that match, in order. */
export function pathsOf(tree: Tree, pattern: RegExp): string[] {
  return [...tree.keys()].filter((path) => pattern.test(path)).toSorted();
}

/** Whether a file, or a folder with files in it, stands at this path. */
export function exists(tree: Tree, path: string): boolean {
  return tree.has(path) || [...tree.keys()].some((known) => known.startsWith(`${path}/`));
}
