/** `portcullis isolate --all`. */
import { readFile } from 'node:fs/promises';
import { readFailure } from '../config/load.ts';
import { salvageContacts } from '../config/text/salvage.ts';
import { readYaml } from '../config/text/yaml.ts';
import { isolateAll, type IsolateResult } from '../interlock/last-resort/isolate-all.ts';
import { loadProfiles, PROFILE_DIRECTORY } from '../contacts/profile-store.ts';
import type { Profile } from '../contacts/profile.ts';
import { CommandError, say, warn } from './exit.ts';
import { type Asked, tripRunning } from './isolate-running.ts';

/** How long a silent board is told again before the command gives an answer, ms. */
const ISOLATE_WITHIN_MS = 5_000;
/** As the schema has it. */
const DEFAULT_RUNTIME_DIRECTORY = '/run/portcullis';

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

/**
 * Isolates through the interlock that runs, or else directly, and says which it was and how each contact reads. What the
 * interlock did not show isolated is driven directly all the same.
 */
export async function isolateEverything(file: string, json: boolean): Promise<void> {
  const asked = await tripRunning(runtimeDirectoryIn(await textOf(file)));
  if (!json) for (const line of wordsOf(asked)) warn(line);
  const shown = asked.kind === 'tripped' ? await shownBy(asked, file) : null;
  const through = shown === null ? 'board' : 'interlock';
  const results = shown ?? (await isolateConfigured(file));
  for (const result of results) {
    const { contact, isolated, detail } = result;
    say(
      json
        ? JSON.stringify({ ...result, through })
        : `${contact}: ${isolated ? 'isolated' : 'NOT PROVEN ISOLATED'} (${detail})`,
    );
  }
  const failed = results.filter((each) => !each.isolated).length;
  if (failed > 0)
    throw new CommandError(1, `${failed} of ${results.length} contacts are not proven isolated`);
}

/** The word of the interlock on every contact of the file; null unless each of them reads isolated. */
async function shownBy(
  { contacts }: Extract<Asked, { kind: 'tripped' }>,
  file: string,
): Promise<readonly IsolateResult[] | null> {
  const text = await textOf(file);
  const { links, left } = salvageContacts(text, await profilesIn((id) => text.includes(id)));
  const results = Object.entries(links).flatMap(([link, { contacts: named }]) =>
    named.map(({ name }) => contacts.get(link)?.get(name) ?? null),
  );
  const shown = results.flatMap((each) => (each?.isolated === true ? [each] : []));
  return left.length === 0 && shown.length > 0 && shown.length === results.length ? shown : null;
}

function wordsOf(asked: Asked): readonly string[] {
  switch (asked.kind) {
    case 'nobody':
      return [];
    case 'failed':
      return [`an interlock runs, and was not to be moved: ${asked.why}; driving the contacts directly`];
    case 'tripped':
      return [
        `the running interlock has tripped every link${asked.latched ? '' : ', BUT CANNOT SAVE THE LATCHES'}; \`portcullis reset LINK\` when that is over`,
      ];
  }
}

/** Where the sockets are, whatever else the file says. */
export function runtimeDirectoryIn(text: string): string {
  const { file } = readYaml(text);
  const said =
    typeof file === 'object' && file !== null && 'runtime_directory' in file ? file.runtime_directory : null;
  return typeof said === 'string' && said.startsWith('/') ? said : DEFAULT_RUNTIME_DIRECTORY;
}

/** The shipped profiles that can be read. One that cannot is said, and keeps only its own contacts from being driven. */
async function profilesIn(wanted?: (id: string) => boolean): Promise<ReadonlyMap<string, Profile>> {
  const { profiles, problems } = await loadProfiles(PROFILE_DIRECTORY, wanted);
  for (const { file, line, what, hint } of problems) warn(`${file}:${line}: ${what}; ${hint}`);
  return profiles;
}

/** The text of a configuration. Throws `CommandError` when it cannot be read. */
export async function textOf(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (failure) {
    throw new CommandError(2, `${file}: cannot read it: ${readFailure(failure)}`);
  }
}
