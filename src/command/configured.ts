/** Loads configuration and profiles for a command, or ends it with every problem printed. */
import { formatProblem } from '../config/command.ts';
import type { SecretsOf } from '../config/secret-files.ts';
import { loadConfig } from '../config/load.ts';
import type { Config } from '../config/schema.ts';
import { loadProfiles, type ProfileStore } from '../contacts/profile-store.ts';
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
  const profiles = await shippedProfiles();
  const loaded = await loadConfig(file, { profiles, secretsOf });
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

/** The shipped firmware profiles; a broken one is a broken installation. */
export async function shippedProfiles(): Promise<ReadonlyMap<string, Profile>> {
  const store: ProfileStore = await loadProfiles();
  const [first] = store.problems;
  if (first === undefined) return store.profiles;
  throw new CommandError(1, `${first.file}:${first.line}: ${first.what}; ${first.hint}`);
}
