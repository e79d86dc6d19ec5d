/**
 * Which program this is. Interlock and controller compare it on every exchange, so that after an upgrade in place an old
 * interlock and a new controller refuse each other instead of guessing at each other's messages.
 */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { extname, join, sep } from 'node:path';
import { z } from 'zod';

const DIGEST_LENGTH = 16;
const PAGES = `dashboard${sep}`;
const manifest = z.object({ version: z.string() });

let known: string | undefined;

/**
 * `<version>+<digest of every source file of the tree this file was loaded from>`. Computed once and remembered: each
 * composition root asks before anything else, for a process must keep the id of the code that it loaded, not of the
 * code that an upgrade put there later. Throws when the tree cannot be read.
 */
export function buildId(): string {
  known ??= computeBuildId(join(import.meta.dirname, '..'), extname(import.meta.filename));
  return known;
}

/** The id of the tree under `root` whose files end in `extension`; `package.json` lies beside `root`. Throws when unreadable. */
export function computeBuildId(root: string, extension: string): string {
  const { version } = manifest.parse(JSON.parse(readFileSync(join(root, '..', 'package.json'), 'utf8')));
  const digest = createHash('sha256');
  for (const path of readdirSync(root, { recursive: true, encoding: 'utf8' }).toSorted()) {
    // Pages are handed to browsers; neither process runs them.
    if (extname(path) !== extension || path.startsWith(PAGES)) continue;
    // Name and length before the content: moving bytes from one file to the next must not give the same digest.
    const content = readFileSync(join(root, path));
    digest.update(`${path}\0${content.length}\0`).update(content);
  }
  return `${version}+${digest.digest('hex').slice(0, DIGEST_LENGTH)}`;
}
