/** The dashboard as it is shipped, built once for each state of its sources into a place of its own. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '../..');
const SOURCES = join(ROOT, 'src/dashboard');
const CACHE = join(ROOT, 'node_modules/.cache/portcullis-dashboard');
/** Builds that nobody has used for this long are removed, ms. */
const KEPT_MS = 24 * 60 * 60 * 1_000;

/** The folder with the built files. */
export function builtDashboard(): string {
  const place = join(CACHE, digestOfSources());
  if (existsSync(place)) return place;
  mkdirSync(CACHE, { recursive: true });
  for (const name of readdirSync(CACHE)) {
    const old = join(CACHE, name);
    if (Date.now() - statSync(old).mtimeMs > KEPT_MS) rmSync(old, { recursive: true, force: true });
  }
  const draft = mkdtempSync(join(CACHE, 'draft-'));
  // As bin/prepare does it; what vitest says of the environment is not for a build.
  const { NODE_ENV: _ours, ...env } = process.env;
  execFileSync(join(ROOT, 'node_modules/.bin/vite'), ['build', SOURCES, '--outDir', draft, '--emptyOutDir'], {
    env,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  try {
    renameSync(draft, place);
  } catch (error) {
    // Another worker was faster; its build is the same.
    if (!existsSync(place)) throw error;
    rmSync(draft, { recursive: true, force: true });
  }
  return place;
}

function digestOfSources(): string {
  const digest = createHash('sha256').update(readFileSync(join(ROOT, 'package-lock.json')));
  const files = readdirSync(SOURCES, { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  );
  for (const path of files.map(({ parentPath, name }) => join(parentPath, name)).toSorted())
    digest.update(path).update(readFileSync(path));
  return digest.digest('hex').slice(0, 20);
}
