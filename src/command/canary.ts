/** `portcullis canary plant|verify`. */
import { realpath } from 'node:fs/promises';
import { dirname } from 'node:path';
import { replaceFile } from '../api/people/people-file.ts';
import {
  canariesIn,
  canaryText,
  inspect,
  plant,
  readCanaries,
  stateWords,
} from '../controller/guards/canary.ts';
import type { Canary } from '../controller/guards/canary.ts';
import { nodeDisk } from '../journal/disk.ts';
import type { AskOptions } from './ask.ts';
import { configured } from './configured.ts';
import { CommandError, type ExitCode, say } from './exit.ts';

async function known(
  file: string,
): Promise<{ readonly state: string; readonly canaries: readonly Canary[] }> {
  const { config } = await configured(file, 'none');
  const state = config.controller.state_directory;
  const canaries = await readCanaries(nodeDisk, state).catch(refused);
  if (canaries !== null) return { state, canaries };
  throw new CommandError(1, `${canariesIn(state)} cannot be read: move it away and plant anew`);
}

/** A directory or file that this user may not touch, or that is not there. */
function refused(error: unknown): never {
  const { code, message } = error as NodeJS.ErrnoException;
  if (typeof code !== 'string') throw error;
  throw new CommandError(1, code === 'EACCES' ? `${message}: do it as root` : message);
}

/** Plants canaries. Those that are intact stay. */
export async function plantCanaries(
  directories: readonly string[],
  { config, again, json }: AskOptions & { readonly again?: true },
): Promise<void> {
  const { state, canaries: before } = await known(config);
  let canaries = before;
  for (const given of directories) {
    // oxlint-disable-next-line no-await-in-loop -- in the order given
    const directory = await realpath(given).catch(refused);
    const here = canaries.filter(({ path }) => dirname(path) === directory);
    // oxlint-disable-next-line no-await-in-loop
    const states = await Promise.all(here.map(inspect));
    const touched = here.find((_, index) => states[index]?.kind !== 'intact');
    if (here.length > 0 && touched === undefined) {
      if (json !== true) say(`${directory}: has its canaries`);
      continue;
    }
    if (touched !== undefined && again !== true)
      throw new CommandError(1, `${touched.path} is not as it was: find out why first; --again replaces it`);
    // oxlint-disable-next-line no-await-in-loop
    const planted = await plant(directory, new Date().toISOString()).catch(refused);
    canaries = [...canaries.filter((each) => !here.includes(each)), ...planted];
    // oxlint-disable-next-line no-await-in-loop
    await replaceFile(canariesIn(state), canaryText(canaries)).catch(refused);
    for (const { path } of planted)
      say(json === true ? JSON.stringify({ planted: path }) : `planted ${path}`);
  }
}

/** Looks at every canary. 1 when one is not intact, or there is none. */
export async function verifyCanaries({ config, json }: AskOptions): Promise<ExitCode> {
  const { canaries } = await known(config);
  let code: ExitCode = canaries.length === 0 ? 1 : 0;
  if (canaries.length === 0 && json !== true) say('no canary was planted: portcullis canary plant DIRECTORY');
  for (const { path, ...rest } of canaries) {
    // oxlint-disable-next-line no-await-in-loop -- small files
    const state = await inspect({ path, ...rest });
    if (state.kind !== 'intact') code = 1;
    say(json === true ? JSON.stringify({ path, ...state }) : `${path}: ${stateWords(state)}`);
  }
  return code;
}
