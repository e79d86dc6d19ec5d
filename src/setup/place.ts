/**
 * Puts a configuration and its secrets where they belong. A configuration that is there is copied first; a secret that is
 * there stays as it is, for somebody else may hold its other half. Nobody but its reader reads a secret.
 */
import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  copyFileSync,
  constants,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import type { Draft, PlannedSecret } from './draft.ts';

const SECRET_BYTES = 32;
const CONFIG_MODE = 0o640;
const SECRET_MODE = 0o400;
const GROUP = 'portcullis';

/** What was done, one sentence each. */
export type Done = readonly string[];

/** `root` is where /etc/passwd and /etc/group are looked for; owners that are not there yet are left to the installer. */
export function placeDraft(file: string, draft: Draft, root: string, at: Date): Done {
  mkdirSync(dirname(file), { recursive: true, mode: 0o750 });
  const done: string[] = [];
  for (const secret of draft.secrets) done.push(placeSecret(secret, root));
  if (existsSync(file)) {
    const copy = `${file}.${at.toISOString().replaceAll(/[^0-9TZ]/g, '')}`;
    copyFileSync(file, copy, constants.COPYFILE_EXCL);
    chmodSync(copy, CONFIG_MODE);
    own(copy, 0, idIn(root, 'etc/group', GROUP));
    done.push(`copied the configuration that was there to ${copy}`);
  }
  // Beside it and then renamed: a power cut leaves the one or the other.
  const fresh = `${file}.new`;
  writeFileSync(fresh, draft.text, { mode: CONFIG_MODE, flush: true });
  chmodSync(fresh, CONFIG_MODE);
  own(fresh, 0, idIn(root, 'etc/group', GROUP));
  renameSync(fresh, file);
  done.push(`wrote ${file}`);
  return done;
}

function placeSecret({ file, reader, kind }: PlannedSecret, root: string): string {
  if (existsSync(file)) return `kept ${file}, which is there`;
  const key = randomBytes(SECRET_BYTES).toString('base64');
  const line = kind === 'webhook' ? `whsec_${key}` : key;
  writeFileSync(file, `${line}\n`, { mode: SECRET_MODE, flag: 'wx', flush: true });
  chmodSync(file, SECRET_MODE);
  const user = `portcullis-${reader}`;
  const uid = idIn(root, 'etc/passwd', user);
  own(file, uid, 0);
  return uid === null
    ? `made ${file}; there is no user ${user} yet, who must own it`
    : `made ${file}, which only ${user} reads`;
}

/** Without root nobody can give a file away, and nobody needs to: everything is one person's then. */
function own(file: string, uid: number | null, gid: number | null): void {
  if (process.getuid?.() !== 0 || uid === null || gid === null) return;
  chownSync(file, uid, gid);
}

/** The number of a user or group in a file of that form, or `null`. */
function idIn(root: string, file: string, wanted: string): number | null {
  const path = join(root, file);
  if (!existsSync(path)) return null;
  const line = readFileSync(path, 'utf8')
    .split('\n')
    .find((each) => each.startsWith(`${wanted}:`));
  return line === undefined ? null : Number(line.split(':')[2]);
}
