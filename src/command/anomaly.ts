/** `portcullis anomaly list|release`. */
import { userInfo } from 'node:os';
import { replaceFile } from '../api/people/people-file.ts';
import { anomaliesIn, readAnomalies } from '../controller/anomalies/book.ts';
import type { Anomaly } from '../controller/anomalies/book.ts';
import { leaveRelease, ReleaseRefusal } from '../controller/anomalies/release.ts';
import { nodeDisk } from '../journal/disk.ts';
import { printable } from '../sources/excerpt.ts';
import type { AskOptions } from './ask.ts';
import { configured } from './configured.ts';
import { CommandError, type ExitCode, say } from './exit.ts';

const WHY_CHARS = 400;

async function placeOf(file: string): Promise<{ readonly directory: string }> {
  const { config } = await configured(file, 'none');
  return { directory: anomaliesIn(config.controller.state_directory) };
}

/** What holds something; 1 when anything does. */
export async function listAnomalies({
  config,
  all,
  json,
}: AskOptions & { readonly all?: true }): Promise<ExitCode> {
  const { directory } = await placeOf(config);
  const anomalies = await readAnomalies(nodeDisk, directory);
  const held = anomalies.filter(({ release }) => release === null);
  for (const each of all === true ? anomalies : held)
    if (json === true) say(JSON.stringify(each));
    else for (const line of linesOf(each)) say(line);
  if (held.length === 0 && json !== true) say('nothing is held');
  return held.length === 0 ? 0 : 1;
}

function linesOf({
  id,
  at,
  window,
  repository,
  rule,
  action,
  why,
  snapshot,
  times,
  release,
}: Anomaly): string[] {
  const again = times === 1 ? '' : `, ${times} times`;
  return [
    `${id}  ${at}  window ${window}${repository === null ? '' : `, repository ${repository}`}  ${rule}: ${action}${again}`,
    `  ${printable(why, WHY_CHARS)}`,
    ...(snapshot === null ? [] : [`  snapshot ${snapshot.slice(0, 8)}`]),
    ...(release === null
      ? []
      : [
          `  released by ${printable(release.by, 60)} at ${release.at}${release.expected ? ' as expected' : ''}: ${printable(release.reason, WHY_CHARS)}`,
        ]),
  ];
}

/** Releases one. The controller sees it within seconds, or when it is started. */
export async function releaseAnomaly(
  id: string,
  { config, reason, expected, json }: AskOptions & { readonly reason: string; readonly expected?: true },
): Promise<void> {
  const { directory } = await placeOf(config);
  const said = { by: userInfo().username, reason, expected: expected === true };
  const place = { disk: nodeDisk, directory, write: replaceFile };
  const release = await leaveRelease(place, id, said).catch((error: unknown) => {
    if (error instanceof ReleaseRefusal)
      throw new CommandError(error.code === 'anomaly-released' ? 1 : 2, `${error.message}: ${error.hint}`);
    const { code, message } = error as NodeJS.ErrnoException;
    if (typeof code !== 'string') throw error;
    throw new CommandError(1, `${message}: do it as root`);
  });
  say(json === true ? JSON.stringify({ id, ...release }) : `${id}: released`);
}
