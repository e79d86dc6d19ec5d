/** Loads configuration and profiles for a command, or ends it with every problem printed. */
import { readFile } from 'node:fs/promises';
import { formatProblem } from '../config/schema/command.ts';
import type { SecretsOf } from '../config/secret-files.ts';
import { loadConfig, type Loaded } from '../config/load.ts';
import type { Config } from '../config/schema.ts';
import { loadProfiles, PROFILE_DIRECTORY, type ProfileStore } from '../contacts/profile-store.ts';
import type { Profile } from '../contacts/profile.ts';
import { CommandError, warn } from './exit.ts';

/** What a command works with. */
export interface Configured {
  readonly config: Config;
  readonly profiles: ReadonlyMap<string, Profile>;
}

/**
 * Rejects with a `CommandError` when anything is wrong; errors have been printed then. Warnings are printed only where
 * `warnings` says so: by the process that works with them, not by every command that reads the file.
 */
export async function configured(
  file: string,
  secretsOf: SecretsOf,
  { warnings = false }: { readonly warnings?: boolean } = {},
): Promise<Configured> {
  const { loaded, profiles } = await loadedWithNamed(file, secretsOf);
  if (loaded.kind === 'unreadable') throw new CommandError(2, `${file}: cannot read it: ${loaded.why}`);
  for (const problem of loaded.problems) {
    if (warnings || problem.severity === 'error') warn(`${file}:${formatProblem(problem)}`);
  }
  if (loaded.kind === 'invalid') {
    throw new CommandError(
      1,
      `${file}: not started; mend what is listed above, then \`portcullis check ${file}\``,
    );
  }
  return { config: loaded.config, profiles };
}

/**
 * Reads only the profiles that the file names: all of them take half a second and 25 MB. What is wrong with the file is
 * told by all, for they know what was meant.
 */
async function loadedWithNamed(
  file: string,
  secretsOf: SecretsOf,
): Promise<{ readonly loaded: Loaded; readonly profiles: ReadonlyMap<string, Profile> }> {
  // A file that cannot be read is told by `loadConfig`.
  const text = await readFile(file, 'utf8').catch(() => '');
  const named = await shippedProfiles((id) => text.includes(id));
  const loaded = await loadConfig(file, { profiles: named, secretsOf });
  if (loaded.kind !== 'invalid') return { loaded, profiles: named };
  const profiles = await shippedProfiles();
  return { loaded: await loadConfig(file, { profiles, secretsOf }), profiles };
}

/** The shipped firmware profiles; a broken one is a broken installation. */
export async function shippedProfiles(
  wanted?: (id: string) => boolean,
): Promise<ReadonlyMap<string, Profile>> {
  const store: ProfileStore = await loadProfiles(PROFILE_DIRECTORY, wanted);
  const [first] = store.problems;
  if (first === undefined) return store.profiles;
  throw new CommandError(1, `${first.file}:${first.line}: ${first.what}; ${first.hint}`);
}
