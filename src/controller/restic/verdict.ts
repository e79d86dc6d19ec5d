/** What the end of a restic process means, by version. Pure. Source: measured on 0.14.0, 0.18.0, 0.19.1. */

export interface ResticVersion {
  readonly major: number;
  readonly minor: number;
  readonly patch: number;
}

/** The oldest restic that this program works with (Debian 12). */
export const OLDEST_RESTIC: ResticVersion = { major: 0, minor: 14, patch: 0 };

/** How restic ended. `partly-done`: there is a snapshot, but some files could not be read. An unknown code is `failed`. */
export type ResticVerdict =
  | 'done'
  | 'partly-done'
  | 'repository-missing'
  | 'locked'
  | 'wrong-password'
  | 'failed';

const VERSION = /^restic v?(\d{1,4})\.(\d{1,4})(?:\.(\d{1,4}))?/m;

/** The version in what `restic version` prints, or `null`. */
export function parseResticVersion(text: string): ResticVersion | null {
  const [, major, minor, patch = '0'] = VERSION.exec(text) ?? [];
  if (major === undefined || minor === undefined) return null;
  return { major: Number(major), minor: Number(minor), patch: Number(patch) };
}

export const formatVersion = (version: ResticVersion): string =>
  `${version.major}.${version.minor}.${version.patch}`;

/** True when `version` is `least` or newer. */
export function isAtLeast(version: ResticVersion, least: ResticVersion): boolean {
  const order = [version.major - least.major, version.minor - least.minor, version.patch - least.patch];
  return (order.find((difference) => difference !== 0) ?? 0) >= 0;
}

/** `repair index` has replaced `rebuild-index` since this version. */
const REPAIR_INDEX_SINCE: ResticVersion = { major: 0, minor: 16, patch: 0 };
/** Exit codes 10 (no repository) and 11 (locked). */
const CODES_SINCE: ResticVersion = { major: 0, minor: 17, patch: 0 };
/** Exit code 12 (wrong password). */
const PASSWORD_CODE_SINCE: ResticVersion = { major: 0, minor: 17, patch: 1 };

/** The command that rebuilds the index from the packs that are there. */
export const repairIndexCommand = (version: ResticVersion): readonly string[] =>
  isAtLeast(version, REPAIR_INDEX_SINCE) ? ['repair', 'index'] : ['rebuild-index'];

const LOCKED = /repository is already locked/;
const WRONG_PASSWORD = /wrong password or no key found/;
/**
 * The end of the line matters: "unable to open config file" and "Is there a repository at the following location?" are also
 * what restic says when the vault does not answer, and then nothing may ever be initialised.
 */
const MISSING =
  /unable to open config file: (?:(?:l?stat) \S.*\/config: no such file or directory|<config\/> does not exist|Lstat: file does not exist)\s*$/m;

/** Judges an exit by its code and, where an old restic gives 1 for everything, by what it wrote to stderr. */
export function judgeExit(version: ResticVersion, exitCode: number | null, stderr: string): ResticVerdict {
  switch (exitCode) {
    case 0:
      return 'done';
    case 1:
      return judgeText(version, stderr);
    case 3:
      return 'partly-done';
    case 10:
      return isAtLeast(version, CODES_SINCE) ? 'repository-missing' : 'failed';
    case 11:
      return isAtLeast(version, CODES_SINCE) ? 'locked' : 'failed';
    case 12:
      return isAtLeast(version, PASSWORD_CODE_SINCE) ? 'wrong-password' : 'failed';
    default:
      return 'failed';
  }
}

function judgeText(version: ResticVersion, stderr: string): ResticVerdict {
  if (LOCKED.test(stderr)) return 'locked';
  if (WRONG_PASSWORD.test(stderr)) return 'wrong-password';
  // A newer restic has a code for this; its 1 then means something else, whatever the text says.
  if (!isAtLeast(version, CODES_SINCE) && MISSING.test(stderr)) return 'repository-missing';
  return 'failed';
}
