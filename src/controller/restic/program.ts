/** Is there a restic that this program can work with? Asked at start, before each window, and by `portcullis check`. */
import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { printable } from '../../sources/excerpt.ts';
import { startChild } from '../processes/child.ts';
import { ControllerFault } from '../fault.ts';
import { OLDEST_RESTIC, formatVersion, isAtLeast, parseResticVersion } from './verdict.ts';
import type { ResticVersion } from './verdict.ts';

/** ms for `restic version`; a cold SD card is slow. */
const VERSION_TIMEOUT_MS = 20_000;
const INSTALL_HINT = `install restic ${formatVersion(OLDEST_RESTIC)} or newer: \`apt-get install restic\` on Debian 12 or 13, or put a newer one anywhere and name it with \`restic: /path\` in the configuration`;

/** A restic that was found and is new enough. */
export interface ResticProgram {
  readonly path: string;
  readonly version: ResticVersion;
}

/** Finds restic (`configured`, else the one in PATH) and its version. Throws `ControllerFault` that says what to install. */
export async function findRestic(configured: string | undefined): Promise<ResticProgram> {
  if ((await inPath('setpriv')) === null)
    throw new ControllerFault(
      'SETPRIV_MISSING',
      'the program setpriv is not in PATH; without it restic could outlive the controller',
      'install util-linux',
    );
  const path = await (configured === undefined ? inPath('restic') : executable(configured));
  if (path === null)
    throw new ControllerFault(
      'RESTIC_MISSING',
      configured === undefined
        ? 'there is no restic in PATH'
        : `there is no program at ${configured}, named as \`restic\``,
      INSTALL_HINT,
    );
  const version = await versionOf(path);
  if (!isAtLeast(version, OLDEST_RESTIC))
    throw new ControllerFault(
      'RESTIC_TOO_OLD',
      `${path} is restic ${formatVersion(version)}; ${formatVersion(OLDEST_RESTIC)} is the oldest that works`,
      INSTALL_HINT,
    );
  return { path, version };
}

async function versionOf(path: string): Promise<ResticVersion> {
  let said = '';
  const hear = (line: string): void => {
    if (said.length < 2_000) said += `${line}\n`;
  };
  const child = startChild({
    command: path,
    args: ['version'],
    env: { PATH: process.env['PATH'] ?? '' },
    onStdout: hear,
    onStderr: hear,
  });
  const timer = setTimeout(() => child.killAll(), VERSION_TIMEOUT_MS);
  await child.ended;
  clearTimeout(timer);
  const version = parseResticVersion(said);
  if (version !== null) return version;
  throw new ControllerFault(
    'RESTIC_UNREADABLE',
    `${path} does not say which restic it is: ${printable(said.trim(), 200) || 'it printed nothing'}`,
    INSTALL_HINT,
  );
}

async function inPath(name: string): Promise<string | null> {
  for (const directory of (process.env['PATH'] ?? '').split(delimiter)) {
    if (!directory.startsWith('/')) continue;
    // oxlint-disable-next-line no-await-in-loop -- the first match in order counts
    const found = await executable(join(directory, name));
    if (found !== null) return found;
  }
  return null;
}

async function executable(path: string): Promise<string | null> {
  try {
    await access(path, constants.X_OK);
    return path;
  } catch {
    return null; // missing, no permission, no directory: for us there is no program here
  }
}
