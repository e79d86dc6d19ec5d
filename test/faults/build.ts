/**
 * The program under test, compiled once for each state of `src` into a place of its own: a build that somebody replaces
 * while processes of a test start from it would give them different build ids.
 */
import { spawnSync } from 'node:child_process';
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
  writeFileSync,
} from 'node:fs';
import { symlinkSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { computeBuildId } from '../../src/protocol/build.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const CACHE = join(ROOT, 'node_modules', '.cache', 'portcullis-faults');
/** Builds that nobody has used for this long are removed, ms. */
const KEPT_MS = 24 * 60 * 60 * 1_000;

/** A compiled program. */
export interface Build {
  /** What `node` is given. */
  readonly main: string;
  /** What its processes say they are. */
  readonly id: string;
}

/** For a worker that is compiling to be done, ms. */
const COMPILE_TIMEOUT_MS = 240_000;

let known: Build | undefined;

/** The build of `src` as it is now; compiled when there is none yet. */
export function build(): Build {
  known ??= find();
  return known;
}

function find(): Build {
  const place = join(CACHE, digestOfSources());
  if (!existsSync(place)) alone(place, () => compile(place));
  const now = new Date();
  utimesSync(place, now, now);
  return {
    main: join(place, 'dist', 'main.js'),
    id: computeBuildId(join(place, 'dist'), '.js'),
  };
}

/** Lets one worker compile while the others, which begin at the same moment, wait for what it makes. */
function alone(place: string, make: () => void): void {
  mkdirSync(CACHE, { recursive: true });
  const lock = `${place}.lock`;
  const endsAt = performance.now() + COMPILE_TIMEOUT_MS;
  const sleeper = new Int32Array(new SharedArrayBuffer(4));
  while (!isTaken(lock) && performance.now() < endsAt) Atomics.wait(sleeper, 0, 0, 100);
  try {
    // Two that compile after all disturb nobody.
    if (!existsSync(place)) make();
  } finally {
    rmSync(lock, { force: true });
  }
}

/** Takes the lock, also from a worker that died with it. */
function isTaken(lock: string): boolean {
  try {
    writeFileSync(lock, `${process.pid}`, { flag: 'wx' });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    const holder = existsSync(lock) ? readFileSync(lock, 'utf8') : '';
    if (/^\d+$/.test(holder) && !existsSync(`/proc/${holder}`)) rmSync(lock, { force: true });
    return false;
  }
}

function compile(place: string): void {
  for (const name of readdirSync(CACHE)) {
    const old = join(CACHE, name);
    const { mtimeMs } = statSync(old, { throwIfNoEntry: false }) ?? { mtimeMs: Infinity };
    if (Date.now() - mtimeMs > KEPT_MS) rmSync(old, { recursive: true, force: true });
  }
  const draft = mkdtempSync(join(CACHE, 'draft-'));
  const tsc = join(ROOT, 'node_modules', '.bin', 'tsc');
  // Its exit code counts types that do not fit; that is another check's matter. What counts here is that a program came out.
  const { stdout } = spawnSync(tsc, ['-p', 'tsconfig.build.json', '--outDir', join(draft, 'dist')], {
    cwd: ROOT,
    encoding: 'utf8',
  });
  if (!existsSync(join(draft, 'dist', 'main.js'))) {
    rmSync(draft, { recursive: true, force: true });
    throw new Error(`src does not compile: ${stdout}`);
  }
  for (const name of ['package.json', 'firmware-profiles']) symlinkSync(join(ROOT, name), join(draft, name));
  try {
    renameSync(draft, place);
  } catch (error) {
    // Another worker was faster; its build is the same.
    if (!existsSync(place)) throw error;
    rmSync(draft, { recursive: true, force: true });
  }
}

function digestOfSources(): string {
  const digest = createHash('sha256');
  const sources = readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts'))
    .map((path) => join('src', path))
    .toSorted();
  for (const path of [...sources, 'tsconfig.json', 'tsconfig.build.json', 'package.json']) {
    const bytes = readFileSync(join(ROOT, path));
    digest.update(`${path}\0${bytes.length}\0`).update(bytes);
  }
  return digest.digest('hex').slice(0, 20);
}
