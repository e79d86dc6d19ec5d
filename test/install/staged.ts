/**
 * A small checkout, as bin/install finds one that is prepared and compiled: the program of test/faults, the packages that
 * run, and this Node.js in place of the pinned one. Nothing is fetched.
 */
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { build } from '../faults/build.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const COPIED = [
  'LICENSE',
  'CHANGELOG.md',
  'README.md',
  'package.json',
  'package-lock.json',
  '.npmrc',
  'bin',
  'firmware-profiles',
  'systemd',
  'hardware/udev',
  'docs/examples',
];

/** Makes it in `directory`. */
export function stagedCheckout(directory: string): void {
  for (const path of COPIED) cpSync(join(ROOT, path), join(directory, path), { recursive: true });
  cpSync(join(dirname(build().main)), join(directory, 'dist'), { recursive: true });
  mkdirSync(join(directory, 'src'));
  const { packages } = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, { dev?: true }>;
  };
  mkdirSync(join(directory, 'node_modules/@koromix'), { recursive: true });
  for (const [path, { dev }] of Object.entries(packages)) {
    if (!/^node_modules\/(@[^/]+\/)?[^/]+$/.test(path) || dev === true) continue;
    mkdirSync(dirname(join(directory, path)), { recursive: true });
    if (existsSync(join(ROOT, path))) execFileSync('cp', ['-a', join(ROOT, path), join(directory, path)]);
  }
  stamp(directory, 'node_modules/.stamp', ['package-lock.json', '.npmrc']);
  const node = join(directory, '.toolchain/node_modules/node-linux-test/bin');
  mkdirSync(node, { recursive: true });
  mkdirSync(join(directory, '.toolchain/bin'));
  // 120 MB that every installation would copy and digest; that it is copied is seen with a few bytes, too.
  writeFileSync(join(node, 'node'), `#!/bin/sh\nexec '${process.execPath}' "$@"\n`, { mode: 0o755 });
  symlinkSync('../node_modules/node-linux-test/bin/node', join(directory, '.toolchain/bin/node'));
  stamp(directory, '.toolchain/stamp', ['bin/toolchain/package-lock.json', 'bin/toolchain/package.json']);
  markBuilt(directory);
}

/** As if it had just been compiled. */
export function markBuilt(directory: string): void {
  const file = join(directory, 'dist/.stamp');
  writeFileSync(file, '');
  const later = new Date(Date.now() + 60_000);
  utimesSync(file, later, later);
}

/** What bin/prepare writes once these files have been installed. */
function stamp(directory: string, file: string, of: readonly string[]): void {
  const command = `. "${directory}/bin/prepare"; stamp_of ${of.map((each) => `"${directory}/${each}"`).join(' ')}`;
  writeFileSync(join(directory, file), execFileSync('bash', ['-c', command]));
}
