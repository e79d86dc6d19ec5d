/** `portcullis isolate --all`. */
import { readFile } from 'node:fs/promises';
import { salvageContacts } from '../config/salvage.ts';
import { isolateAll, type IsolateResult } from '../interlock/isolate-all.ts';
import { loadProfiles, PROFILE_DIRECTORY } from '../contacts/profile-store.ts';
import type { Profile } from '../contacts/profile.ts';
import { CommandError, say, warn } from './exit.ts';

/** How long a silent board is told again before the command gives an answer, ms. */
const ISOLATE_WITHIN_MS = 5_000;

/**
 * Drives every contact of a configuration to isolated. A configuration that is wrong elsewhere does not stop it; contacts
 * whose place on the wire is in doubt are named as not proven. Throws `CommandError` when the file cannot be read.
 */
export async function isolateConfigured(file: string): Promise<readonly IsolateResult[]> {
  const text = await textOf(file);
  // Those that the file names: a cut waits for no others. All where that leaves a contact out.
  let profiles = await profilesIn((id) => text.includes(id));
  let { left, ...hardware } = salvageContacts(text, profiles);
  if (left.length > 0) {
    profiles = await profilesIn();
    ({ left, ...hardware } = salvageContacts(text, profiles));
  }
  return [
    ...(await isolateAll(hardware, profiles, ISOLATE_WITHIN_MS)),
    ...left.map(({ path, why }) => ({ contact: path, isolated: false, detail: `not driven: ${why}` })),
  ];
}

/** Isolates, and says what each device answered. */
export async function isolateEverything(file: string, json: boolean): Promise<void> {
  const results = await isolateConfigured(file);
  for (const result of results) {
    const { contact, isolated, detail } = result;
    say(
      json
        ? JSON.stringify(result)
        : `${contact}: ${isolated ? 'isolated' : 'NOT PROVEN ISOLATED'} (${detail})`,
    );
  }
  const failed = results.filter((each) => !each.isolated).length;
  if (failed > 0)
    throw new CommandError(1, `${failed} of ${results.length} contacts are not proven isolated`);
}

/** The shipped profiles that can be read. One that cannot is said, and keeps only its own contacts from being driven. */
async function profilesIn(wanted?: (id: string) => boolean): Promise<ReadonlyMap<string, Profile>> {
  const { profiles, problems } = await loadProfiles(PROFILE_DIRECTORY, wanted);
  for (const { file, line, what, hint } of problems) warn(`${file}:${line}: ${what}; ${hint}`);
  return profiles;
}

async function textOf(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (failure) {
    const why = failure instanceof Error ? failure.message : String(failure);
    throw new CommandError(2, `${file}: cannot read it: ${why}`);
  }
}
